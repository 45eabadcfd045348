package reports

import (
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// leastRoom is how many lines what failed has at the least.
const leastRoom = 10

// lastLines is how much of a conversation a short screen shows: it ends where
// things went wrong.
const lastLines = 3

// problems writes what did not pass, the worst first: the first of them with
// its conversation, and of the others as many as there is room for. The long
// form writes all of all.
func (p *page) problems(all []item, room int) {
	if len(all) == 0 {
		return
	}
	p.gap()
	title := "WHAT FAILED"
	if all[0].verdict != login.Fail {
		title = "WORTH A LOOK"
	}
	p.line(p.paint(title, strong))
	end := len(p.lines) + max(room, leastRoom) - 3 // the title, the gap, the count of the rest
	for i, it := range all {
		lines := p.problem(it, p.Verbose || i == 0)
		if !p.Verbose && i > 0 && len(p.lines)+len(lines) > end {
			p.line(" ", count(len(all)-i), " more: -v shows all, --output json=FILE keeps all")
			return
		}
		p.lines = append(p.lines, lines...)
	}
}

func (p *page) problem(it item, whole bool) []string {
	const indent = "       "
	t := &page{Options: p.Options}
	as := bad
	if it.verdict != login.Fail {
		as = warned
	}
	t.line(" ", p.paint(pad(strings.ToUpper(it.verdict.String()), len(indent)-1), as), it.id)
	reason := strings.TrimSpace(string(it.why) + " " + ascii(it.reason))
	if !whole {
		t.line(indent, cut(reason, p.width()-len(indent)))
		return t.lines
	}
	t.flow(indent, reason, normal)
	if it.excused != "" {
		t.flow(indent, "to be expected: "+ascii(it.excused), normal)
	}
	said := it.transcript
	see := joined(it.refs)
	if left := len(said) - lastLines; left > 0 && !p.Verbose {
		said = said[left:]
		see = strings.TrimSuffix(of(left, "earlier line")+" with -v; "+see, "; ")
	}
	for _, line := range said {
		if !p.Verbose {
			line = cut(line, p.width()-len(indent))
		}
		t.line(indent, line)
	}
	if see != "" {
		t.flow(indent, "see "+see, quiet)
	}
	return t.lines
}

// conversations writes those that were kept of what passed. Who has asked for one
// experiment does not want to look for it among the controls.
func (p *page) conversations(r *login.Report) {
	titled, only := false, r.Selection["only"]
	for it := range items(r) {
		framing := len(only) > 0 && it.kind == login.KindControl && !slices.Contains(only, it.id)
		if it.verdict != login.Pass || len(it.transcript) == 0 || framing {
			continue
		}
		if !titled {
			p.gap()
			p.line(p.paint("WHAT WAS SAID", strong))
			titled = true
		}
		p.line(" ", it.id)
		for _, line := range it.transcript {
			p.line("       ", line)
		}
	}
}
