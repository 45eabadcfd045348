package harness

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// Run runs the plan against the target. When ctx ends, what is done is kept
// and the report says that it is not complete. It returns when no experiment
// is under way any more.
func Run(ctx context.Context, plan Plan, config Config) login.Report {
	if config.Journal != nil {
		config.Seed = config.Journal.Seed()
	}
	config = config.withDefaults()
	plan, untold := plan.against(config.Target)
	secrets, other := config.accounts()
	secrets, err := issue(config.Target, secrets)
	r := &runner{
		Config:    config,
		secrets:   secrets,
		other:     other,
		notIssued: err,
		ear:       newEavesdropper(secrets),
		results:   make([]result, len(plan.Jobs)),
	}
	r.cells.reserve(plan)
	r.hidden = hiding(r.ear, append(config.lives().Others, other))
	r.started = config.Now()
	r.all(ctx, plan.Jobs)
	if plan.Manners {
		r.manners(ctx, plan.Clients)
	}
	report := r.report(plan)
	report.NotTested = append(report.NotTested, untold...)
	ApplyExcuses(&report, knownSins(plan.Jobs), config.Now())
	report.Started = r.started.UTC().Truncate(time.Second)
	elapsed := config.Now().Sub(r.started)
	if j := config.Journal; j != nil {
		report.Started, elapsed = j.header.Started, elapsed+j.worked
	}
	report.ElapsedMS = milliseconds(elapsed)
	return report
}

// runner is one run under way.
type runner struct {
	Config
	secrets login.Secrets
	// other is one more account, where a case wants two.
	other login.Account
	// notIssued is why the target could not give out what is no password.
	notIssued error
	ear       *eavesdropper
	// hidden finds what no result may show.
	hidden   *wire.Searcher
	said     distinct
	started  time.Time
	results  []result // by job; written once each, by the worker that took it
	cells    cells
	conducts conducts
	// clients are their manners, and mannersErr why they are not known.
	clients    Book
	mannersErr error
}

// manners looks at the clients' own, where the target is a laboratory.
func (r *runner) manners(ctx context.Context, clients []clientsim.Profile) {
	if lab, ok := r.Target.(Laboratory); ok && len(clients) > 0 && ctx.Err() == nil {
		r.clients, r.mannersErr = Manners(ctx, lab, clients, r.Parallel)
	}
}

// all runs the jobs, the controls around them: a run whose controls do not
// hold says nothing.
func (r *runner) all(ctx context.Context, jobs []Job) {
	var first, last, rest []int
	done := 0
	for i, j := range jobs {
		before, known := r.Journal.before(j)
		switch {
		case known:
			r.results[i] = before
			done++
		case j.Scenario == nil || j.Scenario.Kind != login.KindControl:
			rest = append(rest, i)
		case strings.HasSuffix(j.Scenario.ID, "/last"):
			last = append(last, i)
		default:
			first = append(first, i)
		}
	}
	var telling sync.Mutex
	tell := func() {
		telling.Lock()
		defer telling.Unlock()
		done++
		if r.Progress != nil {
			r.Progress(done, len(jobs))
		}
	}
	for _, some := range [][]int{first, rest, last} {
		r.some(ctx, jobs, some, tell)
	}
}

// some runs the jobs with these indices in parallel.
func (r *runner) some(ctx context.Context, jobs []Job, indices []int, tell func()) {
	inParallel(ctx, len(indices), r.Parallel, func(n int) {
		i := indices[n]
		got := r.one(ctx, jobs[i])
		if ctx.Err() != nil {
			return // interrupted half way: it says nothing
		}
		got = got.inUTF8()
		got.cell, got.transcript = r.cells.place(i, got.cell), r.said.share(got.transcript)
		if r.Journal != nil {
			r.Journal.keep(jobs[i], got, r.Now().Sub(r.started))
		}
		r.results[i] = got
		tell()
	})
}

// one runs one experiment. An accident in it is ours, and costs no other its
// result.
func (r *runner) one(ctx context.Context, j Job) (got result) {
	defer func() {
		if accident := recover(); accident != nil {
			got = r.brokenBy(j, r.veil(fmt.Sprintf("panic: %v", accident)))
		}
	}()
	switch {
	case j.Scenario != nil:
		return r.scenario(ctx, *j.Scenario)
	case j.Case != nil:
		return r.compliance(ctx, *j.Case)
	case j.Client != nil:
		return r.client(ctx, *j.Client)
	default:
		return r.cell(ctx, j)
	}
}

