package server

import (
	"crypto/tls"
	"strings"
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

// TestNobody: ANONYMOUS lets in as nobody. Nobody has no mailbox, may be there
// many times over, and is not written into what he sends.
func TestNobody(t *testing.T) {
	setup := login.Setup{Flavour: login.Modern, Database: login.Full, Policy: everything(login.Allow),
		Accounts: []login.Account{alice, {Name: nobody, Password: "x"}}, Trust: login.Trust{Interfaces: []string{"127.0.0.1"}}}
	s := start(t, setup)
	if err := s.Deliver(nobody, []byte("Subject: x\r\n\r\nx\r\n")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		c := s.pop3(login.Plain)
		if answer, _ := c.logIn(login.ANONYMOUS, "", ""); !accepted(answer) {
			t.Fatal(answer)
		}
		c.want("STAT", "+OK 0 0")
	}
	c := s.smtp(login.Plain)
	if answer, _ := c.logIn(login.ANONYMOUS, "", ""); !accepted(answer) {
		t.Fatal(answer)
	}
	if answer := c.mail("somebody@elsewhere.example", "x"); !strings.HasPrefix(answer, "250") {
		t.Fatal(answer)
	}
	if all := s.Relayed(); len(all) != 1 || all[0].Account != "" {
		t.Errorf("relayed %+v", all)
	}
}

// TestCertificateAskedFor: a client is bothered for a certificate only where
// it can log in with one.
func TestCertificateAskedFor(t *testing.T) {
	for _, row := range []struct {
		name     string
		database login.Database
		policy   login.Policy
		want     bool
	}{
		{"allowed", login.Full, login.Only(login.EXTERNAL, login.Allow), true},
		{"secure", login.Full, login.Only(login.EXTERNAL, login.Secure), true},
		{"denied", login.Full, login.Only(login.PLAIN, login.Allow), false},
		{"not to be checked", login.WinGate, login.Only(login.EXTERNAL, login.Allow), false},
	} {
		s := start(t, login.Setup{Flavour: login.Modern, Database: row.database, Policy: row.policy, Accounts: []login.Account{alice}})
		asked := false
		c := s.dial(login.POP3, login.Plain)
		c.want("STLS", "+OK")
		config := clientTLS()
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			asked = true
			return &tls.Certificate{}, nil
		}
		c.handshake(config)
		if asked != row.want {
			t.Errorf("%s: asked %t", row.name, asked)
		}
	}
}

// TestKeysAreMadeAtTheStart: no login makes any, so the time that it takes
// tells nothing (rule 3).
func TestKeysAreMadeAtTheStart(t *testing.T) {
	for _, row := range []struct {
		database login.Database
		policy   login.Policy
		want     int
	}{
		{login.SCRAMKeys, login.Policy{}, 2},
		{login.WinGate, login.Only(login.SCRAMSHA256PLUS, login.Secure), 2},
		{login.WinGate, login.Only(login.PLAIN, login.Allow), 0},
	} {
		s := start(t, login.Setup{Flavour: login.Modern, Database: row.database, Policy: row.policy, Accounts: []login.Account{alice}})
		if len(s.keys) != row.want {
			t.Errorf("%s: %d keys, want %d", row.database, len(s.keys), row.want)
		}
	}
}

// TestTokensOfAnotherIssuer: who has an issuer of his own brings what verifies
// its tokens.
func TestTokensOfAnotherIssuer(t *testing.T) {
	s := start(t, login.Setup{Flavour: login.Modern, Database: login.Full, Policy: everything(login.Allow),
		Accounts: []login.Account{alice}}, WithTokens(sesame{}))
	for token, want := range map[string]bool{"open-sesame": true, "open-wheat": false, s.issued.Token: false} {
		c := s.pop3(login.Plain)
		c.issued.Token = token
		if answer, _ := c.logIn(login.OAUTHBEARER, "alice", ""); accepted(answer) != want {
			t.Errorf("%q: %s", token, answer)
		}
		if want {
			c.quit()
		}
	}
}

// sesame knows one token.
type sesame struct{}

func (sesame) Verify(token string) (string, error) {
	if token != "open-sesame" {
		return "", mech.ErrCredentials
	}
	return "alice", nil
}
