package harness

import (
	"context"
	"errors"
	"io/fs"
	"syscall"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// fullDisk takes so many octets, and what was begun of a line.
type fullDisk struct{ room int }

func (f *fullDisk) Write(p []byte) (int, error) {
	n := min(f.room, len(p))
	f.room -= n
	if n < len(p) {
		return n, &fs.PathError{Op: "write", Path: "journal", Err: syscall.ENOSPC}
	}
	return n, nil
}

func (f *fullDisk) Close() error { return nil }

// unready is a target that is never ready.
type unready struct{}

func (unready) Name() string                                     { return "unready" }
func (unready) Under(context.Context, login.Setup) (Door, error) { return nil, errors.New("not ready") }

// A journal on which nothing can be written any more says so at the end, and
// the run goes on without it.
func TestJournalOnAFullDisk(t *testing.T) {
	plan, err := NewPlan(Grid{Profiles: []string{"eudora"}, Protocols: []login.Protocol{login.POP3}, Mechanisms: []login.Mechanism{login.APOP}})
	if err != nil {
		t.Fatal(err)
	}
	disk := &fullDisk{room: 5000}
	journal := &Journal{header: journalHeader{Seed: 1, Started: time.Now()}, file: disk}
	report := Run(context.Background(), plan, Config{Target: unready{}, Journal: journal})
	if !report.Complete || report.Sum().Broken == 0 {
		t.Errorf("%+v", report.Sum())
	}
	if err := journal.Close(); !errors.Is(err, syscall.ENOSPC) || disk.room != 0 {
		t.Errorf("says %v, and %d octets are free", err, disk.room)
	}
}
