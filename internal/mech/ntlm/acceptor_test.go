package ntlm

import (
	"errors"
	"strings"
	"testing"
	"testing/iotest"
)

const rightPassword = "Pässword"

// knows makes an acceptor that knows one account.
func knows(user, password string, minimum Kind) *Acceptor {
	secret := NewSecret(password)
	return &Acceptor{
		TargetName: "MAIL", DNSName: "mail.example.test", Minimum: minimum,
		Lookup: func(_, name string) (Secret, bool) { return secret, name == user },
	}
}

// login runs one exchange and returns its three messages with the verdict.
func login(t tester, a *Acceptor, c Client) (messages [3][]byte, result Result, err error) {
	t.Helper()
	messages[0] = c.Negotiate()
	e, err := a.Challenge(messages[0])
	if err != nil {
		t.Fatalf("challenge: %v", err)
	}
	messages[1] = e.Message()
	if messages[2], err = c.Authenticate(messages[1]); err != nil {
		t.Fatalf("authenticate: %v", err)
	}
	result, err = e.Finish(messages[2])
	return messages, result, err
}

func TestFinish(t *testing.T) {
	lmPassword := "Secret14"
	for _, test := range []struct {
		name    string
		client  Client
		minimum Kind
		want    error
		kind    Kind
	}{
		{"NTLMv2 is enough by default", Client{User: "u", Password: rightPassword}, KindUnknown, nil, V2},
		{"NTLM2-session is not", Client{User: "u", Password: rightPassword, Kind: Session}, KindUnknown, ErrTooWeak, Session},
		{"a Session client at the minimum", Client{User: "u", Password: rightPassword, Kind: Session}, Session, nil, Session},
		{"NTLMv1 below it", Client{User: "u", Password: rightPassword, Kind: V1}, Session, ErrTooWeak, V1},
		{"NTLMv1 at the minimum", Client{User: "u", Password: rightPassword, Kind: V1}, V1, nil, V1},
		{"LM below it", Client{User: "u", Password: lmPassword, Kind: LM}, V1, ErrTooWeak, LM},
		{"LM at the minimum", Client{User: "u", Password: lmPassword, Kind: LM}, LM, nil, LM},
		{"LM ignores case", Client{User: "u", Password: strings.ToUpper(lmPassword), Kind: LM}, LM, nil, LM},
		{"stronger than the minimum", Client{User: "u", Password: rightPassword}, LM, nil, V2},
		{"OEM", Client{User: "u", Password: rightPassword, OEM: true, Kind: V1}, V1, nil, V1},
		{"OEM and NTLMv2", Client{User: "u", Domain: "dömain", Password: rightPassword, OEM: true}, V2, nil, V2},
		{"a domain in any case", Client{User: "u", Domain: "Domain", Password: rightPassword}, V2, nil, V2},
		{"a wrong password", Client{User: "u", Password: "wrong"}, V2, ErrCredentials, V2},
		{"an unknown user", Client{User: "v", Password: rightPassword}, V2, ErrCredentials, V2},
		{"a weak response of an unknown user", Client{User: "v", Password: rightPassword, Kind: V1}, V2, ErrTooWeak, V1},
		{"nobody", Client{Password: rightPassword}, V2, ErrCredentials, V2},
		{"a minimum beyond every kind", Client{User: "u", Password: rightPassword}, V2 + 1, ErrTooWeak, V2},
	} {
		t.Run(test.name, func(t *testing.T) {
			password := rightPassword
			if test.client.Kind == LM {
				password = lmPassword
			}
			_, result, err := login(t, knows("u", password, test.minimum), test.client)
			if !errors.Is(err, test.want) {
				t.Fatalf("error %v, want %v", err, test.want)
			}
			mustEqual(t, result, Result{User: test.client.User, Domain: test.client.Domain, Kind: test.kind})
		})
	}
}

func TestTooWeakNamesBothKinds(t *testing.T) {
	_, _, err := login(t, knows("u", rightPassword, V2), Client{User: "u", Password: rightPassword, Kind: V1})
	mustEqual(t, err.Error(), "ntlm: too weak a response: NTLMv1, and NTLMv2 is the minimum")
}

