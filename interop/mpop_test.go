package interop

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// mpop fetches mail and does nothing else.
var mpop = peer{
	program: "mpop", debian: "mpop",
	has: map[login.Protocol]ways{
		login.POP3: {
			transports: login.Transports(),
			mechanisms: []login.Mechanism{login.UserPass, login.APOP, login.PLAIN, login.LOGIN, login.CRAMMD5, login.NTLM,
				login.SCRAMSHA1, login.SCRAMSHA256, login.DIGESTMD5, login.XOAUTH2, login.EXTERNAL},
			blind: []login.Mechanism{login.UserPass},
		},
	},
	ntlm: login.NTLMv1,
	lacks: []lack{
		{"SMTP", "it fetches only; msmtp is its other half"},
		{"NTLMv2", "GNU SASL's NTLM makes v1 responses"},
		{"SCRAM-SHA-1-PLUS, SCRAM-SHA-256-PLUS", lambPlus},
		{"OAUTHBEARER", "it puts the token into the command whatever its length, where RFC 5034 4 stops at 255 octets: the server answers -ERR line too long"},
		{"ANONYMOUS", "it logs in as somebody"},
		{"GSSAPI", "its ticket would have to be for 127.0.0.1; gsasl shows the same library's"},
	},
	login: func(t *testing.T, program string, a attempt, r *reference) result {
		home := t.TempDir()
		config := lambConfig(t, home, a, r) + fmt.Sprintf("delivery mbox %s\n", filepath.Join(home, "mbox"))
		return command{path: program, args: []string{"--file", write(t, home, "mpoprc", config), "--auth-only"}, home: home}.run(t)
	},
}

func TestMpop(t *testing.T) {
	mpop.test(t)
}

// TestMpopLacks: what the table says it lacks it does lack. It has no choice
// of protocols at all.
func TestMpopLacks(t *testing.T) {
	testLambLacks(t, mpop)
	program := need(t, mpop.program, mpop.debian)
	help := command{path: program, args: []string{"--help"}, home: t.TempDir()}.run(t)
	if strings.Contains(help.output, "--protocol") || strings.Contains(help.output, "SMTP") {
		t.Errorf("this mpop speaks more than POP3: %v", help)
	}
}

// TestMpopSendsTokenTooSoon: it has OAUTHBEARER, and cannot use it with a
// server that keeps to RFC 2449 4.
func TestMpopSendsTokenTooSoon(t *testing.T) {
	program := need(t, mpop.program, mpop.debian)
	a := attempt{login.Modern, login.POP3, login.TLS, login.OAUTHBEARER, login.Allow, login.WithAccount}
	r := start(t, a.setup())
	got := mpop.login(t, program, a, r)
	if records := r.record(t); got.status == 0 || len(records) != 1 || records[0].Refusal != login.BySyntax {
		t.Errorf("want a line too long, got %+v and %v", records, got)
	}
}
