package server

import (
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

// TestNamesOfOneAccount: somebody may ask to act as himself by any name of
// his, and as nobody else (RFC 4422 2). A token or a certificate that names
// him in one way is good for the other.
func TestNamesOfOneAccount(t *testing.T) {
	s := start(t, login.Setup{Flavour: login.Modern, Database: login.Full, Policy: everything(login.Allow),
		Accounts: []login.Account{alice, bob}})
	for _, m := range []login.Mechanism{login.PLAIN, login.DIGESTMD5, login.SCRAMSHA1, login.SCRAMSHA256PLUS,
		login.XOAUTH2, login.OAUTHBEARER, login.EXTERNAL, login.GSSAPI} {
		for _, row := range []struct {
			authzid string
			want    bool
		}{
			{"", true},
			{"alice", true},
			{"Alice@Example.Test", true},
			{"alice@elsewhere.example", false},
			{"bob", false},
			{"nobody", false},
		} {
			config := mech.ClientConfig{Username: "alice", Password: alice.Password, Authzid: row.authzid}
			if m == login.XOAUTH2 && row.authzid != "" { // which has one name only
				config.Username = row.authzid
			}
			c := s.smtp(login.StartTLS)
			c.list()
			answer, _ := c.logInAs(m, config)
			if accepted(answer) != row.want {
				t.Errorf("%s acting as %q: %s", m, row.authzid, answer)
			}
		}
	}
}
