package advice

import (
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// caseProblems are what the failure of a compliance case is about, by its ID or
// its area. What is not here is the software's own.
var caseProblems = []struct {
	id      string
	problem Problem
}{
	{"tls/cert/", BadCertificate},
	{"tls/version/", OldTLS},
	{"smtp/tls/001", NoTLS},
	{"smtp/tls/013", NoTLS},
	{"smtp/tls/019", DoorsDiffer},
	{"smtp/tls/022", ListShrinks},
	{"pop3/tls/001", NoTLS},
	{"pop3/tls/008", DoorsDiffer},
	{"both/policy/010", DoorsDiffer},
}

// ForCase is the advice on a compliance case that a door does not pass.
func ForCase(id string, on On) *login.Advice {
	for _, c := range caseProblems {
		if strings.HasPrefix(id, c.id) {
			return For(c.problem, on)
		}
	}
	return For(Session, on)
}
