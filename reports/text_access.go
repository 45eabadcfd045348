package reports

import (
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// access writes who can log in, in the long form or in about so many lines as
// there is room for.
func (p *page) access(b *book, room int) {
	tables := b.access()
	if len(tables) == 0 {
		return
	}
	end := len(p.lines) + room - 4 // two gaps, the count of the rest, deny
	p.gap()
	title := "one mechanism at a time has the setting, all others are denied"
	if tables[0].clients[0].rows[0].setting == login.Declared {
		title = "under this policy, each client as it is installed"
	}
	p.line(p.paint("WHO CAN LOG IN", strong), "  ", title)
	grid, left := gridOf(tables, b.transports()), 0
	p.items(" ", append([]string{"seen: by a listener, the PASSWORD or TOKEN itself, or a hash to crack"}, grid.notes...))
	p.line(grid.line(p, grid.lead("", "", ""), grid.titles, quiet))
	for _, table := range tables {
		heading := &page{Options: p.Options}
		heading.flow(" ", strings.Join(table.servers, "; "), strong)
		for _, c := range table.clients {
			lines := slices.Concat(heading.lines, grid.client(p, c))
			// Nothing after the first that is left out: it may say "= the one left out".
			if left > 0 || !p.Verbose && len(p.lines)+len(lines) > end {
				left++
				continue
			}
			p.lines = append(p.lines, lines...)
			heading.lines = nil
		}
	}
	if left > 0 {
		p.line(" ", count(left), " more: -v shows all, --flavour and --database choose a server like yours")
	}
}

// grid is the widths of the columns, the same for all tables, and what is to
// be noted on what they hold.
type grid struct {
	name, setting int
	titles        []string // of the transports
	transports    []int
	notes         []string
}

var transportNames = map[login.Transport]string{
	login.Plain: "encryption off", login.StartTLS: "STARTTLS / STLS", login.TLS: "TLS (465, 995)",
}

func gridOf(tables []access, transports []login.Transport) grid {
	var g grid
	for _, t := range transports {
		g.titles = append(g.titles, transportNames[t])
		g.transports = append(g.transports, len(transportNames[t]))
	}
	for _, table := range tables {
		for _, c := range table.clients {
			g.name = max(g.name, len(c.name))
			for _, r := range c.rows {
				if r.setting != login.Declared {
					g.setting = len("secure")
				}
				for i, lines := range r.lines {
					for _, line := range lines {
						g.transports[i] = max(g.transports[i], len(line))
						if strings.Contains(line, "*") {
							g.notes = []string{footnote}
						}
					}
				}
			}
		}
	}
	return g
}

func (g grid) client(p *page, c accessClient) []string {
	t := &page{Options: p.Options}
	if c.sameAs != "" {
		t.line(" ", pad(c.name, g.name), "  = ", c.sameAs)
		return t.lines
	}
	name := c.name
	for _, r := range c.rows {
		setting := r.setting.String()
		if r.setting == login.Declared {
			setting = ""
		}
		g.row(t, g.lead(name, string(r.protocol), setting), r)
		name = ""
	}
	return t.lines
}

func (g grid) row(t *page, lead string, r accessRow) {
	height := 0
	for _, lines := range r.lines {
		height = max(height, len(lines))
	}
	for i := range height {
		texts := make([]string, len(r.lines))
		for j, lines := range r.lines {
			if i < len(lines) {
				texts[j] = lines[i]
			}
		}
		t.line(g.line(t, lead, texts, normal))
		lead = strings.Repeat(" ", len(lead))
	}
}

// lead is what stands left of the transports.
func (g grid) lead(name, protocol, setting string) string {
	lead := " " + pad(name, g.name) + "  " + pad(protocol, len("smtp")) + "  "
	if g.setting > 0 {
		lead += pad(setting, g.setting) + "  "
	}
	return lead
}

func (g grid) line(t *page, lead string, texts []string, as style) string {
	line := lead
	for i, text := range texts {
		style := as
		if style == normal {
			style = accessStyle(text)
		}
		line += t.paint(pad(text, g.transports[i]), style) + "  "
	}
	return line
}

func accessStyle(text string) style {
	switch {
	case strings.HasPrefix(text, "WRONG"), strings.HasSuffix(text, "PASSWORD seen"), strings.HasSuffix(text, "TOKEN seen"):
		return bad
	case strings.HasSuffix(text, "hash seen"), strings.HasSuffix(text, "not measured"):
		return warned
	case strings.HasPrefix(text, "no "), strings.HasPrefix(text, "no:"), text == "client cannot":
		return quiet
	default:
		return good
	}
}
