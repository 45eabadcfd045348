package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/harness/policy"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

func newPolicyRecommend(t terminal) *cobra.Command {
	var (
		keep   []string
		users  string
		format string
	)
	c := &cobra.Command{
		Use:   "recommend",
		Short: "find the policies that mean the least harm to the clients that people use",
		Long: `Search the settings of all mechanisms that the named clients have, and print the
policies of which none is worse than another in every respect: users who lose
their client, the most that a listener learns, the most that a man in the middle
learns. For each client that one loses: the smallest change that brings it back,
and its price.

--users FILE has lines of client: weight (or client,weight). A client that is named
with --keep alone counts as one user.`,
		Example: `  mailmatrix policy recommend --keep outlook-2016,eudora
  mailmatrix policy recommend --users users.csv`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			form, err := login.ParseName("format", format, []string{"text", "json"})
			if err != nil {
				return err
			}
			if err := noEmptyFlag(c); err != nil {
				return err
			}
			all, err := namedUsers(keep, users)
			if err != nil {
				return err
			}
			var profiles []clientsim.Profile
			for _, u := range all {
				profiles = append(profiles, u.Profile)
			}
			manners, err := described(c.Context(), profiles)
			if err != nil {
				return err
			}
			r := policy.Recommend(all, manners)
			if form == "json" {
				return writeJSON(t.Out, r)
			}
			return writeRecommended(t.Out, r, all)
		},
	}
	flags := c.Flags()
	flags.StringSliceVar(&keep, "keep", nil, "`CLIENTS` that should keep working")
	flags.StringVar(&users, "users", "", "how many use which client, in this CSV or YAML `FILE`")
	flags.StringVar(&format, "format", "text", "text or json")
	return c
}

func namedUsers(keep []string, file string) ([]policy.User, error) {
	if len(keep) == 0 && file == "" {
		return nil, errors.New("for whom? name clients with --keep outlook,eudora, or a file with --users FILE")
	}
	kept, err := policy.ParseKeep(keep)
	if err != nil || file == "" {
		return kept, err
	}
	data, err := os.ReadFile(file) //nolint:gosec // the user names the file
	if err != nil {
		return nil, fmt.Errorf("users: %w", err)
	}
	users, err := policy.ParseUsers(file, data)
	return policy.Both(kept, users), err
}

// mostChoices is how many policies a screen has room for.
const mostChoices = 3

func writeRecommended(w io.Writer, r policy.Recommendation, users []policy.User) error {
	p := &policyPage{more: "--format json"}
	var weight int64
	for _, u := range users {
		weight += u.Weight
	}
	everybody := several(weight, "user", "users")
	p.line("%s, %s   %s   %s tried, all there are", several(len(users), "client", "clients"), everybody,
		several(len(r.Mechanisms), "mechanism", "mechanisms"), several(r.Tried, "policy", "policies"))
	for i, c := range r.Choices {
		// One that locks everybody out gives nothing away, and helps nobody.
		if i == mostChoices || i > 0 && c.Lost == weight {
			p.line("")
			p.line("%s more users: --format json", several(len(r.Choices)-i, "more, which loses", "more, which lose"))
			break
		}
		p.line("")
		p.line("%d  loses %d of %s   a listener learns %s   a man in the middle %s", i+1, c.Lost, everybody, classWord(c.Listener), classWord(c.Middle))
		p.choice(c)
	}
	p.line("")
	p.line("Foretold, for a server with every mechanism; what is not named is denied.")
	p.line("NEXT   put a policy line into mine.yaml, then:  mailmatrix policy explain mine.yaml")
	_, err := io.WriteString(w, p.b.String())
	return err
}

func (p *policyPage) choice(c policy.Choice) {
	var settings []string
	for _, m := range c.Policy.Mechanisms() {
		if s := c.Policy.For("", m); s != login.Deny {
			settings = append(settings, fmt.Sprintf("%s: %s", m, s))
		}
	}
	if len(settings) == 0 {
		p.line("   policy: deny everything")
	} else {
		p.flow("   policy: ", "{"+strings.Join(settings, ", ")+"}")
	}
	need := newGrouped()
	for _, client := range c.Clients {
		for _, a := range client.Access {
			if client.Standing != policy.Lost && a.Set != nil {
				need.add(protocolWord(a.Protocol)+": "+setting(a.Protocol, *a.Set), client.Profile)
			}
		}
	}
	for _, what := range need.order {
		p.list("   needs a setting: "+what+": ", need.members[what])
	}
	// Those of which the same is to be said, together.
	lost := newGrouped()
	for _, back := range c.Returns {
		lost.add(price(back, c.Cost), back.Profile)
	}
	for _, what := range lost.order {
		p.flow("   lost: ", what+":")
		p.list("         ", lost.members[what])
	}
}

// price is what brings a client back, and what that costs.
func price(r policy.Return, now policy.Cost) string {
	if len(r.Changes) == 0 {
		var why []string
		for _, a := range r.Still {
			why = append(why, protocolWord(a.Protocol)+": "+fate(a))
		}
		return "nothing brings it back (" + strings.Join(why, "; ") + ")"
	}
	var changes []string
	for _, c := range r.Changes {
		changes = append(changes, fmt.Sprintf("%s %s", c.Mechanism, c.To))
	}
	var costs []string
	if r.Cost.Listener > now.Listener {
		costs = append(costs, "a listener learns "+classWord(r.Cost.Listener))
	}
	if r.Cost.Middle > now.Middle {
		costs = append(costs, "a man in the middle learns "+classWord(r.Cost.Middle))
	}
	if r.Cost.Lost > now.Lost {
		costs = append(costs, several(r.Cost.Lost-now.Lost, "user more is lost", "users more are lost"))
	}
	if len(costs) == 0 {
		costs = append(costs, "nothing")
	}
	return fmt.Sprintf("back with %s; the price: %s", strings.Join(changes, ", "), strings.Join(costs, ", "))
}
