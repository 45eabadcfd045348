package interop

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// standingDovecotConfig is asked on 127.0.0.2, where a client from 127.0.0.1 is
// one that Dovecot does not take for itself, and so not for secure. What slows
// down who logs in wrongly is off, or a run would be about nothing else.
const standingDovecotConfig = `
base_dir = %[1]s/run
state_dir = %[1]s/state
log_path = %[1]s/log
protocols = pop3 submission
listen = 127.0.0.2
hostname = %[2]s
submission_relay_host = 127.0.0.1
submission_relay_port = %[7]s
mail_location = maildir:~/Maildir
mail_max_userip_connections = 100
first_valid_uid = 1
auth_failure_delay = 0
auth_anonymous_username = anonymous
ssl = yes
ssl_cert = <%[1]s/server.pem
ssl_key = <%[1]s/server.key
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
passdb {
  driver = passwd-file
  args = scheme=PLAIN username_format=%%n %[1]s/users.dovecot
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=%[1]s/home/%%n
}
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service pop3-login {
  service_count = 0
  inet_listener pop3 {
    port = %[3]s
  }
  inet_listener pop3s {
    port = %[4]s
    ssl = yes
  }
}
service submission-login {
  service_count = 0
  inet_listener submission {
    port = %[5]s
  }
  inet_listener submissions {
    port = %[6]s
    ssl = yes
  }
}
`

// standingMailbox is the Dovecot beside a server that is not Dovecot: it has
// the mail fetched that was delivered to that server's people, and answers its
// questions about passwords, if it has any.
const standingMailbox = `
base_dir = %[1]s/run
state_dir = %[1]s/state
log_path = %[1]s/dovecot.log
protocols = pop3
listen = 127.0.0.2
mail_location = maildir:~/Maildir
mail_max_userip_connections = 100
first_valid_uid = 1
auth_failure_delay = 0
auth_username_format = %%n
auth_mechanisms = %[2]s
disable_plaintext_auth = no
ssl = yes
ssl_cert = <%[1]s/server.pem
ssl_key = <%[1]s/server.key
passdb {
  driver = passwd-file
  args = scheme=PLAIN %[1]s/users.dovecot
}
userdb {
  driver = static
  args = uid=%[3]s gid=nogroup home=%[1]s/home/%%n
}
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service auth {
  inet_listener {
    address = 127.0.0.1
    port = %[6]s
  }
}
service pop3-login {
  service_count = 0
  inet_listener pop3 {
    port = %[4]s
  }
  inet_listener pop3s {
    port = %[5]s
    ssl = yes
  }
}
`

// standMailbox starts one for mail that belongs to the owner. It returns its
// doors, and where it answers questions.
func standMailbox(t *testing.T, s *site, owner, mechanisms string) (doors map[login.Transport]string, auth string) {
	t.Helper()
	program := need(t, "dovecot", "dovecot-pop3d")
	s.makeFolder(t, "home", owner)
	s.writeDovecotUsers(t)
	clear, implicit, auth := freeAddress(t, apart), freeAddress(t, apart), freeAddress(t, loopback)
	launch(t, program, "-F", "-c", s.write(t, "dovecot.conf", fmt.Sprintf(standingMailbox, s.folder, mechanisms, owner,
		portOf(clear), portOf(implicit), portOf(auth))))
	return twoDoors(clear, implicit), auth
}

// servesAs is one configuration of a server, and what it means.
type servesAs struct {
	policy login.Policy
	// config is added to what all of its configurations have.
	config string
	// selfSigned: its certificate is signed by itself, and by no authority.
	selfSigned bool
}

// dovecotServesAs: nearly everything that Dovecot 2.3 has, in clear too; and
// what a careful administrator permits.
var dovecotServesAs = map[string]servesAs{
	"open": {
		config: `
disable_plaintext_auth = no
auth_mechanisms = plain login apop cram-md5 digest-md5 scram-sha-1 scram-sha-256 xoauth2 oauthbearer external anonymous
ssl_ca = <%[1]s/clients.pem
ssl_require_crl = no
ssl_verify_client_cert = yes
ssl_cert_username_field = commonName
auth_ssl_username_from_cert = yes
`,
		policy: login.Policy{
			Common: map[login.Mechanism]login.Setting{
				login.UserPass: login.Allow, login.APOP: login.Allow, login.PLAIN: login.Allow, login.LOGIN: login.Allow,
				login.CRAMMD5: login.Allow, login.DIGESTMD5: login.Allow, login.SCRAMSHA1: login.Allow, login.SCRAMSHA256: login.Allow,
				login.XOAUTH2: login.Allow, login.OAUTHBEARER: login.Allow, login.EXTERNAL: login.Allow, login.ANONYMOUS: login.Allow,
			},
			// Its submission server never lets in who does not say who he is.
			Own: map[login.Protocol]map[login.Mechanism]login.Setting{login.SMTP: {login.ANONYMOUS: login.Deny}},
		},
	},
	"strict": {
		config: `
disable_plaintext_auth = yes
auth_mechanisms = plain login scram-sha-256 oauthbearer
ssl_prefer_server_ciphers = yes
ssl_cipher_list = ECDHE+AESGCM:ECDHE+CHACHA20
`,
		policy: login.Policy{Common: map[login.Mechanism]login.Setting{
			login.UserPass: login.Secure, login.PLAIN: login.Secure, login.LOGIN: login.Secure, login.OAUTHBEARER: login.Secure,
			login.SCRAMSHA256: login.Allow,
		}},
	},
}

