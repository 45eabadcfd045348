package harness_test

import (
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/recording"
	"github.com/mailmatrix/mailmatrix/server"
)

// The profiles predict what real clients did: 973 recorded logins of ten of
// them, over real sockets.
func TestReplay(t *testing.T) {
	t.Parallel()
	report, err := replay(t, builtIn).Run(t.Context(), recordings(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range report.Clients {
		if c.Missing {
			t.Errorf("no profile of %s+%s", c.Client, c.Variant)
		}
		for _, d := range c.Disagreements {
			t.Errorf("%s+%s, case %s, %s: recorded %s, simulated %s", c.Client, c.Variant, d.Case, d.Field, d.Recorded, d.Simulated)
		}
	}
	if report.Totals.Cases != 973 || report.Totals.Percent() != 100 || !report.Complete {
		t.Errorf("%+v, complete %v", report.Totals, report.Complete)
	}
}

// A wrong profile must not agree: whoever tells another client's story is
// found out.
func TestReplayCanFail(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ client, imposter string }{{"curl", "swaks"}, {"swaks", "msmtp"}, {"py-poplib", "mpop"}, {"msmtp", "py-smtplib"}} {
		r := replay(t, func(_, variant string) (clientsim.Profile, error) { return builtIn(row.imposter, "") })
		var own []recording.Record
		for _, record := range recordings(t) {
			if record.Client == row.client && record.Variant == "" {
				own = append(own, record)
			}
		}
		report, err := r.Run(t.Context(), own)
		if err != nil {
			t.Fatal(err)
		}
		if a := report.Totals; a.Cases == 0 || a.Commands*2 > a.Cases || a.Attempts == a.Cases || a.Outcome == a.Cases {
			t.Errorf("%s passes for %s: %+v", row.imposter, row.client, a)
		}
	}
}

// A client or a settings state without a profile is named, and agrees in
// nothing.
func TestReplayMissing(t *testing.T) {
	t.Parallel()
	record := recordings(t)[0]
	unknown, otherwise := record, record
	unknown.Client, otherwise.Variant = "pegasus", "turbo"
	report, err := replay(t, builtIn).Run(t.Context(), []recording.Record{unknown, otherwise})
	if err != nil {
		t.Fatal(err)
	}
	if a := report.Totals; len(report.Clients) != 2 || !report.Clients[0].Missing || !report.Clients[1].Missing || a != (harness.Agreement{Cases: 2}) {
		t.Errorf("%+v", report)
	}
}

func replay(t *testing.T, profile func(client, variant string) (clientsim.Profile, error)) harness.Replay {
	t.Helper()
	lab, err := server.NewReference()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lab.Close() })
	cases, err := read(t, "cases.json", recording.ReadCases)
	if err != nil {
		t.Fatal(err)
	}
	return harness.Replay{Lab: lab, Cases: cases, Profile: profile, Parallel: 4 * runtime.GOMAXPROCS(0)}
}

func builtIn(client, variant string) (clientsim.Profile, error) {
	p, err := clientsim.Get(client)
	if err != nil {
		return p, err
	}
	return p.In(variant)
}

func recordings(t *testing.T) []recording.Record {
	t.Helper()
	records, err := read(t, "recorded-logins.jsonl", recording.ReadRecords)
	if err != nil {
		t.Fatal(err)
	}
	return records
}

func read[T any](t *testing.T, name string, as func(io.Reader) (T, error)) (T, error) {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "internal", "recording", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	return as(f)
}

// What we recorded ourselves, with a laboratory of the same kind, from the
// clients of Debian 12 and npm whose recordings are kept back by others.
// These records are what their profiles' observed facts rest on. Left over are
// commands: GNU SASL speaks TLS to a server that refused it, in octets that
// nobody can foretell; mailutils asks EHLO again before each look; Jakarta
// Mail's NTLM depends on the challenge; Emacs takes a greeting for an answer.
func TestReplayOwnRecordings(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: TestReplay does the same with 973 logins")
	}
	t.Parallel()
	names, err := filepath.Glob(filepath.Join("..", "internal", "recording", "testdata", "own", "*.jsonl"))
	if err != nil || len(names) < 27 {
		t.Fatalf("%d files (%v)", len(names), err)
	}
	least := map[string]float64{"gsasl": 80, "mailutils": 98, "jakarta-mail": 98, "emacs-smtpmail": 96}
	for _, name := range names {
		records, err := read(t, filepath.Join("own", filepath.Base(name)), recording.ReadRecords)
		if err != nil {
			t.Fatal(err)
		}
		report, err := replay(t, builtIn).Run(t.Context(), records)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		client := report.Clients[0].Client
		wanted, excused := least[client]
		if !excused {
			wanted = 99
		}
		a := report.Totals
		if !report.Complete || a.Percent() < wanted {
			t.Errorf("%s: %+v, want %g%%", client, a, wanted)
		}
		if excused && a.Percent() == 100 {
			t.Errorf("%s agrees in everything by now: take it off the list", client)
		}
	}
}
