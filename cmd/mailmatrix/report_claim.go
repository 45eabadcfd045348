package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/harness/remote/apply"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/results"
)

func newReportClaim(t terminal) *cobra.Command {
	var (
		subject                         results.Subject
		start, policy, accounts, expect string
	)
	c := &cobra.Command{
		Use:   "claim RUN.json",
		Short: "make of a run the claim that a vendor commits: this server, this version, passes this",
		Long: `Make of a report in JSON a claim: a file of expectations with a heading that says
what passes, of which server, by which catalogue, and how to start the server, so
that others can put it to the test (` + "`mailmatrix report verify`" + `). What failed or
warned becomes an entry, and is said openly.

Files are not copied into the claim: commit the policy and the accounts beside it.
Without --start it is self-declared. docs/claims.md says more.

Exit status: 0 the claim is written, 2 nothing can be claimed from this run.`,
		Example: `  mailmatrix report claim run.json --subject "Example Mail" --version 4.2 > claim.yaml
  mailmatrix report claim run.json --subject "Example Mail" --version 4.2 --vendor "Example Ltd" \
    --start './start.sh' --policy policy.yaml --accounts accounts.yaml > claim.yaml
  mailmatrix report claim run.json --subject "Example Mail" --version 4.2 --expect known.yaml > claim.yaml`,
		Args: files(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := noEmptyFlag(c); err != nil {
				return err
			}
			if subject.Name == "" || subject.Version == "" {
				return errors.New("a claim is about one server: name it by --subject, and its --version")
			}
			how, err := results.NewStart(start, policy, accounts)
			if err != nil {
				return fmt.Errorf("--start: %w", err)
			}
			for _, name := range []string{policy, accounts} {
				if _, err := os.Stat(name); name != "" && err != nil {
					return fmt.Errorf("--start: who repeats the run needs this file: %w", err)
				}
			}
			report, err := readSound(c.Context(), "claim", args[0])
			if err != nil {
				return err
			}
			if how != nil && !strings.Contains(how.Command, apply.PolicyFile) && report.Selection["lab"] == nil && !ours(&report) {
				return errors.New("--start: a server that is started for the purpose is checked with --lab, and this run was made without it: make one like that")
			}
			report = results.OfServer(report)
			excuses, err := excusesOfClaim(c.Context(), t, &report, expect)
			if err != nil {
				return err
			}
			claim, err := results.NewClaim(&report, subject, how)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			if why := claim.SelectedOtherwise(rerunSelection(claim)); len(why) > 0 {
				return fmt.Errorf("--start: who repeats the run would make another: %s", why[0])
			}
			var entries, text bytes.Buffer
			if err := joined(harness.WriteExcuses(&entries, excuses), claim.Write(&text, entries.String())); err != nil {
				return err
			}
			_, err = t.Out.Write(text.Bytes())
			return err
		},
	}
	flags := c.Flags()
	flags.StringVar(&subject.Name, "subject", "", "what the server is called")
	flags.StringVar(&subject.Version, "version", "", "its version")
	flags.StringVar(&subject.Vendor, "vendor", "", "who claims this")
	flags.StringVar(&start, "start", "", "how to start it: an image with its digest, NAME@sha256:HEX, or a `COMMAND`")
	flags.StringVar(&policy, "policy", "", "with --start: it is judged by this policy in a `FILE`")
	flags.StringVar(&accounts, "accounts", "", "with --start: it has the accounts in this `FILE`, as --account-file takes them")
	flags.StringVar(&expect, "expect", "", "take reasons and sources from this YAML `FILE` (docs/expect.md)")
	return c
}

// ours: the report is about the reference server, which needs no start.
func ours(r *login.Report) bool {
	return len(r.Targets) > 0 && r.Targets[0].Kind == login.ReferenceTarget
}

// excusesOfClaim excuses all that failed or warned: by the entries of a file
// that hold, and by one for each result that is left.
func excusesOfClaim(ctx context.Context, t terminal, r *login.Report, file string) ([]harness.Excuse, error) {
	var kept []harness.Excuse
	if file != "" {
		data, err := contentsOf(ctx, file)
		if err != nil {
			return nil, fmt.Errorf("expect: %w", err)
		}
		if kept, err = harness.LoadExcuses(file, data); err != nil {
			return nil, err
		}
		problems := harness.ApplyExcuses(r, kept, time.Now())
		kept = harness.Keep(kept, problems)
		for _, p := range problems {
			_, _ = fmt.Fprintf(t.Err, "mailmatrix: left out of the claim: %s: %s: %s\n", p.Entry, p.Pattern, p.Reason)
		}
	}
	added := harness.ExcusesFor(r, fmt.Sprintf("observed by %s on %s", r.Tool, r.Started.Format(time.DateOnly)))
	harness.ApplyExcuses(r, added, time.Now())
	return append(kept, added...), nil
}
