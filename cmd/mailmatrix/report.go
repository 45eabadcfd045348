package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/results"
	"github.com/mailmatrix/mailmatrix/reports"
)

func newReport(t terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "report",
		Short: "convert, compare and merge saved results, claim and verify, history",
		Long: `Work on reports that --output json=FILE has saved: nothing is measured here, and
no network is touched, but by verify --run.`,
		Example: `  mailmatrix report convert run.json --format markdown
  mailmatrix report diff old.json new.json
  mailmatrix report merge shard-*.json --output json=run.json`,
		Args: knownVerb,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newReportConvert(t), newReportDiff(t), newReportMerge(t), newReportClaim(t), newReportVerify(t), newReportHistory(t))
	return c
}

func newReportConvert(t terminal) *cobra.Command {
	var (
		out    reportOutput
		policy string
		past   string
		expect expectations
	)
	c := &cobra.Command{
		Use:   "convert FILE",
		Short: "write a saved report in other forms",
		Long: `Read a report in JSON, and write it in any form that run and check can write.

Exit status: 0 it is written, whatever it says; 2 it could not be read or written.`,
		Example: `  mailmatrix report convert run.json --format junit > junit.xml
  mailmatrix report convert run.json --output markdown=run.md --output csv=run.csv
  mailmatrix report convert run.json --format sarif --policy mine.yaml > run.sarif
  mailmatrix report convert run.json --format html --store results.db > matrix.html`,
		Args: files(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := noEmptyFlag(c); err != nil {
				return err
			}
			var claim *reports.Claim
			if policy != "" {
				var err error
				if _, claim, err = readClaimedPolicy(policy); err != nil {
					return err
				}
			}
			if err := apart(c.Flags(), args...); err != nil {
				return err
			}
			if err := expect.open(c.Context()); err != nil {
				return err
			}
			r, err := readSound(c.Context(), "convert", args[0])
			if err != nil {
				return err
			}
			return out.write(t, []*reports.Claim{claim, expect.claim()}, func(o *outputs) (login.Report, error) { return r, recallFrom(c.Context(), past, &r, o) })
		},
	}
	out.register(c)
	c.Flags().StringVar(&policy, "policy", "", "the `FILE` with the policy of the run, for a form that points at its lines")
	c.Flags().StringVar(&expect.from, "expect", "", "the `FILE` with what was expected of the run, for the same")
	c.Flags().StringVar(&past, "store", "", "the `FILE` that runs were kept in, for an HTML page that shows what changed")
	return c
}

// files demands so many names of files; most 0 is any number.
func files(least, most int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) < least || most > 0 && len(args) > most {
			return fmt.Errorf("`%s` is what is wanted, not %d files (see `%s --help`)", c.UseLine(), len(args), c.CommandPath())
		}
		return nil
	}
}

// readSound reads a report in which nothing points nowhere; who wants it is named
// in errors.
func readSound(ctx context.Context, who, name string) (login.Report, error) {
	data, err := contentsOf(ctx, name)
	if err != nil {
		return login.Report{}, fmt.Errorf("%s: %w", who, err)
	}
	r, err := harness.ReadReport(name, data)
	if err != nil {
		return r, fmt.Errorf("%s: %w", who, err)
	}
	if err := results.Sound(&r); err != nil {
		return r, fmt.Errorf("%s: %s: %w", who, name, err)
	}
	return r, nil
}

// reportOutput are --format, --output and --verbose.
type reportOutput struct {
	format  string
	files   []string
	verbose bool
}

func (o *reportOutput) register(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&o.format, "format", "text", "what to print: "+formatNames())
	flags.StringArrayVar(&o.files, "output", nil, "also write `FORMAT=FILE`")
	flags.BoolVarP(&o.verbose, "verbose", "v", false, "leave nothing out")
}

// write opens the outputs, and then writes what make makes. The claims are for
// forms that point at them; nil is none.
func (o *reportOutput) write(t terminal, claims []*reports.Claim, make func(*outputs) (login.Report, error)) error {
	out, err := openOutputs(t, o.format, o.files, o.verbose)
	if err != nil {
		return err
	}
	if err := out.claim(claims...); err != nil {
		out.discard()
		return err
	}
	r, err := make(out)
	if err != nil {
		out.discard()
		return err
	}
	return out.write(t.Out, r)
}
