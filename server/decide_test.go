package server

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

// TestListedIsAccepted is rule 2, over everything that can vary: what a
// connection lists is exactly what it accepts with the right password, and
// both are what the rules say.
func TestListedIsAccepted(t *testing.T) {
	for _, database := range login.Databases() {
		for _, override := range []login.Account{alice, aliceWithOverride} {
			for _, setting := range login.Settings() {
				for _, impl := range mech.All() {
					setup := login.Setup{Flavour: login.Modern, Database: database,
						Policy: login.Only(impl.Name, setting), Accounts: []login.Account{override}}
					name := fmt.Sprintf("%s/%t/%s/%s", database, override.Override != "", setting,
						strings.ReplaceAll(string(impl.Name), "/", "-"))
					t.Run(name, func(t *testing.T) {
						t.Parallel()
						s := start(t, setup)
						for _, p := range impl.Protocols {
							for _, transport := range login.Transports() {
								checkListing(t, s, p, transport, impl.Name)
							}
						}
					})
				}
			}
		}
	}
}

func checkListing(t *testing.T, s *site, p login.Protocol, transport login.Transport, m login.Mechanism) {
	t.Helper()
	account := s.setup.Accounts[0]
	available := canCheckByTheBook(s.setup.Database, account.Override != "", p, m) && (transport.Encrypted() || !onlyInTLS(m))
	permitted := available && s.setup.Policy.For(p, m).Permits(transport)
	c := s.dial(p, transport)
	shown := c.shows(m)
	wantShown := permitted
	if m == login.APOP { // the greeting comes before STLS
		wantShown = available && s.setup.Policy.For(p, m) != login.Deny
	}
	if shown != wantShown {
		t.Errorf("%s %s: shown %t, want %t", p, transport, shown, wantShown)
	}
	for _, other := range mech.All() {
		if other.Name != m && other.In(p) && c.shows(other.Name) {
			t.Errorf("%s %s: shows %s too", p, transport, other.Name)
		}
	}
	answer, asked := c.logIn(m, account.Name, passwordByTheBook(s.setup.Database, account, p, m))
	defer c.quit()
	if accepted(answer) != permitted {
		t.Errorf("%s %s: answer %q, want permitted %t", p, transport, answer, permitted)
	}
	if permitted {
		return
	}
	if asked && m != login.APOP {
		t.Errorf("%s %s: asked for a secret before it refused", p, transport)
	}
	wantRefusal := login.ByAvailability
	if !s.setup.Policy.For(p, m).Permits(transport) {
		wantRefusal = login.ByPolicy
	}
	if got := s.last(); got.Refusal != wantRefusal || got.Mechanism != m || got.Encrypted != transport.Encrypted() {
		t.Errorf("%s %s: record %+v, want %s", p, transport, got, wantRefusal)
	}
	want := "504 5.5.4 "
	if p == login.POP3 {
		want = "-ERR "
	}
	if !strings.HasPrefix(answer, want) || strings.Contains(answer, "[") {
		t.Errorf("%s %s: refused with %q", p, transport, answer)
	}
}

// canCheckByTheBook is rules 4 and 5, written down a second time.
func canCheckByTheBook(d login.Database, override bool, p login.Protocol, m login.Mechanism) bool {
	const scram = " SCRAM-SHA-1 SCRAM-SHA-1-PLUS SCRAM-SHA-256 SCRAM-SHA-256-PLUS"
	table := map[login.Database]string{
		login.WinGate:   "PLAIN LOGIN USER/PASS CRAM-MD5 APOP" + scram,
		login.NT:        "PLAIN LOGIN USER/PASS NTLM",
		login.SCRAMKeys: "PLAIN LOGIN USER/PASS" + scram,
		login.Full: "PLAIN LOGIN USER/PASS CRAM-MD5 APOP NTLM DIGEST-MD5 XOAUTH2 OAUTHBEARER EXTERNAL ANONYMOUS GSSAPI" +
			scram,
	}[d]
	if d == login.NT && override && p == login.POP3 {
		table += " CRAM-MD5 APOP" + scram
	}
	for _, name := range strings.Fields(table) {
		if name == string(m) {
			return true
		}
	}
	return false
}

func onlyInTLS(m login.Mechanism) bool {
	return strings.HasSuffix(string(m), "-PLUS") || m == login.EXTERNAL
}

func passwordByTheBook(d login.Database, a login.Account, p login.Protocol, m login.Mechanism) string {
	second := d == login.NT && (m == login.CRAMMD5 || m == login.APOP || strings.HasPrefix(string(m), "SCRAM"))
	if p == login.POP3 && a.Override != "" && (m == login.UserPass || second) {
		return a.Override
	}
	return a.Password
}

// TestPasswords is rule 5 with each password that somebody might try.
func TestPasswords(t *testing.T) {
	for _, database := range login.Databases() {
		for _, account := range []login.Account{alice, aliceWithOverride} {
			s := start(t, login.Setup{Flavour: login.Modern, Database: database,
				Policy: everything(login.Allow), Accounts: []login.Account{account}})
			for _, impl := range mech.All() {
				for _, p := range impl.Protocols {
					if !canCheckByTheBook(database, account.Override != "", p, impl.Name) {
						continue
					}
					for _, password := range []string{"wonderland", "lookingglass", "wrong"} {
						c := s.dial(p, login.StartTLS)
						if p == login.SMTP {
							c.list()
						}
						want := password == passwordByTheBook(database, account, p, impl.Name) || impl.Presents != login.PresentsPassword
						answer, _ := c.logIn(impl.Name, "alice", password)
						c.quit()
						if accepted(answer) != want {
							t.Errorf("%s %s %s override %t, password %s: %q", database, p, impl.Name,
								account.Override != "", password, answer)
						}
						if !want && s.last().Refusal != login.ByCredentials {
							t.Errorf("%s %s: record %+v", p, impl.Name, s.last())
						}
					}
				}
			}
		}
	}
}

// TestSecondChanceOfOthers: with nt, one account's override makes APOP and
// CRAM-MD5 available; for an account without one they end in wrong
// credentials.
func TestSecondChanceOfOthers(t *testing.T) {
	s := start(t, login.Setup{Flavour: login.Modern, Database: login.NT, Policy: everything(login.Allow),
		Accounts: []login.Account{aliceWithOverride, bob}})
	for _, m := range []login.Mechanism{login.APOP, login.CRAMMD5} {
		for _, password := range []string{bob.Password, "", "lookingglass"} {
			answer, asked := s.pop3(login.Plain).logIn(m, "bob", password)
			if !asked || !strings.HasPrefix(answer, "-ERR [AUTH]") {
				t.Errorf("%s with %q: %q", m, password, answer)
			}
		}
	}
}
