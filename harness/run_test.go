package harness_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
	"github.com/mailmatrix/mailmatrix/server"
)

func reference(t testing.TB, opts ...server.Option) *server.Reference {
	t.Helper()
	r, err := server.NewReference(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// measured are the probe and the document's clients, which are crossed in
// full. They try one mechanism on one connection: what happens to them is
// foretold here by counting.
var measured = []string{"probe", "outlook", "outlook-express", "outlook-express-6", "eudora", "eudora-7-win"}

func plan(t testing.TB, g harness.Grid) harness.Plan {
	t.Helper()
	p, err := harness.NewPlan(g)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// onlyCells is a plan without its scenarios.
func onlyCells(p harness.Plan) harness.Plan {
	p.Jobs = slices.DeleteFunc(slices.Clone(p.Jobs), func(j harness.Job) bool { return j.Scenario != nil })
	p.Clients = nil
	return p
}

// Nothing is skipped or cached: each cell that can connect opens a connection
// of its own, and each that is to be encrypted shakes hands in full.
func TestEveryCellConnects(t *testing.T) {
	p := onlyCells(plan(t, harness.Grid{Profiles: measured}))
	r := reference(t)
	report := harness.Run(context.Background(), p, harness.Config{Target: r})
	var connecting, handshakes int64
	for _, c := range report.Cells {
		closed := c.Flavour == login.Classic && c.Transport == login.TLS
		if !closed {
			connecting++
		}
		if c.Transport.Encrypted() && c.Outcome != login.NoTLS {
			handshakes++
		}
	}
	if got := r.Counts(); got.Accepts != connecting || got.Handshakes != handshakes {
		t.Errorf("the server counts %+v; cells: %d connecting, %d handshakes", got, connecting, handshakes)
	}
	if report.Totals.Pass != len(p.Jobs) {
		t.Errorf("%+v of %d", report.Totals, len(p.Jobs))
	}
}

// An interrupted run keeps what it has and says so.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	p := plan(t, harness.Grid{Profiles: []string{"probe"}})
	var told atomic.Int64
	report := harness.Run(ctx, p, harness.Config{Target: reference(t), Progress: func(done, all int) {
		told.Add(1)
		if all != len(p.Jobs) {
			t.Errorf("progress speaks of %d jobs, there are %d", all, len(p.Jobs))
		}
		if done == 200 {
			cancel()
		}
	}})
	got := len(report.Cells) + len(report.Scenarios)
	if report.Complete || report.ExitStatus() != 2 || got < 200 || got >= len(p.Jobs) || int64(got) != told.Load() {
		t.Errorf("complete %v, exit status %d, %d results, told %d", report.Complete, report.ExitStatus(), got, told.Load())
	}
	if report.Totals.Broken+report.Totals.Fail > 0 {
		t.Errorf("what was cut off is counted against somebody: %+v", report.Totals)
	}
}

// Wherever a run is cut off, also in the middle of a scenario, it keeps what it
// has and nothing falls over.
func TestInterruptedAnywhere(t *testing.T) {
	p := plan(t, harness.Grid{Profiles: []string{"eudora"}, Protocols: []login.Protocol{login.POP3}})
	p.Jobs = slices.DeleteFunc(slices.Clone(p.Jobs), func(j harness.Job) bool { return j.Scenario == nil })
	r := reference(t)
	for at := 1; at < len(p.Jobs); at += 7 {
		ctx, cancel := context.WithCancel(context.Background())
		report := harness.Run(ctx, p, harness.Config{Target: r, Progress: func(done, _ int) {
			if done == at {
				cancel()
			}
		}})
		cancel()
		if sum := report.Sum(); report.Complete || sum.Cells < at || sum.Broken+sum.Fail > 0 {
			t.Errorf("cut off after %d: complete %v, %+v", at, report.Complete, sum)
		}
	}
}

// panicking is a target with a fault of its own.
type panicking struct{}

func (panicking) Name() string { return "panicking" }

func (panicking) Under(context.Context, login.Setup) (wire.Door, error) { panic("a fault") }

func TestPanicIsBroken(t *testing.T) {
	report := harness.Run(context.Background(), plan(t, harness.Grid{Profiles: []string{"outlook"}}), harness.Config{Target: panicking{}})
	if sum := report.Sum(); !report.Complete || sum.Broken != sum.Cells || report.ExitStatus() != 2 {
		t.Errorf("complete %v, %+v", report.Complete, sum)
	}
	if !strings.Contains(report.Cells[0].Reason, "a fault") {
		t.Errorf("reason %q", report.Cells[0].Reason)
	}
}

// Two runs with one seed agree in everything but time. (Scenarios that break
// connections off may hear a last word or not.)
func TestRepeatable(t *testing.T) {
	p := onlyCells(plan(t, harness.Grid{Profiles: []string{"eudora"}, Protocols: []login.Protocol{login.POP3}}))
	r := reference(t)
	config := harness.Config{Target: r, Seed: 42, Transcripts: harness.KeepAll}
	first, second := harness.Run(context.Background(), p, config), harness.Run(context.Background(), p, config)
	if !slices.Equal(first.Lines, second.Lines) {
		t.Error("transcripts differ")
	}
	for i, c := range first.Cells {
		d := second.Cells[i]
		if c.ID != d.ID || c.Outcome != d.Outcome || c.Exposure != d.Exposure || !slices.Equal(c.Exposures, d.Exposures) {
			t.Errorf("%s differs", c.ID)
		}
	}
	if len(first.Lines) > 200 {
		t.Errorf("%d distinct lines in the table: something in them varies:\n%s", len(first.Lines), strings.Join(first.Lines[:40], "\n"))
	}
}

// failing is a target that is never ready.
type failing struct{ err error }

func (failing) Name() string { return "failing" }

func (f failing) Under(context.Context, login.Setup) (wire.Door, error) { return nil, f.err }

func TestTargetFails(t *testing.T) {
	p := plan(t, harness.Grid{Profiles: []string{"outlook"}})
	for _, row := range []struct {
		name   string
		err    error
		want   login.Verdict
		status int
	}{
		{"cannot take the state", &login.CannotError{What: "do this"}, login.Skip, 2},
		{"is broken", errors.New("no memory"), login.Broken, 2},
		{"refuses to start", &login.StartupError{Kind: "der", Err: errors.New("bad file")}, login.Broken, 2},
	} {
		report := harness.Run(context.Background(), p, harness.Config{Target: failing{row.err}})
		for _, c := range report.Cells {
			if c.Verdict != row.want || !strings.Contains(c.Reason, row.err.Error()) {
				t.Fatalf("%s: %s %s", row.name, c.Verdict, c.Reason)
			}
		}
		for _, s := range report.Scenarios {
			if s.Kind != login.KindStartup && s.Verdict != row.want {
				t.Fatalf("%s: %s: %s %s", row.name, s.ID, s.Verdict, s.Reason)
			}
		}
		if got := report.ExitStatus(); got != row.status {
			t.Errorf("%s: exit status %d, want %d", row.name, got, row.status)
		}
	}
}
