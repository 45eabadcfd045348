package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mailmatrix/mailmatrix/harness/remote"
	"github.com/mailmatrix/mailmatrix/harness/remote/budget"
	"github.com/mailmatrix/mailmatrix/harness/remote/discover"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/reports"
	"github.com/mailmatrix/mailmatrix/server"
)

func newCheck(t terminal) *cobra.Command {
	var (
		how    remoteFlags
		shown  checkOutput
		policy string
		plan   bool
		lab    laboratory
	)
	c := &cobra.Command{
		Use:   "check HOST...",
		Short: "validate a deployed server: what it offers, what it accepts, who can use it",
		Long: `Look at a mail server in service and say what it offers, what it really accepts,
whether it keeps its policy, which clients can use it, and what to change.

HOST is a host, a mail domain, or doors such as smtp://mail.example.com:587 and
pop3s://mail.example.com; several are doors of one server. By default nothing is
sent that a server counts: EHLO, CAPA, STARTTLS and the like. --probe sends AUTH without any secret; --login
sends a password, over verified TLS. --plan prints the whole cost before anything
is sent. docs/check.md says more.

Exit status: 0 conforming, 1 something failed, 2 nobody can say (a door that was
named is silent, interrupted, bad input).`,
		Example: `  mailmatrix check mail.example.com
  mailmatrix check mail.example.com --probe
  mailmatrix check mail.example.com --policy mine.yaml
  MAILMATRIX_USER=alice MAILMATRIX_PASSWORD=... mailmatrix check mail.example.com --login --authorized
  mailmatrix check smtp://127.0.0.1:10025 pop3://127.0.0.1:10110 --lab --account-file accounts.yaml
  mailmatrix check smtp://127.0.0.1:10025 --lab --account-file accounts.yaml --apply './reconfigure {policy.yaml}'`,
		RunE: func(c *cobra.Command, args []string) error {
			asked, o, err := how.options(t, c, args)
			if err != nil {
				return err
			}
			if policy != "" {
				declared, claim, err := readClaimedPolicy(policy)
				if err != nil {
					return err
				}
				o.Policy, shown.policy, shown.claim = &declared, policy, claim
			}
			if err := lab.check(c, asked, o); err != nil {
				return err
			}
			if plan {
				return shown.plan(t, asked, o)
			}
			if lab.command != "" {
				return shown.write(c.Context(), t, func() (login.Report, error) { return lab.run(c.Context(), t, asked, o, how.accounts) })
			}
			shown.times, shown.selection = lab.again.times, how.selection(c)
			return shown.check(c.Context(), t, asked, o)
		},
	}
	how.register(c)
	shown.register(c)
	lab.register(c)
	flags := c.Flags()
	flags.StringVar(&policy, "policy", "", "judge against the policy in this YAML `FILE`, or a built-in one")
	flags.BoolVar(&plan, "plan", false, "print what it would cost the server, and send nothing")
	return c
}

// checkOutput is how what came of a check is judged and shown, for every verb
// that has one.
type checkOutput struct {
	policy string // its name, where one was declared
	claim  *reports.Claim
	forms  reportOutput
	status statusFlags
	// selection are the flags that were given.
	selection map[string][]string
	kept      keeping
	// times is how often it is done; 0 is once.
	times int
	// given are the verb's flags.
	given *pflag.FlagSet
}

func (s *checkOutput) register(c *cobra.Command) {
	s.given = c.Flags()
	s.forms.register(c)
	s.status.register(c)
	s.kept.register(c)
}

// check checks a server, beside a stand-in that foretells its clients.
func (s *checkOutput) check(ctx context.Context, t terminal, asked discover.Asked, o remote.Options) error {
	return s.write(ctx, t, func() (login.Report, error) {
		standIn, err := server.NewReference()
		if err != nil {
			return login.Report{}, err
		}
		o.StandIn = standIn
		bar := newCheckProgress(t.Err)
		o.Told = bar.told
		if s.times > 1 { // however often it is asked, it is one server
			limits := o.Limits
			limits.None = limits.None || o.Lab
			o.Budget = budget.New(limits, time.Now)
		}
		var failed error
		repeated := again{times: max(1, s.times)}
		report := repeated.run(t.Err, func() login.Report {
			r, err := remote.Check(ctx, asked, o)
			failed = errors.Join(failed, err)
			return r
		})
		bar.clear()
		return report, joined(failed, standIn.Close())
	})
}

// plan prints what a check would cost.
func (s *checkOutput) plan(t terminal, asked discover.Asked, o remote.Options) error {
	most, err := remote.Plan(asked, o)
	if err != nil {
		return err
	}
	form, err := login.ParseName("format of a plan", s.forms.format, []string{"text", "json"})
	if err != nil {
		return err
	}
	if form == "json" {
		return writeJSON(t.Out, most)
	}
	_, err = fmt.Fprint(t.Out, most)
	return err
}

// write opens what is to be written, does the work, and writes it.
func (s *checkOutput) write(ctx context.Context, t terminal, work func() (login.Report, error)) error {
	if err := apart(s.given, s.policy); err != nil {
		return err
	}
	if err := s.status.open(ctx); err != nil {
		return err
	}
	out, err := openOutputs(t, s.forms.format, s.forms.files, s.forms.verbose)
	if err != nil {
		return err
	}
	if err := out.claim(s.claim); err != nil {
		out.discard()
		return err
	}
	if err := s.kept.open(); err != nil {
		out.discard()
		return err
	}
	report, err := work()
	if err != nil {
		out.discard()
		s.kept.discard()
		return err
	}
	report.Selection = maps.Clone(report.Selection)
	maps.Copy(report.Selection, s.selection)
	if s.policy != "" {
		report.Selection["policy"] = []string{s.policy}
	}
	s.status.apply(t.Err, &report)
	if err := joined(s.kept.put(t.Err, &report, out), out.write(t.Out, report)); err != nil {
		return err
	}
	return ended(report.ExitStatus())
}
