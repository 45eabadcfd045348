package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailmatrix/mailmatrix/harness/policy"
	"github.com/mailmatrix/mailmatrix/harness/remote"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// explained is the JSON of an explanation.
type explained struct {
	Policy string `json:"policy"`
	On     string `json:"on,omitempty"`
	policy.Explanation
}

func newPolicyExplain(t terminal) *cobra.Command {
	var (
		how     remoteFlags
		on      []string
		format  string
		verbose bool
	)
	c := &cobra.Command{
		Use:   "explain FILE",
		Short: "say what a policy means for each client: who keeps working, who is lost, and what is given away",
		Long: `Foretell, for every client, what a policy means: who keeps working, who needs a
setting, who is lost and to what, what a listener and a man in the middle learn,
and where Deny cannot help because the client sends first.

It supposes a server that has what its policy permits, wants TLS 1.2 and takes
NTLMv2 alone; with --on HOST, one that has that server's doors, which are looked
at as ` + "`mailmatrix check`" + ` does.`,
		Example: `  mailmatrix policy explain modern
  mailmatrix policy explain mine.yaml --on mail.example.com
  mailmatrix policy explain rfc8314 --format json`,
		Args: policyArgs,
		RunE: func(c *cobra.Command, args []string) error {
			form, err := login.ParseName("format", format, []string{"text", "json"})
			if err != nil {
				return err
			}
			if err := noEmptyFlag(c); err != nil {
				return err
			}
			if given := givenOf(c, (*remoteFlags).route); len(given) > 0 && len(on) == 0 {
				return fmt.Errorf("--%s is about the way to a server: say to which one with --on HOST", given[0].Name)
			}
			p, err := policy.Load(args[0], os.ReadFile)
			if err != nil {
				return err
			}
			e := explained{Policy: policy.Title(args[0])}
			var (
				open   policy.Open
				unseen []login.Protocol
			)
			if len(on) > 0 {
				e.On = strings.Join(on, " ")
				doors, err := how.doors(t, c, on)
				if err != nil {
					return err
				}
				open, unseen = policy.Doors(doors), policy.Unseen(doors)
			}
			manners, err := described(c.Context(), clients())
			if err != nil {
				return err
			}
			e.Explanation = policy.Explain(p, open, clients(), manners).Without(unseen)
			if form == "json" {
				return writeJSON(t.Out, e)
			}
			return writeExplained(t.Out, e, manners, verbose)
		},
	}
	flags := c.Flags()
	how.route(flags)
	flags.StringSliceVar(&on, "on", nil, "ask on the doors of this `HOST`, named as for check")
	flags.StringVar(&format, "format", "text", "text or json")
	flags.BoolVarP(&verbose, "verbose", "v", false, "name every client")
	return c
}

// doors looks at a server in service for what is open.
func (f *remoteFlags) doors(t terminal, c *cobra.Command, names []string) ([]login.DoorResult, error) {
	asked, o, err := f.options(t, c, names)
	if err != nil {
		return nil, err
	}
	o.LooksOnly = true
	report, err := remote.Check(c.Context(), asked, o)
	if err != nil {
		return nil, err
	}
	doors := doorsOf(report)
	if _, silent := speaking(doors); silent {
		return nil, fmt.Errorf("no door of %s speaks: nothing can be said of it (`mailmatrix check %[1]s` says more)", names[0])
	}
	return doors, nil
}

func doorsOf(r login.Report) []login.DoorResult {
	if len(r.Targets) == 0 {
		return nil
	}
	return r.Targets[0].Doors
}

// speaking are the doors behind which somebody is.
func speaking(doors []login.DoorResult) (some []login.DoorResult, silent bool) {
	for _, d := range doors {
		if d.Speaks() {
			some = append(some, d)
		}
	}
	return some, len(some) == 0
}
