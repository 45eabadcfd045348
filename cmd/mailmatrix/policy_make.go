package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailmatrix/mailmatrix/harness/policy"
	"github.com/mailmatrix/mailmatrix/harness/remote"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

func newPolicyMake(t terminal) *cobra.Command {
	var how remoteFlags
	c := &cobra.Command{
		Use:   "make HOST...",
		Short: "write down the policy that a deployed server shows",
		Long: `Look at a mail server in service, as ` + "`mailmatrix check`" + ` does, and write the policy
that its doors show. What was not tried is unknown, and so is that in which the
doors differ: check, render and run refuse the file until it says deny, secure or
allow there.`,
		Example: `  mailmatrix policy make mail.example.com > mine.yaml
  mailmatrix policy make mail.example.com --probe > mine.yaml`,
		RunE: func(c *cobra.Command, args []string) error {
			asked, o, err := how.options(t, c, args)
			if err != nil {
				return err
			}
			o.LooksOnly = true
			report, err := remote.Check(c.Context(), asked, o)
			if err != nil {
				return err
			}
			doors, silent := speaking(doorsOf(report))
			if silent {
				return fmt.Errorf("no door of %s speaks: there is no policy to be seen (`mailmatrix check %[1]s` says more)", args[0])
			}
			return writeObserved(t, args, doors, how.untried(), report.Complete)
		},
	}
	how.route(c.Flags())
	how.manner(c.Flags())
	return c
}

// untried are the flags that would tell more.
func (f *remoteFlags) untried() []string {
	var flags []string
	if !f.probe && !f.lab {
		flags = append(flags, "--probe")
	}
	if !f.login && !f.lab {
		flags = append(flags, "--login --authorized")
	}
	return flags
}

// writeObserved writes the file, and says what is still to be filled in.
func writeObserved(t terminal, names []string, doors []login.DoorResult, untried []string, complete bool) error {
	o := policy.Observe(doors)
	head := []string{"The policy of " + strings.Join(names, " ") + ", as its doors show it to mailmatrix " + version + "."}
	if o.Open > 0 {
		text := several(o.Open, "setting is", "settings are") + " unknown: write deny, secure or allow there"
		if len(untried) > 0 {
			text += ", or try " + strings.Join(untried, ", ")
		}
		head = append(head, text+".")
	}
	for _, p := range o.Silent {
		head = append(head, fmt.Sprintf("No door speaks %s: the file says nothing of it, and that is deny.", p))
	}
	if _, err := t.Out.Write(policy.Write(o.Policy, head, o.Remark)); err != nil {
		return fmt.Errorf("output: %w", err)
	}
	if o.Differing > 0 {
		_, _ = fmt.Fprintf(t.Err, "mailmatrix: the doors differ in %s: the file says which\n", several(o.Differing, "setting", "settings"))
	}
	if !complete {
		return errors.New("the check did not come to its end: the file is what was seen by then")
	}
	return nil
}

func newPolicyCheck(t terminal) *cobra.Command {
	var (
		how      remoteFlags
		shown    checkOutput
		repeated again
	)
	c := &cobra.Command{
		Use:   "check FILE HOST...",
		Short: "does a deployed server keep this policy?",
		Long: `The same as ` + "`mailmatrix check HOST --policy FILE`" + `.

Exit status: 0 it does, 1 it does not, 2 nobody can say.`,
		Example: `  mailmatrix policy check mine.yaml mail.example.com
  mailmatrix policy check modern mail.example.com --probe`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return policyArgs(c, args)
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			declared, claim, err := readClaimedPolicy(args[0])
			if last := args[len(args)-1]; err != nil && len(args) > 1 && isPolicy(last) {
				return fmt.Errorf("the policy comes first: %s %s %s", c.CommandPath(), last, strings.Join(args[:len(args)-1], " "))
			}
			if err != nil {
				return err
			}
			if err := repeated.check(); err != nil {
				return err
			}
			asked, o, err := how.options(t, c, args[1:])
			if err != nil {
				return err
			}
			o.Policy, shown.policy, shown.claim = &declared, args[0], claim
			shown.times, shown.selection = repeated.times, how.selection(c)
			return shown.check(c.Context(), t, asked, o)
		},
	}
	how.register(c)
	shown.register(c)
	repeated.registerTimes(c)
	return c
}

// isPolicy: a built-in one, or a file that is there, whatever stands in it.
func isPolicy(name string) bool {
	_, err := policy.Load(name, func(string) ([]byte, error) {
		_, err := os.Stat(name)
		return []byte("policy: {PLAIN: deny}"), err
	})
	return err == nil
}
