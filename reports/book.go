package reports

import (
	"slices"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// book is a report opened at the right pages: its plain cells (no override
// password, the account's own credentials) by what was crossed.
type book struct {
	report  *login.Report
	cells   map[place]*login.CellResult
	missing map[login.Lack]bool
	// homes names, for each mechanism, a database that has it.
	homes map[home]login.Database
}

// place is where a plain cell stands.
type place struct {
	flavour   login.Flavour
	protocol  login.Protocol
	transport login.Transport
	mechanism login.Mechanism
	setting   login.Setting
	client    string
	database  login.Database
}

type home struct {
	flavour   login.Flavour
	protocol  login.Protocol
	mechanism login.Mechanism
}

func open(r *login.Report) *book {
	b := &book{
		report:  r,
		cells:   make(map[place]*login.CellResult, len(r.Cells)),
		missing: make(map[login.Lack]bool, len(r.Lacks)),
		homes:   map[home]login.Database{},
	}
	for _, l := range r.Lacks {
		b.missing[l] = true
	}
	for i := range r.Cells {
		c := &r.Cells[i]
		if !plain(c) {
			continue
		}
		b.cells[placeOf(c)] = c
		h := home{c.Flavour, c.Protocol, c.Mechanism}
		// Where a login should have worked and did not, the database is still the
		// one to show: the entry then says that it failed.
		works := c.Outcome == login.LoggedIn && c.Verdict == login.Pass || login.LoggedIn.In(c.Expected)
		if known, found := b.homes[h]; works && (!found || before(c.Database, known)) {
			b.homes[h] = c.Database
		}
	}
	return b
}

// before is the order of reports.
func before(a, b login.Database) bool {
	all := login.Databases()
	return slices.Index(all, a) < slices.Index(all, b)
}

// plain reports whether the cell was measured and is about the usual case.
func plain(c *login.CellResult) bool {
	return c.Basis != login.Predicted && c.Override == login.NoOverride && c.Credential == login.WithAccount
}

func placeOf(c *login.CellResult) place {
	return place{c.Flavour, c.Protocol, c.Transport, c.Mechanism, c.Setting, c.ClientName(), c.Database}
}

// measured reports whether the cell says something about the server.
func measured(c *login.CellResult) bool {
	switch c.Verdict {
	case login.Pass, login.Warn, login.Fail:
		return c.Outcome != login.Error
	default:
		return false
	}
}

// lacks reports whether the client has not the mechanism or the transport.
func (b *book) lacks(client string, p login.Protocol, m login.Mechanism, t login.Transport) bool {
	return b.missing[login.Lack{Profile: client, Protocol: p, Mechanism: m}] ||
		b.missing[login.Lack{Profile: client, Protocol: p, Transport: t}]
}

// any reports whether some cell, plain or not, is such a one.
func (b *book) any(such func(*login.CellResult) bool) bool {
	for i := range b.report.Cells {
		if such(&b.report.Cells[i]) {
			return true
		}
	}
	return false
}

// clients are the profiles of the report, but for the probe, in its order.
func (b *book) clients() []string {
	var names []string
	seen := map[string]bool{probe: true}
	for i := range b.report.Cells {
		if name := b.report.Cells[i].ClientName(); !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return names
}

// probe is the profile that is nobody's mail program.
const probe = "probe"

// has reports whether the client was seen to have the mechanism at all.
func (b *book) has(client string, p login.Protocol, m login.Mechanism) bool {
	return b.any(func(c *login.CellResult) bool {
		return c.Protocol == p && c.Mechanism == m && c.ClientName() == client
	})
}

// narrowed reports whether something was left out by choice.
func (b *book) narrowed() bool { return b.report.Narrowed() }

// declared reports whether the run was about one policy given as a whole.
func (b *book) declared() bool {
	return b.any(func(c *login.CellResult) bool { return c.Setting == login.Declared })
}

// reference reports whether the report is about a server of ours alone.
func (b *book) reference() bool {
	for _, t := range b.report.Targets {
		if t.Kind != login.ReferenceTarget {
			return false
		}
	}
	return len(b.report.Targets) > 0
}
