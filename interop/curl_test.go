package interop

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// curl is the only peer here that speaks both protocols, and NTLMv2.
var curl = peer{
	program: "curl", debian: "curl",
	has: map[login.Protocol]ways{
		login.SMTP: {
			transports: login.Transports(),
			mechanisms: []login.Mechanism{login.PLAIN, login.LOGIN, login.CRAMMD5, login.NTLM,
				login.DIGESTMD5, login.XOAUTH2, login.OAUTHBEARER, login.EXTERNAL},
		},
		login.POP3: {
			transports: login.Transports(),
			mechanisms: []login.Mechanism{login.UserPass, login.APOP, login.PLAIN, login.LOGIN, login.CRAMMD5, login.NTLM,
				login.DIGESTMD5, login.XOAUTH2, login.OAUTHBEARER, login.EXTERNAL},
		},
	},
	ntlm: login.NTLMv2,
	lacks: []lack{
		{"NTLMv1", "libcurl answers in NTLMv2 since 7.77, so what a server that takes v1 does is for the others to show"},
		{"SCRAM-SHA-1, SCRAM-SHA-256", "Debian builds it without GNU SASL"},
		{"SCRAM-SHA-1-PLUS, SCRAM-SHA-256-PLUS", "no release has them"},
		{"ANONYMOUS", "it logs in as somebody"},
	},
	login: func(t *testing.T, program string, a attempt, r *reference) result {
		c := curlCommand(t, program, a, r, "/")
		if a.protocol == login.SMTP {
			// Where it may not log in, curl goes on without.
			c.args = append(c.args, "--mail-from", sender, "--mail-rcpt", stranger, "--upload-file", "-")
			c.stdin = letter
		}
		return c.run(t)
	},
}

func TestCurl(t *testing.T) {
	curl.test(t)
}

// TestCurlFeatures: what the table takes for granted is built into this curl.
func TestCurlFeatures(t *testing.T) {
	program := need(t, "curl", "curl")
	version := command{path: program, args: []string{"--version"}, home: t.TempDir()}.run(t)
	for _, word := range []string{"smtps", "pop3s", "NTLM", "SSL"} {
		if !strings.Contains(version.output, word) {
			t.Errorf("this curl has no %s: %v", word, version)
		}
	}
}

// curlCommand logs in as the attempt says and goes on with what is asked. In
// POP3 the path is the number of a message; none asks for the list.
func curlCommand(t testing.TB, program string, a attempt, r *reference, path string, more ...string) command {
	home := t.TempDir()
	port := r.ports[a.protocol][a.transport]
	scheme := string(a.protocol)
	if a.transport == login.TLS {
		scheme += "s"
	}
	args := []string{"--silent", "--show-error", "--disable",
		"--resolve", identity + ":" + port + ":127.0.0.1",
		"--cacert", r.ca,
		"--config", curlConfig(t, home, a, r),
		"--url", scheme + "://" + identity + ":" + port + path,
	}
	switch a.mechanism {
	case login.UserPass:
		// It has no name that curl takes: it is what is left where neither SASL
		// nor APOP is offered.
	case login.APOP:
		args = append(args, "--login-options", "AUTH=+APOP")
	default:
		args = append(args, "--login-options", "AUTH="+string(a.mechanism))
	}
	if a.transport == login.StartTLS {
		args = append(args, "--ssl-reqd")
	}
	return command{path: program, args: append(args, more...), home: home}
}

// curlConfig is what the attempt presents. A file keeps it off the command
// line.
func curlConfig(t testing.TB, home string, a attempt, r *reference) string {
	t.Helper()
	config := fmt.Sprintf("user = \"%s:%s\"\n", secrets.Name, a.password())
	switch traits(a.mechanism).Presents {
	case login.PresentsToken:
		config = fmt.Sprintf("user = \"%s:\"\noauth2-bearer = \"%s\"\n", secrets.Name, a.issued(t, r).Token)
	case login.PresentsCertificate:
		// curl takes EXTERNAL where there is a name and no password.
		issued := a.issued(t, r)
		config = fmt.Sprintf("user = \"%s:\"\ncert = \"%s\"\nkey = \"%s\"\n", secrets.Name,
			write(t, home, "client.pem", string(issued.Certificate)), write(t, home, "client.key", string(issued.Key)))
	}
	return write(t, home, "curlrc", config)
}
