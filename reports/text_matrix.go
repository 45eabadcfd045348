package reports

import "slices"

const (
	clientWidth  = 18
	settingWidth = 8
	entryWidth   = 12
)

// matrix writes the document's matrix.
func (p *page) matrix(m *matrix) {
	p.gap()
	p.line(p.paint("THE DOCUMENT'S MATRIX", strong), "  flavour ", string(m.flavour),
		", each mechanism with a database that has it")
	p.line(" each entry: plain / STARTTLS / 465 or 995")
	p.items(" ", m.legend())
	p.gap()
	for _, bl := range m.blocks {
		p.block(bl)
	}
}

func (p *page) block(bl block) {
	header := " " + pad(protocolName(bl.protocol), clientWidth+settingWidth)
	for _, m := range bl.columns {
		header += pad(mechanismName(m), entryWidth)
	}
	p.line(p.paint(header, strong))
	for _, c := range bl.clients {
		if c.sameAs != "" {
			p.line(" ", pad(c.client, clientWidth), pad("both", settingWidth), "= ", c.sameAs)
			continue
		}
		for i, r := range c.rows {
			name := c.client
			if i > 0 {
				name = ""
			}
			p.row(name, r)
		}
	}
}

func (p *page) row(client string, r row) {
	parts := []string{" ", pad(client, clientWidth), pad(r.setting.String(), settingWidth)}
	for i, e := range r.entries {
		text := pad(r.text(i), entryWidth)
		parts = append(parts, p.paint(text, e.style()))
	}
	p.line(parts...)
}

// style is that of the worst code in the entry.
func (e entry) style() style {
	for _, s := range []struct {
		codes []code
		as    style
	}{
		{[]code{codeFailed, codePassword, codeNoPassword}, bad},
		{[]code{codeHash, codeNoHash, codeUnmeasured}, warned},
		{[]code{codeOK}, good},
	} {
		if slices.ContainsFunc(e[:], func(c code) bool { return slices.Contains(s.codes, c) }) {
			return s.as
		}
	}
	return quiet
}

// deny writes the sentence on all cells that were denied.
func (p *page) deny(b *book) {
	d := b.denied()
	if s := d.String(); s != "" {
		as := normal
		if d.wrong() {
			as = bad
		}
		p.flow(" ", s, as)
	}
}

// follows numbers the sentences that the cells support.
func (p *page) follows(b *book) {
	sentences := b.follows()
	if len(sentences) == 0 {
		return
	}
	p.line(p.paint("WHAT FOLLOWS", strong))
	for i, s := range sentences {
		p.flow(" "+count(i+1)+"  ", s, normal)
	}
}

// readings says where we went beyond the document.
func (p *page) readings(b *book) {
	readings := b.readings()
	if len(readings) == 0 {
		return
	}
	p.gap()
	p.line(p.paint("OUR READING OF THE DOCUMENT", strong))
	for _, s := range readings {
		p.flow(" *  ", s, normal)
	}
}

// readingsCount points to them where there is room: a line, and the gap below.
func (p *page) readingsCount(b *book, room int) {
	if n := len(b.readings()); n > 0 && room >= 2 {
		p.line(p.paint(" our readings of the document: "+count(n)+", -v shows them", quiet))
	}
}
