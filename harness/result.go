package harness

import (
	"slices"
	"strings"
	"sync"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// result is what became of one job: one of the three, where it is done.
type result struct {
	done       bool
	cell       *login.CellResult
	scenario   *login.ScenarioResult
	compliance *login.CaseResult
	transcript []string
}

// of reports whether it is a result of such a job.
func (r result) of(j Job) bool {
	switch {
	case j.Scenario != nil:
		return r.scenario != nil
	case j.Case != nil, j.Client != nil:
		return r.compliance != nil
	default:
		return r.cell != nil
	}
}

// cells are the results of a plan's cells in the order of the report, which
// has them where they are: of a whole run there are too many to be copied.
type cells struct {
	all []login.CellResult
	at  []int // by job
}

func (c *cells) reserve(plan Plan) {
	c.all, c.at = slices.Grow(c.all, plan.Cells())[:plan.Cells()], make([]int, len(plan.Jobs))
	n := 0
	for i, j := range plan.Jobs {
		c.at[i] = n
		if j.isCell() {
			n++
		}
	}
}

// place puts the result of a job into its place.
func (c *cells) place(job int, got *login.CellResult) *login.CellResult {
	if got == nil {
		return nil
	}
	c.all[c.at[job]] = *got
	return &c.all[c.at[job]]
}

// distinct keeps one of all transcripts that are equal: of a whole run there are
// many, and clients say the same again and again.
type distinct struct {
	mu  sync.Mutex
	all map[string][]string
}

func (d *distinct) share(transcript []string) []string {
	if len(transcript) == 0 {
		return nil
	}
	text := strings.Join(transcript, "\r\n") // which no line has in it
	d.mu.Lock()
	defer d.mu.Unlock()
	known, ok := d.all[text]
	if ok {
		return known
	}
	if d.all == nil {
		d.all = map[string][]string{}
	}
	d.all[text] = transcript
	return transcript
}
