package reports

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// check writes the summary of a check: the findings with what to change as a
// table, then what each rests on, then what is offered.
func (m *markdown) check(r *login.Report) {
	words := [...]string{"conforming", "NOT conforming", "incomplete"}
	if r.Sum().Fail == 0 {
		words[1] = "NOT as expected"
	}
	m.put("## %s: %s\n\n", markdownText(r.Targets[0].Name), words[r.ExitStatus()])
	for i := range r.Targets {
		m.paragraph(strings.Join(visit(r, &r.Targets[i]), ", "))
	}
	m.paragraph(incomplete(r))
	for _, t := range r.Targets {
		if t.Effort != nil && t.Effort.Stopped != "" {
			m.paragraph("The server was left alone before the end: " + t.Effort.Stopped)
		}
	}
	m.paragraph(strings.ReplaceAll(strings.Join(checkTally(r), ", "), " (-v)", ""))
	m.causes(causes(r))
	m.list("Expectations that do not hold", unkept(r))
	m.flaky(r)
	m.findings(r)
	for i := range r.Targets {
		m.offers(&r.Targets[i])
	}
	m.guests(r)
	var left []string
	for _, n := range leftOuts(r) {
		left = append(left, n.what+" ("+n.answer+")")
	}
	if r.SilentServer() == "" {
		m.list("Not tried", left)
	}
	if from := seenFrom(r); from != "" {
		m.paragraph("Seen from " + from)
	}
	m.put("Exit status %d.\n", r.ExitStatus())
}

func (m *markdown) causes(all []cause) {
	if len(all) == 0 {
		return
	}
	shown := all[:min(len(all), markdownMost, m.most)]
	m.heading("What was found")
	var rows [][]string
	for _, c := range shown {
		fix := ""
		if c.advice != nil {
			fix = strings.Join(c.advice.Fix, "; ")
			if c.advice.Software != "" && fix != "" {
				fix = c.advice.Software + " (guessed): " + fix
			}
		}
		rows = append(rows, []string{strings.ToUpper(c.verdict.String()), c.text(), fix, joined(c.refs)})
	}
	m.table([]string{"", "finding", "what to change", "source"}, rows)
	for _, c := range shown {
		if len(c.transcript) == 0 && (c.advice == nil || c.advice.Command == "") {
			continue
		}
		m.put("<details><summary><b>%s</b> <code>%s</code></summary>\n\n", c.verdict, markdownText(strings.Join(c.ids, ", ")))
		m.said(c.transcript)
		if c.advice != nil && c.advice.Command != "" {
			m.put("The same without us:\n\n    %s\n\n", ascii(c.advice.Command))
		}
		m.put("</details>\n\n")
	}
	if more := len(all) - len(shown); more > 0 {
		m.paragraph("... and " + of(more, "more finding") + ": see the JSON report.")
	}
}

func (m *markdown) offers(t *login.TargetResult) {
	o := offersOf(t)
	if len(o.columns) > 0 {
		m.heading("What it offers")
		header := []string{""}
		for _, c := range o.columns {
			header = append(header, c.head+" "+c.sub)
		}
		var rows [][]string
		for _, r := range o.rows {
			rows = append(rows, append(slices.Concat([]string{r.label}, r.entries), r.reads))
		}
		m.table(append(header, "reads as"), rows)
	}
	lines := o.hosts
	for _, line := range certificates(t, true) {
		lines = append(lines, "TLS "+line)
	}
	for _, line := range silent(t, true) {
		lines = append(lines, "no answer: "+line)
	}
	m.list("", lines)
}

func (m *markdown) guests(r *login.Report) {
	all := guests(r)
	var lines []string
	for _, g := range guestGroups(all) {
		line := fmt.Sprintf("%s %s", count(len(g.members)), g.text)
		most := guestsNamed
		if len(g.members) <= len(all)/2 {
			most = len(all)
		}
		if whom := g.whom(len(all), most, true); whom != "" {
			line = behind(line, whom)
		}
		lines = append(lines, line)
	}
	if seen := live(r); seen != "" {
		lines = append(lines, seen)
	}
	if len(lines) > 0 {
		m.heading("Who can log in")
		if len(all) > 0 {
			m.paragraph(guestsTitle(all))
		}
		m.list("", lines)
	}
}
