package remote

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/harness/remote/advice"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

// cases decides the requirements that cost the server nothing that it counts;
// in a laboratory, all of them.
func (c *check) cases(ctx context.Context) error {
	if why := c.budget.Stopped(); why != "" {
		c.leave("the requirements on a session", login.WhyBudget, "")
		return nil
	}
	for _, g := range c.groups() {
		if err := c.casesOf(ctx, g); err != nil {
			return err
		}
	}
	if !c.TLS && !c.Lab {
		c.leave("TLS in depth: ciphers, groups, tickets, ALPN", login.WhyOperator, "--tls")
	}
	return ctx.Err()
}

func (c *check) casesOf(ctx context.Context, g group) error {
	plan, err := harness.NewPlan(harness.Grid{Cases: c.selection(), Protocols: c.protocols(g)})
	if err != nil {
		return err
	}
	c.report.Catalogue = plan.Catalogue
	clear := map[string]bool{} // the cases that are about a clear link
	var jobs []harness.Job     // controls are of a server that can be put into states
	for _, j := range plan.Jobs {
		if j.Case != nil && c.wants(j.Case.ID) {
			clear[j.Case.ID] = j.Case.Needs.Link == script.Clear
			jobs = append(jobs, j)
		}
	}
	target, err := c.target(g)
	if err != nil {
		return err
	}
	blind := c.blind()
	for _, got := range c.decide(ctx, target, jobs) {
		for _, result := range got.Cases {
			result.Door = c.door(g, login.Protocols()[result.Door])
			if !c.Lab {
				result = temper(result, g.relay)
			}
			if blind != "" && clear[result.ID] && result.Verdict != login.Skip {
				result.Rule(login.Ruling{Verdict: login.Skip, Why: login.WhyVantage, Reason: blind})
			}
			if result.Verdict == login.Fail || result.Verdict == login.Warn {
				result.Advice = advice.ForCase(result.ID, advice.On{Door: c.ledger.Doors[result.Door]})
			}
			result.Transcript = c.lines.Keep(got.Transcript(result.Transcript))
			c.report.Cases = append(c.report.Cases, result)
			c.tell(Fact{Case: &c.report.Cases[len(c.report.Cases)-1]})
		}
	}
	return ctx.Err()
}

// decide runs the cases. In a laboratory many wait for answers to wrong
// passwords: those that know of nobody beside them run side by side, and beside
// them, one after the other, those that share a mailbox.
func (c *check) decide(ctx context.Context, target stands, jobs []harness.Job) []login.Report {
	run := func(jobs []harness.Job, parallel int) login.Report {
		return harness.Run(ctx, harness.Plan{Jobs: jobs}, harness.Config{Target: target, Seed: c.Seed, Rand: c.Rand, Now: c.Now,
			Limit: c.Limit, Patience: c.Patience, Parallel: parallel})
	}
	if !c.Lab {
		target.share = min(heldAtOnce, c.Limits.Connections)
		return []login.Report{run(jobs, max(1, c.Limits.Connections/heldAtOnce))}
	}
	var beside, alone []harness.Job
	for _, j := range jobs {
		if slices.ContainsFunc([]string{"sasl/", "both/", "tls/"}, func(area string) bool { return strings.HasPrefix(j.Case.ID, area) }) {
			beside = append(beside, j)
		} else {
			alone = append(alone, j)
		}
	}
	reports := make([]login.Report, 2)
	var running sync.WaitGroup
	running.Go(func() { reports[0] = run(alone, 1) })
	running.Go(func() { reports[1] = run(beside, 12) })
	running.Wait()
	return reports
}

// heldAtOnce is how many connections a case needs at once, at most.
const heldAtOnce = 2

// selection is which cases are decided.
func (o Options) selection() []string {
	switch {
	case !o.Lab:
		return []string{"cost=0"}
	case len(o.Only) > 0:
		return o.Only
	default:
		return []string{"*"}
	}
}

// deep are the cases about TLS that are many handshakes each.
var deep = []string{"tls/cipher/", "tls/ticket/", "tls/alpn/", "tls/reneg/", "tls/version/003"}

// wants reports whether a case is decided that costs nothing but connections.
func (o Options) wants(id string) bool {
	return o.TLS || o.Lab || !slices.ContainsFunc(deep, func(area string) bool { return strings.HasPrefix(id, area) })
}

// hygiene are areas in which many a server in service falls short of what is
// best, without harm to anybody's password.
var hygiene = []string{"tls/cipher/", "tls/alpn/", "tls/ticket/"}

// submissionTLS is about the ports of users.
const submissionTLS = "smtp/tls/001"

// temper is how severe a finding is for a server in service: what a standard
// demands fails, what it advises warns, and practice is a note. Between
// servers TLS is taken as it comes (RFC 7435), so on port 25 it is a note
// as well.
func temper(c login.CaseResult, relay bool) login.CaseResult {
	if c.Verdict != login.Fail && c.Verdict != login.Warn {
		return c
	}
	note := c.Level == login.Practice || c.Level == login.May || relay && (strings.HasPrefix(c.ID, "tls/") || c.ID == submissionTLS) ||
		slices.ContainsFunc(hygiene, func(area string) bool { return strings.HasPrefix(c.ID, area) })
	switch {
	case note:
		c.Rule(login.Ruling{Verdict: login.Pass, Reason: c.Reason})
	case c.Level == login.Should && c.Verdict == login.Fail:
		c.Rule(login.Ruling{Verdict: login.Warn, Reason: c.Reason})
	}
	return c
}
