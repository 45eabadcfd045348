package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/recording"
)

// writeTable says what the client did under each posture.
func (run *observation) writeTable(w io.Writer) error {
	skipped := ""
	if run.skipped > 0 {
		skipped = fmt.Sprintf("   %d do not apply", run.skipped)
	}
	if _, err := fmt.Fprintf(w, "%s   %d postures observed%s   %.1f s   records in %s\n\n", run.title(), len(run.records), skipped,
		time.Since(run.started).Seconds(), run.config.output); err != nil {
		return err
	}
	tab := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	_, _ = fmt.Fprintln(tab, " posture\tmode\ttrust\twhat it did")
	for _, r := range run.records {
		_, _ = fmt.Fprintf(tab, " %s\t%s\t%s\t%s\n", r.Case, r.ClientTLS, r.Trust, deeds(r))
	}
	return tab.Flush()
}

// deeds are what came of one login, in a line.
func deeds(r recording.Record) string {
	var did []string
	for _, a := range r.Attempts {
		did = append(did, a.Mech+" "+a.Res)
	}
	switch {
	case r.Conns == 0:
		did = append(did, "no connection")
	case len(r.Attempts) > 0:
	case slices.ContainsFunc(r.Commands, func(c string) bool { return strings.HasSuffix(c, " TLS-FAIL") }):
		did = append(did, "TLS fails")
	default:
		did = append(did, "no login tried")
	}
	text := strings.Join(did, ", ")
	for _, note := range []struct {
		is   bool
		text string
	}{
		{len(r.ClearPassword) > 0, "PASSWORD readable"},
		{len(r.ClearHash) > 0, "crackable hash readable"},
		{len(r.UnauthCommands) > 0, "goes on without a login"},
		{r.TimedOut, "had to be ended"},
	} {
		if note.is {
			text += "; " + note.text
		}
	}
	return text
}

// writeTrial says how far the draft is to be believed.
func (run *observation) writeTrial(w io.Writer, trial harness.Trial) error {
	where := ""
	if run.config.profile != "" {
		where = "   in " + run.config.profile
	}
	_, _ = fmt.Fprintf(w, "\nDRAFT   %d facts observed, %d assumed since the format demands them; the rest is unknown%s\n\n",
		trial.Draft.Observed, trial.Draft.Assumed, where)
	tab := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	_, _ = fmt.Fprintln(tab, " \tcases\tattempts\tcommands\texposure\toutcome")
	row := func(name string, a harness.Agreement) {
		_, _ = fmt.Fprintf(tab, " %s\t%d\t%s\t%s\t%s\t%s\n", name, a.Cases,
			share(a.Attempts, a.Cases), share(a.Commands, a.Cases), share(a.Exposure, a.Cases), share(a.Outcome, a.Cases))
	}
	row("made of all, replayed", trial.All.Totals)
	if len(trial.HeldBack) > 0 {
		row("made without "+strings.Join(trial.HeldBack, " ")+", replayed", trial.Without.Totals)
		row("what that foretells of them", trial.Foretold.Totals)
	}
	if err := tab.Flush(); err != nil {
		return err
	}
	if len(trial.HeldBack) == 0 {
		_, _ = fmt.Fprintln(w, " none was held back: there are too few")
	}
	for _, part := range []struct {
		what   string
		report harness.ReplayReport
	}{{"", trial.All}, {"foretold ", trial.Foretold}} {
		for _, c := range part.report.Clients {
			for _, d := range c.Disagreements {
				if _, err := fmt.Fprintf(w, "\n%s%s  %s\n  recorded   %s\n  simulated  %s\n", part.what, d.Case, d.Field, d.Recorded, d.Simulated); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// encryptionSetting is what a person has to choose.
func encryptionSetting(c recording.Case) string {
	command := "STARTTLS"
	if c.Protocol == login.POP3 {
		command = "STLS, also called STARTTLS"
	}
	switch c.Mode {
	case recording.Opportunistic:
		return command + " if available; if the client has no such setting, skip"
	case recording.Required:
		return command + ", required"
	case recording.Implicit:
		return "SSL/TLS from the start"
	default:
		return "none"
	}
}
