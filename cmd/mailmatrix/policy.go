package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/harness/policy"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/server"
)

func newPolicy(t terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "policy",
		Short: "make, check, explain, recommend, render policies",
		Long: `A policy says of each login mechanism whether it is denied, allowed, or allowed
inside TLS alone. It is a YAML file:

  policy: {PLAIN: secure, CRAM-MD5: allow}
  pop3: {USER/PASS: secure}

What it does not name is denied; the map of a protocol wins. Wherever a FILE is
asked, a built-in name serves: ` + policyNames() + `;
with @2026.1 it means the same for ever.`,
		Example: `  mailmatrix policy explain modern                  who is lost, and to what
  mailmatrix policy recommend --keep outlook,eudora what is the least harm?
  mailmatrix policy make mail.example.com > mine.yaml`,
		Args: knownVerb,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newPolicyExplain(t), newPolicyRecommend(t), newPolicyMake(t), newPolicyCheck(t), newPolicyRender(t))
	return c
}

func policyNames() string {
	var names []string
	for _, b := range policy.Builtins() {
		names = append(names, b.Name)
	}
	return strings.Join(names, ", ")
}

// policyArgs wants one policy.
func policyArgs(c *cobra.Command, args []string) error {
	switch len(args) {
	case 1:
		return nil
	case 0:
		return fmt.Errorf("%s which policy? a FILE, or one of %s", c.CommandPath(), policyNames())
	default:
		return fmt.Errorf("%s takes one policy: what is %q?", c.CommandPath(), args[1])
	}
}

// clients are those that policies are explained for: all but the probe, which
// logs in with anything.
func clients() []clientsim.Profile {
	var all []clientsim.Profile
	for _, p := range clientsim.All() {
		if !p.Probe() {
			all = append(all, p)
		}
	}
	return all
}

// described are the manners of the clients, looked at beside a reference server
// in this process.
func described(ctx context.Context, profiles []clientsim.Profile) (_ []login.ClientDescription, err error) {
	lab, err := server.NewReference()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, lab.Close()) }()
	book, err := harness.Manners(ctx, lab, profiles, 4*runtime.GOMAXPROCS(0))
	return book.Clients, err
}
