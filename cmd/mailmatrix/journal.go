package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// continuation is --journal and --resume.
type continuation struct {
	name   string
	resume bool
	*harness.Journal
}

func (j *continuation) register(c *cobra.Command) {
	c.Flags().StringVar(&j.name, "journal", "", "write each result into this `FILE` as soon as it is there")
	c.Flags().BoolVar(&j.resume, "resume", false, "go on with the run of which --journal tells")
}

func (j *continuation) check() error {
	if j.resume && j.name == "" {
		return fmt.Errorf("--resume wants --journal FILE: which run is to go on?")
	}
	return nil
}

// open opens the journal, and gives it to the run.
func (j *continuation) open(w io.Writer, plan harness.Plan, config *harness.Config) error {
	if j.name == "" {
		return nil
	}
	var err error
	if j.Journal, err = harness.OpenJournal(j.name, j.resume, plan, *config); err != nil {
		return err
	}
	config.Journal = j.Journal
	if j.resume {
		_, _ = fmt.Fprintf(w, "mailmatrix: journal %s: %d of %d experiments are done\n", j.name, j.Done(), len(plan.Jobs))
	}
	return nil
}

// close closes the journal, and says how to go on with a run that was cut off.
func (j *continuation) close(w io.Writer, r *login.Report) error {
	if j.Journal == nil {
		return nil
	}
	if !r.Complete {
		_, _ = fmt.Fprintf(w, "mailmatrix: to go on: the same command with --journal %s --resume\n", j.name)
	}
	return j.Close()
}
