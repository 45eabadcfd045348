package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/mailmatrix/mailmatrix/harness"
)

// part is --shard: which part of the plan is run.
type part struct{ text string }

func (p *part) register(c *cobra.Command) {
	c.Flags().StringVar(&p.text, "shard", "", "run only part `K/N`, such as 2/3; `mailmatrix report merge` makes one report of all")
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
