package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/harness/remote"
	"github.com/mailmatrix/mailmatrix/harness/remote/apply"
	"github.com/mailmatrix/mailmatrix/harness/remote/discover"
	"github.com/mailmatrix/mailmatrix/harness/remote/reach"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// laboratory is --apply: somebody's own server, reconfigured before each policy,
// under the whole matrix.
type laboratory struct {
	command  string
	axes     axes
	seed     uint64
	deadline time.Duration // 0 is none
	again    again
}

func (l *laboratory) register(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&l.command, "apply", "", "with --lab: before each policy run this `COMMAND`, in which {policy.yaml} is a file with it, and run the whole matrix")
	flags.StringSliceVar(&l.axes.profiles, "profile", nil, "with --apply: mail client (default: probe)")
	flags.StringSliceVar(&l.axes.protocols, "protocol", nil, "with --apply: mail protocol")
	flags.StringSliceVar(&l.axes.transports, "transport", nil, "with --apply: how the client is configured")
	flags.StringSliceVar(&l.axes.mechanisms, "mechanism", nil, "with --apply: way of logging in")
	flags.StringSliceVar(&l.axes.settings, "setting", nil, "with --apply: what the policy says of it")
	flags.StringSliceVar(&l.axes.cases, "cases", nil, "with --apply: compliance cases, named as for mailmatrix run")
	flags.Uint64Var(&l.seed, "seed", 0, "with --apply: repeat a run: the number that its report names")
	l.again.register(c)
}

// check refuses what makes no sense without --apply, or with it.
func (l *laboratory) check(c *cobra.Command, asked discover.Asked, o remote.Options) error {
	if err := l.again.check(); err != nil {
		return err
	}
	if l.command == "" {
		for _, name := range []string{"profile", "protocol", "transport", "mechanism", "setting", "cases", "seed", "only", "rerun-failed"} {
			if c.Flags().Changed(name) {
				return fmt.Errorf("--%s is about a server that is reconfigured: it wants --lab --apply 'COMMAND {policy.yaml}'", name)
			}
		}
		return nil
	}
	if c.Flags().Changed("deadline") {
		l.deadline = o.Deadline
	}
	for _, name := range []string{"policy", "plan"} {
		if c.Flags().Changed(name) {
			return fmt.Errorf("--%s is about a server as it stands, and --apply reconfigures it: leave one of them out", name)
		}
	}
	switch {
	case !o.Lab:
		return errors.New("--apply reconfigures a server: say by --lab that it is there to be thrown away")
	case !strings.Contains(l.command, apply.PolicyFile):
		return fmt.Errorf("--apply %q: it wants %s where the name of the file with the policy is to stand", l.command, apply.PolicyFile)
	case len(asked.Names) > 0:
		return fmt.Errorf("--apply waits for doors, so name them: smtp://%s:587, pop3s://%[1]s and the like", asked.Names[0])
	default:
		return nil
	}
}

