package reports

import (
	"fmt"
	"strings"
)

const (
	// contrastsMost is how many rows a table of a short screen has.
	contrastsMost = 8
	// contrastLead is the width of its first column.
	contrastLead = 34
)

// severalPage is the screen of several servers: what is wrong with each, then
// where they differ. The long form has the screen of each one behind that.
func severalPage(s several, o Options) *page {
	p, tables := &page{Options: o}, &page{Options: o}
	tables.contrasts(s)
	p.severalHead(s)
	end := fmt.Sprintf("exit status %d", s.whole.ExitStatus())
	room := (shortLines - len(p.lines) - len(tables.lines) - 2) / len(s.each)
	for i := range s.each {
		p.gap()
		p.server(s, i, max(room, leastRoom/2))
	}
	p.append(tables)
	if o.Verbose {
		for i := range s.each {
			p.gap()
			p.line(strings.Repeat("=", 3), " ", s.names[i])
			p.gap()
			p.lines = append(p.lines, textPage(&s.each[i], o).lines...)
		}
	}
	p.gap()
	if !o.Verbose {
		p.line("each server by itself: -v")
	}
	p.line(end)
	return p
}

func (p *page) severalHead(s several) {
	p.line(of(len(s.each), "server"), " side by side")
	p.gap()
	words := checkWords[s.whole.ExitStatus()]
	if s.whole.ExitStatus() == 1 && s.whole.Sum().Fail == 0 {
		words.text = "NOT AS EXPECTED"
	}
	p.line(p.paint(pad(words.text, 19), words.as), "conforming: ", count(s.conforming()), " of ", count(len(s.each)))
	p.expectations(s.whole)
	p.flaky(s.whole)
}

// letter stands for a server where its name is too long for the head of a column.
func letter(i int) string {
	if i < 26 {
		return string(rune('A' + i))
	}
	return count(i + 1)
}

// server says what is wrong with one of them, under its name.
func (p *page) server(s several, i, room int) {
	r := &s.each[i]
	words := checkWords[r.ExitStatus()]
	part := &page{Options: p.Options}
	part.Width = p.width() - 4
	name := letter(i) + "  " + s.names[i]
	part.items("", append([]string{name}, served(r)...))
	p.line(" ", p.paint(name, strong), strings.TrimPrefix(part.lines[0], name))
	part.lines = part.lines[1:]
	part.items("", append([]string{words.text}, tallyOf(r)...))
	if why := incomplete(r); why != "" {
		part.flow("", why, normal)
	}
	for _, line := range part.lines {
		if rest, is := strings.CutPrefix(line, words.text); is {
			line = p.paint(words.text, words.as) + rest
		}
		p.line("    ", line)
	}
	found := &page{Options: p.Options}
	found.Verbose = false // at length it stands behind
	found.causes(causes(r), room-2)
	p.lines = append(p.lines, found.lines...)
}

// contrasts are the tables of what differs.
func (p *page) contrasts(s several) {
	offers, same := s.offers()
	p.contrast(s, "WHAT THEY OFFER", "in clear / inside TLS", offers, sameOf(same, "mechanism", sameInService))
	requirements, same := s.requirements()
	p.contrast(s, "WHAT THEY KEEP TO", "requirements, the worst of all doors", requirements, sameOf(same, "requirement", sameDecided))
	p.contrast(s, "WHO CAN LOG IN", "clients, foretold", s.clients(), "")
}

func (p *page) contrast(s several, title, about string, rows []contrast, same string) {
	if len(rows) == 0 && same == "" {
		return
	}
	p.gap()
	shown := rows
	if !p.Verbose {
		shown = rows[:min(len(rows), contrastsMost)]
	}
	room := p.width() - contrastLead
	heads, width := s.heads(room, rows)
	for from := 0; from < len(heads); from += max(1, room/width) {
		to := min(len(heads), from+max(1, room/width))
		p.contrastTable(title, about, heads[from:to], width, shown, from)
		title, about = "", ""
	}
	if more := len(rows) - len(shown); more > 0 {
		p.line(" ", count(more), " more (-v)")
	}
	if same != "" {
		p.line(" ", same)
	}
}

// contrastTable is the table of some of the servers, the first of which is from.
func (p *page) contrastTable(title, about string, heads []string, width int, rows []contrast, from int) {
	line := " " + p.paint(pad(title, contrastLead-1), strong)
	for _, head := range heads {
		line += pad(head, width)
	}
	p.line(line)
	if about != "" {
		p.line(" ", p.paint(about, quiet))
	}
	for _, row := range rows {
		line := " " + pad(cut(row.what, contrastLead-2), contrastLead-1)
		for _, v := range row.values[from : from+len(heads)] {
			as := normal
			if v == "fail" || v != strings.ToLower(v) {
				as = bad
			}
			line += p.paint(pad(v, width), as)
		}
		p.line(line)
	}
}

// heads are the names of the servers above columns of this width; where they are
// too long, letters.
func (s several) heads(room int, rows []contrast) (heads []string, width int) {
	widest := func(all []string) int {
		n := 0
		for _, text := range all {
			n = max(n, len(text)+2)
		}
		return n
	}
	width = widest(s.names)
	for _, row := range rows {
		width = max(width, widest(row.values))
	}
	if width*len(s.names) <= room {
		return s.names, width
	}
	width = 0
	for i := range s.names {
		heads = append(heads, letter(i))
	}
	for _, row := range rows {
		width = max(width, widest(row.values))
	}
	return heads, max(width, 4)
}