// brokenBy is the result of an experiment that we could not end.
func (r *runner) brokenBy(j Job, reason string) result {
	ruling := login.Ruling{Verdict: login.Broken, Reason: reason}
	got := result{done: true}
	switch {
	case j.Scenario != nil:
		s := newScenarioResult(*j.Scenario)
		s.Rule(ruling)
		got.scenario = &s
	case j.Case != nil:
		c := newCaseResult(*j.Case)
		c.Rule(ruling)
		got.compliance = &c
	case j.Client != nil:
		c := newClientResult(j.Client.Case, j.Client.Profile.ID())
		c.Rule(ruling)
		got.compliance = &c
	default:
		c := newCellResult(j)
		c.Outcome = login.Error
		c.Rule(ruling)
		got.cell = &c
	}
	return got
}

// report puts the results together in the order of the plan.
func (r *runner) report(plan Plan) login.Report {
	report := login.Report{
		Schema: login.Schema, Tool: r.Tool, Catalogue: plan.Catalogue, Seed: r.Seed, Vantage: r.Vantage,
		Complete: true, Selection: plan.Selection,
		Targets: []login.TargetResult{{Name: r.Target.Name(), Kind: r.TargetKind, Doors: doors(r.Vantage)}},
		Lacks:   plan.Lacks,
	}
	var table login.Lines
	report.Cells = r.cells.all[:0] // each moves up to where one before it is missing
	for i, got := range r.results {
		if got.done && plan.sharded() {
			report.Order = append(report.Order, plan.Jobs[i].place)
		}
		switch {
		case !got.done:
			report.Complete = false
		case plan.Jobs[i].Scenario != nil:
			got.scenario.Transcript = table.Keep(got.transcript)
			report.Scenarios = append(report.Scenarios, *got.scenario)
		case plan.Jobs[i].Case != nil, plan.Jobs[i].Client != nil:
			got.compliance.Transcript = table.Keep(got.transcript)
			report.Cases = append(report.Cases, *got.compliance)
		default:
			got.cell.Transcript = table.Keep(got.transcript)
			report.Cells = append(report.Cells, *got.cell)
		}
	}
	report.Clients = r.described(plan.Clients, &table)
	if r.mannersErr != nil {
		report.Complete = false
	}
	table.Fill(&report)
	report.Count()
	return report
}

// kept reports whether a transcript of this verdict is wanted.
func (r *runner) kept(v login.Verdict) bool {
	switch r.Transcripts {
	case KeepAll:
		return true
	case KeepNone:
		return false
	default:
		return v != login.Pass && v != login.Skip
	}
}

// veil hides the secrets that a server may have echoed.
func (r *runner) veil(line string) string { return r.hidden.Veil(line) }

func milliseconds(d time.Duration) float64 {
	return float64(d.Microseconds()) / 1000
}

// doors are those of a server that is run here, one for each protocol.
func doors(address string) []login.DoorResult {
	var all []login.DoorResult
	for _, p := range login.Protocols() {
		all = append(all, login.DoorResult{Protocol: p, Address: address})
	}
	return all
}

// described are the clients; with their manners, where these were looked at,
// and the transcripts in the table, where transcripts are kept.
func (r *runner) described(clients []clientsim.Profile, table *login.Lines) []login.ClientDescription {
	if len(r.clients.Clients) == 0 {
		var all []login.ClientDescription
		for _, p := range clients {
			all = append(all, describe(p))
		}
		return all
	}
	row := func(at *int) *int {
		if at == nil || r.Transcripts == KeepNone {
			return nil
		}
		return table.Keep(r.clients.Transcripts[*at])
	}
	for _, client := range r.clients.Clients {
		for _, m := range client.Protocols {
			for _, e := range login.Encryptions() { // in this order, so that a run can be repeated
				if floor, has := m.Floors[e]; has {
					floor.Transcript = row(floor.Transcript)
					m.Floors[e] = floor
				}
			}
			for _, answer := range login.Denials(m.Protocol) {
				if denial, has := m.Denials[answer]; has {
					denial.Transcript = row(denial.Transcript)
					m.Denials[answer] = denial
				}
			}
		}
	}
	return r.clients.Clients
}
