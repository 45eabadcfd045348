package harness_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

func TestPolicyLines(t *testing.T) {
	type lines = map[login.Protocol]map[login.Mechanism]int
	for _, c := range []struct {
		name, yaml string
		want       lines
	}{
		{
			"blocks, with remarks between", "# mine\npolicy:\n  PLAIN: secure\n  # old\n  CRAM-MD5: allow\npop3:\n  USER/PASS: secure\n",
			lines{"": {login.PLAIN: 3, login.CRAMMD5: 5}, login.POP3: {login.UserPass: 7}},
		},
		{"in one line", "policy: {PLAIN: secure, LOGIN: deny}\n", lines{"": {login.PLAIN: 1, login.LOGIN: 1}}},
		{"a map of one", "\nsmtp:\n  ntlm: allow\n", lines{login.SMTP: {login.NTLM: 3}}},
		{"keys in quotes, and braces over lines", "policy: {\n  \"PLAIN\": secure,\n  'apop': allow}\n", lines{"": {login.PLAIN: 2, login.APOP: 3}}},
		{"what is no policy has no lines", "- a\n- b\n", lines{}},
		{"nor has what is no YAML", "policy: {PLAIN", lines{}},
		{"nor has nothing", "", lines{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, harness.PolicyLines([]byte(c.yaml)), cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
		})
	}
}
