package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/recording"
	"github.com/mailmatrix/mailmatrix/server"
)

func newReplay(t terminal) *cobra.Command {
	var (
		cases    string
		format   string
		minimum  float64
		clients  []string
		files    []string
		parallel int
	)
	c := &cobra.Command{
		Use:   "replay RECORDINGS.jsonl --cases CASES.json",
		Short: "run profiles against recorded logins of the real clients, and say how far they agree",
		Long: `Put the reference server into the posture of each record, let the profile of its
client log in over real sockets, and compare with what the real one did: the
attempts, every command, what a listener could read, and what came of it.

Exit status: 0 they agree as far as --min says, 1 they do not, 2 nobody can say.`,
		Example: `  mailmatrix replay recorded-logins.jsonl --cases cases.json
  mailmatrix replay mine.jsonl --cases cases.json --client curl,mutt --profile-file mutt.yaml --min 97`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			form, err := login.ParseName("format", format, []string{"text", "json"})
			if err != nil {
				return err
			}
			if !(minimum >= 0 && minimum <= 100) { // NaN is neither
				return fmt.Errorf("--min %g: a percentage from 0 to 100 is wanted", minimum)
			}
			if cases == "" {
				return errors.New("--cases is missing: the file with the postures of the recordings")
			}
			postures, err := readFile(cases, recording.ReadCases)
			if err != nil {
				return err
			}
			records, err := readFile(args[0], recording.ReadRecords)
			if err != nil {
				return err
			}
			if err := recording.CheckCases(records, postures); err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			if records = ofClients(records, clients); len(records) == 0 {
				return fmt.Errorf("nothing matches client %s in %s", strings.Join(clients, ", "), args[0])
			}
			profiles, err := loadProfiles(files)
			if err != nil {
				return err
			}
			return replay(c, t, harness.Replay{Cases: postures, Profile: profiles.find, Parallel: parallel}, records, form, minimum)
		},
	}
	f := c.Flags()
	f.StringVar(&cases, "cases", "", "the postures of the recordings, a JSON file")
	f.StringVar(&format, "format", "text", "text or json")
	f.Float64Var(&minimum, "min", 100, "per cent of the records that must agree in each field")
	f.StringSliceVar(&clients, "client", nil, "these clients alone, as name or name+variant")
	f.StringSliceVar(&files, "profile-file", nil, "a profile in a file, before the built-in ones")
	f.IntVar(&parallel, "parallel", 8, "how many records at a time")
	return c
}

// replay runs it and prints the report.
func replay(c *cobra.Command, t terminal, r harness.Replay, records []recording.Record, form string, minimum float64) error {
	lab, err := server.NewReference()
	if err != nil {
		return err
	}
	defer func() { _ = lab.Close() }()
	r.Lab = lab
	bar := newProgress(t.Err)
	if bar != nil {
		r.Progress = bar.show
	}
	report, err := r.Run(c.Context(), records)
	bar.clear()
	if err != nil {
		return err
	}
	if form == "json" {
		err = writeJSON(t.Out, report)
	} else {
		err = writeReplay(t.Out, report)
	}
	switch {
	case err != nil:
		return err
	case !report.Complete:
		return errors.New("interrupted: what was done is above")
	case report.Totals.Percent() < minimum:
		return statusError(1)
	}
	return nil
}

// readFile reads a file whole; an error begins with its name.
func readFile[T any](name string, read func(io.Reader) (T, error)) (T, error) {
	var none T
	f, err := os.Open(name) //nolint:gosec // the user names the file
	if err != nil {
		return none, fmt.Errorf("cannot read: %w", err)
	}
	defer func() { _ = f.Close() }()
	v, err := read(f)
	if err != nil {
		return none, fmt.Errorf("%s: %w", name, err)
	}
	return v, nil
}

func ofClients(records []recording.Record, wanted []string) []recording.Record {
	if len(wanted) == 0 {
		return records
	}
	var some []recording.Record
	for _, r := range records {
		for _, w := range wanted {
			name, variant, one := strings.Cut(w, "+")
			if strings.EqualFold(r.Client, name) && (!one || strings.EqualFold(r.Variant, variant)) {
				some = append(some, r)
				break
			}
		}
	}
	return some
}

// shelf holds profiles from files, which come before the built-in ones.
type shelf map[string]clientsim.Profile

func loadProfiles(files []string) (shelf, error) {
	s := shelf{}
	for _, name := range files {
		p, err := readProfile(name)
		if err != nil {
			return nil, err
		}
		s[p.Name] = p
	}
	return s, nil
}

func (s shelf) find(client, variant string) (clientsim.Profile, error) {
	if p, ok := s[client]; ok {
		return p.In(variant)
	}
	if variant == "" {
		return clientsim.Get(client)
	}
	return clientsim.Get(client + "+" + variant)
}

func writeReplay(w io.Writer, report harness.ReplayReport) error {
	tab := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	_, _ = fmt.Fprintln(tab, "client\tcases\tattempts\tcommands\texposure\toutcome")
	line := func(name string, a harness.Agreement) {
		_, _ = fmt.Fprintf(tab, "%s\t%d\t%s\t%s\t%s\t%s\n", name, a.Cases,
			share(a.Attempts, a.Cases), share(a.Commands, a.Cases), share(a.Exposure, a.Cases), share(a.Outcome, a.Cases))
	}
	for _, c := range report.Clients {
		name := c.Name()
		if c.Missing {
			name += " (no such profile)"
		}
		line(name, c.Agreement)
	}
	line("all", report.Totals)
	if err := tab.Flush(); err != nil {
		return err
	}
	for _, c := range report.Clients {
		for _, d := range c.Disagreements {
			if _, err := fmt.Fprintf(w, "\n%s  case %s  %s\n  recorded   %s\n  simulated  %s\n",
				c.Name(), d.Case, d.Field, d.Recorded, d.Simulated); err != nil {
				return err
			}
		}
	}
	return nil
}

// share is n of all, and in per cent where it is not all of them.
func share(n, all int) string {
	if n == all {
		return fmt.Sprintf("%d", n)
	}
	return fmt.Sprintf("%d (%.1f%%)", n, 100*float64(n)/float64(all))
}