// run runs the matrix. all are the accounts of a file, if there is one.
func (l *laboratory) run(ctx context.Context, t terminal, asked discover.Asked, o remote.Options, all accounts) (login.Report, error) {
	grid, err := l.axes.grid()
	if err != nil {
		return login.Report{}, err
	}
	plan, err := harness.NewRemotePlan(grid)
	if err != nil {
		return login.Report{}, err
	}
	others, err := all.others()
	if err != nil {
		return login.Report{}, err
	}
	if len(grid.Cases) == 0 {
		plan.Jobs = append(plan.Jobs, accountJobs(others, grid.Protocols)...)
	}
	absent := without(&plan, asked.Doors)
	if plan.Cells()+plan.Cases() == 0 {
		return login.Report{}, fmt.Errorf("nothing is left to be run: name doors of %s as well", strings.Join(texts(absent), " and "))
	}
	if plan, err = l.again.narrow(ctx, t.Err, plan); err != nil {
		return login.Report{}, err
	}
	ways, err := waysTo(ctx, asked.Doors, o.Route)
	if err != nil {
		return login.Report{}, err
	}
	stand, issued, err := l.accounts(o, all)
	if err != nil {
		return login.Report{}, err
	}
	stand.Others = others
	stand.Host, stand.Domain = asked.Doors[0].Host, domainOf(o, stand.Account.Name)
	config := apply.Config{Name: stand.Host, Command: l.command, Doors: ways.doors(), Dial: ways.dial, Stand: stand, Issued: issued,
		Wait: o.Wait, Limit: o.Limit}
	target := apply.New(config)
	if err := firstState(ctx, target); err != nil {
		return login.Report{}, err
	}
	target.Authority, target.Stand.Host = ways.trusted(ctx, o.Trust, stand.Host)
	run := harness.Config{Target: target, TargetKind: login.RemoteTarget, Tool: o.Tool, Seed: l.seed, Limit: o.Limit, Parallel: 1}
	if o.Route.Source.IsValid() {
		run.Vantage = o.Route.Source.String()
	}
	if bar := newProgress(t.Err); bar != nil {
		run.Progress = bar.show
		defer bar.clear()
	}
	if l.deadline > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, l.deadline)
		defer cancel()
	}
	report := l.again.run(t.Err, func() login.Report { return harness.Run(ctx, plan, run) })
	ways.describe(&report)
	for _, p := range absent {
		report.NotTested = append(report.NotTested, login.NotTested{What: fmt.Sprintf("%s: no door of it is named", p), Why: login.WhyOperator,
			Flag: string(p) + "://HOST"})
	}
	return report, nil
}

// without leaves out of the plan the protocols that none of the doors speaks, and
// returns them.
func without(plan *harness.Plan, doors []reach.Door) []login.Protocol {
	absent := slices.DeleteFunc(login.Protocols(), func(p login.Protocol) bool {
		return slices.ContainsFunc(doors, func(d reach.Door) bool { return d.Protocol == p })
	})
	plan.Jobs = slices.DeleteFunc(plan.Jobs, func(j harness.Job) bool {
		protocol := j.Cell.Protocol
		switch {
		case j.Scenario != nil:
			protocol = j.Scenario.Protocol
		case j.Case != nil:
			protocol = j.Case.Protocol
		}
		return slices.Contains(absent, protocol)
	})
	return absent
}

// domainOf is one that the server delivers to, as far as that can be told.
func domainOf(o remote.Options, account string) string {
	_, domain, _ := strings.Cut(account, "@")
	return cmp.Or(o.Domain, domain)
}

// firstState tries the command with the policy that every server has a word
// for: that nobody may log in.
func firstState(ctx context.Context, target *apply.Target) error {
	door, err := target.Under(ctx, login.Setup{})
	var cannot *login.CannotError
	switch {
	case errors.As(err, &cannot):
		return fmt.Errorf("--apply exits with %d (cannot express) even where everything is denied: is the command there? %w", apply.CannotExpress, err)
	case err != nil:
		return err
	default:
		return door.Close()
	}
}

// accounts are those that the server has, or none where the command makes them.
func (l *laboratory) accounts(o remote.Options, all accounts) (harness.Stand, login.Issued, error) {
	switch {
	case len(all) > 0:
		return all.stand()
	case strings.Contains(l.command, apply.AccountsFile):
		return harness.Stand{}, login.Issued{}, nil
	case o.Account.Secrets != nil:
		password, issued, err := o.Account.Secrets()
		return harness.Stand{Account: login.Account{Name: o.Account.Name, Password: password}}, issued, err
	default:
		return harness.Stand{}, login.Issued{}, fmt.Errorf("who logs in? Name an --account-file, set MAILMATRIX_USER and MAILMATRIX_PASSWORD, "+
			"or have the command make the accounts in %s", apply.AccountsFile)
	}
}
