package ntlm

import (
	"errors"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

var latin1 = &unicode.RangeTable{R16: []unicode.Range16{{Lo: 1, Hi: 0xFF, Stride: 1}}, LatinOffset: 1}

// drawClient draws any client that can say what it is told to.
func drawClient(t *rapid.T) Client {
	c := Client{
		Kind: rapid.SampledFrom([]Kind{LM, V1, Session, V2}).Draw(t, "kind"),
		OEM:  rapid.Bool().Draw(t, "OEM"),
	}
	name, password := rapid.StringN(1, 20, -1), rapid.String()
	if c.OEM {
		name = rapid.StringOfN(rapid.RuneFrom(nil, latin1), 1, 20, -1)
	}
	if c.Kind == LM {
		password = rapid.StringMatching(`[ -~]{0,14}`)
	}
	c.User, c.Domain, c.Password = name.Draw(t, "user"), name.Draw(t, "domain"), password.Draw(t, "password")
	return c
}

// Both halves agree, whatever the name, the password and the kind; and so does the listener.
func TestClientAndAcceptorAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawClient(t)
		a := knows(c.User, c.Password, LM)
		messages, result, err := login(t, a, c)
		mustEqual(t, err, nil)
		mustEqual(t, result, Result{User: c.User, Domain: c.Domain, Kind: c.Kind})
		mustEqual(t, Cracks(messages[1], messages[2], c.Password), true)

		wrong := c
		wrong.Password = "!" + c.Password
		if c.Kind == LM { // which knows no case, and no more than 14 characters
			wrong.Password = "!" + c.Password[:min(len(c.Password), 13)]
			if sameLM(wrong.Password, c.Password) {
				return
			}
		}
		messages, _, err = login(t, a, wrong)
		mustEqual(t, errors.Is(err, ErrCredentials), true)
		mustEqual(t, Cracks(messages[1], messages[2], c.Password), false)
	})
}

func sameLM(a, b string) bool {
	x, _ := LMHash(a)
	y, _ := LMHash(b)
	return x == y
}

// Any bit of the response that is flipped makes it worthless, with and without a message integrity code to help.
func TestFlippedBits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawClient(t)
		a := knows(c.User, c.Password, LM)
		e, err := a.Challenge(c.Negotiate())
		mustEqual(t, err, nil)
		challenge := e.challenge
		if rapid.Bool().Draw(t, "no timestamp") {
			challenge.TargetInfo = nil
		}
		raw, err := c.Authenticate(challenge.Marshal())
		mustEqual(t, err, nil)
		m, err := ParseAuthenticate(raw)
		mustEqual(t, err, nil)
		response := m.NTResponse
		if c.Kind == LM {
			response = m.LMResponse
		}
		bit := rapid.IntRange(0, 8*len(response)-1).Draw(t, "bit")
		response[bit/8] ^= 1 << (bit % 8)
		_, err = e.Finish(m.Marshal())
		mustEqual(t, errors.Is(err, ErrCredentials), true)
	})
}
