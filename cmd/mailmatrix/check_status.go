package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// statusFlags are --fail-on and --baseline: which of the results decide the
// exit status.
type statusFlags struct {
	failOn   []string
	baseline string

	on  []harness.FailOn
	old login.Report
}

func (s *statusFlags) register(c *cobra.Command) {
	c.Flags().StringSliceVar(&s.failOn, "fail-on", nil, "exit with 1 for these alone: "+strings.Join(texts(harness.FailOns()), ", "))
	c.Flags().StringVar(&s.baseline, "baseline", "", "excuse what failed in this JSON report in a `FILE`, and say what is better or worse")
	_ = c.RegisterFlagCompletionFunc("fail-on", cobra.FixedCompletions(texts(harness.FailOns()), cobra.ShellCompDirectiveNoFileComp))
}

// open understands the flags and reads the baseline, before anything is done.
func (s *statusFlags) open(ctx context.Context) error {
	var err error
	parse(&s.on, s.failOn, func(text string) (harness.FailOn, error) {
		return login.ParseName("value of --fail-on", text, harness.FailOns())
	}, &err)
	switch {
	case err != nil:
		return err
	case s.baseline != "":
		s.old, err = readSound(ctx, "baseline", s.baseline)
		return err
	case slices.Contains(s.on, harness.FailOnRegression):
		return errors.New("--fail-on regression wants --baseline FILE: worse than what?")
	default:
		return nil
	}
}

// apply compares the report with the baseline, says on w what has changed, and
// has the report end with the status that was asked for.
func (s *statusFlags) apply(w io.Writer, r *login.Report) {
	if s.baseline == "" && len(s.on) == 0 {
		return
	}
	var better, worse []harness.Change
	r.Selection = maps.Clone(r.Selection)
	if r.Selection == nil {
		r.Selection = map[string][]string{}
	}
	if s.baseline != "" {
		better, worse = harness.ApplyBaseline(r, &s.old, time.Now())
		r.Selection["baseline"] = []string{s.baseline}
		sayChanges(w, "better than in "+s.baseline, better)
		sayChanges(w, "worse than in "+s.baseline, worse)
	}
	if len(s.on) > 0 {
		status := harness.StatusOf(r, s.on, worse)
		r.Decided = &status
		r.Selection["fail-on"] = texts(s.on)
	}
}

// sayChanges lists the first of them.
func sayChanges(w io.Writer, what string, changes []harness.Change) {
	const most = 10
	for i, c := range changes {
		if i == most {
			_, _ = fmt.Fprintf(w, "mailmatrix: %s: %d more\n", what, len(changes)-most)
			return
		}
		_, _ = fmt.Fprintf(w, "mailmatrix: %s: %s\n", what, c)
	}
}

// again are --only, --rerun-failed and --repeat: which experiments of a plan are
// run, and how often.
type again struct {
	only   []string
	failed string
	times  int
}

func (a *again) register(c *cobra.Command) {
	c.Flags().StringSliceVar(&a.only, "only", nil, "run only the cell, scenario or case with this `ID`, as reports name it, and the controls")
	c.Flags().StringVar(&a.failed, "rerun-failed", "", "run only what failed, warned or was broken in this JSON report in a `FILE`")
	a.registerTimes(c)
}

// registerTimes is for who has no plan of which a part could be run.
func (a *again) registerTimes(c *cobra.Command) {
	c.Flags().IntVar(&a.times, "repeat", 1, "run everything so many times; what differs is flaky and counts as its worst")
}

func (a *again) check() error {
	if a.times < 1 {
		return fmt.Errorf("--repeat wants a number of times, 1 or more, not %d", a.times)
	}
	return nil
}

// narrow leaves in the plan what is to be run.
func (a *again) narrow(ctx context.Context, w io.Writer, plan harness.Plan) (harness.Plan, error) {
	if err := a.check(); err != nil {
		return plan, err
	}
	switch {
	case len(a.only) > 0 && a.failed != "":
		return plan, errors.New("--only names what is run, and so does --rerun-failed: leave one of them out")
	case len(a.only) > 0:
		plan, err := plan.Only(a.only)
		if err != nil {
			return plan, fmt.Errorf("--only: %w", err)
		}
		return plan, nil
	case a.failed == "":
		return plan, nil
	}
	old, err := readSound(ctx, "rerun-failed", a.failed)
	if err != nil {
		return plan, err
	}
	plan, missing, err := plan.Rerun(harness.Failed(&old), a.failed)
	if err == nil && len(missing) > 0 {
		_, _ = fmt.Fprintf(w, "mailmatrix: %s: %d that failed there are not in this plan, such as %s\n", a.failed, len(missing), missing[0])
	}
	return plan, err
}

// run runs the plan as often as it is to be, and says on w what is flaky.
func (a *again) run(w io.Writer, once func() login.Report) login.Report {
	if a.times == 1 {
		return once()
	}
	var runs []login.Report
	for range a.times {
		r := once()
		runs = append(runs, r)
		if !r.Complete {
			break
		}
	}
	all := harness.Repeated(runs)
	for _, f := range all.Flaky {
		_, _ = fmt.Fprintf(w, "mailmatrix: flaky: %s\n", flakeText(f))
	}
	_, _ = fmt.Fprintf(w, "mailmatrix: %d of %d results are flaky in %d runs\n", len(all.Flaky), all.Sum().Cells, len(runs))
	return all
}

// flakeText is such as "ID: pass 9, fail 1".
func flakeText(f login.Flake) string {
	var parts []string
	for _, v := range slices.Sorted(maps.Keys(f.Verdicts)) {
		parts = append(parts, fmt.Sprintf("%s %d", v, f.Verdicts[v]))
	}
	return f.ID + ": " + strings.Join(parts, ", ")
}
