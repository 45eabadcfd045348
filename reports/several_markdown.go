package reports

import (
	"fmt"
	"slices"
	"strings"
)

// overviewLeast is how many servers the first table has, however short the others
// get.
const overviewLeast = 200

// several writes what is wrong with each server, and tables of what differs.
func (m *markdown) several(s several) {
	words := [...]string{"conforming", "NOT conforming", "incomplete"}
	m.put("## %s side by side: %s\n\n", of(len(s.each), "server"), words[s.whole.ExitStatus()])
	var rows [][]string
	for i := range s.each {
		r := &s.each[i]
		rows = append(rows, []string{s.names[i], words[r.ExitStatus()], strings.ReplaceAll(strings.Join(tallyOf(r), ", "), " (-v)", "")})
	}
	most := m.most
	m.most = max(most, overviewLeast)
	m.table([]string{"server", "", "found"}, rows)
	m.most = most
	m.list("Expectations that do not hold", unkept(s.whole))
	m.flaky(s.whole)
	m.findings(s.whole)
	offers, same := s.offers()
	m.contrast(s, "What they offer, in clear / inside TLS", offers, sameOf(same, "mechanism", sameInService))
	requirements, same := s.requirements()
	m.contrast(s, "What they keep to", requirements, sameOf(same, "requirement", sameDecided))
	m.contrast(s, "Who can log in (clients, foretold)", s.clients(), "")
	end := fmt.Sprintf("Exit status %d.\n", s.whole.ExitStatus())
	m.each(s, markdownRoom-m.text.Len()-len(end))
	m.put("%s", end)
}

// each writes what was found with each of them into the room that is left: it is
// shortened before anything that is said of all.
func (m *markdown) each(s several, room int) {
	const elsewhere = "What was found with each of them: see the JSON report."
	found := make([][]cause, len(s.each))
	for i := range s.each {
		found[i] = causes(&s.each[i])
	}
	sections, fits := within(room-len(elsewhere), func(m *markdown) {
		for i, all := range found {
			if len(all) > 0 {
				m.put("## %s\n\n", markdownText(s.names[i]))
				m.causes(all)
			}
		}
	})
	if fits {
		m.put("%s", sections)
	} else {
		m.paragraph(elsewhere)
	}
}

func (m *markdown) contrast(s several, title string, rows []contrast, same string) {
	if len(rows) == 0 && same == "" {
		return
	}
	m.heading(title)
	if len(rows) > 0 {
		header := append([]string{""}, s.names...)
		titled := slices.ContainsFunc(rows, func(c contrast) bool { return c.title != "" })
		if titled {
			header = append(header, "")
		}
		var cells [][]string
		for _, row := range rows {
			line := append([]string{row.what}, row.values...)
			if titled {
				line = append(line, row.title)
			}
			cells = append(cells, line)
		}
		m.table(header, cells)
	}
	if same != "" {
		m.paragraph(same + ".")
	}
}
