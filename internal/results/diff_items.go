package results

import (
	"iter"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// itemKey is what a result is found by in another report.
type itemKey struct {
	// target is "" where the report is about one: then two servers can be
	// compared, and one that has another name now.
	target string
	// id has doors as they are called in both reports: see [namesOfDoors].
	of, id string
	// nth tells apart what has the same ID, such as at two doors.
	nth int
}

// item is a result of any sort, seen as what can change.
type item struct {
	id       string
	verdict  login.Verdict
	measured bool // a row of a server's offers has no verdict, and is a fact all the same
	outcome  string
	reason   string
	excused  string
	// hole and lockout: somebody is let in, or kept out, who should not be.
	hole, lockout bool
	flaky         bool
	// lets are what is known of whether somebody is let in, the surest first;
	// nil where it is not known.
	lets []*bool
	// exposure is all that could be read, secrets what of the account's.
	exposure, secrets login.ExposureClass
}

// items are the results of a report in its order, found by these names of its
// doors. What is only predicted is none.
func items(r *login.Report, doors doorNames) iter.Seq2[itemKey, item] {
	return func(yield func(itemKey, item) bool) {
		c := collector{r: r, doors: doors, seen: map[itemKey]int{}, flaky: map[string]bool{}}
		for _, f := range r.Flaky {
			c.flaky[f.ID] = true
		}
		c.all(yield)
	}
}

// collector makes items of a report.
type collector struct {
	r     *login.Report
	doors doorNames
	seen  map[itemKey]int
	flaky map[string]bool
}

// key is that of the next result with this ID.
func (c *collector) key(of string, target int, id string) itemKey {
	key := itemKey{of: of, id: id}
	if len(c.r.Targets) > 1 {
		key.target = c.r.Targets[target].Name
	}
	c.seen[key]++
	key.nth = c.seen[key]
	return key
}

func (c *collector) all(yield func(itemKey, item) bool) {
	for i := range c.r.Cells {
		cell := &c.r.Cells[i]
		if cell.Basis != login.Predicted && !yield(c.key("cell", cell.Target, cell.ID), c.cell(cell)) {
			return
		}
	}
	for i := range c.r.Scenarios {
		s := &c.r.Scenarios[i]
		id := s.ID
		if s.Door != nil && *s.Door < len(c.doors[s.Target]) {
			at := "/" + string(c.r.Targets[s.Target].Doors[*s.Door].Protocol) + "/"
			port := c.r.Targets[s.Target].Doors[*s.Door].Port()
			id = strings.Replace(id+"/", at+port+"/", at+c.doors[s.Target][*s.Door]+"/", 1)
		}
		if !yield(c.key("scenario", s.Target, id), c.scenario(s)) {
			return
		}
	}
	for i := range c.r.Cases {
		k := &c.r.Cases[i]
		id := c.r.Key(*k)
		it := item{id: id, verdict: k.Verdict, reason: k.Reason, excused: k.Excused, hole: k.WronglyAccepted, lockout: k.WronglyRefused, flaky: c.flaky[id]}
		key := id
		if k.Profile == "" && k.Door < len(c.doors[k.Target]) {
			key = k.ID + "@" + c.doors[k.Target][k.Door]
		}
		if !yield(c.key("case", k.Target, key), it) {
			return
		}
	}
	c.offers(yield)
}

func (c *collector) cell(cell *login.CellResult) item {
	it := item{id: cell.ID, verdict: cell.Verdict, outcome: string(cell.Outcome), reason: cell.Reason, excused: cell.Excused,
		hole: cell.WronglyAccepted, lockout: cell.WronglyRefused, flaky: c.flaky[cell.ID], exposure: cell.Exposure}
	if cell.Verdict != login.Skip && cell.Verdict != login.Broken {
		in := cell.Outcome == login.LoggedIn
		it.lets = []*bool{&in}
	}
	for _, x := range cell.Exposures {
		if x.Class >= login.ShowsVerifier && (x.Secret == login.SecretAccount || x.Secret == login.SecretOverride) {
			it.secrets = max(it.secrets, x.Class)
		}
	}
	return it
}

func (c *collector) scenario(s *login.ScenarioResult) item {
	it := item{id: s.ID, verdict: s.Verdict, outcome: s.Outcome, reason: s.Reason, excused: s.Excused,
		hole: s.WronglyAccepted, lockout: s.WronglyRefused, flaky: c.flaky[s.ID], exposure: s.Exposure}
	if s.Exposure >= login.ShowsVerifier {
		it.secrets = s.Exposure
	}
	return it
}

// alone: the target has no other door for the protocol.
func (c *collector) alone(target int, door *login.DoorResult) bool {
	n := 0
	for _, d := range c.r.Targets[target].Doors {
		if d.Protocol == door.Protocol {
			n++
		}
	}
	return n == 1
}

// offers are the rows of what the doors of a deployed server offer. A door is
// shown with its port where its protocol has several.
func (c *collector) offers(yield func(itemKey, item) bool) {
	for i, target := range c.r.Targets {
		for j := range target.Doors {
			door := &target.Doors[j]
			name := string(door.Protocol)
			if !c.alone(i, door) {
				name += ":" + portOf(door)
			}
			for _, transport := range door.Transports {
				for _, m := range transport.Mechanisms {
					row := "/" + string(transport.Transport) + "/" + strings.ReplaceAll(string(m.Mechanism), "/", "-")
					it := item{id: name + row, measured: true, outcome: offer(m), lets: []*bool{m.Completes, m.Starts, m.Offered}}
					if !yield(c.key("mechanism", i, c.doors[i][j]+row), it) {
						return
					}
				}
			}
		}
	}
}

// offer is the surest that is known of a mechanism at a door, in words.
func offer(m login.MechanismResult) string {
	if m.Starts != nil && !*m.Starts {
		m.Completes = nil // what is not taken up cannot end well
	}
	for _, w := range []struct {
		fact    *bool
		yes, no string
	}{
		{m.Completes, "logs in", "does not log in"}, {m.Starts, "is taken up", "is refused"}, {m.Offered, "offered", "not offered"},
	} {
		switch {
		case w.fact == nil:
		case *w.fact:
			return w.yes
		default:
			return w.no
		}
	}
	return "not known"
}
