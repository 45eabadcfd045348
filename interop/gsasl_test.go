package interop

import (
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// gsasl is GNU SASL's own program: the mechanisms of the library and just
// enough SMTP to carry them.
var gsasl = peer{
	program: "gsasl", debian: "gsasl",
	has: map[login.Protocol]ways{
		login.SMTP: {
			transports: []login.Transport{login.Plain},
			mechanisms: []login.Mechanism{login.PLAIN, login.LOGIN, login.CRAMMD5, login.NTLM},
		},
	},
	ntlm: login.NTLMv1,
	lacks: []lack{
		{"POP3", "it speaks IMAP and SMTP"},
		{"smtp on starttls", "it sends STARTTLS before EHLO, where no extension is agreed on yet: the server answers 503"},
		{"smtp on tls", "it starts TLS by STARTTLS only"},
		{"NTLMv2", "GNU SASL's NTLM makes v1 responses"},
	},
	login: func(t *testing.T, program string, a attempt, r *reference) result {
		got := gsaslCommand(t, program, a, r, "--no-starttls").run(t)
		if strings.Contains(got.output, "Cannot find mechanism") {
			// gsasl calls it a success to have found nothing to do.
			got.status = 1
		}
		return got
	},
}

func TestGsasl(t *testing.T) {
	gsasl.test(t)
}

// gsaslCommand gives the password at the prompt. The realm is given empty, or
// gsasl would ask for it first and take the password for the answer.
func gsaslCommand(t testing.TB, program string, a attempt, r *reference, more ...string) command {
	args := []string{"--smtp", "--connect", "127.0.0.1:" + r.ports[a.protocol][a.transport],
		"--hostname", identity, "--mechanism", string(a.mechanism),
		"--authentication-id", secrets.Name, "--realm", ""}
	return command{path: program, args: append(args, more...), stdin: a.password() + "\n", home: t.TempDir()}
}

// TestGsaslLacks: what the table says it lacks it does lack.
func TestGsaslLacks(t *testing.T) {
	program := need(t, gsasl.program, gsasl.debian)
	help := command{path: program, args: []string{"--help"}, home: t.TempDir()}.run(t)
	for _, option := range []string{"--pop3", "--smtps", "--tls"} {
		if strings.Contains(help.output, option) {
			t.Errorf("this gsasl has %s: %v", option, help)
		}
	}
	a := attempt{login.Modern, login.SMTP, login.StartTLS, login.PLAIN, login.Allow, login.WithAccount}
	r := start(t, a.setup())
	got := gsaslCommand(t, program, a, r, "--starttls", "--x509-ca-file", r.ca).run(t)
	if got.status == 0 || !strings.Contains(got.output, "\n503 ") || len(r.Record()) > 0 {
		t.Errorf("this gsasl can start TLS: %v", got)
	}
}
