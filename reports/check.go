package reports

import (
	"fmt"
	"slices"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// deployed reports whether the report is about servers in service: it is then
// read by who runs them, and not by who wrote them.
func deployed(r *login.Report) bool {
	return len(r.Targets) > 0 && !slices.ContainsFunc(r.Targets, func(t login.TargetResult) bool { return t.Kind != login.RemoteTarget })
}

// checkScreen is the screen of a check, in the order in which whoever runs the
// server asks: is anything wrong, what do I change, who breaks, what was not
// looked at, what was done to my server.
func checkScreen(r login.Report, o Options) *page {
	p := checkPage(r, o, nextMost)
	if !o.Verbose && len(p.lines) > shortLines {
		p = checkPage(r, o, 0) // one thing to do next
	}
	return p
}

// checkPage has so many lines of what to do next, and the first at least.
func checkPage(r login.Report, o Options, next int) *page {
	p, found, rest, end := &page{Options: o}, &page{Options: o}, &page{Options: o}, &page{Options: o}
	p.checkHead(&r)
	end.checkNext(&r, next)
	end.line(fmt.Sprintf("exit status %d", r.ExitStatus()))
	found.expectations(&r)
	found.flaky(&r)

	all := causes(&r)
	room := 0
	for _, size := range sizes {
		rest.lines = nil
		for i := range r.Targets {
			rest.offers(&r.Targets[i], size.rows)
			rest.gap()
			if o.Verbose {
				rest.doors(&r.Targets[i])
				rest.gap()
			}
		}
		rest.guests(&r)
		rest.gap()
		rest.notTried(&r, size.left, size.brief && !o.Verbose)
		rest.seenFrom(&r)
		// Three empty lines stand between the sections.
		room = shortLines - len(p.lines) - len(found.lines) - len(rest.lines) - len(end.lines) - 3
		if o.Verbose || room >= min(leastRoom, found.least(all)) {
			break
		}
	}
	found.causes(all, room)
	p.append(found)
	if o.Verbose {
		p.notes(&r)
		p.findings(&r, shortLines)
	}
	p.append(rest)
	if o.Verbose {
		p.conversations(&r)
	}
	p.append(end)
	return p
}

// sizes are how many mechanisms, and points that were left out, a short screen
// has: the findings come first.
var sizes = []struct {
	rows, left int
	brief      bool // the points have their flag, and no more
}{
	{8, 5, false}, {8, 3, false}, {8, leftOutNamed, false}, {6, leftOutNamed, false}, {6, leftOutNamed, true}, {5, leftOutNamed, true},
	{4, leftOutNamed, true},
}
