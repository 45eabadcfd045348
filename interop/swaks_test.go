package interop

import (
	"fmt"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// swaks is the postmaster's tool for trying a server by hand.
var swaks = peer{
	program: "swaks", debian: "swaks libnet-ssleay-perl libdigest-hmac-perl libauthen-ntlm-perl",
	has: map[login.Protocol]ways{
		login.SMTP: {
			transports: login.Transports(),
			mechanisms: []login.Mechanism{login.PLAIN, login.LOGIN, login.CRAMMD5, login.NTLM, login.DIGESTMD5},
		},
	},
	ntlm: login.NTLMv1,
	lacks: []lack{
		{"POP3", "it speaks SMTP and LMTP only"},
		{"NTLMv2", "Perl's Authen::NTLM makes v1 responses unless told otherwise, and swaks does not tell it"},
		{"SCRAM-SHA-1, SCRAM-SHA-1-PLUS, SCRAM-SHA-256, SCRAM-SHA-256-PLUS", "Perl's Authen::SASL in Debian 12 has no SCRAM"},
		{"XOAUTH2, OAUTHBEARER, EXTERNAL, GSSAPI, ANONYMOUS", "it has a list of its own, without them"},
	},
	login: func(t *testing.T, program string, a attempt, r *reference) result {
		home := t.TempDir()
		// A file keeps the password off the command line.
		config := fmt.Sprintf("auth-user %s\nauth-password %s\n", secrets.Name, a.password())
		args := []string{"--config", write(t, home, "swaksrc", config),
			"--server", "127.0.0.1", "--port", r.ports[a.protocol][a.transport],
			"--helo", "client.example.test", "--from", sender, "--to", stranger,
			"--auth", string(a.mechanism), "--quit-after", "AUTH",
			"--silent", "2",
		}
		switch a.transport {
		case login.StartTLS:
			args = append(args, "--tls")
		case login.TLS:
			args = append(args, "--tls-on-connect")
		}
		if a.transport.Encrypted() {
			args = append(args, "--tls-verify", "--tls-ca-path", r.ca, "--tls-sni", identity)
		}
		return command{path: program, args: args, home: home}.run(t)
	},
}

func TestSwaks(t *testing.T) {
	swaks.test(t)
}

// TestSwaksSpeaksNoPOP3: what the table says it lacks it does lack.
func TestSwaksSpeaksNoPOP3(t *testing.T) {
	program := need(t, swaks.program, swaks.debian)
	got := command{path: program, args: []string{"--protocol", "POP3", "--server", "127.0.0.1", "--to", stranger}, home: t.TempDir()}.run(t)
	if got.status == 0 {
		t.Errorf("this swaks knows the protocol POP3: %v", got)
	}
}
