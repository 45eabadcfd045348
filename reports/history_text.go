package reports

import (
	"io"
	"strconv"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

func writeHistoryText(w io.Writer, h *login.History, o Options) error {
	p := &page{Options: o}
	p.line(p.paint(ascii(h.Target), strong), "   ", historyHead(h))
	if len(h.Changes) == 0 {
		p.gap()
		p.line("NO CHANGE")
	}
	for _, t := range turns(h) {
		p.gap()
		p.line(p.paint(t.run.Started.UTC().Format(time.DateTime), strong), "   run ", strconv.FormatInt(t.run.ID, 10), "   ", of(len(t.changes), "change"))
		for _, note := range t.notes {
			p.flow("  ", note, warned)
		}
		shown := t.changes
		if !p.Verbose {
			shown = shown[:min(len(shown), changesMost)]
		}
		for _, c := range shown {
			p.line("  ", ascii(c.ID))
			as := normal
			if c.Is.Verdict > c.Was.Verdict && c.Is.Verdict >= login.Warn || c.Is.Exposure > c.Was.Exposure {
				as = bad
			}
			p.flow("      ", factText(c.Was)+" -> "+factText(c.Is)+since(c, h), as)
		}
		if more := len(t.changes) - len(shown); more > 0 {
			p.line("  ... and ", count(more), " more (-v)")
		}
	}
	return p.writeTo(w)
}

// history is one table: when, what, from what, to what.
func (m *markdown) history(h *login.History) {
	m.put("## %s: what changed\n\n", markdownText(h.Target))
	m.paragraph(historyHead(h))
	var rows [][]string
	var notes []string
	for _, t := range turns(h) {
		run := "run " + strconv.FormatInt(t.run.ID, 10)
		for _, note := range t.notes {
			notes = append(notes, run+": "+note)
		}
		for _, c := range t.changes {
			rows = append(rows, []string{t.run.Started.UTC().Format(time.DateTime), run, c.ID, factText(c.Was) + since(c, h), factText(c.Is)})
		}
	}
	if len(rows) > 0 {
		m.table([]string{"when (UTC)", "run", "result", "before", "now"}, rows)
	}
	m.list("", notes)
}