// standDovecot starts one, with a server behind it that takes all of its mail
// and delivers it to its people.
func standDovecot(t *testing.T, policy string) *standing {
	t.Helper()
	return standDovecotAs(t, policy, dovecotServesAs[policy])
}

func standDovecotAs(t *testing.T, policy string, as servesAs) *standing {
	t.Helper()
	program := need(t, "dovecot", "dovecot-pop3d")
	needFile(t, "/usr/lib/dovecot/submission-login", "dovecot-submissiond")
	s := newSite(t, "dovecot")
	as.certify(t, s)
	s.makeFolder(t, "home", "nobody")
	s.writeDovecotUsers(t)
	s.write(t, "certified", s.account.Name+"::::::: nopassword\n")
	tokens := newTokens(t, s)
	for _, name := range []string{"certified", "oauth2", "keys", "keys/default", "keys/default/ES256", "keys/default/ES256/default"} {
		s.give(t, name, "dovecot")
	}
	pop3, pop3s := freeAddress(t, apart), freeAddress(t, apart)
	submission, submissions := freeAddress(t, apart), freeAddress(t, apart)
	launch(t, program, "-F", "-c", s.write(t, "dovecot.conf", fmt.Sprintf(standingDovecotConfig+as.config, s.folder, identity,
		portOf(pop3), portOf(pop3s), portOf(submission), portOf(submissions), portOf(s.delivers(t, "nobody")))))
	d := &standing{
		name: "dovecot-" + policy, about: login.Protocols(), site: s, policy: as.policy,
		doors: map[login.Protocol]map[login.Transport]string{
			login.POP3: twoDoors(pop3, pop3s), login.SMTP: twoDoors(submission, submissions),
		},
		issues: func(flaw login.Flaw) (login.Issued, error) {
			var issued login.Issued
			pair, err := s.clientCertificate(flaw)
			if err != nil {
				return issued, err
			}
			issued.Certificate, issued.Key = pair.CertPEM, pair.KeyPEM
			issued.Token, err = tokens.issue(flaw)
			return issued, err
		},
	}
	d.awaits(t, s.path("log"))
	return d
}

// apart is an address that is not the client's.
const apart = "127.0.0.2"

// writeDovecotUsers writes the accounts as Dovecot reads them.
func (s *site) writeDovecotUsers(t *testing.T) {
	t.Helper()
	var users strings.Builder
	for _, account := range s.accounts() {
		fmt.Fprintf(&users, "%s:{PLAIN}%s\n", account.Name, account.Password)
	}
	s.write(t, "users.dovecot", users.String())
	s.give(t, "users.dovecot", "dovecot")
}

// tokens signs bearer tokens of the kind that Dovecot 2.3 can read by itself:
// the reference server's are EdDSA.
type tokens struct {
	right, wrong *ecdsa.PrivateKey
	account      string
}

// mailScope is what a token must be for.
const mailScope = "mail"

// newTokens gives Dovecot the key. It looks one up by the token's azp,
// algorithm and kid.
func newTokens(t *testing.T, s *site) *tokens {
	t.Helper()
	k := &tokens{account: s.account.Name}
	for _, key := range []**ecdsa.PrivateKey{&k.right, &k.wrong} {
		var err error
		if *key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	der, err := x509.MarshalPKIXPublicKey(k.right.Public())
	if err != nil {
		t.Fatal(err)
	}
	keys := filepath.Join(s.folder, "keys", "default", "ES256")
	if err := os.MkdirAll(keys, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, keys, "default", string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
	s.write(t, "oauth2", fmt.Sprintf(dovecotTokens+"scope = %s\nclient_id = %s\n", s.folder, mailScope, identity))
	return k
}

// issue makes one for the account; with a flaw it is no good.
func (k *tokens) issue(flaw login.Flaw) (string, error) {
	key, scope, audience, from := k.right, mailScope, identity, time.Now()
	switch flaw {
	case login.Forged:
		key = k.wrong
	case login.Expired:
		from = from.Add(-2 * time.Hour)
	case login.Elsewhere:
		audience = "elsewhere.example.test"
	case login.Narrow:
		scope = "calendar"
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", err
	}
	return jwt.Signed(signer).Claims(jwt.Claims{Issuer: "https://" + identity, Subject: k.account, Audience: jwt.Audience{audience},
		IssuedAt: jwt.NewNumericDate(from), Expiry: jwt.NewNumericDate(from.Add(time.Hour))}).
		Claims(map[string]any{"scope": scope}).Serialize()
}