// The zero value refuses everybody: no panic, and no login with the hash of all zeros that stands for nobody's.
func TestZeroAcceptorRefuses(t *testing.T) {
	_, _, err := login(t, &Acceptor{}, Client{User: "u"})
	mustEqual(t, errors.Is(err, ErrCredentials), true)

	e, err := (&Acceptor{}).Challenge(Client{}.Negotiate())
	mustEqual(t, err, nil)
	forged := Authenticate{Flags: FlagUnicode, User: "u"}
	response := v2Blob(0, [8]byte{}, nil)
	proof := v2Proof(v2Key([16]byte{}, "u", ""), e.challenge.ServerChallenge, response)
	forged.NTResponse = append(proof[:], response...)
	_, err = e.Finish(forged.Marshal())
	mustEqual(t, errors.Is(err, ErrCredentials), true)
}

// An account without a name is no account, even if the look-up finds one.
func TestNoNameIsNobody(t *testing.T) {
	_, _, err := login(t, knows("", rightPassword, V2), Client{Password: rightPassword})
	mustEqual(t, errors.Is(err, ErrCredentials), true)
}

// A password without an LM hash has zeros in its place, and everybody can answer with those.
func TestNoLMHashVerifiesNothing(t *testing.T) {
	e, err := knows("u", rightPassword, LM).Challenge(Client{OEM: true}.Negotiate())
	mustEqual(t, err, nil)
	response := desl([16]byte{}, e.challenge.ServerChallenge)
	_, err = e.Finish(Authenticate{Flags: FlagOEM, User: "u", LMResponse: response[:]}.Marshal())
	mustEqual(t, errors.Is(err, ErrCredentials), true)
}

func TestAnonymousIsNobody(t *testing.T) {
	for name, m := range map[string]Authenticate{
		"as Windows sends it":     {Flags: FlagUnicode | FlagAnonymous, LMResponse: []byte{0}},
		"with a name":             {Flags: FlagUnicode | FlagAnonymous, User: "u", LMResponse: []byte{0}},
		"without any response":    {Flags: FlagUnicode, User: "u"},
		"a response of some size": {Flags: FlagUnicode, User: "u", NTResponse: make([]byte, 25)},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := knows("u", "", LM).Challenge(Client{}.Negotiate())
			mustEqual(t, err, nil)
			_, err = e.Finish(m.Marshal())
			mustEqual(t, errors.Is(err, ErrCredentials), true)
		})
	}
}

func TestChallengeAnswersOnce(t *testing.T) {
	client := Client{User: "u", Password: rightPassword}
	e, err := knows("u", rightPassword, V2).Challenge(client.Negotiate())
	mustEqual(t, err, nil)
	answer, err := client.Authenticate(e.Message())
	mustEqual(t, err, nil)
	_, err = e.Finish(answer)
	mustEqual(t, err, nil)
	if _, err = e.Finish(answer); !errors.Is(err, ErrMalformed) {
		t.Errorf("a second answer: %v, want ErrMalformed", err)
	}
}

func TestChallengesDiffer(t *testing.T) {
	a := knows("u", rightPassword, V2)
	first, _ := a.Challenge(Client{}.Negotiate())
	second, _ := a.Challenge(Client{}.Negotiate())
	if first.challenge.ServerChallenge == second.challenge.ServerChallenge {
		t.Error("the same challenge twice")
	}
}

func TestGrant(t *testing.T) {
	for _, test := range []struct {
		name             string
		asked            Flags
		granted, refused Flags
	}{
		{"Unicode wins", FlagUnicode | FlagOEM, FlagUnicode, FlagOEM},
		{"OEM where there is no Unicode", FlagOEM, FlagOEM, FlagUnicode},
		{"OEM where there is nothing", 0, FlagOEM, FlagUnicode},
		{"extended session security on request", FlagExtendedSession | FlagLMKey, FlagExtendedSession, FlagLMKey},
		{"and only on request", FlagUnicode, FlagNTLM | FlagTargetInfo, FlagExtendedSession | Flag128 | Flag56},
		{"nothing for after the login", FlagSign | FlagSeal | FlagKeyExchange, FlagNTLM, FlagSign | FlagSeal | FlagKeyExchange},
		{"no version", FlagVersion, FlagNTLM, FlagVersion},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := grant(test.asked)
			if !got.Has(test.granted) || got&test.refused != 0 {
				t.Errorf("%#x: granted %#x, want %#x and none of %#x", test.asked, got, test.granted, test.refused)
			}
		})
	}
}

