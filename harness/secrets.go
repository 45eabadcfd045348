package harness

import (
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
