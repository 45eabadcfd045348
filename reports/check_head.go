package reports

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// checkHead says what was looked at, what that cost its owner, and whether
// anything is wrong.
func (p *page) checkHead(r *login.Report) {
	for i := range r.Targets {
		p.items("", visit(r, &r.Targets[i]))
	}
	p.gap()
	p.checkConclusion(r)
}

// visit is a server in a line: its name and addresses, and what it was asked.
func visit(r *login.Report, t *login.TargetResult) []string {
	all := []string{addressed(r, t)}
	speaking := 0
	for _, d := range t.Doors {
		if d.Speaks() {
			speaking++
		}
	}
	if speaking > 0 {
		all = append(all, of(speaking, "door"))
	} else {
		all = append(all, "no door answers")
	}
	if times := r.Selection["repeat"]; len(times) == 1 {
		all = append(all, ascii(times[0])+" runs")
	}
	if t.Effort != nil {
		all = append(all, of(t.Effort.Connections, "connection"))
	}
	if r.ElapsedMS > 0 {
		all = append(all, fmt.Sprintf("%.1f s", r.ElapsedMS/1000))
	}
	return append(all, spent(t)...)
}

// addressed is the name of a server with its addresses. Those beside the first
// are of doors at other hosts, or were looked at to compare: of these a finding
// says that they are not like the first, or they are.
func addressed(r *login.Report, t *login.TargetResult) string {
	name := ascii(t.Name)
	if len(t.Addresses) == 0 {
		return name
	}
	if first := ascii(t.Addresses[0]); first != name {
		name += "  " + first
	}
	var others []string
	for _, a := range t.Addresses[1:] {
		word := ""
		if !hasDoor(t, a) && !strings.Contains(a, " ") { // where it has a space, the rest says how it fared
			word = " alike"
			for it := range items(r) {
				if it.verdict != login.Pass && strings.Contains(it.reason, a) {
					word = " differs"
				}
			}
		}
		others = append(others, ascii(a)+word)
	}
	if len(others) > 0 {
		name += " (" + strings.Join(others, ", ") + ")"
	}
	return name
}

// hasDoor reports whether a door is at the address.
func hasDoor(t *login.TargetResult, address string) bool {
	return slices.ContainsFunc(t.Doors, func(d login.DoorResult) bool {
		return strings.Trim(strings.TrimSuffix(d.Address, ":"+d.Port()), "[]") == address
	})
}

// spent is what the server has counted against us: logins, and what it refused.
// Of one that was reconfigured again and again nobody has counted.
func spent(t *login.TargetResult) []string {
	if t.Effort == nil {
		return nil
	}
	e, all := *t.Effort, []string(nil)
	switch {
	case e.Passwords > 0:
		all = append(all, of(e.Passwords, "login"))
	case e.Auths > 0:
		all = append(all, "no password sent")
	default:
		all = append(all, "no login sent")
	}
	if e.Auths > 0 {
		all = append(all, count(e.Auths)+" AUTH refused or cancelled")
	}
	if e.Recipients > 0 {
		all = append(all, of(e.Recipients, "recipient")+" refused")
	}
	return all
}

// checkWords are the conclusions, by the exit status.
var checkWords = [...]struct {
	text string
	as   style
}{{"CONFORMING", good}, {"NOT CONFORMING", bad}, {"INCOMPLETE", warned}}

func (p *page) checkConclusion(r *login.Report) {
	words := checkWords[r.ExitStatus()]
	if r.ExitStatus() == 1 && r.Sum().Fail == 0 {
		words.text = "NOT AS EXPECTED"
	}
	const width = 19
	lead := p.paint(pad(words.text, width), words.as)
	if why := incomplete(r); why != "" {
		for _, line := range wrap(why, p.width()-width) {
			p.line(lead, line)
			lead = strings.Repeat(" ", width)
		}
	}
	if sum := r.Sum(); sum.Cells > sum.Skip {
		section := &page{Options: Options{Width: p.width() - width}}
		section.items("", checkTally(r))
		for _, line := range section.lines {
			p.line(lead, line)
			lead = strings.Repeat(" ", width)
		}
	}
	if asked := askedWith(r); asked != "" {
		p.flow(pad("asked with", width), asked, normal)
	}
	for _, t := range r.Targets {
		if t.Effort != nil && t.Effort.Stopped != "" {
			p.flow(pad("STOPPED EARLY", width), "the server was left alone before the end: "+ascii(t.Effort.Stopped), normal)
		}
	}
}

// checkTally counts what was found. A note is no finding, and is shown on demand.
func checkTally(r *login.Report) []string {
	sum, found := r.Sum(), map[login.Verdict]int{} // as they are told: what is one to the reader counts as one
	for _, c := range causes(r) {
		found[c.verdict]++
	}
	all := []string{count(found[login.Fail]) + " fail", count(found[login.Warn]) + " warn"}
	if n := len(notes(r)); n > 0 {
		all = append(all, of(n, "note")+" (-v)")
	}
	for _, more := range []struct {
		n    int
		what string
	}{
		{sum.Broken, "broken (our own fault)"}, {sum.Unjudged, "unjudged"}, {sum.Excused, "known"},
		{len(r.Expectations), "not as expected"},
	} {
		if more.n > 0 {
			all = append(all, count(more.n)+" "+more.what)
		}
	}
	if n := r.Totals.Cells - r.Totals.Skip; n > 0 {
		all = append(all, count(r.Totals.Pass)+" of "+of(n, "client login")+" as foretold")
	}
	decided, open := requirements(r)
	switch {
	case open > 0:
		all = append(all, of(decided, "requirement")+" decided, "+count(open)+" not tried")
	case decided > 0:
		all = append(all, of(decided, "requirement")+" decided")
	}
	return all
}

// requirements counts those that were decided, and those that were not though
// they are for such a server, each once over all doors.
func requirements(r *login.Report) (decided, open int) {
	known := map[string]bool{}
	for _, c := range r.Cases {
		switch {
		case c.Profile != "" || c.Verdict == login.Skip && c.Why == login.WhyNotApplicable:
		case c.Verdict == login.Pass || c.Verdict == login.Warn || c.Verdict == login.Fail:
			known[c.ID] = true
		case !known[c.ID]:
			known[c.ID] = false // it is there, and open
		}
	}
	for _, was := range known {
		if was {
			decided++
		} else {
			open++
		}
	}
	return decided, open
}
