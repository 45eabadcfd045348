package reports

import (
	"cmp"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// offers is what a server offers: a column for each door and link, a row for
// each mechanism.
type offers struct {
	columns []offerColumn
	rows    []offerRow
	// names are the ports, with a mark where another host has the same; hosts say
	// which host a mark means.
	names map[*login.DoorResult]string
	hosts []string
}

// offerColumn is a link of a door, or of several doors that are alike.
type offerColumn struct {
	door *login.DoorResult
	link *login.TransportResult
	head string // the port
	sub  string // "clear", "TLS"
}

// offerRow is a mechanism, or several with equal entries.
type offerRow struct {
	mechanisms []login.Mechanism
	entries    []string
	reads      string
	label      string
	rank       rank
	// nowhere: a row of those that are to be had nowhere.
	nowhere bool
}

// What an entry says. One that shows the password to a listener is in capitals.
const (
	entryYes    = "yes"    // listed
	entryWorks  = "works"  // a login was completed
	entryHidden = "hidden" // not listed, and accepted
	entryNo     = "no"     // refused
	entryFails  = "fails"  // listed, and refused
	entryAbsent = "-"      // not listed
	entryUnseen = "?"      // there is no list
)

// entryWords explains those that do not explain themselves.
var entryWords = []struct{ entry, means string }{
	{entryWorks, "a login was completed"},
	{entryHidden, "not listed, but accepted"},
	{entryNo, "refused"},
	{entryFails, "listed, but refused"},
	{entryUnseen, "the server has no list"},
}

// offered is what is known of a mechanism on a link.
func offered(t *login.TransportResult, m login.Mechanism) string {
	i := slices.IndexFunc(t.Mechanisms, func(r login.MechanismResult) bool { return r.Mechanism == m })
	if i < 0 {
		return ""
	}
	r := t.Mechanisms[i]
	is := func(b *bool, want bool) bool { return b != nil && *b == want }
	var word string
	switch {
	case is(r.Offered, true) && (is(r.Completes, false) || is(r.Starts, false)):
		return entryFails
	case r.Reply == "" && is(r.Offered, false) && !is(r.Completes, true) && !is(r.Starts, true):
		return entryAbsent // whatever is inferred from that, nobody was refused
	case is(r.Completes, false) || is(r.Starts, false):
		return entryNo
	case is(r.Offered, false) && (is(r.Completes, true) || is(r.Starts, true)):
		word = entryHidden
	case is(r.Completes, true):
		word = entryWorks
	case is(r.Offered, true) || is(r.Starts, true):
		word = entryYes
	case is(r.Offered, false):
		return entryAbsent
	default:
		return entryUnseen
	}
	if t.Transport == login.Plain && readable[m] {
		return strings.ToUpper(word)
	}
	return word
}

// readable are the mechanisms that show a listener all that is needed to log in:
// the password, or a token.
var readable = map[login.Mechanism]bool{
	login.PLAIN: true, login.LOGIN: true, login.UserPass: true, login.XOAUTH2: true, login.OAUTHBEARER: true,
}

func offersOf(t *login.TargetResult) offers {
	o := offers{names: map[*login.DoorResult]string{}}
	var doors []*login.DoorResult
	for i := range t.Doors {
		d := &t.Doors[i]
		if len(d.Transports) > 0 && !slices.ContainsFunc(doors, func(other *login.DoorResult) bool { return alike(d, other) }) {
			doors = append(doors, d)
		}
	}
	slices.SortStableFunc(doors, func(a, b *login.DoorResult) int {
		return slices.Index(login.Protocols(), a.Protocol) - slices.Index(login.Protocols(), b.Protocol)
	})
	for _, d := range doors {
		mark := o.mark(doors, d)
		o.names[d] = ascii(d.Port()) + mark
		for i := range d.Transports {
			link := &d.Transports[i]
			c := offerColumn{door: d, link: link, head: ascii(d.Port()) + mark, sub: "TLS"}
			if link.Transport == login.Plain {
				c.sub = "clear"
			}
			o.columns = append(o.columns, c)
			for _, m := range link.Mechanisms {
				o.row(m.Mechanism)
			}
		}
	}
	for i := range o.rows {
		r := &o.rows[i]
		for _, c := range o.columns {
			r.entries = append(r.entries, offered(c.link, r.mechanisms[0]))
		}
		reads, mixed := o.reads(doors, r.mechanisms[0])
		r.reads, r.rank = reads, o.rank(r.entries, mixed)
	}
	o.order()
	return o
}

// row makes sure that there is one for m.
func (o *offers) row(m login.Mechanism) {
	if !slices.ContainsFunc(o.rows, func(r offerRow) bool { return r.mechanisms[0] == m }) {
		o.rows = append(o.rows, offerRow{mechanisms: []login.Mechanism{m}, label: string(m)})
	}
}

// mark tells doors apart that have the same port at another host.
func (o *offers) mark(doors []*login.DoorResult, d *login.DoorResult) string {
	nth := 0
	for _, other := range doors {
		if other == d {
			break
		}
		if other.Port() == d.Port() {
			nth++
		}
	}
	if nth == 0 {
		return ""
	}
	mark := strings.Repeat("*", nth)
	host := d.Host
	if host == "" {
		host = d.Address
	}
	o.hosts = append(o.hosts, ascii(d.Port())+mark+" is "+ascii(host))
	return mark
}

// alike: two doors of one sort that say the same, such as those of two MX hosts.
func alike(a, b *login.DoorResult) bool {
	if a.Protocol != b.Protocol || a.Implicit != b.Implicit || a.Port() != b.Port() || len(a.Transports) != len(b.Transports) {
		return false
	}
	for i := range a.Transports {
		x, y := &a.Transports[i], &b.Transports[i]
		if x.Transport != y.Transport || len(x.Mechanisms) != len(y.Mechanisms) {
			return false
		}
		for _, m := range x.Mechanisms {
			if offered(x, m.Mechanism) != offered(y, m.Mechanism) {
				return false
			}
		}
	}
	return true
}

// usualPorts need no protocol beside them.
var usualPorts = []string{"25", "587", "465", "110", "995"}

func portName(d *login.DoorResult) string {
	port := ascii(d.Port())
	if slices.Contains(usualPorts, port) {
		return port
	}
	return string(d.Protocol) + ":" + port
}

// order puts first what is of most interest and, where that is equal, the
// passwords. What is to be had nowhere is taken together, and comes last.
func (o *offers) order() {
	var rows, nowhere []offerRow
	for _, r := range o.rows {
		if !r.onlyHas("", entryNo, entryAbsent, entryUnseen) {
			rows = append(rows, r)
			continue
		}
		r.nowhere = true
		i := slices.IndexFunc(nowhere, r.fits)
		if i < 0 {
			r.entries = slices.Clone(r.entries)
			nowhere = append(nowhere, r)
			continue
		}
		nowhere[i].mechanisms = append(nowhere[i].mechanisms, r.mechanisms...)
		for j, e := range r.entries {
			if e != "" {
				nowhere[i].entries[j] = e
			}
		}
	}
	for i := range nowhere {
		r := &nowhere[i]
		switch n := len(r.mechanisms); {
		case n > 1 && r.onlyHas("", entryNo):
			r.label = count(n) + " refused"
		case n > 1:
			r.label = count(n) + " others"
		}
	}
	slices.SortStableFunc(rows, func(a, b offerRow) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.familiar(), b.familiar()))
	})
	o.rows = append(rows, nowhere...)
}

