package reports

import (
	"cmp"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

const (
	// offersLead is the width of the first column, readsRoom the least of the last.
	offersLead = 20
	readsRoom  = 22
)

// offers writes what the server offers, and about its doors what one row each
// can say.
func (p *page) offers(t *login.TargetResult, most int) {
	o := offersOf(t)
	if !p.Verbose {
		o.shorten(most)
	}
	title := "WHAT IT OFFERS"
	for columns := o.columns; len(columns) > 0; {
		n := p.fitting(columns)
		p.offersTable(title, &o, len(o.columns)-len(columns), n)
		columns, title = columns[n:], ""
	}
	p.items(" ", append(o.legend(), o.hosts...))
	if p.Verbose {
		for _, r := range o.rows {
			if len(r.mechanisms) > 1 {
				p.flow(" "+pad(r.label, offersLead-1), "are "+list(r.mechanisms), normal)
			}
		}
	}
	for _, line := range certificates(t, p.Verbose) {
		p.flow(" "+pad("TLS", offersLead-1), line, normal)
	}
	lead := " " + pad("no answer", offersLead-1)
	for _, line := range silent(t, p.Verbose) {
		p.flow(lead, line, normal)
		lead = strings.Repeat(" ", offersLead)
	}
}

// legend explains the entries that do not explain themselves.
func (o *offers) legend() []string {
	seen, all := map[string]bool{}, []string(nil)
	for _, r := range o.rows {
		for _, e := range r.entries {
			word := strings.ToLower(e)
			seen[word] = true
			if word != e && len(all) == 0 { // the rows of passwords come before those of tokens
				all = append(all, e+": the "+secretOf(r.mechanisms[0])+" itself, in clear")
			}
		}
	}
	for _, w := range entryWords {
		if seen[w.entry] {
			all = append(all, w.entry+": "+w.means)
		}
	}
	return all
}

func secretOf(m login.Mechanism) string {
	if m == login.XOAUTH2 || m == login.OAUTHBEARER {
		return "token"
	}
	return "password"
}

// fitting is how many of the columns have room for an answer to what they
// read as. A door is not torn apart.
func (p *page) fitting(columns []offerColumn) int {
	n, width := 0, offersLead
	for i, c := range columns {
		width += columnWidth(c)
		if width+readsRoom > p.width() && n > 0 {
			return n
		}
		if i+1 == len(columns) || columns[i+1].door != c.door {
			n = i + 1
		}
	}
	return n
}

func columnWidth(c offerColumn) int { return max(len(c.head)+1, len(entryHidden)+1) }

func (p *page) offersTable(title string, o *offers, from, n int) {
	columns := o.columns[from : from+n]
	heads, subs, at := "", "", offersLead
	for _, c := range columns {
		heads += pad(c.head, columnWidth(c))
		subs += pad(c.sub, columnWidth(c))
		at += columnWidth(c)
	}
	if protocols := protocolHeads(columns); protocols != "" {
		p.line(" ", p.paint(pad(title, offersLead-1), strong), protocols)
		title = ""
	}
	p.line(" ", p.paint(pad(title, offersLead-1), strong), heads)
	p.line(strings.Repeat(" ", offersLead), p.paint(pad(subs, at-offersLead)+"reads as", quiet))
	for _, r := range o.rows {
		entries := r.entries[from : from+n]
		if len(r.mechanisms) > 0 && !slices.ContainsFunc(entries, func(e string) bool { return e != "" }) {
			continue // of the other protocol
		}
		line := " " + pad(r.label, offersLead-1)
		for i, e := range entries {
			as := normal
			if e != strings.ToLower(e) {
				as = bad
			}
			line += p.paint(pad(e, columnWidth(columns[i])), as)
		}
		for _, text := range wrap(r.reads, p.width()-at) {
			p.line(line, text)
			line = strings.Repeat(" ", at)
		}
	}
}

// protocolHeads stand above the columns where a port does not say by itself
// what is spoken there.
func protocolHeads(columns []offerColumn) string {
	heads, told, unusual := "", login.Protocol(""), false
	for _, c := range columns {
		name := ""
		if c.door.Protocol != told {
			told = c.door.Protocol
			name = protocolName(told)
		}
		heads += pad(name, columnWidth(c))
		unusual = unusual || !slices.Contains(usualPorts, c.door.Port())
	}
	if !unusual {
		return ""
	}
	return heads
}

// certificates says what is shown inside TLS, once for the doors that show it;
// the names in it where they are asked for, or are what is wrong.
func certificates(t *login.TargetResult, names bool) []string {
	type shown struct {
		sum, status string
		version     login.TLSVersion
	}
	ports := map[shown][]string{}
	first := map[shown]*login.DoorResult{}
	var order []shown
	for i := range t.Doors {
		d := &t.Doors[i]
		if d.Certificate == nil {
			continue
		}
		s := shown{d.Certificate.SHA256, d.Stages[login.StageCertificate], d.Certificate.Version}
		if first[s] == nil {
			first[s] = d
			order = append(order, s)
		}
		if port := portName(d); !slices.Contains(ports[s], port) {
			ports[s] = append(ports[s], port)
		}
	}
	var lines []string
	for _, s := range order {
		c := first[s].Certificate
		where := "on every door"
		if len(order) > 1 {
			where = "on " + list(ports[s])
		}
		wrong := cmp.Or(certificateWords[s.status], "certificate "+ascii(s.status))
		line := ascii(string(s.version)) + ", " + wrong
		if names || s.status == login.CertificateOtherName {
			line += ", for " + shortList(asciiAll(c.Names))
		}
		if names && c.Issuer != "" {
			line += ", issued by " + ascii(c.Issuer)
		}
		lines = append(lines, line+", "+ends(c)+", "+where)
	}
	return lines
}

// certificateWords are the statuses of the stage in words.
var certificateWords = map[string]string{
	login.StageOK:               "chain complete, name matches",
	login.CertificateSelfSigned: "SELF-SIGNED certificate",
	login.CertificateUnknown:    "certificate of an UNKNOWN authority",
	login.CertificateIncomplete: "chain INCOMPLETE",
	login.CertificateExpired:    "certificate EXPIRED",
	login.CertificateNotYet:     "certificate NOT YET VALID",
	login.CertificateOtherName:  "certificate for ANOTHER NAME",
}

// ends says when a certificate does, or did.
func ends(c *login.CertificateResult) string {
	if c.Days < 0 {
		return "ended " + ascii(c.Until) + " (" + of(-c.Days, "day") + " ago)"
	}
	return "ends " + ascii(c.Until) + " (" + of(c.Days, "day") + ")"
}

func asciiAll(all []string) []string {
	clean := make([]string, len(all))
	for i, s := range all {
		clean[i] = ascii(s)
	}
	return clean
}

// explainedMost is how many silent doors a short screen explains.
const explainedMost = 2

// silent names the doors that do not speak, and why: in a line those that were
// guessed and where nobody takes connections, in one each the others.
func silent(t *login.TargetResult, all bool) []string {
	var guessed, lines []string
	for i := range t.Doors {
		d := &t.Doors[i]
		if d.Speaks() {
			continue
		}
		named, why := d.Found == login.FoundNamed, explained(d)
		switch {
		case !named && (why == "" || d.Stages[login.StageConnect] != login.StageOK):
			guessed = append(guessed, portName(d)+" "+ended(d))
			continue
		case why == "" || !all && len(lines) >= explainedMost:
			why = ended(d)
		}
		text := "port " + ascii(d.Port())
		if named {
			text += " (named)"
		}
		lines = append(lines, text+": "+why)
	}
	if len(guessed) > 0 {
		lines = append(lines, strings.Join(guessed, ", "))
	}
	return lines
}

// ended is where a door fell silent, in a word or two. That a connection was
// refused needs no stage.
func ended(d *login.DoorResult) string {
	switch stage := d.Trouble(); stage {
	case "":
		return "says nothing"
	case login.StageConnect:
		return ascii(d.Stages[stage])
	default:
		return string(stage) + " " + ascii(d.Stages[stage])
	}
}

// explained says in sentences what is wrong with a door, in the order in which
// it was met.
func explained(d *login.DoorResult) string {
	var all []string
	for _, stage := range login.Stages() {
		if why := d.Explained[stage]; why != "" {
			all = append(all, ascii(why))
		}
	}
	return strings.Join(all, "; ")
}

// doors writes of each how it was found, how it greets, and what is wrong with it.
func (p *page) doors(t *login.TargetResult) {
	lead := " " + p.paint(pad("DOORS", offersLead-1), strong)
	for i := range t.Doors {
		d := &t.Doors[i]
		text := portName(d) + " at " + ascii(d.Address)
		if d.Host != "" {
			text += ", " + ascii(d.Host)
		}
		if how := foundWords[d.Found]; how != "" {
			text += ", " + how
		}
		if d.Software != "" {
			text += ", by its greeting " + ascii(d.Software)
		}
		if d.Greeting != "" {
			text += ": " + ascii(d.Greeting)
		}
		if why := explained(d); why != "" {
			text += "; " + why
		}
		for _, line := range wrap(text, p.width()-offersLead) {
			p.line(lead, line)
			lead = strings.Repeat(" ", offersLead)
		}
	}
}

// foundWords say how a door was found.
var foundWords = map[login.Found]string{
	login.FoundNamed: "named by you", login.FoundPort: "a usual port", login.FoundSRV: "from SRV records", login.FoundMX: "from MX records",
	login.FoundAutoconfig: "from autoconfig", login.FoundAutodiscover: "from Autodiscover",
}
