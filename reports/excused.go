package reports

import "github.com/mailmatrix/mailmatrix/internal/login"

// finding is what is known of results that are excused: they failed, or
// warned, as was to be expected.
type finding struct {
	verdict login.Verdict
	reason  string // of the excuse
	count   int
	first   item
}

func (f finding) String() string {
	return of(f.count, "result") + " " + f.verdict.String() + ": " + f.reason
}

// excused are the results that are known to fail or to warn, in the order of
// the report.
func excused(r *login.Report) []item {
	var all []item
	for it := range items(r) {
		if it.excused != "" {
			all = append(all, it)
		}
	}
	return all
}

// findings are the excused results, those that share verdict and excuse taken
// together.
func findings(r *login.Report) []finding {
	var all []finding
	type key struct {
		verdict login.Verdict
		reason  string
	}
	at := map[key]int{}
	for _, it := range excused(r) {
		k := key{it.verdict, it.excused}
		i, known := at[k]
		if !known {
			i = len(all)
			at[k] = i
			all = append(all, finding{verdict: it.verdict, reason: ascii(it.excused), first: it})
		}
		all[i].count++
	}
	return all
}

// unkept are the expectations that do not hold, a sentence each.
func unkept(r *login.Report) []string {
	var all []string
	for _, p := range r.Expectations {
		text := ascii(p.Pattern) + ": " + ascii(p.Reason)
		if p.Entry != "" {
			text += " (" + ascii(p.Entry) + ")"
		}
		all = append(all, text)
	}
	return all
}

// Of what is excused, and of expectations that do not hold, a short screen
// shows so many.
const (
	findingsMost = 3
	unkeptMost   = 3
)

// expectations writes those that do not hold.
func (p *page) expectations(r *login.Report) {
	all := unkept(r)
	if len(all) == 0 {
		return
	}
	p.gap()
	p.line(p.paint("EXPECTATIONS THAT DO NOT HOLD", strong))
	for i, text := range all {
		if !p.Verbose && i == unkeptMost {
			p.line(" ", count(len(all)-i), " more: -v")
			break
		}
		p.flow(" *  ", text, normal)
	}
}

// findings writes what is excused: in the long form all of it, and in the short
// one what there is room for. The head line counts it in any case.
func (p *page) findings(r *login.Report, room int) {
	all := findings(r)
	if len(all) == 0 || !p.Verbose && room < 4 { // a gap, the title, a finding
		return
	}
	p.gap()
	p.line(p.paint("KNOWN FINDINGS", strong))
	if p.Verbose {
		for _, it := range excused(r) {
			p.lines = append(p.lines, p.problem(it, true)...)
		}
		return
	}
	most := min(findingsMost, (room-3)/2)
	for i, f := range all {
		if i == max(1, most) {
			p.line(" ", count(len(all)-i), " more: -v")
			break
		}
		p.line(cut(" *  "+f.String(), p.width()))
		p.line(cut("    such as "+ascii(f.first.named()), p.width()))
	}
}
