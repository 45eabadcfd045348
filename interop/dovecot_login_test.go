package interop

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/certs"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// dovecotHas is what our client shares with Dovecot 2.3, whose answer is the
// judge. Each mechanism is tried on each transport of its protocol.
var dovecotHas = map[login.Protocol]ways{
	login.SMTP: {transports: []login.Transport{login.Plain, login.StartTLS}, mechanisms: dovecotSASL},
	login.POP3: {transports: login.Transports(), mechanisms: append([]login.Mechanism{login.UserPass, login.APOP, login.ANONYMOUS}, dovecotSASL...)},
}

var dovecotSASL = []login.Mechanism{login.PLAIN, login.LOGIN, login.CRAMMD5, login.SCRAMSHA1, login.SCRAMSHA256,
	login.DIGESTMD5, login.XOAUTH2, login.OAUTHBEARER, login.EXTERNAL}

var dovecotLacks = []lack{
	{"NTLM", "it was dropped in 2.3.13"},
	{"ANONYMOUS over SMTP", "its submission server leaves it out of the list, and refuses it"},
	{"SCRAM-SHA-1-PLUS, SCRAM-SHA-256-PLUS", "channel binding came with Dovecot 2.4"},
}

// dovecotEverything turns on all that Dovecot can do, and turns off what would
// slow down who fails. The order matters: a setting that is there twice has
// its last value.
const dovecotEverything = `
protocols = pop3 submission
hostname = %[2]s
submission_relay_host = 127.0.0.1
submission_backend_capabilities = 8BITMIME
auth_mechanisms = plain login apop cram-md5 scram-sha-1 scram-sha-256 digest-md5 xoauth2 oauthbearer external anonymous
auth_anonymous_username = anonymous
auth_failure_delay = 0
ssl = yes
ssl_cert = <%[1]s/server.pem
ssl_key = <%[1]s/server.key
ssl_ca = <%[1]s/clients.pem
ssl_require_crl = no
ssl_verify_client_cert = yes
ssl_cert_username_field = commonName
auth_ssl_username_from_cert = yes
passdb {
  driver = passwd-file
  mechanisms = external
  args = %[1]s/certified
}
passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = %[1]s/oauth2
}
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service pop3-login {
  service_count = 0
  inet_listener pop3s {
    port = %[3]s
    ssl = yes
  }
}
service submission-login {
  service_count = 0
  inet_listener submission {
    port = %[4]s
  }
}
`

// dovecotTokens has tokens judged by themselves, with no server asked.
const dovecotTokens = `
introspection_mode = local
local_validation_key_dict = fs:posix:prefix=%s/keys/
username_attribute = sub
`

// dovecotSite is a Dovecot with everything, and what logs in to it.
type dovecotSite struct {
	ports   map[login.Protocol]map[login.Transport]string
	pool    *x509.CertPool
	secrets login.Secrets
}

