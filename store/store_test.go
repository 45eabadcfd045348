package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// within30 is a context that a test does not outlive.
func within30(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func opened(t *testing.T, name string) *database {
	t.Helper()
	s, err := Create(within30(t), name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s.(*database)
}

// sample is a run of one server, with a result of each sort.
func sample(day int) *login.Report {
	yes := true
	return &login.Report{
		Started: time.Date(2026, 11, day, 8, 0, 0, 0, time.UTC), Tool: "mailmatrix 0.1.0", Catalogue: "2026.1", Vantage: "192.0.2.1", Complete: true,
		Targets: []login.TargetResult{{Name: "mail.example.test", Kind: "remote", Doors: []login.DoorResult{{
			Protocol: login.SMTP, Address: "192.0.2.9:587",
			Transports: []login.TransportResult{{Transport: login.StartTLS, Mechanisms: []login.MechanismResult{{Mechanism: "PLAIN", Offered: &yes}}}},
		}}}},
		Cells: []login.CellResult{
			{ID: "remote/a", Verdict: login.Pass, Outcome: login.LoggedIn, Exposure: login.ShowsPassword},
			{ID: "remote/b", Verdict: login.Pass, Outcome: login.NotOffered},
		},
		Scenarios: []login.ScenarioResult{{ID: "scenario/relay/x", Kind: login.KindRelay, Outcome: "refused", Verdict: login.Pass}},
		Cases:     []login.CaseResult{{ID: "smtp/auth/003", Level: login.Must, Verdict: login.Pass}},
	}
}

func put(t *testing.T, s Store, r *login.Report) int64 {
	t.Helper()
	id, err := s.Put(within30(t), r)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// What changed is told with the run in which it did; what a narrowed or
// interrupted run does not have has not changed.
func TestChanges(t *testing.T) {
	s := opened(t, filepath.Join(t.TempDir(), "results.db"))
	put(t, s, sample(1))

	narrowed := sample(2)
	narrowed.Cells, narrowed.Complete = narrowed.Cells[:1], false
	put(t, s, narrowed)

	later := sample(3)
	later.Cells[1].Outcome = login.NoTLS
	put(t, s, later)

	worse, no := sample(4), false
	worse.Cells[0].Exposure = login.ShowsNothing
	worse.Cases[0].Verdict = login.Fail
	worse.Targets[0].Doors[0].Transports[0].Mechanisms[0].Offered = &no
	worse.Cells[1].Outcome, worse.Cells[1].Verdict = login.LoggedIn, login.Fail
	put(t, s, worse)

	changes, err := s.Changes(within30(t), "mail.example.test")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range changes {
		got = append(got, fmt.Sprintf("%d>%d %s: %s %s %s > %s %s %s", c.Before, c.Run, c.ID,
			c.Was.Verdict, c.Was.Outcome, c.Was.Exposure, c.Is.Verdict, c.Is.Outcome, c.Is.Exposure))
	}
	want := []string{
		"1>3 remote/b: pass not-offered none > pass no-tls none",
		"3>4 door/smtp/587/starttls/PLAIN: unjudged offered none > unjudged not offered none",
		"3>4 remote/a: pass logged-in password > pass logged-in none",
		"3>4 remote/b: pass no-tls none > fail logged-in none",
		"3>4 smtp/auth/003@smtp: pass  none > fail  none",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}

	runs, err := s.Runs(within30(t), "mail.example.test")
	if err != nil || len(runs) != 4 {
		t.Fatalf("%v, %v", runs, err)
	}
	if r := runs[1]; r.Complete || r.Facts != 4 || r.Vantage != "192.0.2.1" || r.Catalogue != "2026.1" || !r.Started.Equal(narrowed.Started) {
		t.Errorf("%+v", r)
	}
	if names, err := s.Targets(within30(t)); err != nil || strings.Join(names, " ") != "mail.example.test" {
		t.Errorf("%v, %v", names, err)
	}
	if none, err := s.Runs(within30(t), "other"); err != nil || none != nil {
		t.Errorf("of a target that nobody looked at: %v, %v", none, err)
	}
}

// Two servers in one report are two histories.
func TestTargetsApart(t *testing.T) {
	s := opened(t, filepath.Join(t.TempDir(), "results.db"))
	both := sample(1)
	both.Targets = append(both.Targets, login.TargetResult{Name: "other.example.test"})
	both.Cells = append(both.Cells, login.CellResult{ID: "remote/a", Target: 1, Verdict: login.Fail})
	put(t, s, both)
	for target, want := range map[string]int{"mail.example.test": 5, "other.example.test": 1} {
		runs, err := s.Runs(within30(t), target)
		if err != nil || len(runs) != 1 || runs[0].Facts != want {
			t.Errorf("%s: %+v, %v", target, runs, err)
		}
		if changes, err := s.Changes(within30(t), target); err != nil || len(changes) > 0 {
			t.Errorf("%s: %v, %v", target, changes, err)
		}
	}
}

// Two doors may share a key: the worst counts.
func TestWorstCounts(t *testing.T) {
	s := opened(t, filepath.Join(t.TempDir(), "results.db"))
	r := sample(1)
	put(t, s, r)
	twice := sample(2)
	twice.Cases = append(twice.Cases, login.CaseResult{ID: "smtp/auth/003", Verdict: login.Fail}, login.CaseResult{ID: "smtp/auth/003", Verdict: login.Warn})
	put(t, s, twice)
	changes, err := s.Changes(within30(t), "mail.example.test")
	if err != nil || len(changes) != 1 || changes[0].Is.Verdict != login.Fail {
		t.Errorf("%v, %v", changes, err)
	}
}

// Of two with one verdict, the one that shows more is the worse, in whatever order
// they come.
func TestMoreReadableIsWorse(t *testing.T) {
	shows := func(class login.ExposureClass) login.CellResult {
		return login.CellResult{ID: "remote/a", Verdict: login.Fail, Outcome: login.LoggedIn, Exposure: class}
	}
	for _, cells := range [][]login.CellResult{
		{shows(login.ShowsPassword), shows(login.ShowsVerifier)},
		{shows(login.ShowsVerifier), shows(login.ShowsPassword)},
	} {
		all := factsOf(&login.Report{Targets: []login.TargetResult{{}}, Cells: cells})
		if got := all[0]["remote/a"].Exposure; got != login.ShowsPassword {
			t.Errorf("of %s and %s, %s is kept", cells[0].Exposure, cells[1].Exposure, got)
		}
	}
}

// Two doors at one port, such as those of IPv4 and IPv6, are two: what one of them
// does is not said of the other.
func TestDoorsAtOnePort(t *testing.T) {
	yes, no := true, false
	door := func(address string, offered *bool) login.DoorResult {
		return login.DoorResult{Protocol: login.SMTP, Address: address, Transports: []login.TransportResult{
			{Transport: login.Plain, Mechanisms: []login.MechanismResult{{Mechanism: "PLAIN", Offered: offered}}}}}
	}
	all := factsOf(&login.Report{Targets: []login.TargetResult{{Doors: []login.DoorResult{
		door("192.0.2.9:587", &no), door("[2001:db8::9]:587", &yes), door("192.0.2.9:25", &no)}}}})
	for id, want := range map[string]string{
		"door/smtp/192.0.2.9:587/plain/PLAIN":     "not offered",
		"door/smtp/[2001:db8::9]:587/plain/PLAIN": "offered",
		"door/smtp/25/plain/PLAIN":                "not offered",
	} {
		if got := all[0][id].Outcome; got != want {
			t.Errorf("%s: %q, want %q", id, got, want)
		}
	}
	if len(all[0]) != 3 {
		t.Errorf("%d facts: %v", len(all[0]), all[0])
	}
}

// A file of version 1 is brought to the present one, and what was in it stays.
func TestMigration(t *testing.T) {
	name := filepath.Join(t.TempDir(), "old.db")
	old, err := sql.Open("sqlite", name)
	if err != nil {
		t.Fatal(err)
	}
	_, err = old.ExecContext(within30(t), migrations[0]+fmt.Sprintf(`PRAGMA application_id = %d; PRAGMA user_version = 1;
		INSERT INTO runs VALUES (1, '2025-01-02T03:04:05Z', 'mailmatrix 0.0.9', '2025.4', '127.0.0.1');
		INSERT INTO targets VALUES (1, 'mail.example.test');
		INSERT INTO names VALUES (1, 'remote/b');
		INSERT INTO states VALUES (1, 'pass', 'logged-in', 'none');
		INSERT INTO facts VALUES (1, 1, 1, 1);`, application))
	if err != nil {
		t.Fatal(err)
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	s := opened(t, name)
	if version, err := s.version(within30(t), s.db); err != nil || version != len(migrations) {
		t.Errorf("version %d, %v", version, err)
	}
	if id := put(t, s, sample(1)); id != 2 {
		t.Errorf("run %d: one of the two is lost", id)
	}
	runs, err := s.Runs(within30(t), "mail.example.test")
	if err != nil || len(runs) != 2 || !runs[0].Complete || runs[0].Tool != "mailmatrix 0.0.9" || runs[0].Selection != nil || runs[1].Selection == nil {
		t.Errorf("%+v, %v", runs, err)
	}
	changes, err := s.Changes(within30(t), "mail.example.test")
	if err != nil || len(changes) != 1 || changes[0].ID != "remote/b" || changes[0].Before != 1 {
		t.Errorf("%+v, %v", changes, err)
	}
}

// Several writers at once, each with a handle of its own as processes have, the
// file not there yet: nothing is lost, and every run is whole.
func TestWritersAtOnce(t *testing.T) {
	const writers, each = 6, 5
	name := filepath.Join(t.TempDir(), "results.db")
	ctx := within30(t)
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() {
			s, err := Create(ctx, name)
			if err != nil {
				t.Error(err)
				return
			}
			for j := range each {
				r := sample(1 + i)
				r.Cells[0].ID = fmt.Sprintf("remote/%d/%d", i, j) // each adds to the dictionary
				if _, err := s.Put(ctx, r); err != nil {
					t.Errorf("writer %d: %v", i, err)
				}
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	s := opened(t, name)
	runs, err := s.Runs(ctx, "mail.example.test")
	if err != nil || len(runs) != writers*each {
		t.Fatalf("%d runs, want %d: %v", len(runs), writers*each, err)
	}
	for _, r := range runs {
		if r.Facts != 5 {
			t.Errorf("run %d has %d facts", r.ID, r.Facts)
		}
	}
	if changes, err := s.Changes(ctx, "mail.example.test"); err != nil || len(changes) != 0 {
		t.Errorf("%v, %v", changes, err)
	}
}

// Whoever stops in the middle leaves no half of a run.
func TestAllOrNothing(t *testing.T) {
	s := opened(t, filepath.Join(t.TempDir(), "results.db"))
	stopped, cancel := context.WithCancel(within30(t))
	cancel()
	if _, err := s.Put(stopped, sample(1)); err == nil {
		t.Error("it was kept")
	}
	if _, err := s.db.ExecContext(within30(t), `CREATE TRIGGER full BEFORE INSERT ON facts WHEN NEW.name > 2 BEGIN SELECT raise(ABORT, 'full'); END`); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(within30(t), sample(1)); err == nil || !strings.Contains(err.Error(), "full") {
		t.Errorf("says %v", err)
	}
	for _, table := range []string{"runs", "targets", "names", "facts"} {
		var n int
		if err := s.db.QueryRowContext(within30(t), `SELECT count(*) FROM `+table).Scan(&n); err != nil || n > 0 {
			t.Errorf("%d rows in %s, %v", n, table, err)
		}
	}
}

// What is no store of ours is refused by one line, and left as it is.
func TestRefused(t *testing.T) {
	folder := t.TempDir()
	text := filepath.Join(folder, "notes.txt")
	if err := os.WriteFile(text, []byte(strings.Repeat("dear diary\n", 500)), 0o600); err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(folder, "foreign.db")
	newer := filepath.Join(folder, "newer.db")
	for name, does := range map[string]string{
		foreign: `CREATE TABLE bookmarks (url TEXT)`,
		newer:   fmt.Sprintf(`PRAGMA application_id = %d; PRAGMA user_version = 99`, application),
	} {
		db, err := sql.Open("sqlite", name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.ExecContext(within30(t), does); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	sealed := filepath.Join(folder, "sealed")
	if err := os.Mkdir(sealed, 0o500); err != nil {
		t.Fatal(err)
	}
	rows := []struct{ why, name, want string }{
		{"a text", text, "this is no database"},
		{"somebody else's database", foreign, "not one of this program"},
		{"a newer schema", newer, "a newer version of this program has written it (schema 99"},
		{"a folder that is not there", filepath.Join(folder, "nowhere", "x.db"), "cannot be opened"},
		{"a folder", folder, "this is a folder: name a file in it"},
		{"a device", os.DevNull, "this is no regular file: name another"},
	}
	if os.Geteuid() != 0 && runtime.GOOS != "windows" { // root may write anywhere
		rows = append(rows, struct{ why, name, want string }{"a folder without permission", filepath.Join(sealed, "x.db"), "cannot be opened"})
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			before, _ := os.ReadFile(row.name)
			_, err := Create(within30(t), row.name)
			if err == nil || !strings.Contains(err.Error(), row.want) || !strings.Contains(err.Error(), row.name) || strings.Contains(err.Error(), "\n") {
				t.Errorf("says %v, want %q", err, row.want)
			}
			if after, _ := os.ReadFile(row.name); string(after) != string(before) {
				t.Error("the file is another now")
			}
		})
	}
	empty := filepath.Join(folder, "empty.json")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(within30(t), empty); err == nil || !strings.Contains(err.Error(), empty+": the file is empty") {
		t.Errorf("says %v", err)
	}
	if info, err := os.Stat(empty); err != nil || info.Size() > 0 {
		t.Errorf("who only reads has written into an empty file: %v, %v", info, err)
	}
	missing := filepath.Join(folder, "missing.db")
	if _, err := Open(within30(t), missing); err == nil || !strings.Contains(err.Error(), "there is no store") {
		t.Errorf("says %v", err)
	}
	if _, err := os.Stat(missing); err == nil {
		t.Error("who only reads has made a file")
	}
}

// What a name may have in it, an address has a meaning for.
func TestOddNames(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a b?c#d%20.db")
	s := opened(t, name)
	put(t, s, sample(1))
	if _, err := os.Stat(name); err != nil {
		t.Error(err)
	}
}

// Of a run of the default matrix (MAILMATRIX_RUN names its JSON).
func BenchmarkPut(b *testing.B) {
	data, err := os.ReadFile(os.Getenv("MAILMATRIX_RUN"))
	if err != nil {
		b.Skip("MAILMATRIX_RUN names no report")
	}
	var r login.Report
	if err := json.Unmarshal(data, &r); err != nil {
		b.Fatal(err)
	}
	name := filepath.Join(b.TempDir(), "results.db")
	s, err := Create(b.Context(), name)
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for range b.N {
		if _, err := s.Put(b.Context(), &r); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	if _, err := s.Changes(b.Context(), "reference"); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/run")
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	info, err := os.Stat(name)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(info.Size())/1024, "KiB")
}
