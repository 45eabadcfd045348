package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// guest is a client at the server that was looked at, as it is foretold.
type guest struct {
	name string
	fate fate
	// how is, for each protocol that asks for something, what it asks for.
	how       map[login.Protocol]string
	protocols int
	// shows is what a listener gets where the user has switched encryption off,
	// leaks whether the same follows from "TLS if available".
	shows login.ExposureClass
	leaks bool
	// known is how well: the weakest of what its cells rest on.
	known login.Confidence
}

// fate is how a client fares, the best first.
type fate uint8

const (
	faresWell    fate = iota // over TLS, whichever sort its user chooses
	wantsSetting             // over one sort of TLS, or set in a certain way
	faresInClear             // without TLS alone
	staysOut
)

// visits reports whether the cell is that of a client which uses the server as
// it is, be it foretold or live.
func visits(c *login.CellResult) bool {
	return c.Mechanism == login.Auto && c.Profile != probe && (c.Setting == login.Unknown || c.Setting == login.Declared)
}

// guests are the clients that were foretold or tried; of protocols without a
// door nobody has foretold anything that is worth a word.
func guests(r *login.Report) []guest {
	b := open(r)
	type key struct {
		profile  string
		protocol login.Protocol
	}
	cells := map[key][]*login.CellResult{}
	var names []string
	for i := range r.Cells {
		c := &r.Cells[i]
		if !visits(c) || c.Verdict == login.Skip || !speaks(r, c.Protocol) {
			continue
		}
		if !slices.Contains(names, c.Profile) {
			names = append(names, c.Profile)
		}
		k := key{c.Profile, c.Protocol}
		cells[k] = append(cells[k], c)
	}
	var all []guest
	for _, name := range names {
		g := guest{name: clientTitle(r, name), known: login.Observed, how: map[login.Protocol]string{}}
		for _, p := range login.Protocols() {
			here := cells[key{name, p}]
			if len(here) == 0 {
				continue
			}
			fate, how := faring(here, encrypted(r, p))
			if how != "" {
				g.how[p] = how
			}
			g.protocols++
			g.fate = max(g.fate, fate)
			g.leaks = g.leaks || b.leaks(name, p)
			for _, c := range here {
				g.known = login.Weakest(g.known, c.Confidence)
				if c.Transport == login.Plain && c.Variant == "" {
					g.shows = max(g.shows, c.Exposure)
				}
			}
		}
		all = append(all, g)
	}
	return all
}

// faring is how a client fares in a protocol, given its cells and the encrypted
// links that the server has; and what it asks for, or why it stays out.
func faring(cells []*login.CellResult, links []link) (fate, string) {
	in := func(variant string, t login.Transport) bool {
		return slices.ContainsFunc(cells, func(c *login.CellResult) bool {
			return c.Variant == variant && c.Transport == t && c.Outcome == login.LoggedIn
		})
	}
	through := func(variant string) []link {
		return slices.DeleteFunc(slices.Clone(links), func(l link) bool { return !in(variant, l.transport) })
	}
	switch works := through(""); {
	case len(works) > 0 && len(works) == len(links):
		return faresWell, ""
	case len(works) > 0:
		return wantsSetting, works[0].String()
	}
	for _, c := range cells {
		if works := through(c.Variant); len(works) > 0 {
			return wantsSetting, "set to " + c.Variant
		}
	}
	worst := staysOut
	if in("", login.Plain) {
		worst = faresInClear
	}
	for _, l := range links {
		for _, c := range cells {
			if c.Transport == l.transport && c.Variant == "" {
				return worst, keptOut(c)
			}
		}
	}
	return worst, noTLS
}

const noTLS = "no TLS in common"

// keptOut is why a client stays out although the server has TLS.
func keptOut(c *login.CellResult) string {
	switch c.Outcome {
	case login.NoTLS:
		return noTLS
	case login.CertRejected:
		return "does not take the certificate"
	case login.NotOffered:
		return "nothing offered that it knows"
	default:
		return refusal(c)
	}
}

// link is an encrypted way in.
type link struct {
	transport login.Transport
	port      string
}

// String is what a user has to choose.
func (l link) String() string {
	if l.transport == login.TLS {
		return "SSL/TLS, " + l.port
	}
	return "STARTTLS, " + l.port
}

