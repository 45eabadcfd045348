package reports

import (
	"cmp"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// access is who can log in, in words: a table for each state of the server.
type access struct {
	// servers name the states that give this very table.
	servers []string
	clients []accessClient
}

// accessClient is what one client can do.
type accessClient struct {
	name string
	// sameAs names an earlier client with equal rows; "" if there is none.
	sameAs string
	rows   []accessRow
}

// accessRow is one protocol under one setting. For each transport that was
// asked for it has the lines that are to be said, at least one.
type accessRow struct {
	protocol login.Protocol
	setting  login.Setting
	lines    [][]string
}

// server is a state of the server, and what is presented to it.
type server struct {
	flavour    login.Flavour
	database   login.Database
	override   login.Override
	credential login.Credential
}

func (s server) String() string {
	words := []string{string(s.flavour), "database " + string(s.database)}
	if s.override != login.NoOverride {
		words = append(words, "POP3 override password "+string(s.override))
	}
	if s.credential != login.WithAccount {
		words = append(words, "presenting the "+string(s.credential)+" password")
	}
	return strings.Join(words, ", ")
}

// access groups the cells of a narrowed run, or of one under a policy given
// as a whole. Deny is not in it: one sentence says all.
func (b *book) access() []access {
	groups := map[server]map[accessKey][]*login.CellResult{}
	var servers []server
	onlyProbe := len(b.clients()) == 0
	for i := range b.report.Cells {
		c := &b.report.Cells[i]
		if c.Basis == login.Predicted || c.Setting == login.Deny || c.Profile == probe && !onlyProbe || !b.usual(c) {
			continue
		}
		s := server{c.Flavour, c.Database, c.Override, c.Credential}
		if groups[s] == nil {
			groups[s] = map[accessKey][]*login.CellResult{}
			servers = append(servers, s)
		}
		k := accessKey{c.ClientName(), c.Protocol, c.Setting}
		groups[s][k] = append(groups[s][k], c)
	}
	var tables []access
	for _, s := range servers {
		clients := b.accessClients(groups[s])
		same := slices.IndexFunc(tables, func(a access) bool {
			return slices.EqualFunc(a.clients, clients, func(x, y accessClient) bool { return x.name == y.name && x.equal(y.rows) })
		})
		if same < 0 {
			tables = append(tables, access{clients: clients})
			same = len(tables) - 1
		}
		tables[same].servers = append(tables[same].servers, s.String())
	}
	return tables
}

// transports are those that the selection left in.
func (b *book) transports() []login.Transport {
	asked := b.report.Selection["transport"]
	if len(asked) == 0 {
		return login.Transports()
	}
	return slices.DeleteFunc(login.Transports(), func(t login.Transport) bool { return !slices.Contains(asked, string(t)) })
}

type accessKey struct {
	client   string
	protocol login.Protocol
	setting  login.Setting
}

// usual keeps the account's own password without override, unless the run is
// about others only.
func (b *book) usual(c *login.CellResult) bool { return len(b.cells) == 0 || plain(c) }

func (b *book) accessClients(groups map[accessKey][]*login.CellResult) []accessClient {
	var all []accessClient
	for _, name := range append(b.clients(), probe) {
		c := accessClient{name: name, rows: b.accessRows(name, groups)}
		if len(c.rows) == 0 {
			continue
		}
		if same := slices.IndexFunc(all, func(earlier accessClient) bool { return earlier.equal(c.rows) }); same >= 0 {
			c.sameAs = all[same].name
		}
		all = append(all, c)
	}
	return all
}

func (b *book) accessRows(client string, groups map[accessKey][]*login.CellResult) []accessRow {
	var rows []accessRow
	for _, p := range login.Protocols() {
		for _, s := range []login.Setting{login.Allow, login.Secure, login.Declared} {
			cells := groups[accessKey{client, p, s}]
			if len(cells) == 0 {
				continue
			}
			r := accessRow{protocol: p, setting: s}
			for _, t := range b.transports() {
				r.lines = append(r.lines, b.accessLines(client, p, t, cells))
			}
			rows = append(rows, r)
		}
	}
	return rows
}

// accessLines says how the client gets in on the transport, or why not.
func (b *book) accessLines(client string, p login.Protocol, t login.Transport, cells []*login.CellResult) []string {
	if b.lacks(client, p, "", t) {
		return []string{"client cannot"}
	}
	here := slices.DeleteFunc(slices.Clone(cells), func(c *login.CellResult) bool { return c.Transport != t })
	// What the client chooses by itself says nothing new beside each mechanism.
	chosen := func(c *login.CellResult) bool { return c.Mechanism == login.Auto }
	if !slices.ContainsFunc(here, chosen) || !slices.ContainsFunc(here, func(c *login.CellResult) bool { return !chosen(c) }) {
		chosen = func(*login.CellResult) bool { return false }
	}
	var told []string
	refused := "not measured"
	for _, c := range here {
		if chosen(c) {
			continue
		}
		line, telling := accessLine(c)
		switch {
		case telling && !slices.Contains(told, line):
			told = append(told, line)
		case !telling && refused == "not measured":
			refused = line // the plan's first mechanism speaks for those that say no
		}
	}
	if len(told) == 0 {
		return []string{refused}
	}
	return told
}

// accessLine puts one cell into words. It is telling if somebody got in, if
// a secret was seen, or if the server was wrong: a plain no is not.
func accessLine(c *login.CellResult) (line string, telling bool) {
	mechanism := mechanismName(cmp.Or(c.Used, c.Mechanism))
	seen := ""
	switch c.Exposure {
	case login.ShowsPassword, login.ShowsToken:
		seen = ", " + strings.ToUpper(c.Exposure.String()) + " seen"
	case login.ShowsVerifier:
		seen = ", hash seen"
	}
	switch {
	case !measured(c) && c.Verdict != login.Unjudged:
		return mechanism + " not measured", true
	case c.Verdict == login.Fail && c.Outcome == login.LoggedIn:
		return "WRONG: " + mechanism + seen, true
	case c.Verdict == login.Fail:
		return "WRONG: no " + mechanism + seen, true
	case c.Outcome == login.LoggedIn:
		return mechanism + seen, true
	case seen != "":
		return "no " + mechanism + seen, true
	default:
		return "no: " + refusal(c), false
	}
}

// refusal is a cell that is no login, in an administrator's words.
func refusal(c *login.CellResult) string {
	switch c.Outcome {
	case login.NoTLS:
		return "no TLS there"
	case login.CertRejected:
		return "certificate"
	case login.NotOffered:
		return "not offered"
	case login.RefusedPolicy:
		return "policy forbids"
	case login.RefusedUnavailable:
		return "not available"
	case login.RefusedCredentials:
		if c.Used == login.NTLM && c.Credential == login.WithAccount {
			return "NTLM too weak" // the password was right
		}
		return "secret rejected"
	case login.Dropped:
		return "cut off"
	default:
		return "refused"
	}
}

func (c accessClient) equal(rows []accessRow) bool {
	return slices.EqualFunc(c.rows, rows, func(x, y accessRow) bool {
		return x.protocol == y.protocol && x.setting == y.setting &&
			slices.EqualFunc(x.lines, y.lines, slices.Equal)
	})
}
