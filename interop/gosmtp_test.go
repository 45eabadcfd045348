package interop

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// go-smtp's own client: it says EHLO localhost before STARTTLS, and sends a
// stray "*" after a refused AUTH (its issue 316), which must do no harm.
func TestGoSMTPClient(t *testing.T) {
	for _, transport := range []login.Transport{login.StartTLS, login.TLS} {
		t.Run(string(transport), func(t *testing.T) {
			r := start(t, login.Setup{Flavour: login.Modern, Database: login.WinGate,
				Policy: login.Only(login.PLAIN, login.Secure)})
			c := goSMTP(t, r, transport)
			if err := c.Auth(sasl.NewPlainClient("", secrets.Name, secrets.Wrong)); err == nil {
				t.Error("let in with a wrong password")
			}
			if err := c.Auth(sasl.NewPlainClient("", secrets.Name, secrets.Password)); err != nil {
				t.Fatalf("right password: %v", err)
			}
			if err := c.SendMail("alice@example.test", []string{"somebody@elsewhere.example"}, strings.NewReader("Subject: x\r\n\r\nx\r\n")); err != nil {
				t.Errorf("relay for who has logged in: %v", err)
			}
			if err := c.Quit(); err != nil {
				t.Error(err)
			}
			var seen []login.Refusal
			for _, record := range r.Record() {
				seen = append(seen, record.Refusal)
			}
			if len(seen) != 2 || seen[0] != login.ByCredentials || seen[1] != login.NotRefused {
				t.Errorf("the server's record: %v", seen)
			}
			if relayed := r.Relayed(); len(relayed) != 1 || relayed[0].Account != secrets.Name || !relayed[0].Encrypted {
				t.Errorf("relayed: %d messages", len(relayed))
			}
		})
	}
}

func goSMTP(t *testing.T, r *reference, transport login.Transport) *smtp.Client {
	t.Helper()
	ca, err := os.ReadFile(r.ca)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	config := &tls.Config{ServerName: identity, RootCAs: pool}
	address := net.JoinHostPort("127.0.0.1", r.ports[login.SMTP][transport])
	dial := smtp.DialStartTLS
	if transport == login.TLS {
		dial = smtp.DialTLS
	}
	c, err := dial(address, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}
