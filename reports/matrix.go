package reports

import (
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// code is an entry of the matrix for one transport: two letters.
type code string

const (
	codeOK          code = "ok"
	codePassword    code = "pw"
	codeHash        code = "hs"
	codeNo          code = "no"
	codeNoHash      code = "nh"
	codeNoPassword  code = "np"
	codeUnavailable code = "na"
	codeClosed      code = "cl"
	codeLacks       code = "--"
	codeFailed      code = "!!"
	codeUnmeasured  code = "??"
)

// meanings is the legend, in its order.
var meanings = []struct {
	code code
	text string
}{
	{codeOK, "logs in, nothing readable"},
	{codePassword, "logs in, PASSWORD readable"},
	{codeHash, "logs in, crackable hash readable"},
	{codeNo, "refused before any secret"},
	{codeUnavailable, "server has it not"},
	{codeClosed, "no TLS to be had"},
	{codeLacks, "client lacks it"},
	{codeNoHash, "refused, hash readable (APOP before STLS)"},
	{codeNoPassword, "refused, PASSWORD readable"},
	{codeFailed, "NOT as expected, see below"},
	{codeUnmeasured, "not measured"},
}

// entry is one client with one mechanism: plain, STARTTLS, TLS.
type entry [3]code

// String writes "no/ok/cl", or one code where no more is to be said: a
// mechanism that the client or the server has not, whatever the transport.
func (e entry) String() string {
	if s, ok := e.one(codeLacks, codeLacks); ok {
		return s
	}
	if s, ok := e.one(codeUnavailable, codeUnavailable, codeClosed, codeLacks); ok {
		return s
	}
	return string(e[0]) + "/" + string(e[1]) + "/" + string(e[2])
}

// one is the single code that stands for all three, if it is among them and
// the rest are no more than the others named.
func (e entry) one(single code, others ...code) (string, bool) {
	for _, c := range e {
		if !slices.Contains(others, c) {
			return "", false
		}
	}
	return string(single), slices.Contains(e[:], single)
}

// guessMark explains the mark behind an entry.
const guessMark = "? guessed"

// matrix is the document's "Common Email Client support", as measured.
type matrix struct {
	flavour login.Flavour
	blocks  []block
	// known: whatever failed was to be expected.
	known bool
}

// block is the part of the matrix for one protocol.
type block struct {
	protocol login.Protocol
	columns  []login.Mechanism
	clients  []clientRows
}

// clientRows is what one client can do, a row for each setting.
type clientRows struct {
	client string
	// sameAs names an earlier client with equal rows; "" if there is none.
	sameAs string
	rows   []row
}

type row struct {
	setting login.Setting
	entries []entry
	// guessed: what the client does there rests on a guess of ours.
	guessed []bool
}

// text is an entry as it is written; what rests on a guess is marked.
func (r row) text(i int) string {
	if r.guessed[i] {
		return r.entries[i].String() + "?"
	}
	return r.entries[i].String()
}

// columns of the matrix: what the document lists, and LOGIN, which is ours.
var matrixColumns = map[login.Protocol][]login.Mechanism{
	login.POP3: {login.UserPass, login.APOP, login.CRAMMD5, login.NTLM, login.GSSAPI},
	login.SMTP: {login.PLAIN, login.LOGIN, login.CRAMMD5, login.NTLM, login.GSSAPI},
}

// mechanismName is what the document calls a mechanism; an asterisk marks what
// is not in it.
func mechanismName(m login.Mechanism) string {
	switch m {
	case login.GSSAPI:
		return "Kerberos"
	case login.LOGIN:
		return "LOGIN*"
	default:
		return string(m)
	}
}

// documentMatrix makes the matrix from the cells of the classic flavour, each
// mechanism with a database that has it. It is nil where the report holds no
// run of all clients.
func (b *book) documentMatrix() *matrix {
	if b.narrowed() || !b.reference() || len(b.cells) == 0 {
		return nil
	}
	m := &matrix{flavour: login.Classic, known: b.report.Sum().Fail == 0}
	for _, p := range []login.Protocol{login.POP3, login.SMTP} { // the document's order
		bl := block{protocol: p, columns: matrixColumns[p]}
		for _, client := range documentClients() {
			rows := b.rows(m.flavour, p, bl.columns, client)
			bl.clients = append(bl.clients, clientRows{client, bl.sameRows(rows), rows})
		}
		m.blocks = append(m.blocks, bl)
	}
	return m
}

func (b *book) rows(f login.Flavour, p login.Protocol, columns []login.Mechanism, client string) []row {
	var rows []row
	for _, s := range []login.Setting{login.Allow, login.Secure} {
		r := row{setting: s}
		for _, m := range columns {
			r.entries = append(r.entries, b.entry(f, p, m, s, client))
			r.guessed = append(r.guessed, b.guessed(f, p, m, s, client))
		}
		rows = append(rows, r)
	}
	return rows
}

// sameRows names the client that has these very rows already.
func (bl block) sameRows(rows []row) string {
	for _, c := range bl.clients {
		if c.sameAs == "" && slices.EqualFunc(c.rows, rows, row.equal) {
			return c.client
		}
	}
	return ""
}

func (r row) equal(other row) bool {
	return r.setting == other.setting && slices.Equal(r.entries, other.entries)
}

// documentClients are those that the document describes, in its order.
func documentClients() []string {
	var names []string
	for _, c := range login.Document() {
		if !slices.Contains(names, c.Profile) {
			names = append(names, c.Profile)
		}
	}
	return names
}

func (b *book) entry(f login.Flavour, p login.Protocol, m login.Mechanism, s login.Setting, client string) entry {
	var e entry
	for i, t := range login.Transports() {
		e[i] = b.code(f, p, t, m, s, client)
	}
	return e
}

// guessed reports whether a cell of an entry, in which the client did
// anything, rests on a fact that is assumed.
func (b *book) guessed(f login.Flavour, p login.Protocol, m login.Mechanism, s login.Setting, client string) bool {
	for _, t := range login.Transports() {
		if b.lacks(client, p, m, t) {
			continue
		}
		database, available := b.homes[home{f, p, m}]
		c := b.cells[place{f, p, t, m, s, client, database}]
		if available && c != nil && c.Outcome != login.NoTLS && c.Confidence == login.Assumed {
			return true
		}
	}
	return false
}

func (b *book) code(f login.Flavour, p login.Protocol, t login.Transport, m login.Mechanism, s login.Setting, client string) code {
	if b.lacks(client, p, m, t) {
		return codeLacks
	}
	database, available := b.homes[home{f, p, m}]
	at := place{f, p, t, m, s, client, database}
	if !available {
		at.database = b.anyDatabase(at)
	}
	c := b.cells[at]
	switch {
	case c == nil:
		return codeUnmeasured
	case c.Verdict == login.Fail:
		return codeFailed
	case !measured(c):
		return codeUnmeasured
	case !available && c.Outcome != login.NoTLS:
		return codeUnavailable
	default:
		return codeOf(c)
	}
}

// anyDatabase is one that was asked for a mechanism which none has.
func (b *book) anyDatabase(at place) login.Database {
	for _, d := range login.Databases() {
		at.database = d
		if b.cells[at] != nil {
			return d
		}
	}
	return ""
}

// codeOf reads outcome and exposure of a cell that is as expected.
func codeOf(c *login.CellResult) code {
	in, password, hash := c.Outcome == login.LoggedIn, c.Exposure >= login.ShowsToken, c.Exposure == login.ShowsVerifier
	switch {
	case in && password:
		return codePassword
	case in && hash:
		return codeHash
	case in:
		return codeOK
	case c.Outcome == login.NoTLS:
		return codeClosed
	case password:
		return codeNoPassword
	case hash:
		return codeNoHash
	default:
		return codeNo
	}
}

// footnote explains the asterisk.
const footnote = "* ours, as are TLS 1.0 and NTLMv1"

// legend explains the codes that occur, and the asterisk.
func (m *matrix) legend() []string {
	var all strings.Builder
	guessed := false
	for _, bl := range m.blocks {
		for _, c := range bl.clients {
			for _, r := range c.rows {
				for i := range r.entries {
					all.WriteString(r.entries[i].String() + " ")
					guessed = guessed || r.guessed[i]
				}
			}
		}
	}
	var items []string
	for _, meaning := range meanings {
		if m.known && meaning.code == codeFailed {
			meaning.text = "a known finding: -v"
		}
		if strings.Contains(all.String(), string(meaning.code)) {
			items = append(items, string(meaning.code)+" "+meaning.text)
		}
	}
	if guessed {
		items = append(items, guessMark)
	}
	return append(items, footnote)
}

// denied is what became of all cells whose setting is deny and in which the
// server was asked.
type denied struct{ cells, loggedIn, offered, asked int }

func (b *book) denied() denied {
	var d denied
	for i := range b.report.Cells {
		c := &b.report.Cells[i]
		if c.Setting != login.Deny || c.Basis == login.Predicted || !measured(c) || c.Outcome == login.NoTLS {
			continue
		}
		d.cells++
		if c.Outcome == login.LoggedIn {
			d.loggedIn++
		}
		if c.Offered != nil && *c.Offered {
			d.offered++
		}
		if c.Outcome == login.RefusedCredentials {
			d.asked++
		}
	}
	return d
}

func (d denied) wrong() bool { return d.loggedIn+d.offered+d.asked > 0 }

// String is the sentence about deny; "" where it was not tried.
func (d denied) String() string {
	switch {
	case d.cells == 0:
		return ""
	case !d.wrong():
		return "deny: nobody logs in, nothing is offered, no secret is asked for, in all " + of(d.cells, "cell")
	default:
		return "deny: of " + of(d.cells, "cell") + " " + count(d.loggedIn) + " logged in, " + count(d.offered) +
			" saw it offered, " + count(d.asked) + " asked for the secret"
	}
}
