package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/results"
)

func newReportVerify(t terminal) *cobra.Command {
	var (
		again   bool
		verbose bool
	)
	c := &cobra.Command{
		Use:   "verify CLAIM.yaml RUN.json|--run",
		Short: "does a fresh run keep what a claim says?",
		Long: `Hold a fresh report in JSON against a claim, and say whether the claim is kept.

With --run the run is repeated as the claim says: its server is started by the
command in the claim, looked at, and ended. That runs a command that somebody else
has written: read it first. A server from an image you start yourself.

Exit status: 0 the claim is kept; 1 it is broken, and by what; 2 nobody can say
(another catalogue, another selection, a run that is not complete, fewer results).`,
		Example: `  mailmatrix report verify claim.yaml run.json
  mailmatrix report verify claim.yaml --run`,
		Args: func(c *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return fmt.Errorf("%s wants the FILE with a claim (see `%[1]s --help`)", c.CommandPath())
			case len(args) == 1 && !again:
				return errors.New("what is the claim held against? name a report in JSON of a fresh run, or say --run")
			case len(args) == 2 && again, len(args) > 2:
				return fmt.Errorf("a claim is held against one run: what is %q?", args[len(args)-1])
			default:
				return nil
			}
		},
		RunE: func(c *cobra.Command, args []string) error {
			claim, excuses, err := readClaim(c.Context(), args[0])
			if err != nil {
				return err
			}
			var report login.Report
			if again {
				report, err = repeat(c.Context(), t, claim)
			} else {
				report, err = readSound(c.Context(), "verify", args[1])
			}
			if err != nil {
				return err
			}
			report = results.OfServer(report)
			harness.ApplyExcuses(&report, excuses, time.Now())
			v := results.Verify(claim, &report)
			if err := writeVerification(t.Out, claim, v, verbose); err != nil {
				return err
			}
			status, _ := v.Status()
			return ended(status)
		},
	}
	c.Flags().BoolVar(&again, "run", false, "repeat the run as the claim says, its command included")
	c.Flags().BoolVarP(&verbose, "verbose", "v", false, "leave nothing out")
	return c
}

func readClaim(ctx context.Context, name string) (results.Claim, []harness.Excuse, error) {
	data, err := contentsOf(ctx, name)
	if err != nil {
		return results.Claim{}, nil, fmt.Errorf("claim: %w", err)
	}
	claim, err := results.ReadClaim(name, data)
	if err != nil {
		return claim, nil, err
	}
	excuses, err := harness.LoadExcuses(name, data)
	return claim, excuses, err
}

// verifiedMost is how many findings of a sort a screen has room for.
const verifiedMost = 20

func writeVerification(w io.Writer, c results.Claim, v results.Verification, all bool) error {
	out := &lines{w: w}
	out.put("%q %q", c.Subject.Name, c.Subject.Version)
	if c.Subject.Vendor != "" {
		out.put(" of %q", c.Subject.Vendor)
	}
	out.put("   claimed %s   catalogue %s   %s\n", c.Made.Date, c.Made.Catalogue, c.Standing)
	status, word := v.Status()
	out.put("\n%s", map[string]string{"kept": "KEPT", "broken": "BROKEN", "cannot say": "CANNOT SAY"}[word])
	if len(v.Unfit) == 0 {
		out.put("   %d as claimed   %d broken   %d not decided", v.Kept, len(v.Broken), len(v.Open))
	}
	out.put("\n")
	for _, sort := range []struct {
		mark string
		all  []string
	}{{"UNFIT ", v.Unfit}, {"BROKEN", v.Broken}, {"OPEN  ", v.Open}, {"NOTE  ", v.Notes}} {
		shown := sort.all
		if !all && len(shown) > verifiedMost {
			shown = shown[:verifiedMost]
		}
		for _, text := range shown {
			out.put(" %s  %s\n", sort.mark, text)
		}
		if more := len(sort.all) - len(shown); more > 0 {
			out.put(" %s  ... and %d more (-v)\n", sort.mark, more)
		}
	}
	out.put("exit status %d\n", status)
	return out.err
}

// lines keeps the first error of what it writes.
type lines struct {
	w   io.Writer
	err error
}

func (l *lines) put(format string, args ...any) {
	if l.err == nil {
		_, l.err = fmt.Fprintf(l.w, format, args...)
	}
}
