package reports

import (
	"cmp"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// cause is a finding as whoever runs the server reads it. What is found in the
// same words at several places is one.
type cause struct {
	item
	ids   []string
	ports []string // the others where it is the same
}

// causes are what did not pass, what does most harm first.
func causes(r *login.Report) []cause {
	var all []cause
	for _, it := range problems(r) {
		all = append(all, cause{item: it, ids: []string{it.id}})
	}
	all = besideDoors(all)
	slices.SortStableFunc(all, func(a, b cause) int {
		return cmp.Or(cmp.Compare(max(a.urgency(), 1), max(b.urgency(), 1)), cmp.Compare(a.harm(), b.harm()))
	})
	var told []cause
	for _, c := range all {
		i := slices.IndexFunc(told, func(before cause) bool { return before.tells(c) })
		if i < 0 {
			told = append(told, c)
			continue
		}
		first := &told[i]
		first.ids = append(first.ids, c.ids...)
		if port := c.number(); first.elsewhere(c) && !slices.Contains(first.ports, port) {
			first.ports = append(first.ports, port)
		}
	}
	return told
}

// told are what did not pass, counted as the screen does: of a server in service
// by causes, as one certificate may fail at every door, and else by results.
func told(r *login.Report) []cause {
	if len(r.Targets) < 2 {
		return toldOfOne(r)
	}
	var all []cause
	for i, name := range targetNames(r) {
		one := onlyOf(r, i)
		for _, c := range toldOfOne(&one) {
			c.server = name
			all = append(all, c)
		}
	}
	slices.SortStableFunc(all, func(a, b cause) int { return cmp.Compare(a.urgency(), b.urgency()) })
	return all
}

func toldOfOne(r *login.Report) []cause {
	if deployed(r) {
		return causes(r)
	}
	var all []cause
	for _, it := range problems(r) {
		all = append(all, cause{item: it, ids: []string{it.id}})
	}
	return all
}

// harm orders what is equally severe: whoever is let in or overheard comes first,
// then what the doors do, what a standard demands, what clients of ours saw, and
// last what is wrong with nothing but a list.
func (it item) harm() int {
	switch {
	case it.hole || it.exposure >= login.ShowsToken:
		return 0
	case slices.Contains(ofLists, it.topic()):
		return 4
	case it.kind == "cells":
		return 3
	case it.kind == "cases":
		return 2
	default:
		return 1
	}
}

// ofLists are the topics of findings about what is listed, and not about what is
// taken.
var ofLists = []string{"list", "binding"}

// twins are the cases that a finding about a door puts in better words, by its
// topic.
var twins = map[string][]string{"starttls": {"smtp/tls/001", "pop3/tls/001"}}

// besideDoors takes such a case together with the finding about the door it is
// broken at, where there is one. The worse verdict of the two stays.
func besideDoors(all []cause) []cause {
	return slices.DeleteFunc(all, func(c cause) bool {
		id, _, _ := strings.Cut(c.id, "@")
		i := slices.IndexFunc(all, func(o cause) bool { return o.door == c.door && slices.Contains(twins[o.topic()], id) })
		if i < 0 {
			return false
		}
		all[i].ids = append(all[i].ids, c.id)
		if c.urgency() < all[i].urgency() {
			all[i].verdict = c.verdict
		}
		return true
	})
}

// tells reports whether the finding has said what the other is about already: in
// the same words, at another door, or because it is told of the door by which the
// case is broken.
func (c cause) tells(other cause) bool {
	id, _, _ := strings.Cut(other.id, "@")
	return c.verdict == other.verdict && (c.item.text() == other.item.text() || slices.Contains(c.refs, id) || c.elsewhere(other))
}

// elsewhere reports whether the two differ in nothing but the port.
func (c cause) elsewhere(other cause) bool {
	said := func(it item) string { return strings.ReplaceAll(it.reason, "port "+it.number(), "port *") }
	return c.topic() != "" && c.topic() == other.topic() && c.port != other.port && said(c.item) == said(other.item)
}

// number is the port of the door without its protocol.
func (it item) number() string { return it.port[strings.IndexByte(it.port, ':')+1:] }

// cellTitle is what a cell is about, in words.
func cellTitle(r *login.Report, c *login.CellResult) string {
	who := titled(r, c.ClientName())
	if c.Mechanism != login.Auto {
		with := who
		who = string(c.Mechanism) + " set to " + c.Setting.String()
		if c.Profile != probe {
			who += " with " + with
		}
	}
	return who + " over " + protocolName(c.Protocol) + ", " + transportNames[c.Transport]
}

// text is what was found: of a case, what was seen and what it demands instead.
func (it item) text() string {
	switch {
	case it.kind == "cases" && it.reason == "":
		return ascii("not as it should be: " + it.title)
	case it.title == "":
		return ascii(cmp.Or(it.reason, it.id))
	case it.kind == "cases" && it.level == login.Must:
		return ascii(it.reason + " (required: " + it.title + ")")
	case it.kind == "cases":
		return ascii(it.reason + " (advised: " + it.title + ")")
	case it.reason == "":
		return ascii(it.title)
	default:
		return ascii(it.title + ": " + it.plainReason())
	}
}

// plainReason is why a cell is as it is. Whichever sort of refusal would have
// done, one was expected.
func (it item) plainReason() string {
	sorts := strings.ReplaceAll(joined(it.expected), ";", " or")
	if len(it.expected) < 2 || slices.ContainsFunc(it.expected, func(o login.Outcome) bool { return !slices.Contains(refusals, o) }) {
		return it.reason
	}
	return strings.Replace(it.reason, "expected "+sorts, "expected a refusal", 1)
}

// refusals are the sorts of them.
var refusals = []login.Outcome{login.Refused, login.RefusedPolicy, login.RefusedUnavailable, login.RefusedCredentials}

// text is the finding with the other ports where it is the same.
func (c cause) text() string {
	if len(c.ports) == 0 {
		return c.item.text()
	}
	noun := "port"
	if len(c.ports) > 1 {
		noun = "ports"
	}
	return c.item.text() + "; the same on " + noun + " " + list(c.ports)
}

// sources are where it is written that it should be otherwise. What has no
// sources, and every case, is known by its ID as well; a cell says in words which
// it is.
func (c cause) sources(verbose bool) string {
	all := c.refs
	switch {
	case verbose, len(all) == 0 && c.kind != "cells":
		all = slices.Concat(c.ids, all)
	case c.kind == "cases":
		var ids []string
		for _, id := range c.ids {
			if id, _, _ = strings.Cut(id, "@"); !slices.Contains(ids, id) { // at whatever doors
				ids = append(ids, id)
			}
		}
		all = slices.Concat(ids, all)
	}
	return ascii(strings.Join(all, ", "))
}
