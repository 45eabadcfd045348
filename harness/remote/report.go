package remote

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mailmatrix/mailmatrix/harness/remote/advice"
	"github.com/mailmatrix/mailmatrix/harness/remote/reach"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// describe completes a door of the ledger by what was seen on the way in.
func describe(d *login.DoorResult, l reach.Look) {
	d.Protocol, d.Host, d.Found, d.Implicit = l.Door.Protocol, l.Door.Host, l.Door.Found, l.Door.Implicit
	d.Address = l.Door.Address()
	if l.Address.IsValid() {
		d.Address = l.Address.String()
	}
	d.Stages, d.Explained, d.Greeting, d.Certificate = l.Stages, l.Explained, l.Greeting, l.Certificate
	for _, t := range login.Transports() {
		if link := l.Links[t]; link.Open && d.Software == "" {
			d.Software = advice.Software(d.Protocol, l.Greeting, link.Capabilities)
		}
	}
}

// leave notes what is not tested.
func (c *check) leave(what string, why login.Why, flag string) {
	c.report.NotTested = append(c.report.NotTested, login.NotTested{What: what, Why: why, Flag: flag})
}

// noteElsewhere names the open ports of protocols that nobody judges here.
func (c *check) noteElsewhere(seen []bool) {
	ports := map[string][]string{}
	for i, e := range c.found.Elsewhere {
		name := strings.ToUpper(strings.TrimSuffix(e.Protocol, "s"))
		if port := fmt.Sprint(e.Port); seen[i] && !slices.Contains(ports[name], port) {
			ports[name] = append(ports[name], port)
		}
	}
	for _, name := range slices.Sorted(keys(ports)) {
		c.leave(fmt.Sprintf("%s (%s open)", name, strings.Join(ports[name], ", ")), login.WhyNotApplicable, "")
	}
}

func keys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// finish puts the report together.
func (c *check) finish(started time.Time, complete bool) {
	r := &c.report
	r.Schema, r.Tool, r.Seed, r.Vantage, r.Complete = login.Schema, c.Tool, c.Seed, c.vantage(), complete
	r.Started, r.ElapsedMS = started.UTC().Truncate(time.Second), float64(c.Now().Sub(started).Microseconds())/1000
	r.Selection = map[string][]string{}
	if c.ledger.Doors == nil { // it was cut off before anything was asked
		c.ledger.Doors = make([]login.DoorResult, len(c.looks))
		for i, l := range c.looks {
			describe(&c.ledger.Doors[i], l)
		}
	}
	effort := c.budget.Effort()
	r.Targets = []login.TargetResult{{Name: c.name(), Kind: "remote", Doors: c.ledger.Doors, Addresses: c.addresses(), Effort: &effort}}
	r.NotTested = append(c.ledger.NotTested, r.NotTested...)
	for _, note := range c.found.Notes {
		r.Scenarios = append(r.Scenarios, login.ScenarioResult{ID: "scenario/door/discovery/" + fmt.Sprint(len(r.Scenarios)), Kind: login.KindDoor,
			Outcome: "noted", Verdict: login.Pass, Reason: note})
	}
	c.lines.Fill(r)
	r.Count()
}

// name is the server as it was asked for.
func (c *check) name() string {
	if len(c.asked.Names) > 0 {
		return c.asked.Names[0]
	}
	return cmp.Or(c.asked.Doors[0].Host, "server")
}
