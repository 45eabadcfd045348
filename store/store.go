package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // the driver

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Store keeps runs.
type Store interface {
	// Put keeps the facts of a report, all or none, and returns the run's ID.
	Put(context.Context, *login.Report) (int64, error)
	// Runs are those that looked at the target, the oldest first.
	Runs(ctx context.Context, target string) ([]login.KeptRun, error)
	// Changes are the facts of the target that changed, in the order in which
	// they did.
	Changes(ctx context.Context, target string) ([]login.FactChange, error)
	// Targets are those of which there is something, sorted.
	Targets(context.Context) ([]string, error)
	Close() error
}

// patience is how many milliseconds one writer waits for another.
const patience = "20000"

// Create opens a store in a file, and makes it if it is not there.
func Create(ctx context.Context, name string) (Store, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil: // there is none yet, or SQLite will say why it cannot be opened
	case info.IsDir():
		return nil, fmt.Errorf("store %s: this is a folder: name a file in it", name)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("store %s: this is no regular file: name another", name)
	}
	s, err := open(ctx, name)
	if err != nil {
		return nil, explained(name, err)
	}
	return s, nil
}

// Open opens a store that is there. An empty file is none yet, and whoever only
// reads does not make it one.
func Open(ctx context.Context, name string) (Store, error) {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("there is no store %s: make one by `mailmatrix run --store %[1]s`", name)
	case err == nil && info.Mode().IsRegular() && info.Size() == 0:
		return nil, fmt.Errorf("store %s: the file is empty: make a store by `mailmatrix run --store %[1]s`", name)
	}
	return Create(ctx, name)
}

// database is a store in a file of SQLite.
type database struct {
	name string
	db   *sql.DB
}

func open(ctx context.Context, name string) (*database, error) {
	path, err := filepath.Abs(name)
	if err != nil {
		return nil, err
	}
	if path = filepath.ToSlash(path); !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/...
	}
	// A transaction that begins as a reader cannot always become a writer, so
	// each one asks to write at once, and waits its turn.
	source := url.URL{Scheme: "file", Path: path, RawQuery: url.Values{
		"_txlock": {"immediate"},
		"_pragma": {"busy_timeout(" + patience + ")", "synchronous(normal)"},
	}.Encode()}
	db, err := sql.Open("sqlite", source.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // one writer at a time is all that there can be
	s := &database{name, db}
	if err := s.migrate(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

func (s *database) Close() error { return explained(s.name, s.db.Close()) }

// within runs work in a transaction.
func within(ctx context.Context, db *sql.DB, work func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := work(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}
