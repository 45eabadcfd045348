package interop

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// msmtp hands mail to a server and does nothing else.
var msmtp = peer{
	program: "msmtp", debian: "msmtp",
	has: map[login.Protocol]ways{
		login.SMTP: {
			transports: login.Transports(),
			mechanisms: []login.Mechanism{login.PLAIN, login.LOGIN, login.CRAMMD5, login.NTLM,
				login.SCRAMSHA1, login.SCRAMSHA256, login.DIGESTMD5, login.XOAUTH2, login.OAUTHBEARER, login.EXTERNAL},
		},
	},
	ntlm: login.NTLMv1,
	lacks: []lack{
		{"POP3", "it sends only; mpop is its other half"},
		{"NTLMv2", "GNU SASL's NTLM makes v1 responses"},
		{"SCRAM-SHA-1-PLUS, SCRAM-SHA-256-PLUS", lambPlus},
		{"ANONYMOUS", "it logs in as somebody"},
		{"GSSAPI", "its ticket would have to be for 127.0.0.1; gsasl shows the same library's"},
	},
	login: func(t *testing.T, program string, a attempt, r *reference) result {
		home := t.TempDir()
		config := lambConfig(t, home, a, r) + fmt.Sprintf("from %s\n", sender)
		return command{
			path: program, args: []string{"--file", write(t, home, "msmtprc", config), stranger},
			stdin: letter, home: home,
		}.run(t)
	},
}

func TestMsmtp(t *testing.T) {
	msmtp.test(t)
}

// TestMsmtpLacks: what the table says it lacks it does lack.
func TestMsmtpLacks(t *testing.T) {
	testLambLacks(t, msmtp)
	program := need(t, msmtp.program, msmtp.debian)
	got := command{path: program, args: []string{"--host=127.0.0.1", "--protocol=pop3", "--serverinfo"}, home: t.TempDir()}.run(t)
	if got.status == 0 || !strings.Contains(got.output, "protocol") {
		t.Errorf("this msmtp knows the protocol POP3: %v", got)
	}
}

// lambPlus: GNU SASL has it, but nobody hands it the binding.
const lambPlus = "Debian's is older than its channel binding"

// testLambLacks: what is not among the methods of this build is not to be had.
func testLambLacks(t *testing.T, p peer) {
	t.Helper()
	version := command{path: need(t, p.program, p.debian), args: []string{"--version"}, home: t.TempDir()}.run(t)
	for _, method := range []string{"-plus", "anonymous"} {
		if strings.Contains(version.output, method) {
			t.Errorf("this %s has %s: %v", p.program, method, version)
		}
	}
}

// lambConfig is the part of the configuration that msmtp and mpop, both by
// Martin Lambers, have in common.
func lambConfig(t testing.TB, home string, a attempt, r *reference) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "account default\nhost %s\nport %s\n", loopback, r.ports[a.protocol][a.transport])
	fmt.Fprintf(&b, "auth %s\nuser %s\n", lambName(a.mechanism), secrets.Name)
	switch traits(a.mechanism).Presents {
	case login.PresentsToken:
		fmt.Fprintf(&b, "passwordeval cat %s\n", write(t, home, "token", a.issued(t, r).Token))
	case login.PresentsCertificate:
		issued := a.issued(t, r)
		fmt.Fprintf(&b, "tls_cert_file %s\n", write(t, home, "client.pem", string(issued.Certificate)))
		fmt.Fprintf(&b, "tls_key_file %s\n", write(t, home, "client.key", string(issued.Key)))
	default:
		fmt.Fprintf(&b, "passwordeval cat %s\n", write(t, home, "password", a.password()))
	}
	if a.transport.Encrypted() {
		fmt.Fprintf(&b, "tls on\ntls_trust_file %s\n", r.ca)
	}
	if a.transport == login.TLS {
		b.WriteString("tls_starttls off\n")
	}
	return b.String()
}

// lambName is how the two call a mechanism.
func lambName(m login.Mechanism) string {
	if m == login.UserPass {
		return "user"
	}
	return strings.ToLower(string(m))
}
