package harness_test

import (
	"testing"

	"github.com/mailmatrix/mailmatrix/scenarios/clientcases"
	"github.com/mailmatrix/mailmatrix/scenarios/compliance"
)

// core are the requirements that the catalogue names first: they are there, by
// name, in every release.
var core = []string{
	"smtp/auth/003", "smtp/auth/008", "smtp/auth/009", "smtp/auth/011", "smtp/auth/019", "smtp/auth/021",
	"smtp/auth/034", "smtp/tls/002", "smtp/tls/004", "smtp/tls/005", "smtp/tls/006", "smtp/tls/010",
	"smtp/tls/019", "smtp/base/006", "smtp/relay/001", "smtp/relay/002", "smtp/relay/003", "smtp/smuggle/001",
	"pop3/base/003", "pop3/base/007", "pop3/apop/001", "pop3/capa/002", "pop3/tls/003", "pop3/tls/004",
	"pop3/tls/005", "pop3/auth/003", "sasl/gen/001", "sasl/gen/005", "sasl/plain/002", "sasl/plain/003",
	"sasl/plain/004", "sasl/cram/002", "sasl/scram/001", "sasl/scram/005", "sasl/scram/006", "sasl/ntlm/004",
	"sasl/oauth/001", "sasl/external/001", "both/policy/002", "both/policy/003", "both/policy/004",
	"both/policy/005", "both/policy/006", "both/policy/008", "both/policy/009", "both/policy/010",
	"tls/version/001", "tls/cipher/001", "tls/cert/001", "tls/cert/002", "tls/alpn/001", "client/smtp/002",
	"client/smtp/003", "client/smtp/005", "client/smtp/007", "client/smtp/009", "client/smtp/010",
	"client/pop3/001", "client/pop3/002", "client/pop3/003", "client/pop3/005", "abuse/cmd/003",
	"abuse/sasl/001",
}

func TestCoreIsThere(t *testing.T) {
	there := map[string]bool{}
	for _, c := range compliance.All() {
		there[c.ID] = true
	}
	for _, c := range clientcases.All() {
		there[c.ID] = true
	}
	for _, id := range core {
		if !there[id] {
			t.Errorf("%s is missing", id)
		}
	}
	if len(core) != 63 {
		t.Errorf("%d cases are core, not 63", len(core))
	}
}
