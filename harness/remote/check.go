package remote

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/mailmatrix/mailmatrix/harness/remote/budget"
	"github.com/mailmatrix/mailmatrix/harness/remote/discover"
	"github.com/mailmatrix/mailmatrix/harness/remote/judge"
	"github.com/mailmatrix/mailmatrix/harness/remote/ledger"
	"github.com/mailmatrix/mailmatrix/harness/remote/reach"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

func (o Options) withDefaults() Options {
	o.Deadline = cmp.Or(o.Deadline, usualDeadline(o.Lab))
	o.Connect = cmp.Or(o.Connect, 5*time.Second)
	o.Limit = cmp.Or(o.Limit, 10*time.Second)
	o.Patience = cmp.Or(o.Patience, time.Second)
	o.Seed = cmp.Or(o.Seed, 1)
	o.Limits = o.Limits.WithDefaults()
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Lab {
		o.Probe, o.Cleartext = true, true
		o.Login = o.Login || o.Account.Name != ""
		o.Limits.None, o.Trust.Any = true, true
	}
	return o
}

// usualDeadline is what somebody waits for; in a laboratory, where wrong
// passwords are answered slowly, for longer.
func usualDeadline(lab bool) time.Duration {
	if lab {
		return 15 * time.Minute
	}
	return 2 * time.Minute
}

// check is one check under way.
type check struct {
	Options
	asked  discover.Asked
	budget *budget.Budget
	caller *reach.Caller
	found  discover.Found
	looks  []reach.Look
	// others are the looks in the other family of addresses.
	others []reach.Look
	// unlike are the doors whose other address family says something else.
	unlike map[int]string
	// doors are what the looks have shown; the ledger's have rows besides.
	doors  []login.DoorResult
	ledger ledger.Ledger
	report login.Report
	lines  login.Lines
}

// Check checks the server. The error is of the request, of our own, or that
// nothing was found to be checked; what is wrong with the server is in the
// report. When ctx ends, or the deadline has come, what is known is kept, and
// the report says that it is not complete.
func Check(ctx context.Context, asked discover.Asked, o Options) (login.Report, error) {
	o = o.withDefaults()
	switch {
	case o.Login && o.Account.Secrets == nil:
		return login.Report{}, errors.New("a login was asked for, and no account was named")
	case o.Lab && o.Route.Proxy != nil:
		return login.Report{}, errors.New("a laboratory has to be on a private address, and nobody knows which one a proxy reaches")
	}
	c := &check{Options: o, asked: asked, unlike: map[int]string{}}
	if c.budget = o.Budget; c.budget == nil {
		c.budget = budget.New(o.Limits, o.Now)
	}
	c.caller = &reach.Caller{Route: o.Route, Trust: o.Trust, Budget: c.budget, Connect: o.Connect, Limit: o.Limit, Now: o.Now}
	started := o.Now()
	ctx, cancel := context.WithTimeout(ctx, o.Deadline)
	defer cancel()
	err := c.run(ctx)
	if err != nil && ctx.Err() == nil {
		return login.Report{}, err
	}
	c.finish(started, err == nil && ctx.Err() == nil)
	return c.report, nil
}

