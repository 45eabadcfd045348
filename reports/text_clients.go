package reports

import (
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// more sums up the clients that the matrix does not show; how well they are
// known is said where there is room.
func (p *page) more(b *book, room int) {
	heading, text := b.more()
	if heading == "" {
		return
	}
	p.gap()
	lead := heading + "   "
	p.line(p.paint(heading, strong), "   ", text)
	if facts := b.factsKnown(); facts != "" && room > 3 {
		p.line(strings.Repeat(" ", len(lead)), facts)
	}
}

// floors is the table of the credential floors, and what they are.
func (p *page) floors(b *book) {
	if !b.looksAtManners() {
		return
	}
	p.gap()
	p.line(p.paint("CREDENTIAL FLOOR", strong), "  the lowest rung at which a client still gives something up, and what")
	p.flow(" ", "rungs, downwards: certificate (nobody vouches for it), handshake (STARTTLS breaks), refused (STARTTLS is), "+
		"stripped (no STARTTLS), weak (nor a mechanism that hides the password), hello (EHLO is refused)", normal)
	for _, protocol := range login.Protocols() {
		p.gap()
		p.line(p.paint(" "+pad(protocolName(protocol), floorClient)+pad("TLS required", floorEntry)+pad("if available", floorEntry)+"off", strong))
		for _, c := range b.report.Clients {
			m := b.manners(c.Profile, protocol)
			if m == nil {
				continue
			}
			row := " " + pad(c.Profile, floorClient)
			for _, e := range login.Encryptions() {
				row += pad(floor(*m, e), floorEntry)
			}
			p.line(row)
		}
	}
}

const (
	floorClient = 26
	floorEntry  = 24
)

// whenDenied says what clients do about a refusal, and which is the safest.
func (p *page) whenDenied(b *book) {
	if !b.looksAtManners() {
		return
	}
	p.gap()
	p.line(p.paint("WHEN DENIED", strong), "  what a client does when its login is refused; 535 and [AUTH] come at the end")
	p.line(" how long it waits for a server that says nothing is not among the facts")
	for _, protocol := range login.Protocols() {
		p.line(" ", protocolName(protocol))
		for _, s := range b.denials(protocol) {
			p.flow("  ", s, normal)
		}
		if safest := login.SafestDenials(protocol, b.report.Clients); len(safest) > 0 {
			p.flow("  ", "safest for these clients: "+list(safest), normal)
		}
	}
}
