package reports

import (
	"maps"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// notTestedMost is how many lines a short screen has for what was left out.
const notTestedMost = 3

// notTested says what nobody looked at, why, and which flag would change it.
func (p *page) notTested(r *login.Report) {
	var lines []string
	for _, n := range r.NotTested {
		line := ascii(n.What) + ": " + string(n.Why)
		if n.Flag != "" {
			line += "   " + n.Flag
		}
		lines = append(lines, line)
	}
	lines = append(lines, skipped(r)...)
	if len(lines) == 0 {
		return
	}
	p.line(p.paint("NOT TESTED", strong))
	for i, line := range lines {
		if !p.Verbose && i == notTestedMost {
			p.line(" ", count(len(lines)-i), " more: -v")
			break
		}
		p.flow(" ", line, normal)
	}
	p.gap()
}

// skipped counts the skips by reason, in the order of the report, but for
// those of clients' cases: what a simulated client does not say of itself is no
// gap in what was tested of the server.
func skipped(r *login.Report) []string {
	counts := map[login.Why]int{}
	var order []login.Why
	for it := range items(r) {
		if it.verdict != login.Skip || it.client {
			continue
		}
		if counts[it.why] == 0 {
			order = append(order, it.why)
		}
		counts[it.why]++
	}
	var lines []string
	for _, why := range order {
		lines = append(lines, of(counts[why], "result")+" skipped: "+string(why))
	}
	return lines
}

// next suggests commands that exist; only for runs of our own server.
func (p *page) next(b *book, failed []item) {
	if !b.reference() {
		return
	}
	type suggestion struct{ command, gives string }
	var all []suggestion
	flags := b.flagsFor(failed)
	if flags != "" {
		all = append(all, suggestion{"mailmatrix run " + flags + " -v", "what failed"})
	}
	switch {
	case b.report.Selection["shard"] != nil:
		all = append(all, suggestion{"mailmatrix report merge FILE... --output html=matrix.html", "the whole run, of all its parts"})
	case len(b.report.Cells) > 0:
		all = append(all, suggestion{"mailmatrix run " + b.selectionFlags() + "--output html=matrix.html", "every cell with its transcript"})
	}
	if flags == "" && b.documentMatrix() != nil {
		all = append(all, suggestion{"mailmatrix run --profile outlook --setting secure --transcripts all -v", "every line it sent"})
	}
	lead, widest := "NEXT   ", 0
	for _, s := range all {
		widest = max(widest, len(s.command))
	}
	for _, s := range all {
		line := lead + s.command
		for _, gap := range []int{widest + 3, len(s.command) + 3} { // below each other, or as it fits
			if long := lead + pad(s.command, gap) + s.gives; len(long) <= p.width() {
				line = long
				break
			}
		}
		p.line(line)
		lead = strings.Repeat(" ", len(lead))
	}
}

// selectionFlags repeat what narrowed the run, each with a space behind it.
func (b *book) selectionFlags() string {
	flags := ""
	if b.declared() && b.report.Selection["policy"] == nil {
		flags = "--policy FILE "
	}
	for _, axis := range slices.Sorted(maps.Keys(b.report.Selection)) {
		flags += "--" + axis
		if axis != "full" { // the one flag without a value
			flags += " " + strings.Join(b.report.Selection[axis], ",")
		}
		flags += " "
	}
	return flags
}

// flagsFor are the flags that run the cell which heads the list of failures,
// and few others: short enough for a line.
func (b *book) flagsFor(failed []item) string {
	for _, it := range failed {
		for i := range b.report.Cells {
			c := &b.report.Cells[i]
			if c.ID != it.id || c.Setting == login.Declared {
				continue
			}
			return "--profile " + c.ClientName() + " --mechanism " + string(c.Mechanism) + " --setting " + c.Setting.String()
		}
		return ""
	}
	return ""
}
