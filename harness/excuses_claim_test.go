package harness

import (
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

const aClaim = `# a comment
claim: mailmatrix/claim/1
subject: {name: Example Mail, version: "4.2"}
standing: self-declared
made: {by: mailmatrix 0.1.0}
conforms: [MUST]
levels: []
expectations:
  # why
  - pattern: smtp/auth/003@smtp
    verdict: warn
    reason: r
    source: s
  - {pattern: "remote/**", verdict: fail, reason: r, source: s}
`

// A claim is a file of excuses with a heading.
func TestLoadClaim(t *testing.T) {
	all, err := LoadExcuses("claim.yaml", []byte(aClaim))
	if err != nil || len(all) != 2 {
		t.Fatalf("%v, %v", all, err)
	}
	if e := all[0]; e.Pattern != "smtp/auth/003@smtp" || e.Verdict != login.Warn || e.entry != "claim.yaml:10" {
		t.Errorf("%+v", e)
	}
	if e := all[1]; e.Verdict != login.Fail || e.entry != "claim.yaml:14" {
		t.Errorf("%+v", e)
	}
	for _, row := range []struct{ why, old, new, says string }{
		{"a later version", "claim/1", "claim/2", `claim.yaml: claim "mailmatrix/claim/2": this version knows mailmatrix/claim/1`},
		{"a key that no claim has", "conforms:", "confroms:", `claim.yaml:6:1: unknown field "confroms"`},
		{"what would excuse nothing", "expectations:", "expectatons:", "expectatons"},
		{"no entries", aClaim[strings.Index(aClaim, "expectations:"):], "", "expectations is missing"},
		{"an entry that is none", "verdict: warn", "verdict: wran", `claim.yaml:10: verdict "wran"`},
		{"a key that no entry has", "    source: s\n", "    sauce: s\n", "claim.yaml:13:5: unknown field \"sauce\""},
	} {
		t.Run(row.why, func(t *testing.T) {
			_, err := LoadExcuses("claim.yaml", []byte(strings.Replace(aClaim, row.old, row.new, 1)))
			if err == nil || !strings.Contains(err.Error(), row.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("says %v, want %q", err, row.says)
			}
		})
	}
	empty, err := LoadExcuses("claim.yaml", []byte("claim: mailmatrix/claim/1\nexpectations: []\n"))
	if err != nil || len(empty) != 0 {
		t.Errorf("%v, %v", empty, err)
	}
}