// encrypted are the encrypted ways in of a protocol.
func encrypted(r *login.Report, p login.Protocol) []link {
	var all []link
	for _, t := range []login.Transport{login.StartTLS, login.TLS} {
		for _, target := range r.Targets {
			for _, d := range target.Doors {
				_, has := d.Transport(t)
				if !has || d.Protocol != p || slices.ContainsFunc(all, func(l link) bool { return l.transport == t }) {
					continue
				}
				if t == login.StartTLS && d.Port() == "25" && slices.ContainsFunc(target.Doors, func(other login.DoorResult) bool {
					_, has := other.Transport(t)
					return has && other.Protocol == p && other.Port() != "25"
				}) {
					continue // where servers hand in, not people
				}
				all = append(all, link{t, d.Port()})
			}
		}
	}
	return all
}

// speaks reports whether some door speaks p.
func speaks(r *login.Report, p login.Protocol) bool {
	return slices.ContainsFunc(r.Targets, func(t login.TargetResult) bool {
		return slices.ContainsFunc(t.Doors, func(d login.DoorResult) bool { return d.Protocol == p && d.Speaks() })
	})
}

func clientTitle(r *login.Report, profile string) string {
	for _, c := range r.Clients {
		if c.Profile == profile && c.Title != "" {
			return ascii(c.Title)
		}
	}
	return ascii(profile)
}

// reasons are what it asks for, each once, with the protocols where it is not
// the same in all.
func (g guest) reasons() []string {
	var order []string
	protocols := map[string][]string{}
	for _, p := range login.Protocols() {
		how, asks := g.how[p]
		if !asks {
			continue
		}
		if protocols[how] == nil {
			order = append(order, how)
		}
		protocols[how] = append(protocols[how], protocolName(p))
	}
	for i, how := range order {
		if len(protocols[how]) < g.protocols {
			order[i] = list(protocols[how]) + ": " + how
		}
	}
	return order
}

func (g guest) String() string {
	if len(g.how) == 0 {
		return g.name
	}
	return g.name + " (" + strings.Join(g.reasons(), "; ") + ")"
}

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
	add("needs a setting", "need a setting", normal, is(wantsSetting))
	add("works without TLS only", "work without TLS only", warned, is(faresInClear))
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
	return fmt.Sprintf("%s, foretold (%d from recordings, %d from source code, %d from papers)",
		of(len(all), "client"), recorded, read, len(all)-recorded-read)
}

// live sums up the clients that did log in: what was foretold is no proof.
func live(r *login.Report) string {
	n, in := 0, 0
	var others []string
	for i := range r.Cells {
		c := &r.Cells[i]
		if c.Basis == predicted || !visits(c) || c.Verdict == login.Skip {
			continue
		}
		n++
		if c.Outcome == login.LoggedIn {
			in++
			continue
		}
		other := fmt.Sprintf("%s over %s: %s", clientTitle(r, c.ClientName()), protocolName(c.Protocol), cmp.Or(refusal(c), string(c.Outcome)))
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
		rest := g.whom(len(all), guestsNamed)
		if p.Verbose {
			rest = g.whom(len(all), len(all))
		}
		for most := guestsNamed - 1; most > 0 && !p.Verbose && len(lead)+2+len(rest) > p.width(); most-- {
			rest = g.whom(len(all), most)
		}
		if rest == "" {
			p.line(p.paint(lead, g.as))
			continue
		}
		lead += ": "
		for _, line := range hanging(lead+rest, p.width(), 6) {
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

// whom is who they are: all of them with what each asks for or, where they are
// more than are to be named, what most of them ask for. Of more than every other
// client that alone is said.
func (g guestGroup) whom(of, most int) string {
	names := make([]string, len(g.members))
	for i, m := range g.members {
		names[i] = m.String()
	}
	if len(names) <= most+1 {
		return strings.Join(names, ", ")
	}
	for i, m := range g.members {
		names[i] = m.name
	}
	text := strings.Join(names[:most], ", ") + fmt.Sprintf(", %d more (-v)", len(names)-most)
	switch {
	case len(names) > of/2 && g.mostly != "":
		return "mostly " + g.mostly
	case len(names) > of/2:
		return ""
	case g.mostly != "":
		return "mostly " + g.mostly + " (" + strings.Replace(text, " (-v)", ", -v", 1) + ")"
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
