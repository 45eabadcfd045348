package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/server"
)

func newRun(t terminal) *cobra.Command {
	var (
		select_     axes
		format      string
		files       []string
		transcripts string
		seed        uint64
		parallel    int
		verbose     bool
		expect      expectations
		journal     continuation
		status      statusFlags
		again       again
		part        part
		kept        keeping
	)
	c := &cobra.Command{
		Use:   "run",
		Short: "run the matrix against the reference server and print it",
		Long: `Start the reference server in this process on loopback, let every client log in
to it in every way, and print the matrix.

Exit status: 0 everything as expected, 1 something failed, 2 nobody can say
(interrupted, a control failed, nothing matched, an output could not be written).
What --expect excuses changes nothing; that something passes which it excuses, or
that the date of an entry has passed, is 1; an entry that matches nothing is 2.`,
		Example: `  mailmatrix run
  mailmatrix run --profile outlook,eudora --protocol pop3
  mailmatrix run --setting secure --transport plain --transcripts all --output json=result.json
  mailmatrix run --policy mine.yaml       who can log in under my policy?
  mailmatrix run --format junit > junit.xml
  mailmatrix run --write-expect known.yaml; mailmatrix run --expect known.yaml
  mailmatrix run --output json=old.json; mailmatrix run --baseline old.json --fail-on must,regression
  mailmatrix run --rerun-failed old.json --repeat 20      is it flaky?
  mailmatrix run --only smtp/auth/003@smtp --transcripts all -v      one experiment, and what is said in it
  mailmatrix run --full --journal full.jsonl     and, when it was cut off, once more with --resume
  mailmatrix run --shard 2/3 --seed 7 --output json=2.json      a third of it, for mailmatrix report merge`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := cmp.Or(noEmptyFlag(c), part.alone(c.Flags()), journal.check(), apart(c.Flags())); err != nil {
				return err
			}
			grid, err := select_.grid()
			if err != nil {
				return err
			}
			keep, err := login.ParseName("value of --transcripts", transcripts, keepings)
			if err != nil {
				return err
			}
			if !c.Flags().Changed("transcripts") && wantsPage(format, files) {
				keep = harness.KeepAll
			}
			plan, err := harness.NewPlan(grid)
			if err != nil {
				return err
			}
			select_.name(plan.Selection)
			if plan, err = again.narrow(c.Context(), t.Err, plan); err != nil {
				return err
			}
			if plan, err = part.narrow(plan, seed); err != nil {
				return err
			}
			if err := status.open(c.Context()); err != nil {
				return err
			}
			if again.times > 1 && journal.name != "" {
				return errors.New("--journal keeps one run, and --repeat makes several: leave one of them out")
			}
			if parallel < 0 {
				return fmt.Errorf("--parallel wants a number of experiments at once, not %d", parallel)
			}
			out, err := openOutputs(t, format, files, verbose)
			if err != nil {
				return err
			}
			discard := func() { out.discard(); expect.discard(); kept.discard() }
			if err := expect.open(c.Context()); err != nil {
				discard()
				return err
			}
			if err := out.claim(select_.claim, expect.claim()); err != nil {
				discard()
				return err
			}
			if err := kept.open(); err != nil {
				discard()
				return err
			}
			reference, err := server.NewReference()
			if err != nil {
				discard()
				return err
			}
			config := harness.Config{
				Target: reference, TargetKind: login.ReferenceTarget, Tool: "mailmatrix " + version, Seed: seed, Vantage: "127.0.0.1",
				Parallel: parallel, Transcripts: keep, Patience: patience,
			}
			if err := journal.open(t.Err, plan, &config); err != nil {
				discard()
				return joined(err, reference.Close())
			}
			bar := newProgress(t.Err)
			if bar != nil {
				config.Progress = bar.show
			}
			report := again.run(t.Err, func() login.Report { return harness.Run(c.Context(), plan, config) })
			bar.clear()
			if err := reference.Close(); err != nil {
				_, _ = fmt.Fprintf(t.Err, "mailmatrix: closing the reference server: %v\n", err)
			}
			expect.apply(t.Err, &report)
			status.apply(t.Err, &report)
			err = joined(kept.put(t.Err, &report, out), out.write(t.Out, report), expect.write(t.Err, &report), journal.close(t.Err, &report))
			if err != nil {
				return err
			}
			return ended(report.ExitStatus())
		},
	}
	select_.register(c)
	expect.register(c)
	journal.register(c)
	status.register(c)
	again.register(c)
	part.register(c)
	kept.register(c)
	flags := c.Flags()
	flags.StringVar(&format, "format", "text", "what to print: "+formatNames())
	flags.StringArrayVar(&files, "output", nil, "also write `FORMAT=FILE`")
	flags.StringVar(&transcripts, "transcripts", string(harness.KeepFailed), "conversations to keep: failed, all, none; an HTML page has all")
	flags.Uint64Var(&seed, "seed", 0, "repeat a run: the number that its report names")
	flags.IntVar(&parallel, "parallel", 0, "experiments at once (default: what suits the machine)")
	flags.BoolVarP(&verbose, "verbose", "v", false, "print everything, however long")
	return c
}

// patience is how long the reference server, which is in this process, is
// listened to that should say nothing.
const patience = 200 * time.Millisecond

// wantsPage: a page on which people open what they point at has all there is.
func wantsPage(format string, files []string) bool {
	return strings.EqualFold(format, "html") ||
		slices.ContainsFunc(files, func(spec string) bool { return strings.HasPrefix(strings.ToLower(spec), "html=") })
}

var keepings = []harness.Transcripts{harness.KeepFailed, harness.KeepAll, harness.KeepNone}
