package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mailmatrix/mailmatrix/harness"
)

// part is --shard: which part of the plan is run.
type part struct{ text string }

func (p *part) register(c *cobra.Command) {
	c.Flags().StringVar(&p.text, "shard", "", "run only part `K/N`, such as 2/3; `mailmatrix report merge` makes one report of all")
}

// ofTheWhole are the flags whose answer a part of a run would get wrong, and say
// nothing of it. They are asked where the parts are merged.
var ofTheWhole = []string{"store", "baseline", "fail-on", "write-expect"}

// alone refuses them beside --shard.
func (p *part) alone(flags *pflag.FlagSet) error {
	for _, name := range ofTheWhole {
		if p.text != "" && flags.Changed(name) {
			return fmt.Errorf("--%s is about a whole run, and --shard %s is a part of one: save it with --output json=FILE, and give --%[1]s to `mailmatrix report merge`",
				name, p.text)
		}
	}
	return nil
}

// narrow leaves in the plan what is to be run.
func (p *part) narrow(plan harness.Plan, seed uint64) (harness.Plan, error) {
	if p.text == "" {
		return plan, nil
	}
	shard, err := harness.ParseShard(p.text)
	switch {
	case err != nil:
		return plan, err
	case seed == 0:
		return plan, errors.New("--shard wants --seed: the shards of a run share one, such as --seed 7")
	default:
		return plan.Shard(shard), nil
	}
}
