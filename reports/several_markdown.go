package reports

import (
	"slices"
	"strings"
)

// several writes what is wrong with each server, and tables of what differs.
func (m *markdown) several(s several) {
	words := [...]string{"conforming", "NOT conforming", "incomplete"}
	m.put("## %s side by side: %s\n\n", of(len(s.each), "server"), words[s.whole.ExitStatus()])
	var rows [][]string
	for i := range s.each {
		r := &s.each[i]
		rows = append(rows, []string{s.names[i], words[r.ExitStatus()], strings.ReplaceAll(strings.Join(tallyOf(r), ", "), " (-v)", "")})
	}
	m.table([]string{"server", "", "found"}, rows)
	m.list("Expectations that do not hold", unkept(s.whole))
	m.flaky(s.whole)
	offers, alike := s.offers()
	m.contrast(s, "What they offer, in clear / inside TLS", offers, alike, "mechanism")
	requirements, same := s.requirements()
	m.contrast(s, "What they keep to", requirements, same, "requirement")
	m.contrast(s, "Who can log in (clients, foretold)", s.clients(), 0, "")
	for i := range s.each {
		if all := causes(&s.each[i]); len(all) > 0 {
			m.put("## %s\n\n", markdownText(s.names[i]))
			m.causes(all)
		}
	}
	m.put("Exit status %d.\n", s.whole.ExitStatus())
}

func (m *markdown) contrast(s several, title string, rows []contrast, same int, noun string) {
	if len(rows)+same == 0 {
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
	if same > 0 {
		m.paragraph(of(same, noun) + ": the same of all.")
	}
}
