package remote

import (
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/harness/remote/reach"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// relayPort is where servers speak to each other (RFC 5321 4.5.4.2). A client
// has no business there, so it is looked at apart.
const relayPort = 25

// group are doors that are one service to a client: a clear one and one inside
// TLS for each protocol.
type group struct {
	doors []int // indices, in order
	relay bool
}

// groups are the server's, those of users first. Doors of another host are
// another group, and so is port 25.
func (c *check) groups() []group {
	type key struct {
		host  string
		relay bool
	}
	at := map[key]int{}
	var all []group
	for i, l := range c.looks {
		if l.Stages[login.StageBanner] != login.StageOK {
			continue
		}
		k := key{strings.ToLower(l.Door.Host), l.Door.Port == relayPort}
		if _, known := at[k]; !known {
			at[k] = len(all)
			all = append(all, group{relay: k.relay})
		}
		all[at[k]].doors = append(all[at[k]].doors, i)
	}
	slices.SortStableFunc(all, func(a, b group) int {
		switch {
		case a.relay == b.relay:
			return 0
		case b.relay:
			return -1
		default:
			return 1
		}
	})
	return all
}

// first is the index of the group's first door that has the transport, -1 if
// none has.
func (c *check) first(g group, p login.Protocol, t login.Transport) int {
	for _, i := range g.doors {
		if d := c.looks[i].Door; d.Protocol == p && slices.Contains(d.Transports(), t) {
			return i
		}
	}
	return -1
}

// protocols are those that the group speaks.
func (c *check) protocols(g group) []login.Protocol {
	return slices.DeleteFunc(login.Protocols(), func(p login.Protocol) bool {
		return !slices.ContainsFunc(g.doors, func(i int) bool { return c.looks[i].Door.Protocol == p })
	})
}

func (c *check) looksOf(g group) []reach.Look {
	var all []reach.Look
	for _, i := range g.doors {
		all = append(all, c.looks[i])
	}
	return all
}

// typed reports whether the user has typed the name of all of the group's hosts.
func (c *check) typed(g group) bool {
	return !slices.ContainsFunc(g.doors, func(i int) bool { return !c.looks[i].Door.Typed })
}
