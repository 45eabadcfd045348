package harness

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// ReadReport reads a report that was written as JSON; name is the file's, for
// messages.
func ReadReport(name string, data []byte) (login.Report, error) {
	var r login.Report
	err := json.Unmarshal(data, &r)
	switch {
	case err != nil:
		return r, fmt.Errorf("%s is no report in JSON: %w; make one by --output json=%[1]s", name, err)
	case r.Schema != login.Schema:
		return r, fmt.Errorf("%s is no report of this program: its schema is %q, and not %q", name, r.Schema, login.Schema)
	}
	return r, nil
}

// Failed are the results that failed, warned or were broken, and that nobody
// has excused, by the IDs of their jobs.
func Failed(r *login.Report) []string {
	failed := map[string]bool{}
	for _, s := range excusables(r) {
		if s.verdict >= login.Warn && *s.excused == "" {
			failed[s.key()] = true
		}
	}
	return slices.Sorted(maps.Keys(failed))
}

// key is the ID of the job that the result is of.
func (s excusable) key() string {
	if s.who == "" {
		return s.id
	}
	return s.id + "@" + s.who
}

// Rerun narrows the plan to these jobs, and the controls. from is where they
// were taken from, for the report. What of them is not in the plan is returned;
// that nothing is left is an error.
func (p Plan) Rerun(ids []string, from string) (_ Plan, missing []string, err error) {
	wanted := map[string]bool{}
	for _, id := range ids {
		wanted[id] = false
	}
	var kept []Job
	found := 0
	for _, j := range p.Jobs {
		if _, again := wanted[j.ID()]; again {
			wanted[j.ID()] = true
			found++
			kept = append(kept, j)
		} else if j.Scenario != nil && j.Scenario.Kind == login.KindControl {
			kept = append(kept, j)
		}
	}
	switch {
	case len(ids) == 0:
		return p, nil, fmt.Errorf("%s: nothing failed there, so there is nothing to run again", from)
	case found == 0:
		return p, nil, fmt.Errorf("%s: nothing of what failed there is in this plan (%s, ...): give the flags of that run as well", from, ids[0])
	}
	for _, id := range ids {
		if !wanted[id] {
			missing = append(missing, id)
		}
	}
	p.Jobs, p.Clients, p.Lacks = kept, nil, nil
	p.Selection = maps.Clone(p.Selection)
	if p.Selection == nil {
		p.Selection = map[string][]string{}
	}
	p.Selection["rerun-failed"] = []string{from}
	return p, missing, nil
}
