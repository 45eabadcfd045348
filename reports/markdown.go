package reports

import (
	"fmt"
	"io"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

var _ = register(Format{
	Name: "markdown", Ext: "md",
	About: "summary, matrix and failures, short enough for a pull request",
	Write: writeMarkdown,
})

// comparison is the page that is made from the registry of mechanisms.
const comparison = "https://github.com/mailmatrix/mailmatrix/blob/main/docs/mechanisms.md"

// markdownMost is how many failures are written out. A page has to fit, so there
// is no long form.
const markdownMost = 10

func writeMarkdown(w io.Writer, r login.Report, _ Options) error {
	compose := func(m *markdown) { m.run(&r) }
	switch {
	case len(r.Targets) > 1:
		compose = func(m *markdown) { m.several(severalOf(&r)) }
	case deployed(&r):
		compose = func(m *markdown) { m.check(&r) }
	}
	_, err := io.WriteString(w, fitted(compose))
	return err
}

// run writes the summary of a run.
func (m *markdown) run(r *login.Report) {
	b := open(r)
	m.summary(b)
	if matrix := b.documentMatrix(); matrix != nil {
		m.matrix(matrix)
		m.paragraph(b.denied().String())
	} else if tables := b.access(); len(tables) > 0 {
		m.access(tables, b.transports())
		m.paragraph(b.denied().String())
	}
	m.list("What follows", b.follows())
	m.list("Expectations that do not hold", unkept(r))
	m.flaky(r)
	m.problems(problems(r))
	m.findings(r)
	m.notTested(r)
	m.list("Our reading of the document", b.readings())
	m.put("What each mechanism gives away, and to whom: [the mechanisms, compared](%s).\n\n", comparison)
	m.put("Exit status %d.\n", r.ExitStatus())
}

func (m *markdown) summary(b *book) {
	r := b.report
	words := [...]string{"conforming", "NOT conforming", "incomplete"}
	if r.Sum().Fail == 0 {
		words[1] = "NOT as expected"
	}
	m.put("## mailmatrix: %s\n\n", words[r.ExitStatus()])
	m.paragraph(strings.Join(headline(b), ", "))
	if narrowed := selection(r.Selection); narrowed != "" {
		m.paragraph("Narrowed to " + narrowed)
	}
	m.paragraph(incomplete(r))
	m.list("", append(tally(r), controls(r)...))
}

func (m *markdown) matrix(x *matrix) {
	m.heading("The document's matrix")
	m.paragraph(fmt.Sprintf("Flavour %s, each mechanism with a database that has it. Each entry: plain / STARTTLS / 465 or 995.", x.flavour))
	for _, bl := range x.blocks {
		header := []string{protocolName(bl.protocol), "setting"}
		for _, mechanism := range bl.columns {
			header = append(header, mechanismName(mechanism))
		}
		var rows [][]string
		for _, c := range bl.clients {
			for _, r := range c.rows {
				row := []string{c.client, r.setting.String()}
				for i := range r.entries {
					row = append(row, r.text(i))
				}
				rows = append(rows, row)
			}
		}
		m.table(header, rows)
	}
	m.list("", x.legend())
}

func (m *markdown) access(tables []access, transports []login.Transport) {
	header := []string{"client", "protocol", "setting"}
	for _, t := range transports {
		header = append(header, transportNames[t])
	}
	m.heading("Who can log in")
	for _, table := range tables {
		m.paragraph(strings.Join(table.servers, "; ") + ":")
		var rows [][]string
		for _, c := range table.clients {
			for _, r := range c.rows {
				row := []string{c.name, protocolName(r.protocol), r.setting.String()}
				for _, lines := range r.lines {
					row = append(row, strings.Join(lines, "; "))
				}
				rows = append(rows, row)
			}
		}
		m.table(header, rows)
	}
}

func (m *markdown) problems(all []item) {
	if len(all) == 0 {
		return
	}
	if all[0].verdict == login.Fail {
		m.heading("What failed")
	} else {
		m.heading("Worth a look")
	}
	for _, it := range all[:min(len(all), markdownMost)] {
		m.put("<details><summary><b>%s</b> <code>%s</code></summary>\n\n", it.verdict, markdownText(it.named()))
		m.paragraph(strings.TrimSpace(string(it.why) + " " + it.reason))
		m.said(it.transcript)
		if len(it.refs) > 0 {
			m.paragraph("See " + joined(it.refs))
		}
		m.put("</details>\n\n")
	}
	if more := len(all) - markdownMost; more > 0 {
		m.paragraph(fmt.Sprintf("... and %s more: see the JSON report.", count(more)))
	}
}

func (m *markdown) findings(r *login.Report) {
	var texts []string
	for _, f := range findings(r) {
		texts = append(texts, f.String()+", such as "+f.first.named())
	}
	if more := len(texts) - markdownMost; more > 0 {
		texts = append(texts[:markdownMost], "... and "+count(more)+" more: see the JSON report.")
	}
	m.list("Known findings", texts)
}

func (m *markdown) notTested(r *login.Report) {
	var all []string
	for _, n := range r.NotTested {
		all = append(all, strings.TrimSpace(fmt.Sprintf("%s: %s %s", n.What, n.Why, n.Flag)))
	}
	m.list("Not tested", append(all, skipped(r)...))
}
