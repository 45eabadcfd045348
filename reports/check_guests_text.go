package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// guestGroup is a line: so many clients, what is true of them, who they are and,
// where they are many, why it is so for most.
type guestGroup struct {
	text    string
	as      style
	members []guest
	mostly  string
}

func guestGroups(all []guest) []guestGroup {
	var groups []guestGroup
	add := func(one, many string, as style, such func(guest) bool) {
		group := guestGroup{text: many, as: as}
		reasons := map[string]int{}
		for _, g := range all {
			if !such(g) {
				continue
			}
			group.members = append(group.members, g)
			for _, p := range login.Protocols() {
				if reason := g.how[p]; reason != "" {
					reasons[reason]++
					if reasons[reason] > reasons[group.mostly] {
						group.mostly = reason
					}
				}
			}
		}
		switch len(group.members) {
		case 0:
			return
		case 1:
			group.text = one
		}
		groups = append(groups, group)
	}
	is := func(f fate) func(guest) bool { return func(g guest) bool { return g.fate == f } }
	add("works over TLS as it comes", "work over TLS as they come", good, is(faresWell))
	add("works as it comes, but not over TLS", "work as they come, but not over TLS", warned, is(faresInClear))
	add("needs a setting", "need a setting", normal, is(wantsSetting))
	add("cannot log in", "cannot log in", warned, is(staysOut))
	const leak = `may show the password to a man in the middle (TLS "if available")`
	fates := len(groups)
	add(leak, leak, warned, func(g guest) bool { return g.leaks })
	add("shows the password to a listener if encryption is off", "show the password to a listener if encryption is off", warned,
		func(g guest) bool { return g.shows >= login.ShowsToken })
	add("shows a hash to crack if encryption is off", "show a hash to crack if encryption is off", normal,
		func(g guest) bool { return g.shows == login.ShowsVerifier })
	for i := range groups[fates:] {
		group := &groups[fates+i]
		group.mostly = "" // that was why they fare as they do
		for j := range group.members {
			group.members[j].how = nil
		}
	}
	return groups
}

// guestsTitle says on what the lines rest.
func guestsTitle(all []guest) string {
	n := map[login.Confidence]int{}
	for _, g := range all {
		n[g.known]++
	}
	recorded, read := n[login.Observed], n[login.Source]
	var from []string
	for _, source := range []struct {
		n    int
		what string
	}{{recorded, "recordings"}, {read, "source code"}, {len(all) - recorded - read, "papers"}} {
		if source.n > 0 {
			from = append(from, count(source.n)+" from "+source.what)
		}
	}
	return of(len(all), "client") + ", foretold (" + strings.Join(from, ", ") + ")"
}

// live sums up the clients that did log in: what was foretold is no proof.
func live(r *login.Report) string {
	n, in := 0, 0
	var others []string
	for i := range r.Cells {
		c := &r.Cells[i]
		if c.Basis == login.Predicted || !visits(c) || c.Verdict == login.Skip {
			continue
		}
		n++
		if c.Outcome == login.LoggedIn {
			in++
			continue
		}
		other := fmt.Sprintf("%s over %s: %s", titled(r, c.ClientName()), protocolName(c.Protocol), cmp.Or(refusal(c), string(c.Outcome)))
		if !slices.Contains(others, other) {
			others = append(others, other)
		}
	}
	if n == 0 {
		return ""
	}
	text := fmt.Sprintf("%s of %s tried live went through", count(in), of(n, "client login"))
	if len(others) > 0 {
		text += "; not " + shortList(others)
	}
	return text
}

// guestsNamed is how many names a group has in a short screen.
const guestsNamed = 3

// guests writes who can log in.
func (p *page) guests(r *login.Report) {
	all, seen := guests(r), live(r)
	if len(all) == 0 && seen == "" {
		return
	}
	title := ""
	if len(all) > 0 {
		title = guestsTitle(all)
	}
	lead := " " + p.paint(pad("WHO CAN LOG IN", offersLead-1), strong)
	for _, line := range wrap(title, p.width()-offersLead) {
		p.line(lead, line)
		lead = strings.Repeat(" ", offersLead)
	}
	for _, g := range guestGroups(all) {
		lead := fmt.Sprintf("%5s %s", count(len(g.members)), g.text)
		rest := g.whom(len(all), len(all), true)
		if !p.Verbose {
			rest = g.fitting(len(all), p.width()-len(lead)-2)
		}
		if rest == "" {
			p.line(p.paint(lead, g.as))
			continue
		}
		for _, line := range hanging(behind(lead, rest), p.width(), 6) {
			if after, is := strings.CutPrefix(line, lead); is {
				line = p.paint(lead, g.as) + after
			}
			p.line(line)
		}
	}
	if seen != "" {
		p.flow("      ", seen, normal)
	}
}

// mostly stands before what is so for most.
const mostly = "mostly: "

// inPlural are the reasons that are not the same of several.
var inPlural = map[string]string{
	distrusts: "they do not take the certificate", nothingInIt: "nothing offered that they know",
}

// behind puts who they are behind what is true of them.
func behind(text, whom string) string {
	if strings.HasPrefix(whom, mostly) {
		return text + ", " + whom
	}
	return text + ": " + whom
}

// fitting is who they are in so many columns: as many as there is room for,
// preferably with their titles.
func (g guestGroup) fitting(of, width int) string {
	whom := ""
	for most := guestsNamed; most > 0; most-- {
		for _, title := range []bool{true, false} {
			if whom = g.whom(of, most, title); len(whom) <= width {
				return whom
			}
		}
	}
	return whom
}

// whom is who they are: all of them with what each asks for or, where they are
// more than are to be named, what most of them ask for. Of more than every other
// client that alone is said.
func (g guestGroup) whom(of, most int, title bool) string {
	few := len(g.members) <= most+1
	names := make([]string, len(g.members))
	for i, m := range g.members {
		names[i] = m.called(title, few)
	}
	if few {
		return strings.Join(names, ", ")
	}
	why := ""
	if g.mostly != "" {
		why = mostly + cmp.Or(inPlural[g.mostly], g.mostly)
	}
	text := strings.Join(names[:most], ", ") + fmt.Sprintf(", %d more (-v)", len(names)-most)
	switch {
	case len(names) > of/2:
		return why
	case why != "":
		return why + " (" + strings.Replace(text, " (-v)", ", -v", 1) + ")"
	default:
		return text
	}
}

// hanging wraps text, its further lines indented. Spaces before the first word
// are kept.
func hanging(text string, width, indent int) []string {
	body := strings.TrimLeft(text, " ")
	first := text[:len(text)-len(body)]
	var lines []string
	for i, line := range wrap(body, width-max(indent, len(first))) {
		if i > 0 {
			first = strings.Repeat(" ", indent)
		}
		lines = append(lines, first+line)
	}
	return lines
}
