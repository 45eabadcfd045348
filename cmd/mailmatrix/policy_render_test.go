package main

import (
	"strings"
	"testing"
)

func TestPolicyRender(t *testing.T) {
	whole := file(t, "whole.yaml", "policy: {PLAIN: secure, USER/PASS: secure}\n")
	apart := file(t, "apart.yaml", "smtp: {PLAIN: secure, LOGIN: secure}\npop3: {PLAIN: secure, USER/PASS: secure}\n")
	typo := file(t, "typo.yaml", "policy: {PLIAN: secure}\n")
	untried := file(t, "untried.yaml", "policy: {PLAIN: secure, LOGIN: unknown}\n")
	for _, row := range []struct {
		name, args string
		status     int
		want       []string
	}{
		{"everything can be said", "--for dovecot-2.3 " + whole, 0, []string{"auth_mechanisms = plain\n", "the whole policy"}},
		{"any letter case, and a built-in policy", "--for EXIM modern", 1, []string{"driver = plaintext", "NOT EXPRESSED"}},
		{"something cannot", "--for dovecot-2.3 " + apart, 1, []string{"smtp LOGIN: wanted secure, is deny", "pop3 LOGIN is to be denied"}},
		{"no server", whole, 2, []string{"render for which server? --for dovecot-2.3"}},
		{"an empty one", "--for= " + whole, 2, []string{"--for is empty"}},
		{"an unknown one", "--for dovecot-2.5 " + whole, 2, []string{`unknown server "dovecot-2.5"`, "dovecot-2.4"}},
		{"no policy", "--for exim", 2, []string{"which policy?"}},
		{"two policies", "--for exim modern legacy", 2, []string{`what is "legacy"?`}},
		{"one that cannot be read", "--for exim " + typo, 2, []string{`did you mean "PLAIN"?`}},
		{"one that was not tried", "--for exim " + untried, 2, []string{"LOGIN", "unknown"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			status, out, diagnostics := mailmatrix(t, append([]string{"policy", "render"}, strings.Fields(row.args)...)...)
			if status != row.status {
				t.Errorf("exit status %d, want %d: %s", status, row.status, diagnostics)
			}
			said := out
			if status == 2 {
				said = diagnostics
				if out != "" || strings.Count(diagnostics, "\n") != 1 {
					t.Errorf("bad input gets one line and no result:\n%s\n%s", diagnostics, out)
				}
			}
			for _, want := range row.want {
				if !strings.Contains(said, want) {
					t.Errorf("%q is not in\n%s", want, said)
				}
			}
		})
	}
}
