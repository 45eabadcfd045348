package harness

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

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
	kept := p.keep(wanted)
	for _, id := range ids {
		if !wanted[id] {
			missing = append(missing, id)
		}
	}
	switch {
	case len(ids) == 0:
		return p, nil, fmt.Errorf("%s: nothing failed there, so there is nothing to run again", from)
	case len(missing) == len(ids):
		return p, nil, fmt.Errorf("%s: nothing of what failed there is in this plan (%s, ...): give the flags of that run as well", from, ids[0])
	}
	return p.part(kept, "rerun-failed", from), missing, nil
}

// Only narrows the plan to the experiments with these IDs, and the controls. A
// case may be named without its protocol or client, and is then meant with each.
func (p Plan) Only(ids []string) (Plan, error) {
	wanted := map[string]bool{}
	for _, id := range ids {
		wanted[id] = false
	}
	kept := p.keep(wanted)
	for _, id := range ids {
		if !wanted[id] {
			return p, p.unknown(id)
		}
	}
	return p.part(kept, "only", ids...), nil
}

// keep are the jobs that are wanted, and the controls; whatever is found is
// marked.
func (p Plan) keep(wanted map[string]bool) []Job {
	var kept []Job
	for _, j := range p.Jobs {
		named := j.Scenario != nil && j.Scenario.Kind == login.KindControl
		for _, name := range j.names() {
			if _, is := wanted[name]; is {
				wanted[name], named = true, true
			}
		}
		if named {
			kept = append(kept, j)
		}
	}
	return kept
}

// names are the ID of the job, and that of its case.
func (j Job) names() []string {
	switch {
	case j.Case != nil:
		return []string{j.ID(), j.Case.ID}
	case j.Client != nil:
		return []string{j.ID(), j.Client.ID}
	default:
		return []string{j.ID()}
	}
}

// part is the plan with these jobs alone, and says so.
func (p Plan) part(kept []Job, axis string, values ...string) Plan {
	p.Jobs, p.Clients, p.Lacks = kept, nil, nil
	p.Selection = maps.Clone(p.Selection)
	if p.Selection == nil {
		p.Selection = map[string][]string{}
	}
	p.Selection[axis] = values
	return p
}

// unknown says that no experiment has the ID, and which one is near: it is looked
// for among those that begin alike as far as any do.
func (p Plan) unknown(id string) error {
	var near []string
	for _, j := range p.Jobs {
		near = append(near, j.names()...)
	}
	for i := range id {
		if id[i] != '/' {
			continue
		}
		alike := slices.DeleteFunc(slices.Clone(near), func(name string) bool { return !strings.HasPrefix(name, id[:i+1]) })
		if len(alike) == 0 {
			break
		}
		near = alike
	}
	hint := ""
	if name := login.Nearest(id, near); name != "" {
		hint = fmt.Sprintf(", did you mean %q?", name)
	}
	return fmt.Errorf("no experiment of this plan is %q%s; give the flags of its run as well", id, hint)
}
