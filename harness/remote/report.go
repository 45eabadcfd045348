package remote

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/mailmatrix/mailmatrix/harness/remote/advice"
	"github.com/mailmatrix/mailmatrix/harness/remote/reach"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// describe is a door by what was seen on the way in.
func describe(l reach.Look) login.DoorResult {
	d := login.DoorResult{
		Protocol: l.Door.Protocol, Host: l.Door.Host, Found: l.Door.Found, Implicit: l.Door.Implicit, Address: l.Door.Address(),
		Stages: l.Stages, Explained: l.Explained, Greeting: l.Greeting, Certificate: l.Certificate,
	}
	if l.Address.IsValid() {
		d.Address = l.Address.String()
	}
	for _, t := range login.Transports() {
		if link := l.Links[t]; link.Open && d.Software == "" {
			d.Software = advice.Software(d.Protocol, l.Greeting, link.Capabilities)
		}
	}
	return d
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
	for _, name := range slices.Sorted(maps.Keys(ports)) {
		c.leave(fmt.Sprintf("%s (%s open)", name, strings.Join(ports[name], ", ")), login.WhyNotApplicable, "")
	}
}

// finish puts the report together.
func (c *check) finish(started time.Time, complete bool) {
	r := &c.report
	r.Schema, r.Tool, r.Seed, r.Vantage, r.Complete = login.Schema, c.Tool, c.Seed, c.vantage(), complete
	r.Started, r.ElapsedMS = started.UTC().Truncate(time.Second), float64(c.Now().Sub(started).Microseconds())/1000
	r.Selection = map[string][]string{}
	effort := c.budget.Effort()
	r.Targets = []login.TargetResult{{Name: c.name(), Kind: login.RemoteTarget, Doors: c.doors, Addresses: c.addresses(), Effort: &effort}}
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
