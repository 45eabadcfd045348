package reports

import (
	"fmt"
	"io"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

var _ = register(Format{
	Name: "text", Ext: "txt",
	About: "for people, at a terminal",
	Write: writeText,
})

// shortLines is how many lines a screen should have that leaves things out.
const shortLines = 40

func writeText(w io.Writer, r login.Report, o Options) error {
	return textPage(&r, o).writeTo(w)
}

// textPage is the screen of a report, by what it is about.
func textPage(r *login.Report, o Options) *page {
	switch {
	case len(r.Targets) > 1:
		return severalPage(severalOf(r), o)
	case deployed(r):
		return checkScreen(*r, o)
	default:
		return runPage(r, o)
	}
}

// runPage is the screen of a run: what was run and whether all is well, who can
// log in, what follows from it, what failed, what to do next.
func runPage(r *login.Report, o Options) *page {
	b, failed := open(r), problems(r)
	p, follows, end := &page{Options: o}, &page{Options: o}, &page{Options: o}
	// What failed needs the room, and a server that is wrong decides nothing
	// about its clients.
	if o.Verbose || (len(failed) == 0 || failed[0].verdict == login.Warn) && len(r.Expectations) == 0 {
		follows.follows(b)
	}
	end.notTested(r)
	end.next(b, failed)
	end.line(fmt.Sprintf("exit status %d", r.ExitStatus()))

	p.head(b)
	if m := b.documentMatrix(); m != nil {
		p.matrix(m)
	} else {
		room := shortLines - len(p.lines) - len(follows.lines) - len(end.lines)
		if len(failed) > 0 {
			room -= leastRoom
		}
		p.access(b, room)
	}
	p.deny(b)
	p.append(follows)
	room := shortLines - len(p.lines) - len(end.lines)
	if o.Verbose {
		room = shortLines
	}
	p.more(b, room)
	p.expectations(r)
	p.flaky(r)
	p.problems(failed, shortLines-len(p.lines)-len(end.lines))
	p.findings(r, shortLines-len(p.lines)-len(end.lines))
	if o.Verbose {
		p.notes(r)
		p.conversations(r)
		p.floors(b)
		p.whenDenied(b)
		p.readings(b)
		p.line("what each mechanism gives away, and to whom: ", comparison)
		p.gap()
	} else {
		p.readingsCount(b, shortLines-len(p.lines)-len(end.lines))
	}
	// Where a line is too many, the empty one goes first.
	if o.Verbose || len(p.lines)+len(end.lines) < shortLines {
		p.append(end)
	} else {
		p.lines = append(p.lines, end.lines...)
	}
	return p
}
