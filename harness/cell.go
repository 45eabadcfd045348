package harness

import (
	"context"
	"errors"
	"net"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// cell runs one cell: a server in the cell's state, one client, one opinion.
func (r *runner) cell(ctx context.Context, j Job) result {
	started := r.Now()
	got := newCellResult(j)
	if ruling, ok := r.nothingToPresent(j); ok {
		got.Rule(ruling)
		return result{done: true, cell: &got}
	}
	opened, err := r.Target.Under(ctx, login.Setup{
		Flavour:  j.Cell.Flavour,
		Database: j.Cell.Database,
		Policy:   j.Policy,
		Accounts: []login.Account{r.secrets.Account(j.Cell.Override)},
	})
	if err != nil {
		got.Rule(cannot(err))
		return result{done: true, cell: &got}
	}
	door := &watched{Door: opened}
	seen := clientsim.Login(ctx, clientsim.Config{
		Profile: j.Profile, Protocol: j.Cell.Protocol, Transport: j.Cell.Transport, Mechanism: j.Cell.Mechanism,
		Door: door, Host: r.host(), Secrets: r.secrets, Credential: j.Cell.Credential,
		Rand: r.Rand, Now: r.Now, Limit: r.Limit,
	})
	o := r.observe(seen, door, j.Cell.Protocol, j.Cell.Transport)
	if err := door.Close(); err != nil && o.Outcome != login.Error {
		o.Outcome, o.Detail = login.Error, "closing the door: "+err.Error()
	}
	got.Offered, got.Attempted, got.Used, got.Outcome = o.Offered, o.Attempted, o.Used, o.Outcome
	got.Exposure, got.Exposures = login.Strongest(o.Exposures), o.Exposures
	if door.cannot != nil {
		got.Outcome = ""
	}
	got.Rule(door.judge(j.Expect.Judge(o)))
	got.Reason = r.note(got, door.Record())
	got.ElapsedMS = milliseconds(r.Now().Sub(started))
	out := result{done: true, cell: &got}
	if r.kept(got.Verdict) {
		out.transcript = r.hidden.VeilAll(seen.Transcript)
	}
	return out
}

// nothingToPresent is the ruling on a cell whose client will be asked for a
// token, a certificate or a ticket, where the target has given out none.
func (r *runner) nothingToPresent(j Job) (login.Ruling, bool) {
	impl, _ := mech.Get(j.Cell.Mechanism)
	asked := login.LoggedIn.In(j.Expect.Outcomes) || login.RefusedCredentials.In(j.Expect.Outcomes)
	switch {
	case !asked || r.secrets.PresentedIssue(j.Cell.Credential).Has(impl.Presents):
		return login.Ruling{}, false
	case r.notIssued != nil:
		return login.Ruling{Verdict: login.Broken, Reason: r.notIssued.Error()}, true
	default:
		return login.Ruling{Verdict: login.Skip, Why: login.WhyNoCredentials,
			Reason: "this target gives out nothing to log in with by " + string(j.Cell.Mechanism)}, true
	}
}

// note is the reason of a result. Where the right password was refused for
// how it was proved, the server's record alone can say so.
func (r *runner) note(c login.CellResult, records []login.Record) string {
	if c.Reason == "" && c.Used == login.NTLM && c.Outcome == login.RefusedCredentials &&
		c.Credential == login.WithAccount && len(records) > 0 {
		return r.veil(records[len(records)-1].Reason)
	}
	return c.Reason
}

// observe completes what the client saw by what the server recorded and by
// what a listener could read.
func (r *runner) observe(seen clientsim.Result, door wire.Door, p login.Protocol, t login.Transport) login.Observation {
	o := seen.Observation
	o.Reply, o.Detail = r.veil(o.Reply), r.veil(o.Detail)
	records := door.Record()
	o.Outcome = o.Outcome.Refine(records)
	if o.Outcome == login.Refused && len(records) == 0 && wire.RejectsCredentials(p, o.Reply) {
		o.Outcome = login.RefusedCredentials
	}
	for _, a := range seen.Attempts {
		o.Stranger = o.Stranger || a.WindowsUser && a.Accepted
	}
	for _, tap := range seen.Taps {
		o.Exposures = append(o.Exposures, r.ear.Listen(tap.Lines(), p, t)...)
	}
	return o
}

func newCellResult(j Job) login.CellResult {
	c := j.Cell
	profile, variant := login.SplitProfile(c.Profile)
	return login.CellResult{
		ID: c.ID(), Flavour: c.Flavour, Protocol: c.Protocol, Transport: c.Transport, Mechanism: c.Mechanism,
		Setting: c.Setting, Profile: profile, Variant: variant, Database: c.Database, Override: c.Override,
		Credential: c.Credential, Expected: j.Expect.Outcomes, Refs: j.Expect.Refs, Basis: login.Measured,
		Confidence: j.Profile.Confidence(c.Protocol, c.Mechanism, c.Transport),
	}
}

// watched is a door that remembers whether the target could not open it.
type watched struct {
	wire.Door
	cannot *login.CannotError
}

func (w *watched) Dial(ctx context.Context, p login.Protocol, t login.Transport) (net.Conn, error) {
	c, err := w.Door.Dial(ctx, p, t)
	_ = errors.As(err, &w.cannot)
	return c, err
}

// judge lets a ruling stand, unless there was nothing to be judged.
func (w *watched) judge(g login.Ruling) login.Ruling {
	if w.cannot != nil {
		return cannot(w.cannot)
	}
	return g
}

// cannot judges an experiment that the target did not let begin.
func cannot(err error) login.Ruling {
	var c *login.CannotError
	if errors.As(err, &c) {
		return login.Ruling{Verdict: login.Skip, Why: login.WhyCannot, Reason: c.Error()}
	}
	return login.Ruling{Verdict: login.Broken, Reason: err.Error()}
}
