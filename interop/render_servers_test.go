package interop

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/harness/policy/render"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// renderedOn are the servers that a rendered policy is tried on: those that
// Debian has. Each starts one from the pieces.
var renderedOn = map[string]func(*testing.T, render.Rendered, *realmOfTickets) *standing{
	"dovecot-2.3":     renderedDovecot,
	"postfix+dovecot": renderedPostfix,
	"postfix+cyrus":   renderedCyrus,
	"exim":            renderedExim,
}

// dovecotCertificates are what EXTERNAL needs besides.
const dovecotCertificates = `
ssl_ca = <%[1]s/clients.pem
ssl_require_crl = no
ssl_verify_client_cert = yes
ssl_cert_username_field = commonName
auth_ssl_username_from_cert = yes
`

func renderedDovecot(t *testing.T, r render.Rendered, tickets *realmOfTickets) *standing {
	t.Helper()
	s := standDovecotAs(t, "rendered", servesAs{policy: r.Effective,
		config: dovecotCertificates + strings.ReplaceAll(tickets.config+r.Pieces[0].Text, "%", "%%")})
	s.issues = tickets.add(s.issues)
	return s
}

func renderedExim(t *testing.T, r render.Rendered, _ *realmOfTickets) *standing {
	t.Helper()
	return standEximAs(t, "rendered", eximAs{
		servesAs: servesAs{policy: r.Effective, config: "tls_verify_certificates = FOLDER/clients.pem\ntls_try_verify_hosts = *\n"},
		mail:     "accept", authenticators: strings.ReplaceAll(r.Pieces[0].Text, "PASSWORDS", "FOLDER/users"),
	})
}

// postfixMailbox is the Dovecot beside Postfix, to which a rendered piece is
// added.
const postfixMailbox = `
base_dir = %[1]s/run
state_dir = %[1]s/state
log_path = %[1]s/dovecot.log
protocols = pop3
listen = 127.0.0.2
mail_location = maildir:~/Maildir
mail_max_userip_connections = 100
first_valid_uid = 1
auth_failure_delay = 0
auth_anonymous_username = anonymous
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
  args = scheme=PLAIN %[1]s/users.dovecot
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
    port = %[2]s
  }
  inet_listener pop3s {
    port = %[3]s
    ssl = yes
  }
}
`

// renderedPostfix has the socket between the two in the site's folder, and
// nothing else of the pieces is changed.
func renderedPostfix(t *testing.T, r render.Rendered, tickets *realmOfTickets) *standing {
	t.Helper()
	master, dovecot := need(t, "/usr/lib/postfix/sbin/master", "postfix"), need(t, "dovecot", "dovecot-pop3d")
	s := newPostfixSite(t)
	s.makeFolder(t, "home", "nobody")
	s.writeDovecotUsers(t)
	s.write(t, "certified", s.account.Name+"::::::: nopassword\n")
	tokens := newTokens(t, s)
	for _, name := range []string{"certified", "oauth2", "keys", "keys/default", "keys/default/ES256", "keys/default/ES256/default"} {
		s.give(t, name, "dovecot")
	}
	pop3, pop3s := freeAddress(t, apart), freeAddress(t, apart)
	main, local := r.Pieces[0].Text, strings.ReplaceAll(r.Pieces[1].Text, "/var/spool/postfix/private/auth", s.path("auth"))
	main = strings.ReplaceAll(main, "private/auth", s.path("auth"))
	launch(t, dovecot, "-F", "-c", s.write(t, "dovecot.conf",
		fmt.Sprintf(postfixMailbox, s.folder, portOf(pop3), portOf(pop3s))+fmt.Sprintf(dovecotCertificates, s.folder)+tickets.config+local))
	p := &standing{name: "postfix+dovecot", about: login.Protocols(), site: s, policy: r.Effective,
		issues: tickets.add(func(flaw login.Flaw) (login.Issued, error) {
			issued, err := s.issuesCertificates(flaw)
			if err != nil {
				return issued, err
			}
			issued.Token, err = tokens.issue(flaw)
			return issued, err
		}),
	}
	p.startPostfix(t, master, main)
	closed := denied(r.Effective, login.POP3)
	if closed {
		p.about = []login.Protocol{login.SMTP}
	} else {
		p.doors[login.POP3] = twoDoors(pop3, pop3s)
	}
	p.awaits(t, s.path("dovecot.log"))
	if closed {
		for _, address := range []string{pop3, pop3s} {
			if c, err := net.Dial("tcp", address); err == nil {
				_ = c.Close()
				t.Errorf("POP3 is to be closed, and %s is not", address)
			}
		}
	}
	return p
}

// denied: nobody is let in by the protocol.
func denied(p login.Policy, protocol login.Protocol) bool {
	for _, s := range p.Own[protocol] {
		if s != login.Deny {
			return false
		}
	}
	return true
}
