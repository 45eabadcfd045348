package ntlm

import (
	"errors"
	"testing"
)

// Nothing panics, an error is a malformed message or a refusal, and what was parsed parses again to the same.
func FuzzParse(f *testing.F) {
	for _, v := range readVectors(f) {
		for _, name := range []string{"negotiate", "challenge", "authenticate"} {
			f.Add(v.bytes(f, name))
		}
	}
	for _, kind := range []Kind{LM, V1, Session, V2} {
		client := Client{User: "user", Domain: "d", Password: "Secret14", Kind: kind, OEM: kind < Session}
		messages, _, _ := login(f, knows("user", "Secret14", LM), client)
		for _, message := range messages {
			f.Add(message)
		}
	}
	acceptor := knows("user", "Secret14", LM)
	f.Fuzz(func(t *testing.T, data []byte) {
		roundTrip(t, data, ParseNegotiate)
		roundTrip(t, data, ParseChallenge)
		roundTrip(t, data, ParseAuthenticate)
		if pairs, err := ParseAVPairs(data); err == nil {
			again, err := ParseAVPairs(pairs.Marshal())
			mustEqual(t, err, nil)
			mustEqual(t, again, pairs)
		}
		if _, err := (Client{User: "user", Password: "Secret14"}).Authenticate(data); err != nil {
			mustEqual(t, errors.Is(err, ErrMalformed), true)
		}
		Cracks(data, data, "Secret14")

		e, err := acceptor.Challenge(Client{}.Negotiate())
		mustEqual(t, err, nil)
		if _, err = e.Finish(data); err == nil {
			t.Error("a message that answers no challenge of ours was accepted")
		}
		if e, err = acceptor.Challenge(data); err == nil {
			_, err = Client{}.Authenticate(e.Message())
			mustEqual(t, err, nil)
		}
	})
}

func roundTrip[M interface{ Marshal() []byte }](t *testing.T, data []byte, parse func([]byte) (M, error)) {
	t.Helper()
	m, err := parse(data)
	if err != nil {
		mustEqual(t, errors.Is(err, ErrMalformed), true)
		return
	}
	again, err := parse(m.Marshal())
	mustEqual(t, err, nil)
	mustEqual(t, again.Marshal(), m.Marshal())
}
