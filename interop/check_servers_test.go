package interop

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/certs"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// The nine configurations that `check` is tried on: three servers of Debian's,
// each (a) with everything in clear, (b) with the mechanisms that show the
// password only inside TLS, and (c) with TLS for everything and some mechanisms
// denied. What each of them does stands in testdata/check, written from these
// lines.

// certify puts a certificate that nobody vouches for in place of the
// authority's, where there shall be one.
func (as servesAs) certify(t *testing.T, s *site) {
	t.Helper()
	if !as.selfSigned {
		return
	}
	own, err := certs.SelfSigned(certs.Leaf{Names: []string{identity}}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	s.write(t, "server.pem", string(own.CertPEM))
	s.write(t, "server.key", string(own.KeyPEM))
}

// asSyslog has Dovecot write its lines as they stand in Debian's mail.log,
// which is what fail2ban reads.
const asSyslog = `
log_timestamp = "%%b %%d %%H:%%M:%%S host dovecot: "
`

// dovecotChecked: in (b) it listens where its clients come from, too, and takes
// them for itself there. In (c) it says USER under TLS, as it always does, but
// has no PLAIN, which is what it makes of USER and PASS.
var dovecotChecked = map[string]servesAs{
	"a": {config: asSyslog + dovecotServesAs["open"].config},
	"b": {selfSigned: true, config: asSyslog + `
listen = 127.0.0.2, 127.0.0.1
disable_plaintext_auth = yes
auth_mechanisms = plain login apop cram-md5 scram-sha-256
`},
	"c": {config: asSyslog + `
ssl = required
auth_mechanisms = login cram-md5 scram-sha-256
`},
}

// postfixChecked: in (b) the mechanism filter hides LOGIN and DIGEST-MD5, and
// hides them only.
var postfixChecked = map[string]postfixAs{
	"a": postfixServesAs["open"],
	"b": {mechanisms: "plain login cram-md5 digest-md5 scram-sha-256", servesAs: servesAs{selfSigned: true, config: `
smtpd_sasl_security_options = noanonymous, noplaintext
smtpd_tls_auth_only = no
smtpd_sasl_mechanism_filter = !login, !digest-md5, static:rest
`}},
	"c": {mechanisms: "plain scram-sha-256", servesAs: servesAs{config: `
smtpd_sasl_security_options = noanonymous
smtpd_tls_auth_only = yes
smtpd_tls_security_level = encrypt
smtpd_tls_mandatory_protocols = >=TLSv1.2
`}},
}

// eximChecked: in (c) LOGIN is announced, and refused by an access list.
var eximChecked = map[string]eximAs{
	"a": eximServesAs["open"],
	"b": {mail: "accept", authenticators: eximPlainInTLS + eximCRAM, servesAs: servesAs{selfSigned: true}},
	"c": {mail: "accept", authenticators: eximPlainInTLS, servesAs: servesAs{config: `
acl_smtp_auth = ${if eqi{${extract{1}{ }{$smtp_command_argument}}}{LOGIN}{deny}{accept}}
` + eximServesAs["strict"].config}},
}

// checked is a server that `check` is tried on.
type checked struct {
	*standing
	// log is where it writes, and filters are those of fail2ban's that read it; the
	// first sees wrong passwords.
	log        string
	filters    []string
	selfSigned bool
}

// checkedServers are the nine.
var checkedServers = []struct {
	name  string
	stand func(*testing.T) checked
}{
	{"dovecot-a", checkedDovecot("a")},
	{"dovecot-b", checkedDovecot("b")},
	{"dovecot-c", checkedDovecot("c")},
	{"postfix-a", checkedPostfix("a")},
	{"postfix-b", checkedPostfix("b")},
	{"postfix-c", checkedPostfix("c")},
	{"exim-a", checkedExim("a")},
	{"exim-b", checkedExim("b")},
	{"exim-c", checkedExim("c")},
}

func checkedDovecot(policy string) func(*testing.T) checked {
	return func(t *testing.T) checked {
		s := standDovecotAs(t, policy, dovecotChecked[policy])
		return checked{s, s.site.path("log"), []string{"dovecot"}, dovecotChecked[policy].selfSigned}
	}
}

func checkedPostfix(policy string) func(*testing.T) checked {
	return func(t *testing.T) checked {
		s := standPostfixAs(t, policy, postfixChecked[policy])
		return checked{s, s.site.path("log"), []string{"postfix[mode=auth]", "postfix", "postfix" + aggressive},
			postfixChecked[policy].selfSigned}
	}
}

func checkedExim(policy string) func(*testing.T) checked {
	return func(t *testing.T) checked {
		s := standEximAs(t, policy, eximChecked[policy])
		return checked{s, s.site.path("spool/mainlog"), []string{"exim", "exim-spam"}, eximChecked[policy].selfSigned}
	}
}

// door is one of a server's, by the role that a usual port would give it.
type door struct {
	role     string // "submission", "submissions", "pop3", "pop3s"
	protocol login.Protocol
	implicit bool
	noTLS    bool
	address  string
}

// transports are those that it can have.
func (d door) transports() []login.Transport {
	switch {
	case d.implicit:
		return []login.Transport{login.TLS}
	case d.noTLS:
		return []login.Transport{login.Plain}
	}
	return []login.Transport{login.Plain, login.StartTLS}
}

// url is as a user types it.
func (d door) url() string {
	scheme := string(d.protocol)
	if d.implicit {
		scheme += "s"
	}
	return scheme + "://" + identity + ":" + portOf(d.address)
}

// checkedDoors are the ones that the server is about.
func (s *standing) checkedDoors() []door {
	var all []door
	for _, p := range s.about {
		role := map[login.Protocol]string{login.SMTP: "submission", login.POP3: "pop3"}[p]
		all = append(all, door{role: role, protocol: p, address: s.doors[p][login.Plain]},
			door{role: role + "s", protocol: p, implicit: true, address: s.doors[p][login.TLS]})
	}
	return all
}

// tableOf is the file with what the server does.
func tableOf(t *testing.T, name string) (file string, text []byte) {
	t.Helper()
	file = filepath.Join("testdata", "check", name+".yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return file, text
}
