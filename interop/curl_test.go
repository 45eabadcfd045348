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
			mechanisms: []login.Mechanism{login.PLAIN, login.LOGIN, login.CRAMMD5, login.NTLM},
		},
		login.POP3: {
			transports: login.Transports(),
			mechanisms: []login.Mechanism{login.UserPass, login.APOP, login.PLAIN, login.LOGIN, login.CRAMMD5, login.NTLM},
		},
	},
	ntlm: login.NTLMv2,
	lacks: []lack{
		{"NTLMv1", "libcurl answers in NTLMv2 since 7.77, so what a server that takes v1 does is for the others to show"},
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
		"--netrc-file", write(t, home, "netrc", fmt.Sprintf("machine %s login %s password %s\n", identity, secrets.Name, a.password())),
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
