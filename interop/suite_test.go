package interop

import (
	"cmp"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// standingServers are started by the tests, in each of two configurations.
var standingServers = []struct {
	name  string
	stand func(*testing.T, string) *standing
}{
	{"dovecot", standDovecot},
	{"postfix", standPostfix},
	{"exim", standExim},
}

var standingPolicies = []string{"open", "strict"}

// TestSuite: the compliance cases are right about servers that nobody here
// wrote. What they find is true, has been looked at by hand, and stands in
// known/ and in docs/findings.md; they find nothing else, and nothing less.
func TestSuite(t *testing.T) {
	for _, server := range standingServers {
		t.Run(server.name, func(t *testing.T) {
			t.Parallel()
			for _, policy := range standingPolicies {
				t.Run(policy, func(t *testing.T) {
					s := server.stand(t, policy)
					if holdUp(t, s) {
						return
					}
					report, transcripts, took := runSuite(t, s)
					for _, problem := range harness.ApplyExcuses(&report, known(t, server.name, policy), time.Now()) {
						t.Errorf("%s: %s: %s", problem.Entry, problem.Pattern, problem.Reason)
					}
					t.Log(summary(report) + took.String())
					for _, c := range report.Cases {
						if c.Excused == "" && slices.Contains([]login.Verdict{login.Fail, login.Warn, login.Broken, login.Unjudged}, c.Verdict) {
							t.Errorf("not known: %s: %s: %s\n%s", key(c), c.Verdict, c.Reason, strings.Join(transcripts[key(c)], "\n"))
						}
					}
				})
			}
		})
	}
}

// known are the findings against a server, whatever its configuration and in
// this one.
func known(t *testing.T, server, policy string) []harness.Excuse {
	t.Helper()
	var all []harness.Excuse
	for _, name := range []string{server, server + "-" + policy} {
		file := filepath.Join("known", name+".yaml")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		excuses, err := harness.LoadExcuses(file, text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, excuses...)
	}
	return all
}

// key names a result.
func key(c login.CaseResult) string { return c.ID + "@" + string(login.Protocols()[c.Door]) }

// runSuite runs every case over the protocols that the server is about. The
// cases about mechanisms, policies and TLS spend their time waiting for answers
// to wrong passwords, and know of nobody beside them; the others share a mailbox,
// and run one after the other.
func runSuite(t *testing.T, s *standing) (report login.Report, transcripts map[string][]string, took slowest) {
	t.Helper()
	plan, err := harness.NewPlan(harness.Grid{Cases: []string{"*/*/*"}, Protocols: s.about})
	if err != nil {
		t.Fatal(err)
	}
	// It is everything that there is for this server, so nothing is narrowed.
	alone, beside := harness.Plan{Catalogue: plan.Catalogue}, harness.Plan{Catalogue: plan.Catalogue}
	for _, j := range plan.Jobs {
		switch {
		case j.Case == nil: // a control: this server takes no state but its own
		case slices.Contains([]string{"sasl", "both", "tls"}, strings.SplitN(j.Case.ID, "/", 2)[0]):
			beside.Jobs = append(beside.Jobs, j)
		default:
			alone.Jobs = append(alone.Jobs, j)
		}
	}
	started := time.Now()
	config := harness.Config{Target: s, Patience: time.Second, Limit: 10 * time.Second, Parallel: 12}
	var running sync.WaitGroup
	running.Go(func() { report = harness.Run(t.Context(), beside, config) })
	sequence := config
	sequence.Parallel, sequence.Progress = 1, took.note(alone)
	rest := harness.Run(t.Context(), alone, sequence)
	running.Wait()
	t.Logf("%.1f s, of them %.1f s side by side and %.1f s one after the other", time.Since(started).Seconds(),
		report.ElapsedMS/1000, rest.ElapsedMS/1000)
	transcripts = map[string][]string{}
	for _, r := range []login.Report{report, rest} {
		for _, c := range r.Cases {
			if c.Transcript != nil {
				for _, line := range r.Transcripts[*c.Transcript] {
					transcripts[key(c)] = append(transcripts[key(c)], r.Lines[line])
				}
			}
		}
	}
	report.Cases = append(report.Cases, rest.Cases...)
	report.ElapsedMS = max(report.ElapsedMS, rest.ElapsedMS)
	report.Complete = report.Complete && rest.Complete
	return report, transcripts, took
}

// summary is the results as a table.
func summary(r login.Report) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %+v in %.1f s\n", r.Targets[0].Name, r.CaseTotals, r.ElapsedMS/1000)
	w := tabwriter.NewWriter(&b, 0, 1, 1, ' ', 0)
	for _, c := range r.Cases {
		if c.Verdict != login.Pass {
			_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", key(c), c.Verdict, c.Why, c.Reason)
		}
	}
	_ = w.Flush()
	return b.String()
}

// slowest says which cases take the time.
type slowest []timed

type timed struct {
	id   string
	took time.Duration
}

// note keeps what each job of the plan takes. They run one after the other, in
// the order of the plan.
func (s *slowest) note(plan harness.Plan) func(done, all int) {
	last := time.Now()
	return func(done, _ int) {
		now := time.Now()
		*s = append(*s, timed{plan.Jobs[done-1].ID(), now.Sub(last)})
		last = now
	}
}

func (s slowest) String() string {
	sorted := slices.SortedFunc(slices.Values(s), func(a, b timed) int { return cmp.Compare(b.took, a.took) })
	var b strings.Builder
	b.WriteString("slowest:")
	for _, t := range sorted[:min(len(sorted), 15)] {
		fmt.Fprintf(&b, " %s %.1f s,", t.id, t.took.Seconds())
	}
	return strings.TrimSuffix(b.String(), ",")
}

// holdUp keeps the server up for MAILMATRIX_HOLD, such as 10m, so that what it
// does can be seen by hand.
func holdUp(t *testing.T, s *standing) bool {
	t.Helper()
	howLong, err := time.ParseDuration(os.Getenv("MAILMATRIX_HOLD"))
	if err != nil {
		return false
	}
	s.handOut(t)
	fmt.Fprintf(os.Stderr, "%s: %v, %s %s, %s %s, %s\n", s.name, s.doors, s.site.account.Name, s.site.account.Password,
		s.site.other.Name, s.site.other.Password, s.site.folder)
	ended, stop := signal.NotifyContext(t.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	select {
	case <-time.After(howLong):
	case <-ended.Done():
	}
	return true
}
