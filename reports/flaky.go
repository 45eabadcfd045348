package reports

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// flakyMost is how many results that differ between repetitions a short screen
// names.
const flakyMost = 3

// flakyTitle stands above them. Each counts as its worst.
func flakyTitle(r *login.Report) string {
	return fmt.Sprintf("%s of %s not the same in every repetition", count(len(r.Flaky)), of(r.Sum().Cells, "result"))
}

// flaky says of each what it came to, and how often. Who runs a server reads
// which client it is, and no ID of a cell.
func flaky(r *login.Report) []string {
	names := map[string]string{}
	for i := range r.Cells {
		if c := &r.Cells[i]; deployed(r) {
			names[c.ID] = cellTitle(r, c)
		}
	}
	var all []string
	for _, f := range r.Flaky {
		var came []string
		for _, v := range []login.Verdict{login.Pass, login.Skip, login.Warn, login.Unjudged, login.Fail, login.Broken} {
			if n := f.Verdicts[v]; n > 0 {
				came = append(came, count(n)+" "+v.String())
			}
		}
		all = append(all, ascii(cmp.Or(names[f.ID], f.ID))+": "+strings.Join(came, ", "))
	}
	return all
}

// flaky writes them.
func (p *page) flaky(r *login.Report) {
	all := flaky(r)
	if len(all) == 0 {
		return
	}
	p.gap()
	p.line(p.paint("FLAKY", strong), "  ", flakyTitle(r))
	for i, text := range all {
		if !p.Verbose && i == flakyMost && len(all) > flakyMost+1 {
			p.line(" ", count(len(all)-i), " more: -v")
			return
		}
		p.flow(" *  ", text, normal)
	}
}

// flaky writes as many as a comment has room for.
func (m *markdown) flaky(r *login.Report) {
	all := flaky(r)
	if len(all) == 0 {
		return
	}
	m.heading("Flaky")
	m.paragraph(flakyTitle(r))
	if more := len(all) - markdownMost; more > 0 {
		all = append(all[:markdownMost], "... and "+count(more)+" more: see the JSON report.")
	}
	m.list("", all)
}
