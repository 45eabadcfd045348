package reports

import (
	"slices"
	"testing"
)

// What several runs have cost is not to be read as the cost of one.
func TestHeadOfSeveralRuns(t *testing.T) {
	r := checkReport()
	for _, c := range []struct {
		times []string
		want  bool
	}{{nil, false}, {[]string{"3"}, true}} {
		r.Selection = map[string][]string{"repeat": c.times}
		if got := slices.Contains(visit(&r, &r.Targets[0]), "3 runs"); got != c.want {
			t.Errorf("%v: 3 runs: %v, want %v", c.times, got, c.want)
		}
	}
}
