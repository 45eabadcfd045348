package reports

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// head says what was run and, first of all that matters, whether anything is
// wrong.
func (p *page) head(b *book) {
	r := b.report
	p.line(strings.Join(headline(b), "  "))
	if narrowed := selection(r.Selection); narrowed != "" {
		p.flow("narrowed to    ", narrowed, normal)
	}
	p.gap()
	p.conclusion(r)
	if held := controls(r); len(held) > 0 {
		p.flow("controls       ", strings.Join(held, "   "), normal)
	}
}

// headline counts what there is; what is not there is not counted.
func headline(b *book) []string {
	r := b.report
	var what []string
	for _, t := range r.Targets {
		name := ascii(t.Name)
		if t.Kind == login.ReferenceTarget {
			name = "reference server"
		}
		what = append(what, name)
	}
	first := list(what)
	if flavours := b.flavours(); first != "" && len(flavours) > 0 {
		first += ", " + list(flavours)
	}
	all := []string{first}
	if n := r.Totals.Cells; n > 0 {
		all = append(all, of(n, "cell"))
	}
	if n := len(profiles(b)); n > 0 {
		all = append(all, of(n, "client"))
	}
	if n := len(b.mechanisms()); n > 0 {
		all = append(all, of(n, "mechanism"))
	}
	if r.ElapsedMS > 0 {
		all = append(all, fmt.Sprintf("%.1f s", r.ElapsedMS/1000))
	}
	if r.Seed != 0 { // several runs side by side have none in common
		all = append(all, fmt.Sprintf("seed %d", r.Seed))
	}
	return slices.DeleteFunc(all, func(s string) bool { return s == "" })
}

func (b *book) flavours() []login.Flavour {
	var all []login.Flavour
	for _, f := range login.Flavours() {
		if b.any(func(c *login.CellResult) bool { return c.Flavour == f }) {
			all = append(all, f)
		}
	}
	return all
}

// profiles are the clients, those that differ in a setting alone taken as one.
func profiles(b *book) []string {
	var names []string
	for _, client := range b.clients() {
		if name, _ := login.SplitProfile(client); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

func selection(selected map[string][]string) string {
	return strings.Join(selectedFlags(selected), "   ")
}

// selectedFlags are the flags that leave something out, or bring it in.
func selectedFlags(selected map[string][]string) []string {
	var parts []string
	for _, axis := range slices.Sorted(maps.Keys(selected)) {
		if axis == "expect" {
			continue // it leaves nothing out
		}
		parts = append(parts, strings.TrimSpace(axis+" "+ascii(strings.Join(selected[axis], ","))))
	}
	return parts
}

func (p *page) conclusion(r *login.Report) {
	words := map[int]struct {
		text string
		as   style
	}{
		0: {"CONFORMING", good}, 1: {"NOT CONFORMING", bad}, 2: {"INCOMPLETE", warned},
	}[r.ExitStatus()]
	if r.ExitStatus() == 1 && r.Sum().Fail == 0 {
		words.text = "NOT AS EXPECTED"
	}
	if why := incomplete(r); why != "" {
		p.line(p.paint(words.text, words.as), "     ", why)
		p.items("               ", tally(r))
		return
	}
	lead := pad(words.text, 14) + " "
	for i, line := range wrap(strings.Join(tally(r), "   "), p.width()-len(lead)) {
		if i > 0 {
			p.line(strings.Repeat(" ", len(lead)), line)
			continue
		}
		p.line(p.paint(lead, words.as), line)
	}
}

// tally counts verdicts: the three that decide always, others where there are
// any.
func tally(r *login.Report) []string {
	t := r.Sum()
	all := []string{
		count(t.WronglyAccepted) + " wrongly accepted",
		count(t.WronglyRefused) + " wrongly refused",
		count(t.Broken) + " broken",
	}
	for _, more := range []struct {
		n    int
		what string
	}{
		{t.Fail - t.WronglyAccepted - t.WronglyRefused, "failed otherwise"},
		{t.Warn, "warned"}, {t.Unjudged, "unjudged"}, {t.Skip - notForThem(r), "skipped"},
		{len(r.Expectations), "not as expected"},
	} {
		if more.n > 0 {
			all = append(all, count(more.n)+" "+more.what)
		}
	}
	if t.Excused > 0 {
		known := of(t.Excused, "known finding")
		if file := strings.Join(r.Selection["expect"], ", "); file != "" {
			known += " (" + ascii(file) + ")"
		}
		all = append(all, known)
	}
	shares := []string{}
	if n := r.ScenarioTotals.Cells; n > 0 {
		shares = append(shares, count(r.ScenarioTotals.Pass)+" of "+of(n, "scenario"))
	}
	shares = append(shares, cases(r)...)
	if n := len(shares); n > 0 {
		shares[n-1] += " pass"
	}
	return append(all, shares...)
}

// cases says how many of a server's cases pass, each over all its protocols,
// and how many of clients': a client has no part in many, and those are left
// out.
func cases(r *login.Report) []string {
	servers := map[string]login.Verdict{} // the worst of each
	var clients login.Totals
	for _, c := range r.Cases {
		if c.Profile == "" {
			servers[c.ID] = max(servers[c.ID], c.Verdict)
			continue
		}
		clients.Cells++
		switch c.Verdict {
		case login.Pass:
			clients.Pass++
		case login.Skip:
			clients.Skip++
		}
	}
	passed := 0
	for _, worst := range servers {
		if worst == login.Pass {
			passed++
		}
	}
	var all []string
	if n := len(servers); n > 0 {
		all = append(all, count(passed)+" of "+of(n, "RFC case"))
	}
	if n := clients.Cells - clients.Skip; n > 0 {
		all = append(all, count(clients.Pass)+" of "+of(n, "client case"))
	}
	return all
}

// notForThem counts the clients' cases that mean nothing to the client: it has
// no such setting, and so nobody has left anything out.
func notForThem(r *login.Report) int {
	n := 0
	for _, c := range r.Cases {
		if c.Profile != "" && c.Verdict == login.Skip && c.Why == login.WhyNotApplicable {
			n++
		}
	}
	return n
}

// controlWords say what it means that a control held.
var controlWords = map[string]string{
	"known-login":       "known login accepted",
	"made-up-mechanism": "made-up mechanism refused",
	"canary":            "canary seen",
}

// controls says of each sort of control how many held.
func controls(r *login.Report) []string {
	held, all := map[string]int{}, map[string]int{}
	var sorts []string
	for _, s := range r.Scenarios {
		if s.Kind != login.KindControl {
			continue
		}
		sort, _, _ := strings.Cut(strings.TrimPrefix(s.ID, "scenario/"+login.KindControl+"/"), "/")
		if all[sort] == 0 {
			sorts = append(sorts, sort)
		}
		all[sort]++
		if s.Verdict == login.Pass {
			held[sort]++
		}
	}
	var lines []string
	for _, sort := range sorts {
		lines = append(lines, fmt.Sprintf("%s %d/%d", cmp.Or(controlWords[sort], sort), held[sort], all[sort]))
	}
	return lines
}
