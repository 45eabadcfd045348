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
// in a laboratory, all of them. Who takes the domain's mail may be somebody else:
// nothing is demanded of him.
func (c *check) cases(ctx context.Context) error {
	strangers := c.strangers()
	for _, g := range c.groups() {
		if !slices.ContainsFunc(g.doors, func(i int) bool { return !strangers[i] }) {
			continue
		}
		if c.budget.Stopped() != "" {
			c.leave("the requirements on a session", login.WhyBudget, "")
			break
		}
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
		if j.Case != nil && c.wants(j.Case.ID) && c.about(g, *j.Case) {
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
			result = c.temper(result, g)
			if blind != "" && clear[result.ID] && result.Verdict != login.Skip {
				result.Rule(login.Ruling{Verdict: login.Skip, Why: login.WhyVantage, Reason: blind})
			}
			if result.Verdict == login.Fail || result.Verdict == login.Warn {
				result.Advice = advice.ForCase(result.ID, advice.On{Door: c.doors[result.Door]})
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

// about reports whether the case is about such a group: that a service has a port
// for TLS from the first octet is asked of no relay, nor where doors were named,
// which the others are nobody knows.
func (c *check) about(g group, j harness.CaseJob) bool {
	if !slices.Contains([]string{"smtp/tls/001", "pop3/tls/001"}, j.ID) {
		return true
	}
	return !g.relay && (c.first(g, j.Protocol, login.TLS) >= 0 || len(c.asked.Names) > 0)
}

// temper is how severe a finding is for a server in service: what a standard
// demands fails, what it advises warns, and practice is a note. Between
// servers TLS is taken as it comes (RFC 7435), so on port 25 it is a note
// as well; and so is what is said of a certificate that the user has named. A
// server that has had enough in the meantime is not to blame.
func (c *check) temper(r login.CaseResult, g group) login.CaseResult {
	if c.Lab || r.Verdict != login.Fail && r.Verdict != login.Warn {
		return r
	}
	in := func(area string) bool { return strings.HasPrefix(r.ID, area) }
	note := r.Level == login.Practice || r.Level == login.May || g.relay && in("tls/") || slices.ContainsFunc(hygiene, in) ||
		len(c.Trust.Pins) > 0 && in("tls/cert/")
	switch {
	case c.budget.Stopped() != "":
		r.Rule(login.Ruling{Verdict: login.Skip, Why: login.WhyBudget, Reason: c.budget.Stopped()})
	case note:
		r.Rule(login.Ruling{Verdict: login.Pass, Reason: r.Reason})
	case r.Level == login.Should && r.Verdict == login.Fail:
		r.Rule(login.Ruling{Verdict: login.Warn, Reason: r.Reason})
	}
	return r
}