func TestTargetInfo(t *testing.T) {
	e, err := knows("u", rightPassword, V2).Challenge(Client{}.Negotiate())
	mustEqual(t, err, nil)
	c, err := ParseChallenge(e.Message())
	mustEqual(t, err, nil)
	mustEqual(t, c.TargetName, "MAIL")
	mustEqual(t, c.Flags.Has(FlagTargetTypeServer|FlagTargetInfo), true)
	pairs, err := ParseAVPairs(c.TargetInfo)
	mustEqual(t, err, nil)
	for id, want := range map[AttributeID]string{
		AVNetBIOSComputer: "MAIL", AVNetBIOSDomain: "MAIL",
		AVDNSComputer: "mail.example.test", AVDNSDomain: "mail.example.test",
	} {
		value, _ := pairs.Find(id)
		mustEqual(t, fromUTF16(value), want)
	}
	stamp, _ := pairs.Find(AVTimestamp)
	mustEqual(t, len(stamp), 8)
}

func TestTargetNameOnlyOnRequest(t *testing.T) {
	e, err := knows("u", rightPassword, V2).Challenge(Negotiate{Flags: FlagUnicode}.Marshal())
	mustEqual(t, err, nil)
	c, err := ParseChallenge(e.Message())
	mustEqual(t, err, nil)
	mustEqual(t, c.TargetName, "")
	mustEqual(t, c.Flags&(FlagRequestTarget|FlagTargetTypeServer), Flags(0))
}

// 3.2.5.1.2: a client that leaves its domain out of the computation is let in all the same.
func TestDomainLeftOut(t *testing.T) {
	e, err := knows("u", rightPassword, V2).Challenge(Client{}.Negotiate())
	mustEqual(t, err, nil)
	blob := v2Blob(0, [8]byte{}, nil)
	proof := v2Proof(v2Key(NTHash(rightPassword), "u", ""), e.challenge.ServerChallenge, blob)
	m := Authenticate{Flags: FlagUnicode, User: "u", Domain: "DOMAIN", NTResponse: append(proof[:], blob...)}
	_, err = e.Finish(m.Marshal())
	mustEqual(t, err, nil)
}

// The oldest type 3 ends after the workstation's descriptor; its encoding is the negotiated one.
func TestAuthenticateWithoutFlags(t *testing.T) {
	client := Client{User: "u", Domain: "d", Password: rightPassword, Kind: V1, OEM: true}
	e, err := knows("u", rightPassword, V1).Challenge(client.Negotiate())
	mustEqual(t, err, nil)
	response := desl(NTHash(rightPassword), e.challenge.ServerChallenge)
	w := write(3, 52, 0)
	w.field(28, []byte("d"))
	w.field(36, []byte("u"))
	w.field(20, response[:])
	m, err := ParseAuthenticate(w)
	mustEqual(t, err, nil)
	mustEqual(t, m.User, "u")
	result, err := e.Finish(w)
	mustEqual(t, err, nil)
	mustEqual(t, result, Result{User: "u", Domain: "d", Kind: V1})
}

func TestNoRandomBytes(t *testing.T) {
	broken := iotest.ErrReader(errors.New("broken"))
	if _, err := (&Acceptor{Rand: broken}).Challenge(Client{}.Negotiate()); err == nil {
		t.Error("a challenge without random bytes")
	}
	e, _ := (&Acceptor{}).Challenge(Client{}.Negotiate())
	for _, kind := range []Kind{Session, V2} {
		if _, err := (Client{Kind: kind, Rand: broken}).Authenticate(e.Message()); err == nil {
			t.Errorf("%s without random bytes", kind)
		}
	}
}
