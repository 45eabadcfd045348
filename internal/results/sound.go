package results

import (
	"fmt"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Sound says what in a report points nowhere, or is not what its results come to.
// A report that was read from a file may have been written by anybody, and whoever
// uses one relies on this.
func Sound(r *login.Report) error {
	check := soundness{r: r}
	for _, row := range r.Transcripts {
		for _, line := range row {
			check.index("line", line, len(r.Lines))
		}
	}
	for _, c := range r.Cells {
		check.result(c.Target, c.Transcript)
	}
	for _, s := range r.Scenarios {
		check.result(s.Target, s.Transcript)
		if s.Door != nil {
			check.door(s.Target, *s.Door)
		}
	}
	for _, c := range r.Cases {
		check.result(c.Target, c.Transcript)
		check.door(c.Target, c.Door)
	}
	for _, c := range r.Clients {
		for _, m := range c.Protocols {
			for _, f := range m.Floors {
				check.transcript(f.Transcript)
			}
			for _, d := range m.Denials {
				check.transcript(d.Transcript)
			}
		}
	}
	if n := len(r.Cells) + len(r.Scenarios) + len(r.Cases); check.err == nil && len(r.Order) > 0 && len(r.Order) != n {
		return fmt.Errorf("the report is damaged: it has the places of %d results, and %d results", len(r.Order), n)
	}
	if check.err == nil {
		check.totals()
	}
	return check.err
}

// totals: what is said of all results decides the exit status, so it must be
// what they say.
func (s *soundness) totals() {
	counted := *s.r
	counted.Count()
	for _, t := range []struct {
		what      string
		says, are login.Totals
	}{
		{"cells", s.r.Totals, counted.Totals},
		{"scenarios", s.r.ScenarioTotals, counted.ScenarioTotals},
		{"cases", s.r.CaseTotals, counted.CaseTotals},
	} {
		if s.err == nil && t.says != t.are {
			s.err = fmt.Errorf("the report is damaged: its totals of %s are not those of its results (%d fail, and %d are counted)", t.what, t.are.Fail, t.says.Fail)
		}
	}
}

// soundness keeps the first thing that is wrong.
type soundness struct {
	r   *login.Report
	err error
}

func (s *soundness) index(what string, i, n int) {
	if s.err == nil && (i < 0 || i >= n) {
		s.err = fmt.Errorf("the report is damaged: it speaks of %s %d, and there are %d", what, i, n)
	}
}

func (s *soundness) transcript(row *int) {
	if row != nil {
		s.index("transcript", *row, len(s.r.Transcripts))
	}
}

func (s *soundness) result(target int, row *int) {
	s.index("target", target, len(s.r.Targets))
	s.transcript(row)
}

func (s *soundness) door(target, door int) {
	if s.err == nil {
		s.index("door", door, max(1, len(s.r.Targets[target].Doors))) // 0 where the target has none
	}
}
