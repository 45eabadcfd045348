package reports

import (
	"io"
	"strings"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/results"
)

// changesMost is how many changes of a kind a short screen shows.
const changesMost = 10

func writeDiffText(w io.Writer, d *results.Diff, o Options) error {
	p := &page{Options: o}
	p.side("old  ", d.Old)
	p.side("new  ", d.New)
	p.gap()
	as := good
	if d.Status() != 0 {
		as = bad
	}
	p.line(p.paint(diffVerdict(d), as))
	p.flow("  ", diffTally(d), normal)
	for _, note := range d.Notes {
		p.flow("  ", ascii(note), warned)
	}
	for _, k := range results.ChangeKinds() {
		p.changes(k, d.Of(k))
	}
	p.gap()
	p.line("exit status ", count(d.Status()))
	return p.writeTo(w)
}

func (p *page) side(lead string, s results.Side) {
	p.line(lead, ascii(s.File), "   ", ascii(shortList(s.Targets)), "   ", ascii(s.Tool), "   ", s.Started.UTC().Format(time.DateTime))
}

func (p *page) changes(k results.ChangeKind, all []results.Change) {
	if len(all) == 0 {
		return
	}
	p.gap()
	p.line(p.paint(strings.ToUpper(changeTitles[k]), strong), "  ", count(len(all)))
	if pattern := inCommon(all); pattern != "" {
		p.line(" cells are ", pattern)
	}
	shown := all
	if !p.Verbose {
		shown = all[:min(len(all), changesMost)]
	}
	for _, c := range shown {
		lead, as := "         ", normal
		if c.Regression {
			lead, as = "  WORSE  ", bad
		}
		p.line(p.paint(lead, as), changeName(c))
		p.flow("           ", findingText(c, c.Old)+" -> "+findingText(c, c.New), normal)
	}
	if more := len(all) - len(shown); more > 0 {
		p.line("  ... and ", count(more), " more (-v)")
	}
}
