package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// planned is one line of the plan.
type planned struct {
	ID       string   `json:"id"`
	Expected []string `json:"expected"`
	Refs     []string `json:"refs"`
}

func newPlan(t terminal) *cobra.Command {
	var select_ axes
	var format string
	c := &cobra.Command{
		Use:   "plan",
		Short: "print what would run and what is expected, without a network",
		Example: `  mailmatrix plan | less
  mailmatrix plan --profile eudora --setting secure
  mailmatrix plan --format json`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := noEmptyFlag(c); err != nil {
				return err
			}
			form, err := login.ParseName("format", format, []string{"text", "json"})
			if err != nil {
				return err
			}
			grid, err := select_.grid()
			if err != nil {
				return err
			}
			plan, err := harness.NewPlan(grid)
			if err != nil {
				return err
			}
			lines := make([]planned, len(plan.Jobs))
			for i, j := range plan.Jobs {
				lines[i] = plannedOf(j)
			}
			if form == "json" {
				return writeJSON(t.Out, lines)
			}
			return writePlan(t.Out, plan, lines)
		},
	}
	select_.register(c)
	c.Flags().StringVar(&format, "format", "text", "text or json")
	return c
}

func plannedOf(j harness.Job) planned {
	p := planned{ID: j.ID(), Refs: j.Expect.Refs}
	if j.Scenario != nil {
		p.Expected, p.Refs = j.Scenario.Expected, j.Scenario.Refs
	}
	if j.Case != nil {
		p.Expected, p.Refs = []string{login.Pass.String()}, j.Case.Refs
	}
	if j.Client != nil {
		p.Expected, p.Refs = []string{login.Pass.String()}, j.Client.Refs
	}
	for _, o := range j.Expect.Outcomes {
		p.Expected = append(p.Expected, string(o))
	}
	return p
}

func writePlan(w io.Writer, plan harness.Plan, lines []planned) error {
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, l := range lines {
		if _, err := fmt.Fprintf(tab, "%s\t%s\n", l.ID, strings.Join(l.Expected, " or ")); err != nil {
			return err
		}
	}
	if err := tab.Flush(); err != nil {
		return err
	}
	cells, cases := plan.Cells(), plan.Cases()
	_, err := fmt.Fprintf(w, "\n%d cells, %d scenarios, %d compliance cases, about %s\n", cells, len(lines)-cells-cases, cases, estimate(plan))
	return err
}

// What an experiment took on a small machine, both ends together.
const (
	clearCost   = 120 * time.Microsecond
	encryptCost = 450 * time.Microsecond
)

// estimate is how long the plan takes, to the order of magnitude.
func estimate(plan harness.Plan) time.Duration {
	var sum time.Duration
	for _, j := range plan.Jobs {
		transport := j.Cell.Transport
		if j.Scenario != nil {
			transport = j.Scenario.Transport
		}
		if transport.Encrypted() {
			sum += encryptCost
		} else {
			sum += clearCost
		}
	}
	return max(sum.Round(time.Second), time.Second)
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
