package results_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/results"
	"github.com/mailmatrix/mailmatrix/reports"
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

func planned(t testing.TB, g harness.Grid) harness.Plan {
	t.Helper()
	p, err := harness.NewPlan(g)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// written is the report as a file.
func written(t testing.TB, r login.Report) []byte {
	t.Helper()
	format, err := reports.Get("json")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := format.Write(&b, r, reports.Options{}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// read is what a file of the report says.
func read(t testing.TB, name string, r login.Report) results.Part {
	t.Helper()
	again, err := harness.ReadReport(name, written(t, r))
	if err != nil {
		t.Fatal(err)
	}
	if err := results.Sound(&again); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return results.Part{Name: name, Report: again}
}

// timeless is the file of the report without its times.
func timeless(t testing.TB, r login.Report) string {
	t.Helper()
	r.Started, r.ElapsedMS = time.Time{}, 0
	r.Cells = slices.Clone(r.Cells)
	for i := range r.Cells {
		r.Cells[i].ElapsedMS = 0
	}
	return string(written(t, r))
}

// resumed runs the plan, is cut off after some results, and goes on.
func resumed(t testing.TB, p harness.Plan, c harness.Config) login.Report {
	t.Helper()
	name := filepath.Join(t.TempDir(), "journal")
	var report login.Report
	for _, resume := range []bool{false, true} {
		journal, err := harness.OpenJournal(name, resume, p, c)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		c := c
		c.Journal = journal
		if !resume {
			c.Progress = func(done, all int) {
				if done == all/2 {
					cancel()
				}
			}
		}
		report = harness.Run(ctx, p, c)
		cancel()
		if err := journal.Close(); err != nil {
			t.Error(err)
		}
		if report.Complete != resume {
			t.Fatalf("complete: %v, resumed: %v", report.Complete, resume)
		}
	}
	return report
}

// A run that was divided, one of its parts cut off and resumed, comes to the same
// file as one that was not, in whatever order the parts are merged.
func TestShardsMakeTheWhole(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: some thousand logins")
	}
	quiet := func(p harness.Plan) harness.Plan {
		// What breaks a connection off may hear a last word or not.
		p.Jobs = slices.DeleteFunc(slices.Clone(p.Jobs), func(j harness.Job) bool {
			return j.Scenario != nil && j.Scenario.Kind != login.KindControl && j.Scenario.Kind != login.KindRelay
		})
		return p
	}
	for _, row := range []struct {
		name, why   string
		plan        harness.Plan
		transcripts harness.Transcripts
		bug         server.Bug
		divided     []int
	}{
		{"all transcripts", "a server that is wrong, and every line of it",
			quiet(planned(t, harness.Grid{Profiles: []string{"eudora"}, Protocols: []login.Protocol{login.POP3}})), harness.KeepAll, server.WrongAccepted, []int{2, 3, 7}},
		{"clients", "scenarios, cases of clients, and their manners, which one shard has",
			planned(t, harness.Grid{Profiles: []string{"curl", "outlook-express-6"}}), harness.KeepFailed, "", []int{3}},
	} {
		t.Run(row.name, func(t *testing.T) {
			config := harness.Config{Target: reference(t, server.WithBug(row.bug)), TargetKind: "reference", Tool: "mailmatrix test",
				Seed: 11, Vantage: "127.0.0.1", Transcripts: row.transcripts, Patience: 200 * time.Millisecond}
			whole := harness.Run(context.Background(), row.plan, config)
			want := timeless(t, whole)
			if !whole.Complete || len(whole.Transcripts) == 0 || whole.FailedControl() != "" || row.bug == "" && len(whole.Clients) == 0 {
				t.Fatalf("nothing to compare with: %+v", whole.Sum())
			}
			for _, n := range row.divided {
				var parts []results.Part
				for k := 1; k <= n; k++ {
					run := harness.Run
					if k == 2 {
						run = func(_ context.Context, p harness.Plan, c harness.Config) login.Report { return resumed(t, p, c) }
					}
					shard := harness.Shard{K: k, N: n}
					report := run(context.Background(), row.plan.Shard(shard), config)
					if got := report.Selection["shard"]; !slices.Equal(got, []string{shard.String()}) || !report.Narrowed() {
						t.Errorf("shard %s says %q", shard, got)
					}
					parts = append(parts, read(t, fmt.Sprintf("%d.json", k), report))
				}
				chance := rand.New(rand.NewPCG(uint64(n), 1)) //nolint:gosec // no secret
				chance.Shuffle(n, func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
				merged, err := results.Merge(append(parts, parts[0])) // one of them twice
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, timeless(t, merged)); diff != "" {
					t.Errorf("%s: of %d shards, whole against merged:\n%.3000s", row.why, n, diff)
				}
				if merged.ExitStatus() != whole.ExitStatus() {
					t.Errorf("exit status %d, of the whole %d", merged.ExitStatus(), whole.ExitStatus())
				}
			}
		})
	}
}

// Each job but the controls is in one shard, and in the same one whatever else is
// planned.
func TestShardIsStable(t *testing.T) {
	whole := planned(t, harness.Grid{Profiles: []string{"probe"}})
	fewer := planned(t, harness.Grid{Profiles: []string{"probe"}, Protocols: []login.Protocol{login.SMTP}})
	times, in := map[string]int{}, map[string]int{}
	for k := 1; k <= 3; k++ {
		for _, j := range whole.Shard(harness.Shard{K: k, N: 3}).Jobs {
			times[j.ID()]++
			in[j.ID()] = k
		}
		for _, j := range fewer.Shard(harness.Shard{K: k, N: 3}).Jobs {
			if in[j.ID()] != k {
				t.Fatalf("%s is in shard %d, and in %d of another plan", j.ID(), k, in[j.ID()])
			}
		}
	}
	for _, j := range whole.Jobs {
		want := 1
		if j.Scenario != nil && j.Scenario.Kind == login.KindControl {
			want = 3
		}
		if times[j.ID()] != want {
			t.Fatalf("%s is in %d shards", j.ID(), times[j.ID()])
		}
	}
}
