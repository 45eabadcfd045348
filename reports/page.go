package reports

import (
	"io"
	"strings"
)

// page is a screen in the making: lines of plain ASCII, in which colour only
// adds to what the words say.
type page struct {
	Options
	lines []string
}

// style is an ANSI colour, by its parameters.
type style string

const (
	normal style = ""
	good   style = "32"
	bad    style = "1;31"
	warned style = "33"
	quiet  style = "2"
	strong style = "1"
)

// paint colours s where the page has colour. It must not be measured
// afterwards: pad first.
func (p *page) paint(s string, as style) string {
	if !p.Color || as == normal || s == "" {
		return s
	}
	return "\x1b[" + string(as) + "m" + s + "\x1b[0m"
}

func (p *page) line(parts ...string) {
	p.lines = append(p.lines, strings.TrimRight(strings.Join(parts, ""), " "))
}

// gap divides two sections; there is never more than one empty line.
func (p *page) gap() {
	if n := len(p.lines); n > 0 && p.lines[n-1] != "" {
		p.line()
	}
}

// append adds a section that was made apart.
func (p *page) append(section *page) {
	if len(section.lines) > 0 {
		p.gap()
		p.lines = append(p.lines, section.lines...)
	}
}

// flow writes text behind lead, its further lines indented below the first.
func (p *page) flow(lead, text string, as style) {
	for i, line := range wrap(text, p.width()-len(lead)) {
		if i > 0 {
			lead = strings.Repeat(" ", len(lead))
		}
		p.line(lead, p.paint(line, as))
	}
}

// items writes short texts, as many to a line as fit.
func (p *page) items(indent string, texts []string) {
	line := ""
	for _, text := range texts {
		if line != "" && len(indent)+len(line)+3+len(text) > p.width() {
			p.line(indent, line)
			line = ""
		}
		if line != "" {
			line += "   "
		}
		line += text
	}
	if line != "" {
		p.line(indent, line)
	}
}

func (p *page) writeTo(w io.Writer) error {
	_, err := io.WriteString(w, strings.Join(p.lines, "\n")+"\n")
	return err
}
