package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// expectations are --expect and --write-expect: the results that were to be
// expected, and where to write those that are to be from now on.
type expectations struct {
	from, into string

	excuses []harness.Excuse
	out     *pendingFile // nil where none is wanted
	kept    []harness.Excuse
}

func (e *expectations) register(c *cobra.Command) {
	c.Flags().StringVar(&e.from, "expect", "", "excuse the results in this YAML `FILE` (docs/expect.md)")
	c.Flags().StringVar(&e.into, "write-expect", "", "write a `FILE` for --expect that excuses what fails or warns now")
}

// open reads what is expected, and opens the file to be written. Reasons and
// sources that somebody has written are not thrown away: a file that is there
// is only replaced where it was read, and then its entries are kept.
func (e *expectations) open(ctx context.Context) error {
	if e.from != "" {
		data, err := contentsOf(ctx, e.from)
		if err != nil {
			return fmt.Errorf("expect: %w", err)
		}
		if e.excuses, err = harness.LoadExcuses(e.from, data); err != nil {
			return err
		}
	}
	if e.into == "" {
		return nil
	}
	if info, err := os.Stat(e.into); err == nil && info.Mode().IsRegular() && !sameFile(e.from, info) {
		return fmt.Errorf("%s is there already: name another file, or read it by --expect as well, and what holds of it is kept", e.into)
	}
	var err error
	e.out, err = createFile(e.into, publicFile)
	return err
}

func sameFile(name string, info os.FileInfo) bool {
	other, err := os.Stat(name)
	return err == nil && os.SameFile(info, other)
}

// apply marks what was to be expected, and says on w what of it does not hold.
func (e *expectations) apply(w io.Writer, r *login.Report) {
	if e.from == "" {
		return
	}
	problems := harness.ApplyExcuses(r, e.excuses, time.Now())
	e.kept = harness.Keep(e.excuses, problems)
	r.Selection = maps.Clone(r.Selection)
	r.Selection["expect"] = []string{e.from}
	for _, p := range problems {
		_, _ = fmt.Fprintf(w, "mailmatrix: %s: %s: %s\n", p.Entry, p.Pattern, p.Reason)
	}
}

// write writes what is to be expected from now on, and says so on w. A run that
// proves nothing changes nothing.
func (e *expectations) write(w io.Writer, r *login.Report) error {
	if e.out == nil {
		return nil
	}
	if !r.Complete || r.FailedControl() != "" {
		e.out.discard()
		return fmt.Errorf("%s is not written: a run that is not complete does not say what is to be expected", e.into)
	}
	added := harness.ExcusesFor(r, fmt.Sprintf("observed by mailmatrix %s on %s", version, r.Started.Format(time.DateOnly)))
	if err := e.out.commit(harness.WriteExcuses(e.out, append(e.kept, added...))); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(w, "mailmatrix: %s is written: %d kept, %d new, %d taken out\n",
		e.into, len(e.kept), len(added), len(e.excuses)-len(e.kept))
	return nil
}

// discard forgets a file that was opened for nothing.
func (e *expectations) discard() {
	if e.out != nil {
		e.out.discard()
	}
}
