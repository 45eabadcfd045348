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
			mechanisms: []login.Mechanism{login.PLAIN, login.LOGIN, login.CRAMMD5, login.NTLM},
		},
	},
	ntlm: login.NTLMv1,
	lacks: []lack{
		{"POP3", "it sends only; mpop is its other half"},
		{"NTLMv2", "GNU SASL's NTLM makes v1 responses"},
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

// TestMsmtpSpeaksNoPOP3: what the table says it lacks it does lack.
func TestMsmtpSpeaksNoPOP3(t *testing.T) {
	program := need(t, msmtp.program, msmtp.debian)
	got := command{path: program, args: []string{"--host=127.0.0.1", "--protocol=pop3", "--serverinfo"}, home: t.TempDir()}.run(t)
	if got.status == 0 || !strings.Contains(got.output, "protocol") {
		t.Errorf("this msmtp knows the protocol POP3: %v", got)
	}
}

// lambConfig is the part of the configuration that msmtp and mpop, both by
// Martin Lambers, have in common.
func lambConfig(t testing.TB, home string, a attempt, r *reference) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "account default\nhost 127.0.0.1\nport %s\n", r.ports[a.protocol][a.transport])
	fmt.Fprintf(&b, "auth %s\nuser %s\n", lambName(a.mechanism), secrets.Name)
	fmt.Fprintf(&b, "passwordeval cat %s\n", write(t, home, "password", a.password()))
	if a.transport.Encrypted() {
		fmt.Fprintf(&b, "tls on\ntls_trust_file %s\ntls_host_override %s\n", r.ca, identity)
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
