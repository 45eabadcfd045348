package reports

import (
	"cmp"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// guest is a client at the server that was looked at, as it is foretold.
type guest struct {
	name, id string // id is what flags such as --keep take
	fate     fate
	// how is, for each protocol that asks for something, what it asks for.
	how       map[login.Protocol]string
	protocols int
	// shows is what a listener gets where the user has switched encryption off,
	// leaks whether the same follows from "TLS if available".
	shows login.ExposureClass
	leaks bool
	// known is by what: the best of what the client is known by, and of a client
	// that is not described the weakest of what its cells rest on.
	known login.Confidence
}

// fate is how a client fares, the best first. It comes set to the usual port, and
// to STARTTLS where it has that: the first two are what `policy explain` calls
// working, and the others are as they are there.
type fate uint8

const (
	faresWell    fate = iota // as it comes, inside TLS
	faresInClear             // as it comes, but not inside TLS
	wantsSetting             // once its user has set it
	staysOut
)

// visits reports whether the cell is that of a client which uses the server as
// it is, be it foretold or live.
func visits(c *login.CellResult) bool {
	return c.Mechanism == login.Auto && c.Profile != probe && (c.Setting == login.Unknown || c.Setting == login.Declared)
}

// guests are the clients that were foretold or tried; of protocols without a
// door nobody has foretold anything that is worth a word.
func guests(r *login.Report) []guest {
	b := open(r)
	type key struct {
		profile  string
		protocol login.Protocol
	}
	cells := map[key][]*login.CellResult{}
	var names []string
	for i := range r.Cells {
		c := &r.Cells[i]
		if !visits(c) || c.Verdict == login.Skip || !speaks(r, c.Protocol) {
			continue
		}
		if !slices.Contains(names, c.Profile) {
			names = append(names, c.Profile)
		}
		k := key{c.Profile, c.Protocol}
		cells[k] = append(cells[k], c)
	}
	var all []guest
	for _, name := range names {
		g := guest{name: clientTitle(r, name), id: ascii(name), known: login.Observed, how: map[login.Protocol]string{}}
		for _, p := range login.Protocols() {
			here := cells[key{name, p}]
			if len(here) == 0 {
				continue
			}
			links := encrypted(r, p)
			fate, how := faring(here, links)
			if how != "" {
				g.how[p] = how
			}
			g.protocols++
			g.fate = max(g.fate, fate)
			g.leaks = g.leaks || len(links) > 0 && b.leaks(name, p) // without TLS there is nothing to take away
			for _, c := range here {
				g.known = login.Weakest(g.known, c.Confidence)
				if c.Transport == login.Plain && c.Variant == "" {
					g.shows = max(g.shows, c.Exposure)
				}
			}
		}
		g.known = cmp.Or(described(r, name).KnownBy(), g.known)
		all = append(all, g)
	}
	return all
}

// faring is how a client fares in a protocol, given its cells and the encrypted
// links that the server has; and what it asks for, or why it stays out.
func faring(cells []*login.CellResult, links []link) (fate, string) {
	in := func(variant string, t login.Transport) bool {
		return slices.ContainsFunc(cells, func(c *login.CellResult) bool {
			return c.Variant == variant && c.Transport == t && c.Outcome == login.LoggedIn
		})
	}
	through := func(variant string) []link {
		return slices.DeleteFunc(slices.Clone(links), func(l link) bool { return !in(variant, l.transport) })
	}
	has := func(t login.Transport) bool {
		return slices.ContainsFunc(cells, func(c *login.CellResult) bool { return c.Variant == "" && c.Transport == t })
	}
	works := through("")
	usual := has(login.Plain) || has(login.StartTLS) // it knows the usual port
	switch {
	case slices.ContainsFunc(works, func(l link) bool { return l.transport == login.StartTLS || !usual }):
		return faresWell, ""
	case in("", login.Plain) && len(works) > 0:
		return faresInClear, "for TLS: " + works[0].String()
	case in("", login.Plain):
		return faresInClear, whyNot(cells, links)
	case len(works) > 0:
		return wantsSetting, works[0].String()
	}
	for _, c := range cells {
		if works := through(c.Variant); len(works) > 0 {
			return wantsSetting, "set to " + c.Variant
		}
	}
	return staysOut, whyNot(cells, links)
}

// whyNot is why a client has no way in inside TLS.
func whyNot(cells []*login.CellResult, links []link) string {
	for _, l := range links {
		for _, c := range cells {
			if c.Transport == l.transport && c.Variant == "" {
				return keptOut(c)
			}
		}
	}
	return noTLS
}

const (
	noTLS       = "no TLS in common"
	distrusts   = "does not take the certificate"
	nothingInIt = "nothing offered that it knows"
)

// keptOut is why a client stays out although the server has TLS.
func keptOut(c *login.CellResult) string {
	switch c.Outcome {
	case login.NoTLS:
		return noTLS
	case login.CertRejected:
		return distrusts
	case login.NotOffered:
		return nothingInIt
	default:
		return refusal(c)
	}
}

// link is an encrypted way in.
type link struct {
	transport login.Transport
	port      string
}

// String is what a user has to choose.
func (l link) String() string {
	if l.transport == login.TLS {
		return "SSL/TLS, " + l.port
	}
	return "STARTTLS, " + l.port
}

// encrypted are the encrypted ways in of a protocol.
func encrypted(r *login.Report, p login.Protocol) []link {
	var all []link
	for _, t := range []login.Transport{login.StartTLS, login.TLS} {
		for _, target := range r.Targets {
			for _, d := range target.Doors {
				_, has := d.Transport(t)
				if !has || d.Protocol != p || slices.ContainsFunc(all, func(l link) bool { return l.transport == t }) {
					continue
				}
				if t == login.StartTLS && d.Port() == "25" && slices.ContainsFunc(target.Doors, func(other login.DoorResult) bool {
					_, has := other.Transport(t)
					return has && other.Protocol == p && other.Port() != "25"
				}) {
					continue // where servers hand in, not people
				}
				all = append(all, link{t, d.Port()})
			}
		}
	}
	return all
}

// speaks reports whether some door speaks p.
func speaks(r *login.Report, p login.Protocol) bool {
	return slices.ContainsFunc(r.Targets, func(t login.TargetResult) bool {
		return slices.ContainsFunc(t.Doors, func(d login.DoorResult) bool { return d.Protocol == p && d.Speaks() })
	})
}

func clientTitle(r *login.Report, profile string) string {
	return ascii(cmp.Or(described(r, profile).Title, profile))
}

// described is what the report says of a client; nothing, if it does not.
func described(r *login.Report, profile string) login.ClientDescription {
	i := slices.IndexFunc(r.Clients, func(c login.ClientDescription) bool { return c.Profile == profile })
	if i < 0 {
		return login.ClientDescription{}
	}
	return r.Clients[i]
}

// titled is a client's title with what flags call it.
func titled(r *login.Report, client string) string {
	profile, _ := login.SplitProfile(client)
	id := ascii(client)
	if title := clientTitle(r, profile); title != ascii(profile) {
		return title + " (" + id + ")"
	}
	return id
}

// reasons are what it asks for, each once, with the protocols where it is not
// the same in all.
func (g guest) reasons() []string {
	var order []string
	protocols := map[string][]string{}
	for _, p := range login.Protocols() {
		how, asks := g.how[p]
		if !asks {
			continue
		}
		if protocols[how] == nil {
			order = append(order, how)
		}
		protocols[how] = append(protocols[how], protocolName(p))
	}
	for i, how := range order {
		if len(protocols[how]) < g.protocols {
			order[i] = list(protocols[how]) + ": " + how
		}
	}
	return order
}

// called is the client, with what it asks for, by its ID alone or by its title as
// well.
func (g guest) called(title, why bool) string {
	var beside []string
	name := g.id
	if title && g.name != g.id {
		name = g.name
		beside = append(beside, g.id)
	}
	if why {
		beside = append(beside, g.reasons()...)
	}
	if len(beside) == 0 {
		return name
	}
	return name + " (" + strings.Join(beside, "; ") + ")"
}
