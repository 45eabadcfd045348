package ntlm

import (
	"errors"
	"strings"
	"testing"
)

// challengeWith is a type 2 that grants these flags.
func challengeWith(flags Flags, info AVPairs) []byte {
	c := Challenge{Flags: flags, ServerChallenge: [8]byte{1, 2, 3}}
	if info != nil {
		c.TargetInfo = info.Marshal()
	}
	return c.Marshal()
}

func TestClientOffers(t *testing.T) {
	for _, test := range []struct {
		client        Client
		offered, none Flags
	}{
		{Client{}, FlagUnicode | FlagOEM | FlagExtendedSession, 0},
		{Client{Kind: Session}, FlagUnicode | FlagExtendedSession, 0},
		{Client{Kind: V1}, FlagUnicode | FlagNTLM, FlagExtendedSession},
		{Client{Kind: LM, OEM: true}, FlagOEM | FlagNTLM, FlagExtendedSession | FlagUnicode},
	} {
		m, err := ParseNegotiate(test.client.Negotiate())
		mustEqual(t, err, nil)
		if !m.Flags.Has(test.offered) || m.Flags&(test.none|FlagSign|FlagSeal|FlagKeyExchange|FlagVersion) != 0 {
			t.Errorf("%s offers %#x", test.client.Kind, m.Flags)
		}
	}
}

func TestClientConfirmsOneEncoding(t *testing.T) {
	for granted, want := range map[Flags]Flags{
		FlagUnicode: FlagUnicode, FlagOEM: FlagOEM, FlagUnicode | FlagOEM: FlagUnicode, 0: FlagOEM,
	} {
		mustEqual(t, Client{}.confirmed(granted)&(FlagUnicode|FlagOEM), want)
	}
	mustEqual(t, Client{OEM: true}.confirmed(FlagUnicode|FlagOEM)&(FlagUnicode|FlagOEM), FlagOEM)
}

func TestClientKinds(t *testing.T) {
	const long = "more than fourteen characters"
	stamp := AVPairs{{AVTimestamp, make([]byte, 8)}}
	for _, test := range []struct {
		name   string
		client Client
		server []byte
		kind   Kind
		check  func(Authenticate) bool
	}{
		{"without a timestamp there is an LMv2 response", Client{}, challengeWith(FlagUnicode, AVPairs{}), V2,
			func(m Authenticate) bool {
				return m.MIC == nil && [8]byte(m.LMResponse[16:]) == [8]byte(m.NTResponse[32:])
			}},
		{"with one there is a code and no LMv2 response", Client{}, challengeWith(FlagUnicode, stamp), V2,
			func(m Authenticate) bool {
				return m.promisesMIC() && m.Flags.Has(FlagTargetInfo) && [24]byte(m.LMResponse) == [24]byte{}
			}},
		{"no target information", Client{}, challengeWith(FlagUnicode, nil), V2,
			func(m Authenticate) bool { return len(m.NTResponse) == proofSize+blobFixed+4 }},
		{"no extended session security", Client{Kind: Session}, challengeWith(FlagUnicode, nil), V1,
			func(m Authenticate) bool { return !m.Flags.Has(FlagExtendedSession) }},
		{"extended session security unasked", Client{Kind: V1}, challengeWith(FlagUnicode|FlagExtendedSession, nil), V1,
			func(m Authenticate) bool { return !m.Flags.Has(FlagExtendedSession) }},
		{"no LM hash", Client{Kind: V1, Password: long}, challengeWith(FlagUnicode, nil), V1,
			func(m Authenticate) bool { return [24]byte(m.LMResponse) == [24]byte(m.NTResponse) }},
		{"LM", Client{Kind: LM, Password: "short"}, challengeWith(FlagOEM, nil), LM,
			func(m Authenticate) bool { return len(m.NTResponse) == 0 }},
	} {
		t.Run(test.name, func(t *testing.T) {
			raw, err := test.client.Authenticate(test.server)
			mustEqual(t, err, nil)
			m, err := ParseAuthenticate(raw)
			mustEqual(t, err, nil)
			mustEqual(t, m.Kind(), test.kind)
			mustEqual(t, test.check(m), true)
		})
	}
}

func TestClientRefuses(t *testing.T) {
	unicode := challengeWith(FlagUnicode, nil)
	for _, test := range []struct {
		name   string
		client Client
		server []byte
		want   error
	}{
		{"a message that is none", Client{}, []byte("NTLMSSP"), ErrMalformed},
		{"broken attributes", Client{}, Challenge{TargetInfo: []byte{1, 0, 9, 0}}.Marshal(), ErrMalformed},
		{"LM with a long password", Client{Kind: LM, Password: strings.Repeat("x", 15)}, unicode, ErrNoLMHash},
		{"LM beyond ASCII", Client{Kind: LM, Password: "ä"}, unicode, ErrNoLMHash},
		{"a name beyond OEM", Client{User: "日本"}, challengeWith(FlagOEM, nil), ErrNotEncoded},
		{"a name beyond a descriptor", Client{User: strings.Repeat("x", 1<<15)}, unicode, ErrNotEncoded},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := test.client.Authenticate(test.server)
			mustEqual(t, errors.Is(err, test.want), true)
		})
	}
	if _, err := (Client{Kind: V2 + 1}).Authenticate(unicode); err == nil {
		t.Error("a kind that does not exist was spoken")
	}
}

func TestKindsCompareByStrength(t *testing.T) {
	order := []Kind{KindUnknown, LM, V1, Session, V2}
	names := []string{"unknown", "LM only", "NTLMv1", "NTLM2-session", "NTLMv2"}
	for i, kind := range order {
		mustEqual(t, kind.String(), names[i])
		if i > 0 && order[i-1] >= kind {
			t.Errorf("%s is not weaker than %s", order[i-1], kind)
		}
	}
}