func startDovecotSite(t *testing.T) *dovecotSite {
	t.Helper()
	needFile(t, "/usr/lib/dovecot/submission-login", "dovecot-submissiond")
	folder, err := os.MkdirTemp("", "mailmatrix-dovecot-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	d := &dovecotSite{secrets: secrets}
	d.certify(t, folder)
	d.issueTokens(t, folder)
	write(t, folder, "certified", secrets.Name+"::::::: nopassword\n")
	if err := filepath.Walk(folder, func(path string, _ os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		return chown(path, "dovecot")
	}); err != nil {
		t.Fatal(err)
	}
	implicit, submission := freePort(t), freePort(t)
	address := startDovecot(t, []login.Account{secrets.Account(login.NoOverride)},
		fmt.Sprintf(dovecotEverything, folder, identity, implicit, submission))
	_, clear, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	d.ports = map[login.Protocol]map[login.Transport]string{
		login.POP3: {login.Plain: clear, login.StartTLS: clear, login.TLS: implicit},
		login.SMTP: {login.Plain: submission, login.StartTLS: submission},
	}
	return d
}

// certify gives the server its certificate and the clients theirs: one of the
// account and one of a stranger.
func (d *dovecotSite) certify(t *testing.T, folder string) {
	t.Helper()
	servers, err := certs.NewAuthority("interop authority", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	clients, err := certs.NewAuthority("interop authority of clients", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	d.pool = servers.Pool()
	write(t, folder, "clients.pem", string(clients.PEM()))
	issue := func(a *certs.Authority, l certs.Leaf) certs.Pair {
		pair, err := a.Issue(l)
		if err != nil {
			t.Fatal(err)
		}
		return pair
	}
	own := issue(servers, certs.Leaf{Names: []string{identity}})
	write(t, folder, "server.pem", string(own.CertPEM))
	write(t, folder, "server.key", string(own.KeyPEM))
	client := func(name string) certs.Pair {
		return issue(clients, certs.Leaf{CommonName: name, CNOnly: true, Client: true})
	}
	right, wrong := client(secrets.Name), client(nobody)
	d.secrets.Issued.Certificate, d.secrets.Issued.Key = right.CertPEM, right.KeyPEM
	d.secrets.WrongIssued.Certificate, d.secrets.WrongIssued.Key = wrong.CertPEM, wrong.KeyPEM
}

// issueTokens signs two tokens for the account, and gives Dovecot the key of
// one. The reference server's own are of a kind that Dovecot 2.3 cannot read:
// EdDSA.
func (d *dovecotSite) issueTokens(t *testing.T, folder string) {
	t.Helper()
	issue := func() (*ecdsa.PrivateKey, string) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, (&jose.SignerOptions{}).WithType("JWT"))
		if err != nil {
			t.Fatal(err)
		}
		now := time.Now()
		token, err := jwt.Signed(signer).Claims(jwt.Claims{Issuer: "https://" + identity, Subject: secrets.Name,
			IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(time.Hour))}).Serialize()
		if err != nil {
			t.Fatal(err)
		}
		return key, token
	}
	key, right := issue()
	_, d.secrets.WrongIssued.Token = issue()
	d.secrets.Issued.Token = right

	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	// Dovecot looks a key up by the token's azp, algorithm and kid.
	keys := filepath.Join(folder, "keys", "default", "ES256")
	if err := os.MkdirAll(keys, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, keys, "default", string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
	write(t, folder, "oauth2", fmt.Sprintf(dovecotTokens, folder))
}

// The site is a door to itself.
func (d *dovecotSite) Dial(ctx context.Context, p login.Protocol, tr login.Transport) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(loopback, d.ports[p][tr]))
}
func (d *dovecotSite) Authority() *x509.CertPool { return d.pool }
func (d *dovecotSite) Record() []login.Record    { return nil }
func (d *dovecotSite) Close() error              { return nil }

// logIn is one login of our client.
func (d *dovecotSite) logIn(t *testing.T, p login.Protocol, tr login.Transport, m login.Mechanism, c login.Credential) clientsim.Result {
	t.Helper()
	probe, err := clientsim.Get("probe")
	if err != nil {
		t.Fatal(err)
	}
	return clientsim.Login(t.Context(), clientsim.Config{Profile: probe, Protocol: p, Transport: tr, Mechanism: m,
		Door: d, Host: identity, Secrets: d.secrets, Credential: c, Limit: patience})
}

// TestDovecot: our client logs in to a server that nobody here wrote, with
// each mechanism that both know, and is refused with what is wrong.
func TestDovecot(t *testing.T) {
	t.Parallel()
	d := startDovecotSite(t)
	for _, l := range dovecotLacks {
		t.Logf("dovecot lacks %s: %s", l.what, l.why)
	}
	t.Run("logins", func(t *testing.T) {
		for p, ways := range dovecotHas {
			for _, m := range ways.mechanisms {
				for _, tr := range ways.on(m) {
					for _, c := range traits(m).Credentials(login.NoOverride) {
						t.Run(strings.Join([]string{string(p), string(tr), m.Segment(), string(c)}, "/"), func(t *testing.T) {
							t.Parallel()
							want := login.LoggedIn
							if c == login.WithWrong {
								want = login.RefusedCredentials
							}
							got := d.logIn(t, p, tr, m, c)
							offered := got.Observation.Offered
							if o := &got.Observation; o.Outcome == login.Refused && wire.RejectsCredentials(p, o.Reply) {
								o.Outcome = login.RefusedCredentials // APOP is asked nothing before it is refused
							}
							if got.Observation.Outcome != want || offered == nil || !*offered {
								t.Errorf("want %s, got %+v\n%s", want, got.Observation, strings.Join(got.Transcript, "\n"))
							}
						})
					}
				}
			}
		}
	})
}

// TestDovecotLacks: what the table says it lacks is not offered, and refused.
func TestDovecotLacks(t *testing.T) {
	t.Parallel()
	d := startDovecotSite(t)
	for _, m := range []login.Mechanism{login.NTLM, login.SCRAMSHA1PLUS, login.SCRAMSHA256PLUS} {
		got := d.logIn(t, login.POP3, login.TLS, m, login.WithAccount)
		if offered := got.Observation.Offered; *offered || got.Observation.Outcome != login.Refused {
			t.Errorf("this dovecot has %s: %+v", m, got.Observation)
		}
	}
}
