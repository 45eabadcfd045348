package reports

import (
	"cmp"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// several are the servers of a merged report, side by side: each as a report of
// its own, and what differs between them.
type several struct {
	whole *login.Report
	names []string
	each  []login.Report
}

func severalOf(r *login.Report) several {
	s := several{whole: r, names: targetNames(r)}
	for i := range r.Targets {
		s.each = append(s.each, onlyOf(r, i))
	}
	return s
}

// targetNames tell the targets apart: two on one machine by the port of their
// first door, and what is the same even so by its place.
func targetNames(r *login.Report) []string {
	var names []string
	for _, t := range r.Targets {
		name := ascii(t.Name)
		alike := func(o login.TargetResult) bool { return o.Name == t.Name }
		if i := slices.IndexFunc(r.Targets, alike); slices.ContainsFunc(r.Targets[i+1:], alike) && len(t.Doors) > 0 {
			name += ":" + ascii(t.Doors[0].Port())
		}
		if slices.Contains(names, name) {
			name += " (" + count(len(names)+1) + ")"
		}
		names = append(names, name)
	}
	return names
}

// onlyOf is what the report says of one of its targets. What was expected is a
// matter of the whole.
func onlyOf(r *login.Report, target int) login.Report {
	one := *r
	one.Targets = r.Targets[target : target+1]
	one.Cells, one.Scenarios, one.Cases, one.NotTested = nil, nil, nil, nil
	one.Order, one.Expectations, one.Flaky, one.Decided, one.ElapsedMS = nil, nil, nil, nil, 0
	for _, c := range r.Cells {
		if c.Target == target {
			c.Target = 0
			one.Cells = append(one.Cells, c)
		}
	}
	for _, s := range r.Scenarios {
		if s.Target == target {
			s.Target = 0
			one.Scenarios = append(one.Scenarios, s)
		}
	}
	for _, c := range r.Cases {
		if c.Target == target {
			c.Target = 0
			one.Cases = append(one.Cases, c)
		}
	}
	for _, n := range r.NotTested {
		var is bool
		if n.What, is = strings.CutPrefix(n.What, r.Targets[target].Name+": "); is {
			one.NotTested = append(one.NotTested, n)
		}
	}
	if asked, known := r.AskedOf(target); known {
		one.Seed, one.Selection = asked.Seed, asked.Selection
	}
	one.Count()
	return one
}

// conforming counts the servers with which nothing is wrong.
func (s several) conforming() int {
	n := 0
	for i := range s.each {
		if s.each[i].ExitStatus() == 0 {
			n++
		}
	}
	return n
}

// contrast is a row in which the servers differ.
type contrast struct {
	what, title string
	values      []string
}

func (c contrast) differs() bool {
	return len(slices.Compact(slices.Sorted(slices.Values(c.values)))) > 1
}

// offers are the mechanisms that the servers in service do not offer alike, those
// first that show a password somewhere; same counts the others. A server of ours
// is put into every state, and has no entry. Beside it, one alone is compared with
// nobody: what it offers is listed, and nothing is the same.
func (s several) offers() (differ []contrast, same int) {
	inService := 0
	for i := range s.each {
		if s.each[i].Targets[0].Kind == login.RemoteTarget {
			inService++
		}
	}
	for _, p := range login.Protocols() {
		for _, m := range s.mechanisms(p) {
			c := contrast{what: protocolName(p) + " " + string(m)}
			seen := contrast{}
			for i := range s.each {
				text := ""
				if t := &s.each[i].Targets[0]; t.Kind == login.RemoteTarget {
					text = entriesOf(t, p, m)
					seen.values = append(seen.values, strings.ReplaceAll(text, entryNo, entryAbsent)) // which is as good
				}
				c.values = append(c.values, text)
			}
			switch {
			case inService > 1 && !seen.differs():
				same++
			case inService > 1, slices.ContainsFunc(seen.values, isOffered):
				differ = append(differ, c)
			}
		}
	}
	slices.SortStableFunc(differ, func(a, b contrast) int { return cmp.Compare(a.rank(), b.rank()) })
	return differ, same
}

// isOffered reports whether these entries name a place where it is to be had.
func isOffered(entries string) bool {
	return slices.ContainsFunc([]string{entryYes, entryWorks, entryHidden, entryFails}, func(word string) bool {
		return strings.Contains(strings.ToLower(entries), word)
	})
}

// The servers that are compared: those with a list of what they offer, and those
// of which a requirement was decided.
const (
	sameInService = "of all in service"
	sameDecided   = "wherever decided"
)

// sameOf says how many rows a table has not, as the servers do not differ in them;
// "" where there are none.
func sameOf(n int, noun, where string) string {
	if n == 0 {
		return ""
	}
	return of(n, noun) + ": the same " + where
}

// rank is less where some entry is in capitals.
func (c contrast) rank() int {
	if all := strings.Join(c.values, ""); all != strings.ToLower(all) {
		return 0
	}
	return 1
}

// mechanisms are those that some door for the protocol was looked at for.
func (s several) mechanisms(p login.Protocol) []login.Mechanism {
	var all []login.Mechanism
	for _, r := range s.each {
		for _, d := range r.Targets[0].Doors {
			for _, link := range d.Transports {
				for _, m := range link.Mechanisms {
					if d.Protocol == p && !slices.Contains(all, m.Mechanism) {
						all = append(all, m.Mechanism)
					}
				}
			}
		}
	}
	return all
}

// entriesOf is such as "YES / yes": in clear, and inside TLS, over all doors.
func entriesOf(t *login.TargetResult, p login.Protocol, m login.Mechanism) string {
	var clear, inside []string
	for i := range t.Doors {
		for j := range t.Doors[i].Transports {
			link := &t.Doors[i].Transports[j]
			entry := offered(link, m)
			switch {
			case t.Doors[i].Protocol != p || entry == "":
			case link.Transport == login.Plain:
				clear = append(clear, entry)
			default:
				inside = append(inside, entry)
			}
		}
	}
	joined := func(all []string) string { // what is to be had somewhere comes first
		slices.SortFunc(all, func(a, b string) int {
			return cmp.Compare(strings.Replace(a, entryAbsent, "~", 1), strings.Replace(b, entryAbsent, "~", 1))
		})
		return cmp.Or(strings.Join(slices.Compact(all), ","), "no door")
	}
	return joined(clear) + " / " + joined(inside)
}

// requirements are those that were decided of several servers, and not alike;
// the worst of all doors counts.
func (s several) requirements() (differ []contrast, same int) {
	var order []string
	titles, worst := map[string]string{}, map[string][]login.Verdict{}
	for i := range s.each {
		for _, c := range s.each[i].Cases {
			if c.Profile != "" || !slices.Contains(decidedVerdicts, c.Verdict) {
				continue
			}
			if worst[c.ID] == nil {
				order = append(order, c.ID)
				titles[c.ID], worst[c.ID] = c.Title, make([]login.Verdict, len(s.each))
			}
			worst[c.ID][i] = max(worst[c.ID][i], c.Verdict)
		}
	}
	for _, id := range order {
		c, decided := contrast{what: id, title: titles[id]}, contrast{}
		for _, v := range worst[id] {
			text := "-"
			if slices.Contains(decidedVerdicts, v) {
				text = v.String()
				decided.values = append(decided.values, text)
			}
			c.values = append(c.values, text)
		}
		switch {
		case decided.differs():
			differ = append(differ, c)
		case len(decided.values) > 1:
			same++
		}
	}
	return differ, same
}

var decidedVerdicts = []login.Verdict{login.Pass, login.Warn, login.Fail}

// clients are how many fare how at each server in service.
func (s several) clients() []contrast {
	all := []contrast{
		{what: "work over TLS as they come"}, {what: "work as they come, not over TLS"}, {what: "need a setting"}, {what: "cannot log in"},
	}
	any := false
	for i := range s.each {
		fares := make([]int, len(all))
		here := guests(&s.each[i])
		for _, g := range here {
			fares[g.fate]++
		}
		for j := range all {
			text := ""
			if len(here) > 0 {
				any, text = true, count(fares[j])
			}
			all[j].values = append(all[j].values, text)
		}
	}
	if !any {
		return nil
	}
	return slices.DeleteFunc(all, func(c contrast) bool {
		return !slices.ContainsFunc(c.values, func(v string) bool { return v != "" && v != "0" })
	})
}

// served is what a server is and was asked, but for its name.
func served(r *login.Report) []string {
	if deployed(r) {
		return visit(r, &r.Targets[0])[1:]
	}
	return headline(open(r))
}

// tallyOf counts what was found of a server.
func tallyOf(r *login.Report) []string {
	if deployed(r) {
		return checkTally(r)
	}
	return tally(r)
}
