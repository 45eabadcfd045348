package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/harness/remote/apply"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/results"
)

// repeat runs what the claim was made from once more, by the verbs that a person
// would use.
func repeat(ctx context.Context, t terminal, c results.Claim) (login.Report, error) {
	switch {
	case c.Standing == results.SelfDeclared:
		return login.Report{}, errors.New("the claim is self-declared: it does not say how to start its server, so make a run of your own, and name its report")
	case c.Start != nil && c.Start.Image != "":
		return login.Report{}, fmt.Errorf("start %s yourself, then: mailmatrix %s, and name its report", c.Start.Image, commandOf(rerun(c, "--output", "json=run.json")))
	}
	for axis := range c.Made.Selection {
		if !slices.Contains(repeatable, axis) {
			return login.Report{}, fmt.Errorf("the claim is about a run with --%s, which cannot be repeated from here: make one yourself, and name its report", axis)
		}
	}
	if why := c.SelectedOtherwise(rerunSelection(c)); len(why) > 0 {
		return login.Report{}, fmt.Errorf("%s: make the claim again from a run like that, or a run of your own, and name its report", why[0])
	}
	if c.Start != nil && !strings.Contains(c.Start.Command, apply.PolicyFile) {
		_, _ = fmt.Fprintf(t.Err, "mailmatrix: starts %q\n", c.Start.Command)
		started, end, err := startSubject(ctx, t, c.Start.Command)
		if err != nil {
			return login.Report{}, err
		}
		defer end()
		ctx = started
	}
	var out bytes.Buffer
	args := rerun(c, "--format", "json")
	status := run(ctx, args, terminal{In: t.In, Out: &out, Err: t.Err})
	if gone := (*exec.ExitError)(nil); errors.As(context.Cause(ctx), &gone) {
		return login.Report{}, fmt.Errorf("start: its server has ended before the run was over: %w", gone)
	}
	if out.Len() == 0 {
		return login.Report{}, fmt.Errorf("the run could not be repeated: mailmatrix %s ended with %d", commandOf(args), status)
	}
	return harness.ReadReport("the run", out.Bytes())
}

// repeatable are the flags that are taken from a claim, which may be a
// stranger's: none of them writes anything.
var repeatable = []string{"flavour", "protocol", "transport", "mechanism", "setting", "profile", "database", "override", "credential", "cases", "full",
	"policy", "lab", "tls"}

// subjectWait is how long a server has to greet after it was started.
const subjectWait = "1m"

// rerun is the command line, less the program's name, that repeats the run with
// these flags.
func rerun(c results.Claim, flags ...string) []string {
	args := []string{"run"}
	if c.Start != nil {
		args = []string{"check", "--lab", "--wait", subjectWait}
		if strings.Contains(c.Start.Command, apply.PolicyFile) {
			args = append(args, "--apply", c.Start.Command)
		}
		if c.Start.Policy != "" {
			args = append(args, "--policy", c.Start.Policy)
		}
		if c.Start.Accounts != "" {
			args = append(args, "--account-file", c.Start.Accounts)
		}
	}
	for _, axis := range slices.Sorted(maps.Keys(c.Made.Selection)) {
		switch {
		case (axis == "policy" || axis == "lab") && c.Start != nil: // said already
		case axis == "full" || axis == "tls":
			args = append(args, "--"+axis)
		default:
			args = append(args, "--"+axis, strings.Join(c.Made.Selection[axis], ","))
		}
	}
	args = append(args, flags...)
	return append(append(args, "--"), c.Made.Doors...)
}

// rerunSelection is what the report of that run will say of its flags.
func rerunSelection(c results.Claim) map[string][]string {
	selection := maps.Clone(c.Made.Selection)
	if c.Start == nil || strings.Contains(c.Start.Command, apply.PolicyFile) {
		return selection
	}
	if selection == nil {
		selection = map[string][]string{}
	}
	selection["lab"] = []string{"true"}
	delete(selection, "policy")
	if c.Start.Policy != "" {
		selection["policy"] = []string{c.Start.Policy}
	}
	return selection
}

// commandOf is the command line for a person to copy.
func commandOf(args []string) string {
	words := make([]string, len(args))
	for i, word := range args {
		if words[i] = word; strings.ContainsAny(word, " \t'\"$`\\{}*?;&|<>()") {
			words[i] = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
	}
	return strings.Join(words, " ")
}

// subjectGrace is how long a server may take to end.
const subjectGrace = 5 * time.Second

// startSubject starts the server of a claim. end ends it, and all that it has
// started; what it writes is shown as diagnostics. The context ends when the
// command fails: one that succeeds may have left a server behind.
func startSubject(ctx context.Context, t terminal, command string) (started context.Context, end func(), err error) {
	alive, cancel := context.WithCancel(ctx)
	started, failed := context.WithCancelCause(ctx)
	subject := exec.CommandContext(alive, "sh", "-c", command) //nolint:gosec // --run is the user's word for it
	subject.Stdout, subject.Stderr, subject.WaitDelay = t.Err, t.Err, subjectGrace
	ownGroup(subject)
	subject.Cancel = func() error { return askGroup(subject) }
	if err := subject.Start(); err != nil {
		cancel()
		failed(nil)
		return nil, nil, fmt.Errorf("start: %w", err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := subject.Wait(); err != nil && alive.Err() == nil {
			failed(err)
		}
	}()
	return started, func() {
		cancel()
		<-ended               // it was told to end, so how it did says nothing
		_ = endGroup(subject) // what is left of it
		failed(nil)
	}, nil
}
