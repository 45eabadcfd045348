package harness

import (
	"fmt"
	"math/rand/v2"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// newSecrets makes the canaries of a run. Names are lower case, because some
// clients and mechanisms fold them; passwords are mixed, so that folding one
// shows. All are ASCII and long enough never to occur by chance.
func newSecrets(r *rand.Rand) login.Secrets {
	return login.Secrets{
		Name:            word(r, nameLetters, 12),
		Password:        word(r, passwordLetters, passwordLength),
		Override:        word(r, passwordLetters, passwordLength),
		Wrong:           word(r, passwordLetters, passwordLength),
		WindowsUser:     word(r, nameLetters, 12),
		WindowsPassword: word(r, passwordLetters, passwordLength),
	}
}

// newAccount is an account beside that of the secrets.
func newAccount(r *rand.Rand) login.Account {
	return login.Account{Name: word(r, nameLetters, 12), Password: word(r, passwordLetters, passwordLength)}
}

// stranger is the name of somebody whom no server of ours knows. It is no
// canary: a certificate that names him shows nobody's identity.
const stranger = "a-stranger"

// issue completes the secrets by what the target gives out. What is wrong is
// forged, but for the certificate: one that no authority vouches for is taken
// for none, so it is that of a stranger.
//
// Of a server that stands it is its own account's, which its cases log in as;
// where it names none, nothing is given out.
func issue(t Target, s login.Secrets) (login.Secrets, error) {
	issuer, ok := t.(Issuer)
	if !ok {
		return s, nil
	}
	name := s.Name
	if standing, ok := t.(Standing); ok {
		account := standing.Stands().Account
		if account.Password == "" {
			return s, nil
		}
		name = account.Name
	}
	var err error
	if s.Issued, err = issuer.Issue(name, login.Flawless); err != nil {
		return s, fmt.Errorf("issue: %w", err)
	}
	if s.WrongIssued, err = issuer.Issue(name, login.Forged); err != nil {
		return s, fmt.Errorf("issue what is forged: %w", err)
	}
	other, err := issuer.Issue(stranger, login.Flawless)
	if err != nil {
		return s, fmt.Errorf("issue to a stranger: %w", err)
	}
	s.WrongIssued.Certificate, s.WrongIssued.Key = other.Certificate, other.Key
	return s, nil
}

// passwordLength is what NTLM's oldest response can take (MS-NLMP 3.3.1).
const passwordLength = 14

const (
	nameLetters     = "abcdefghijkmnpqrstuvwxyz"
	passwordLetters = nameLetters + "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
)

func word(r *rand.Rand, letters string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = letters[r.IntN(len(letters))]
	}
	return string(b)
}
