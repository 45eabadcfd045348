package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// application marks the file as ours ("mmx1"), so that nobody else's database
// is taken for an empty one.
const application = 0x6d6d7831

// migrations lead from each version of the schema to the next; the version is
// how many of them a file has seen. One that was ever released is not changed.
var migrations = []string{
	// A fact of a run is three small numbers: what is long stands once, in names
	// and states. The key of facts is the order in which they are read.
	`CREATE TABLE runs (
		id        INTEGER PRIMARY KEY,
		started   TEXT NOT NULL,
		tool      TEXT NOT NULL,
		catalogue TEXT NOT NULL,
		vantage   TEXT NOT NULL
	) STRICT;
	CREATE TABLE targets (
		id   INTEGER PRIMARY KEY,
		name TEXT NOT NULL UNIQUE
	) STRICT;
	CREATE TABLE names (
		id   INTEGER PRIMARY KEY,
		name TEXT NOT NULL UNIQUE
	) STRICT;
	CREATE TABLE states (
		id       INTEGER PRIMARY KEY,
		verdict  TEXT NOT NULL,
		outcome  TEXT NOT NULL,
		exposure TEXT NOT NULL,
		UNIQUE (verdict, outcome, exposure)
	) STRICT;
	CREATE TABLE facts (
		target INTEGER NOT NULL REFERENCES targets,
		run    INTEGER NOT NULL REFERENCES runs,
		name   INTEGER NOT NULL REFERENCES names,
		state  INTEGER NOT NULL REFERENCES states,
		PRIMARY KEY (target, run, name)
	) STRICT, WITHOUT ROWID;`,
	// A run that was cut off has fewer facts, and says so.
	`ALTER TABLE runs ADD COLUMN complete INTEGER NOT NULL DEFAULT 1;`,
	// What a run was asked, in JSON: another policy is another question. NULL is
	// of a run that was kept before this.
	`ALTER TABLE runs ADD COLUMN selection TEXT;`,
}

// migrate brings the file to the version of this program. Of two that do so at
// once, the second finds it done.
func (s *database) migrate(ctx context.Context) error {
	version, err := s.version(ctx, s.db)
	if err != nil || version == len(migrations) {
		return err
	}
	// WAL lets somebody read while somebody writes. It stays with the file.
	if _, err := s.db.ExecContext(ctx, `PRAGMA journal_mode = WAL`); err != nil {
		return err
	}
	return within(ctx, s.db, func(tx *sql.Tx) error {
		version, err := s.version(ctx, tx)
		if err != nil {
			return err
		}
		for ; version < len(migrations); version++ {
			if _, err := tx.ExecContext(ctx, migrations[version]); err != nil {
				return fmt.Errorf("migration to version %d: %w", version+1, err)
			}
		}
		_, err = tx.ExecContext(ctx, fmt.Sprintf(`PRAGMA application_id = %d; PRAGMA user_version = %d`, application, version))
		return err
	})
}

// asked is a database, or a transaction in it.
type asked interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// version is that of the file, 0 of an empty one.
func (s *database) version(ctx context.Context, db asked) (int, error) {
	var id, version, tables int
	err := db.QueryRowContext(ctx, `SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema)
		FROM pragma_application_id, pragma_user_version`).Scan(&id, &version, &tables)
	switch {
	case err != nil:
		return 0, err
	case id != application && (tables > 0 || version > 0 || id != 0):
		return 0, errors.New("this is a database, but not one of this program: name another file")
	case version > len(migrations):
		return 0, fmt.Errorf("a newer version of this program has written it (schema %d, and this one knows %d): use that one", version, len(migrations))
	default:
		return version, nil
	}
}
