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
			mechanisms: []login.Mechanism{login.UserPass, login.APOP, login.PLAIN, login.LOGIN, login.CRAMMD5, login.NTLM},
			blind:      []login.Mechanism{login.UserPass},
		},
	},
	ntlm: login.NTLMv1,
	lacks: []lack{
		{"SMTP", "it fetches only; msmtp is its other half"},
		{"NTLMv2", "GNU SASL's NTLM makes v1 responses"},
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

// TestMpopSpeaksNoSMTP: what the table says it lacks it does lack. It has no
// choice of protocols at all.
func TestMpopSpeaksNoSMTP(t *testing.T) {
	program := need(t, mpop.program, mpop.debian)
	help := command{path: program, args: []string{"--help"}, home: t.TempDir()}.run(t)
	if strings.Contains(help.output, "--protocol") || strings.Contains(help.output, "SMTP") {
		t.Errorf("this mpop speaks more than POP3: %v", help)
	}
}