// onlyHas reports whether all entries are among these words.
func (r offerRow) onlyHas(words ...string) bool {
	return !slices.ContainsFunc(r.entries, func(e string) bool { return !slices.Contains(words, e) })
}

// fits reports whether the rows say the same wherever both say something.
func (r offerRow) fits(other offerRow) bool {
	for i, e := range r.entries {
		if e != other.entries[i] && e != "" && other.entries[i] != "" {
			return false
		}
	}
	return r.reads == other.reads
}

// rank is of how much interest a row is to who runs the server, the most first.
type rank uint8

const (
	rankBares  rank = iota // a listener learns the password or a token
	rankClear              // it is to be had in clear
	rankFails              // what is listed is refused
	rankHidden             // what is not listed is taken
	rankMixed              // the doors differ
	rankSecure             // inside TLS, and all agree
)

func (o *offers) rank(entries []string, mixed bool) rank {
	best := rankSecure
	if mixed {
		best = rankMixed
	}
	for i, e := range entries {
		switch word := strings.ToLower(e); {
		case word != e:
			best = min(best, rankBares)
		case o.columns[i].link.Transport == login.Plain && (word == entryYes || word == entryWorks || word == entryHidden):
			best = min(best, rankClear)
		case word == entryFails:
			best = min(best, rankFails)
		case word == entryHidden:
			best = min(best, rankHidden)
		}
	}
	return best
}

// familiar is the place of a mechanism among those that everybody knows.
func (r offerRow) familiar() int {
	known := []login.Mechanism{login.PLAIN, login.LOGIN, login.UserPass}
	if i := slices.Index(known, r.mechanisms[0]); i >= 0 {
		return i
	}
	return len(known)
}

// shorten takes rows together that say the same, those of least interest first
// and none that shows a password, until there are few; then it leaves the last
// ones out.
func (o *offers) shorten(most int) {
	for i := len(o.rows) - 1; i >= 0 && len(o.rows) > most; i-- {
		r := &o.rows[i]
		if r.nowhere || r.rank == rankBares {
			continue
		}
		for j := i + 1; j < len(o.rows); j++ {
			if other := o.rows[j]; !other.nowhere && other.reads == r.reads && slices.Equal(other.entries, r.entries) {
				r.mechanisms = append(r.mechanisms, other.mechanisms...)
				o.rows = slices.Delete(o.rows, j, j+1)
				j--
			}
		}
		r.label = labelOf(r.mechanisms)
	}
	if len(o.rows) <= most {
		return
	}
	left := 0
	for _, r := range o.rows[most-1:] {
		left += len(r.mechanisms)
	}
	o.rows = append(o.rows[:most-1], offerRow{label: count(left) + " more (-v)", entries: make([]string, len(o.columns)), nowhere: true})
}

// labelOf names as many of the mechanisms as the first column has room for, and
// where it has room for none, the one with the shortest name.
func labelOf(ms []login.Mechanism) string {
	for n := len(ms); n > 1; n-- {
		label := strings.ReplaceAll(joined(ms[:n]), ";", ",")
		if n < len(ms) {
			label += " +" + count(len(ms)-n)
		}
		if len(label) < offersLead-1 {
			return label
		}
	}
	label := string(slices.MinFunc(ms, func(a, b login.Mechanism) int { return len(a) - len(b) }))
	if len(ms) > 1 {
		label += " +" + count(len(ms)-1)
	}
	return label
}
