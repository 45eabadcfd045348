package main

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/results"
	"github.com/mailmatrix/mailmatrix/reports"
)

func newReportMerge(t terminal) *cobra.Command {
	var (
		out    reportOutput
		expect expectations
		status statusFlags
		kept   keeping
	)
	c := &cobra.Command{
		Use:   "merge FILE...",
		Short: "make one report of several: shards of one run, or several servers side by side",
		Long: `Make one report of several. Those that "run --shard" has written become the
report of the whole run, in whatever order they are given; none may be missing.
Reports about several servers stand side by side.

Exit status: that of the whole, as of run and check; 2 too where the reports do
not belong together. A pattern in --expect that stands for many results is judged
here, and not in a shard.`,
		Example: `  mailmatrix report merge shard-1.json shard-2.json shard-3.json --output json=run.json
  mailmatrix report merge shard-*.json --store results.db
  mailmatrix report merge reference.json server-a.json server-b.json --format markdown`,
		Args: files(1, 0),
		RunE: func(c *cobra.Command, args []string) error {
			if err := noEmptyFlag(c); err != nil {
				return err
			}
			if err := apart(c.Flags(), args...); err != nil {
				return err
			}
			if err := status.open(c.Context()); err != nil {
				return err
			}
			if err := expect.open(c.Context()); err != nil {
				return err
			}
			var (
				r    login.Report
				lost error // what could not be kept is written all the same
			)
			err := out.write(t, []*reports.Claim{expect.claim()}, func(o *outputs) (login.Report, error) {
				var err error
				if r, err = merged(c.Context(), args); err != nil {
					return r, err
				}
				if err := kept.open(); err != nil {
					return r, err
				}
				expect.apply(t.Err, &r)
				r.Expectations = distinct(r.Expectations)
				status.apply(t.Err, &r)
				lost = kept.put(t.Err, &r, o)
				return r, nil
			})
			if err != nil {
				expect.discard()
				kept.discard()
				return err
			}
			if err := joined(expect.write(t.Err, &r), lost); err != nil {
				return err
			}
			return ended(r.ExitStatus())
		},
	}
	out.register(c)
	expect.register(c)
	status.register(c)
	kept.register(c)
	return c
}

// merged reads the reports and merges them.
func merged(ctx context.Context, names []string) (login.Report, error) {
	var parts []results.Part
	for _, name := range names {
		r, err := readSound(ctx, "merge", name)
		if err != nil {
			return r, err
		}
		parts = append(parts, results.Part{Name: name, Report: r})
	}
	return results.Merge(parts)
}

// distinct drops what a shard has already said of an entry.
func distinct(all []login.ExcuseProblem) []login.ExcuseProblem {
	var kept []login.ExcuseProblem
	for _, p := range all {
		if !slices.Contains(kept, p) {
			kept = append(kept, p)
		}
	}
	return kept
}
