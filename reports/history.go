package reports

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// HistoryFormats are the names of the forms in which a history can be written.
func HistoryFormats() []string { return []string{"text", "markdown", "json", "html"} }

// WriteHistory writes a history down in one of these forms.
func WriteHistory(w io.Writer, h login.History, format string, o Options) error {
	h.Schema, h.Runs, h.Changes = login.HistorySchema, listOf(h.Runs), listOf(h.Changes)
	switch format {
	case "text":
		return writeHistoryText(w, &h, o)
	case "markdown":
		_, err := io.WriteString(w, fitted(func(m *markdown) { m.history(&h) }))
		return err
	case "html":
		return writeHistoryPage(w, &h)
	case "json":
		return writeIndented(w, h)
	default:
		return fmt.Errorf("a history has no form %q", format)
	}
}

// turn is a run in which something changed.
type turn struct {
	run     login.KeptRun
	changes []login.FactChange
	// notes are what else is another than before, and may be the cause.
	notes []string
}

// turns are the runs in which something changed, the newest first: that is what
// somebody asks for.
func turns(h *login.History) []turn {
	changes := map[int64][]login.FactChange{}
	for _, c := range h.Changes {
		changes[c.Run] = append(changes[c.Run], c)
	}
	var all []turn
	for i := len(h.Runs) - 1; i >= 0; i-- {
		run := h.Runs[i]
		if len(changes[run.ID]) == 0 {
			continue
		}
		t := turn{run: run, changes: changes[run.ID]}
		if i > 0 {
			t.notes = otherwise(h.Runs[i-1], run)
		}
		all = append(all, t)
	}
	return all
}

// otherwise is what differs between two runs beside their results.
func otherwise(was, is login.KeptRun) []string {
	var notes []string
	for _, n := range []struct{ what, was, is string }{
		{"catalogue", was.Catalogue, is.Catalogue}, {"seen from", was.Vantage, is.Vantage}, {"tool", was.Tool, is.Tool},
	} {
		if n.was != n.is {
			notes = append(notes, ascii(fmt.Sprintf("%s %s, before %s", n.what, orUnknown(n.is), orUnknown(n.was))))
		}
	}
	if was.Selection != nil && is.Selection != nil {
		before, now := strings.Join(selectedFlags(was.Selection), ", "), strings.Join(selectedFlags(is.Selection), ", ")
		if before != now {
			notes = append(notes, fmt.Sprintf("asked with %s; before with %s", cmp.Or(now, "no flags"), cmp.Or(before, "no flags")))
		}
	}
	if !is.Complete {
		notes = append(notes, "the run was interrupted")
	}
	return notes
}

func orUnknown(s string) string {
	if s == "" {
		return "(unknown)"
	}
	return s
}

// historyHead is the history in a line.
func historyHead(h *login.History) string {
	if len(h.Runs) == 0 {
		return "no runs"
	}
	first, last := h.Runs[0], h.Runs[len(h.Runs)-1]
	head := of(len(h.Runs), "run") + ", " + day(first)
	if day(last) != day(first) {
		head += " to " + day(last)
	}
	return head + ", " + of(len(h.Changes), "change")
}

func day(r login.KeptRun) string { return r.Started.UTC().Format(time.DateOnly) }

// factText is what a fact says, in a few words.
func factText(f login.Fact) string {
	var parts []string
	if f.Verdict != login.Unjudged {
		parts = append(parts, f.Verdict.String())
	}
	if f.Outcome != "" {
		parts = append(parts, ascii(f.Outcome))
	}
	if f.Exposure > login.ShowsNothing {
		parts = append(parts, f.Exposure.String()+" readable")
	}
	if len(parts) == 0 {
		return "unjudged"
	}
	return strings.Join(parts, ", ")
}

// since says that a result was missing in the runs between.
func since(c login.FactChange, h *login.History) string {
	for i, r := range h.Runs {
		if r.ID == c.Run && i > 0 && h.Runs[i-1].ID != c.Before {
			return fmt.Sprintf(" (last seen in run %d)", c.Before)
		}
	}
	return ""
}
