package interop

import (
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// gsasl is GNU SASL's own program: the mechanisms of the library and just
// enough SMTP to carry them. It alone binds SCRAM to the connection.
var gsasl = peer{
	program: "gsasl", debian: "gsasl",
	has: map[login.Protocol]ways{
		login.SMTP: {
			transports: []login.Transport{login.Plain, login.StartTLS},
			mechanisms: []login.Mechanism{login.PLAIN, login.LOGIN, login.CRAMMD5, login.NTLM,
				login.SCRAMSHA1, login.SCRAMSHA1PLUS, login.SCRAMSHA256, login.SCRAMSHA256PLUS,
				login.DIGESTMD5, login.EXTERNAL, login.ANONYMOUS},
		},
	},
	ntlm: login.NTLMv1,
	lacks: []lack{
		{"POP3", "it speaks IMAP and SMTP"},
		{"smtp on starttls by itself", "it sends STARTTLS before EHLO, where no extension is agreed on yet: the server answers 503, so here somebody says EHLO for it"},
		{"smtp on tls", "it starts TLS by STARTTLS only"},
		{"NTLMv2", "GNU SASL's NTLM makes v1 responses"},
		{"XOAUTH2, OAUTHBEARER", "GNU SASL does not have them"},
	},
	login: func(t *testing.T, program string, a attempt, r *reference) result {
		got := gsaslCommand(t, program, a, r).run(t)
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
func gsaslCommand(t testing.TB, program string, a attempt, r *reference) command {
	home := t.TempDir()
	args := []string{"--smtp", "--hostname", identity, "--mechanism", string(a.mechanism)}
	port := r.ports[a.protocol][a.transport]
	if a.transport == login.StartTLS {
		port = saysHello(t, port)
		args = append(args, "--starttls", "--x509-ca-file", r.ca)
		if !strings.HasSuffix(string(a.mechanism), "-PLUS") {
			// GNU SASL will not do without a binding that it could have.
			args = append(args, "--no-cb")
		}
	} else {
		args = append(args, "--no-starttls")
	}
	switch a.mechanism {
	case login.ANONYMOUS:
		args = append(args, "--anonymous-token", sender)
	case login.EXTERNAL:
		issued := a.issued(t, r)
		args = append(args, "--authorization-id", secrets.Name,
			"--x509-cert-file", write(t, home, "client.pem", string(issued.Certificate)),
			"--x509-key-file", write(t, home, "client.key", string(issued.Key)))
	default:
		args = append(args, "--authentication-id", secrets.Name, "--realm", "", "--quality-of-protection", "qop-auth")
	}
	args = append(args, "--connect", loopback+":"+port)
	return command{path: program, args: args, stdin: a.password() + "\n", home: home}
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
	mechanisms := command{path: program, args: []string{"--client-mechanisms"}, home: t.TempDir()}.run(t)
	if strings.Contains(mechanisms.output, "OAUTH") {
		t.Errorf("this gsasl has bearer tokens: %v", mechanisms)
	}
	a := attempt{login.Modern, login.SMTP, login.Plain, login.PLAIN, login.Allow, login.WithAccount}
	r := start(t, a.setup())
	c := command{path: program, args: []string{"--smtp", "--mechanism", "PLAIN", "--starttls", "--x509-ca-file", r.ca,
		"--connect", loopback + ":" + r.ports[a.protocol][a.transport]}, home: t.TempDir()}
	if got := c.run(t); got.status == 0 || !strings.Contains(got.output, "\n503 ") || len(r.Record()) > 0 {
		t.Errorf("this gsasl can start TLS: %v", got)
	}
}
