package remote

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/harness/remote/reach"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

// stands is a group of doors as a target: it stands as it stands.
type stands struct {
	way    wire.Door
	stand  harness.Stand
	issued login.Issued
	share  int
}

func (s stands) Name() string          { return s.stand.Host }
func (s stands) Stands() harness.Stand { return s.stand }

// Under gives each case its share of the connections that may be open at once:
// two cases that wait for each other's would wait for ever.
func (s stands) Under(context.Context, login.Setup) (wire.Door, error) {
	return &share{Door: s.way, most: s.share}, nil
}

// share is a door through which only so many may be at once.
type share struct {
	wire.Door
	most int // 0 is any number
	held atomic.Int64
}

func (s *share) Dial(ctx context.Context, p login.Protocol, t login.Transport) (net.Conn, error) {
	if n := s.held.Add(1); s.most > 0 && n > int64(s.most) {
		s.held.Add(-1)
		return nil, &login.CannotError{What: fmt.Sprintf("be asked on more than %d connections at once within --parallel", s.most)}
	}
	conn, err := s.Door.Dial(ctx, p, t)
	if err != nil {
		s.held.Add(-1)
		return nil, err
	}
	return &held{Conn: conn, letGo: sync.OnceFunc(func() { s.held.Add(-1) })}, nil
}

// held is a connection of a share.
type held struct {
	net.Conn
	letGo func()
}

func (h *held) Close() error {
	defer h.letGo()
	return h.Conn.Close()
}

// Issue gives out what the account holds; nobody here can make what is flawed.
func (s stands) Issue(account string, flaw login.Flaw) (login.Issued, error) {
	if account != s.stand.Account.Name || flaw != login.Flawless {
		return login.Issued{}, nil
	}
	return s.issued, nil
}

// target is the group with what is known of it.
func (c *check) target(g group) (stands, error) {
	looks := c.looksOf(g)
	stand := harness.Stand{Host: looks[0].Door.Host, Policy: c.Policy, AnyCertificate: true, Known: map[login.Protocol]*script.Survey{}}
	for _, p := range c.protocols(g) {
		stand.Known[p] = c.survey(g, p)
	}
	target := stands{way: c.caller.Way(looks), stand: stand}
	if c.Lab && c.Account.Secrets != nil && c.typed(g) {
		password, issued, err := c.Account.Secrets()
		if err != nil {
			return stands{}, err
		}
		target.stand.Account, target.stand.Other, target.stand.Domain = login.Account{Name: c.Account.Name, Password: password}, c.Other, c.Domain
		target.stand.Clear, target.issued = true, issued
	}
	return target, nil
}

// survey is what the group's doors of a protocol offer.
func (c *check) survey(g group, p login.Protocol) *script.Survey {
	found := &script.Survey{Links: map[login.Transport]script.Offer{}}
	for _, t := range login.Transports() {
		i := c.first(g, p, t)
		if i < 0 {
			found.Links[t] = script.Offer{Why: "there is no such port"}
			continue
		}
		link := c.looks[i].Links[t]
		offer := script.Offer{Open: link.Open, Greeting: c.looks[i].Greeting, Capabilities: link.Capabilities, Mechanisms: link.Mechanisms}
		if !link.Open {
			offer.Why = cmp.Or(firstTrouble(c.looks[i]), "it does not come about")
		}
		found.Links[t] = offer
	}
	return found
}

// firstTrouble explains the first stage that did not lead on.
func firstTrouble(l reach.Look) string {
	for _, s := range login.Stages() {
		if word := l.Stages[s]; word != "" && word != login.StageOK && s != login.StageCertificate && s != login.StageAuth {
			return cmp.Or(l.Explained[s], string(s)+": "+word)
		}
	}
	return ""
}

// door is the group's first of a protocol.
func (c *check) door(g group, p login.Protocol) int {
	for _, i := range g.doors {
		if c.looks[i].Door.Protocol == p {
			return i
		}
	}
	return 0
}
