package reports

import (
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/results"
)

// diff writes what a pull request should know: the sum, then a table for each
// kind of change.
func (m *markdown) diff(d *results.Diff) {
	m.put("## mailmatrix: %s\n\n", diffVerdict(d))
	m.paragraph(diffTally(d))
	m.list("", asciiAll(append([]string{"old: " + sideText(d.Old), "new: " + sideText(d.New)}, d.Notes...)))
	for _, k := range results.ChangeKinds() {
		all := d.Of(k)
		if len(all) == 0 {
			continue
		}
		title := changeTitles[k]
		m.heading(strings.ToUpper(title[:1]) + title[1:] + ": " + count(len(all)))
		if pattern := inCommon(all); pattern != "" {
			m.put("Cells are <code>%s</code>\n\n", markdownText(pattern))
		}
		var rows [][]string
		for _, c := range all {
			worse := ""
			if c.Regression {
				worse = "worse"
			}
			rows = append(rows, []string{changeName(c), findingText(c, c.Old), findingText(c, c.New), worse})
		}
		m.table([]string{"result", "before", "now", ""}, rows)
	}
	m.put("Exit status %d.\n", d.Status())
}

func sideText(s results.Side) string {
	return s.File + ", " + shortList(s.Targets) + ", " + s.Tool
}
