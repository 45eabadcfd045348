package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailmatrix/mailmatrix/harness/policy/render"
)

func newPolicyRender(t terminal) *cobra.Command {
	var server string
	c := &cobra.Command{
		Use:   "render --for SERVER FILE",
		Short: "write a policy down as a server's configuration",
		Long: `Print a policy as a piece of a server's configuration, and then, as comments, the
cells of the policy that this server cannot express: why, the nearest stricter
choice, which the configuration has, and the nearest looser one with its price.
What is printed is never looser than the policy.

Exit status: 0 the server can express all of it, 1 it cannot, 2 nobody can say
(no such server, a policy that cannot be read).

The servers:
` + renderedServers(),
		Example: `  mailmatrix policy render --for dovecot-2.3 modern
  mailmatrix policy render --for postfix+dovecot mine.yaml`,
		Args: policyArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if err := noEmptyFlag(c); err != nil {
				return err
			}
			if server == "" {
				return fmt.Errorf("render for which server? --for %s", strings.Join(render.Names(), ", --for "))
			}
			s, err := render.Get(server)
			if err != nil {
				return err
			}
			policy, err := readPolicy(args[0])
			if err != nil {
				return err
			}
			rendered := s.Render(policy)
			if err := render.Write(t.Out, s, args[0], rendered); err != nil {
				return err
			}
			if len(rendered.Cannot) > 0 {
				return statusError(1)
			}
			return nil
		},
	}
	c.Flags().StringVar(&server, "for", "", "`SERVER`: "+strings.Join(render.Names(), ", "))
	_ = c.RegisterFlagCompletionFunc("for", cobra.FixedCompletions(render.Names(), cobra.ShellCompDirectiveNoFileComp))
	return c
}

// renderedServers is a line for each.
func renderedServers() string {
	var b strings.Builder
	for _, s := range render.All() {
		_, _ = fmt.Fprintf(&b, "  %-16s %s\n", s.Name, s.Title)
	}
	return strings.TrimSuffix(b.String(), "\n")
}