// run goes through the phases, each of which rests on the one before.
func (c *check) run(ctx context.Context) error {
	var err error
	if c.found, err = discover.Find(ctx, c.asked, discover.Options{Route: c.Route, Autoconfig: c.Autoconfig}); err != nil {
		return err
	}
	if len(c.found.Doors) == 0 {
		return errors.New("no mail server was found there")
	}
	if c.Lab {
		if err := c.onlyPrivate(ctx); err != nil {
			return err
		}
	}
	for _, phase := range c.phases() {
		if err := phase(ctx); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// phases are in an order in which the server has no reason yet to turn us away:
// what costs it nothing comes before what it may count. A laboratory has wrong
// passwords among its cases, and some servers remember those.
func (c *check) phases() []func(context.Context) error {
	switch {
	case c.LooksOnly:
		return []func(context.Context) error{c.look, c.ask}
	case c.Lab:
		return []func(context.Context) error{c.look, c.ask, c.cases, c.judge, c.clients}
	default:
		return []func(context.Context) error{c.look, c.cases, c.ask, c.judge, c.clients}
	}
}

// look looks at every door at once, in both families of addresses.
func (c *check) look(ctx context.Context) error {
	doors := c.found.Doors
	c.looks = make([]reach.Look, len(doors))
	c.others = make([]reach.Look, len(doors))
	var looking sync.WaitGroup
	for i, d := range doors {
		looking.Go(func() { c.looks[i] = c.await(ctx, d, "ip4") })
		looking.Go(func() { c.others[i] = c.caller.Look(ctx, d, "ip6") })
	}
	seen := make([]bool, len(c.found.Elsewhere))
	for i, e := range c.found.Elsewhere {
		looking.Go(func() { seen[i] = c.caller.Knock(ctx, e.Host, e.Port) })
	}
	looking.Wait()
	for i := range doors {
		if six := c.others[i]; leads(six, c.looks[i]) {
			c.looks[i], c.others[i] = six, c.looks[i]
		}
		if difference := unlike(c.looks[i], c.others[i]); difference != "" {
			c.unlike[i] = difference
		}
	}
	c.noteElsewhere(seen)
	c.doors = make([]login.DoorResult, len(c.looks))
	for i, l := range c.looks {
		c.doors[i] = describe(l)
	}
	return ctx.Err()
}

// await looks until a door that was named greets, if there is time for it.
func (c *check) await(ctx context.Context, d reach.Door, family string) reach.Look {
	give := c.Now().Add(c.Wait)
	for again := 250 * time.Millisecond; ; again = min(2*again, 2*time.Second) {
		seen := c.caller.Look(ctx, d, family)
		if seen.Stages[login.StageBanner] == login.StageOK || d.Found != login.FoundNamed || !c.Now().Before(give) || ctx.Err() != nil {
			return seen
		}
		pause := time.NewTimer(again)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
		}
	}
}

// leads: it led to a greeting, and the other did not.
func leads(l, other reach.Look) bool { return greeted(l) && !greeted(other) }

func greeted(l reach.Look) bool { return l.Stages[login.StageBanner] == login.StageOK }

// unlike says in what the other family of addresses differs from the one that is
// asked; one that the name or the network does not have is no difference.
func unlike(one, other reach.Look) string {
	at := other.Address.Addr()
	if other.Stages[login.StageConnect] != login.StageOK || !greeted(one) {
		return ""
	}
	if !greeted(other) {
		return fmt.Sprintf("at %s nobody greets", at)
	}
	for _, t := range one.Door.Transports() {
		if !slices.Equal(one.Links[t].Mechanisms, other.Links[t].Mechanisms) {
			return fmt.Sprintf("at %s it offers other ways to log in (%s)", at, t)
		}
	}
	if a, b := one.Stages[login.StageCertificate], other.Stages[login.StageCertificate]; a != b {
		return fmt.Sprintf("at %s the certificate is %s, at %s %s", at, b, one.Address.Addr(), a)
	}
	return ""
}

// ask fills the ledger.
func (c *check) ask(ctx context.Context) error {
	var err error
	c.ledger, err = ledger.Fill(ctx, ledger.Config{
		Caller: c.caller, Looks: c.looks, Budget: c.budget, Rand: c.Rand, Probe: c.Probe, Login: c.Login,
		Account: c.Account, Cleartext: c.Cleartext, Everything: c.Lab,
		Told: func(door int, t login.Transport, row login.MechanismResult) { c.tell(Fact{Row: &Row{door, t, row}}) },
	})
	for i := range c.ledger.Doors {
		d := &c.doors[i]
		d.Transports, d.Policy = c.ledger.Doors[i].Transports, c.ledger.Doors[i].Policy
		c.tell(Fact{Door: d})
	}
	return err
}

// judge says what to think of the ledger.
func (c *check) judge(context.Context) error {
	judged := judge.All(judge.Evidence{
		Doors: c.doors, Policy: c.Policy, Blind: c.blind(), Unlike: c.unlike,
		Strangers: c.strangers(), Login: c.Login, Passwords: c.budget.Effort().Passwords,
		Lines: func(door int, t login.Transport, m login.Mechanism) []string {
			return c.ledger.Lines[ledger.Key(door, t, m)]
		},
	})
	for _, j := range judged {
		if j.Verdict != login.Pass || j.Reason != "" {
			j.Transcript = c.lines.Keep(j.Lines)
		}
		c.report.Scenarios = append(c.report.Scenarios, j.ScenarioResult)
		c.tell(Fact{Scenario: &c.report.Scenarios[len(c.report.Scenarios)-1]})
	}
	return nil
}

// strangers are the doors that were found by MX alone, at hosts that the user has
// not named.
func (c *check) strangers() map[int]bool {
	all := map[int]bool{}
	for i, l := range c.looks {
		all[i] = l.Door.Found == login.FoundMX && !l.Door.Typed
	}
	return all
}

func (c *check) tell(f Fact) {
	if c.Told != nil {
		c.Told(f)
	}
}
