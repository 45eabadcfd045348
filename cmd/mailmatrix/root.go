package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// What the program ends with; 0 and 1 come from the report.
const exitUnclear = 2

// terminal is what a command talks to. Results go to Out; diagnostics and
// progress go to Err.
type terminal struct {
	In  io.Reader
	Out io.Writer
	Err io.Writer
}

// colour reports whether w is a terminal that wants colour
// (https://no-color.org).
func colour(w io.Writer) bool {
	return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && isTerminal(w)
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && obeys(f)
}

// statusError ends the program with a status and no message: the report has
// said everything.
type statusError int

func (s statusError) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// ended is how a verb ends whose output is written.
func ended(status int) error {
	if status == 0 {
		return nil
	}
	return statusError(status)
}

// run is the program: arguments in, exit status out.
//
// Every error is one line on Err, "mailmatrix: ...", without a capital and
// without a full stop, and the status is 2: nobody can say anything of the
// server.
func run(ctx context.Context, args []string, t terminal) int {
	root := newRoot(t)
	root.SetArgs(args)
	root.SetIn(t.In)
	root.SetOut(t.Out)
	root.SetErr(t.Err)
	err := root.ExecuteContext(ctx)
	var status statusError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &status):
		return int(status)
	default:
		_, _ = fmt.Fprintf(t.Err, "mailmatrix: %s\n", strings.TrimRight(err.Error(), "\n"))
		return exitUnclear
	}
}

// knownVerb refuses what is no verb, and names the verb that was meant.
func knownVerb(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var verbs []string
	for _, sub := range c.Commands() {
		verbs = append(verbs, sub.Name())
	}
	_, err := login.ParseName("command", args[0], verbs)
	return err
}

// noArgs refuses words that are no flags.
func noArgs(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fmt.Errorf("%s takes no arguments, only flags: what is %q? (see `%[1]s --help`)", c.CommandPath(), args[0])
}

func newRoot(t terminal) *cobra.Command {
	root := &cobra.Command{
		Use:   "mailmatrix",
		Short: "which mail clients can log in under which policy, by experiment",
		Long: `mailmatrix crosses mail clients, login mechanisms, settings (deny, allow, only
over TLS) and transports, measures what happens on the wire, and judges it.`,
		Example: `  mailmatrix run                         the whole matrix against the reference server
  mailmatrix run --profile outlook       one client
  mailmatrix run --policy mine.yaml      who can log in under my policy?
  mailmatrix serve                       the reference server, for real clients
  mailmatrix list profiles               what is known of which client`,
		Version:       version,
		Args:          knownVerb,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetVersionTemplate("mailmatrix {{.Version}}\n")
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return fmt.Errorf("%w (see `%s --help`)", err, c.CommandPath())
	})
	root.AddCommand(newRun(t), newCheck(t), newServe(t), newReplay(t), newObserve(t), newPlan(t), newList(t), newPolicy(t), newCert(t), newVersion(t), newMan(t), newReport(t))
	return root
}
