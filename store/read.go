package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

func (s *database) Targets(ctx context.Context) ([]string, error) {
	var all []string
	err := each(ctx, s.db, func(rows *sql.Rows) error {
		var name string
		err := rows.Scan(&name)
		all = append(all, name)
		return err
	}, `SELECT name FROM targets ORDER BY name`)
	return all, explained(s.name, err)
}

func (s *database) Runs(ctx context.Context, target string) ([]login.KeptRun, error) {
	var all []login.KeptRun
	err := each(ctx, s.db, func(rows *sql.Rows) error {
		var (
			r       login.KeptRun
			started string
			asked   sql.NullString
		)
		if err := rows.Scan(&r.ID, &started, &r.Tool, &r.Catalogue, &r.Vantage, &r.Complete, &asked, &r.Facts); err != nil {
			return err
		}
		var err error
		if r.Started, err = time.Parse(time.RFC3339, started); err != nil {
			return fmt.Errorf("run %d: %w", r.ID, err)
		}
		if asked.Valid {
			if err := json.Unmarshal([]byte(asked.String), &r.Selection); err != nil {
				return fmt.Errorf("run %d: %w", r.ID, err)
			}
		}
		all = append(all, r)
		return nil
	}, `SELECT r.id, r.started, r.tool, r.catalogue, r.vantage, r.complete, r.selection, count(*)
		FROM targets t JOIN facts f ON f.target = t.id JOIN runs r ON r.id = f.run
		WHERE t.name = ? GROUP BY r.id ORDER BY r.id`, target)
	return all, explained(s.name, err)
}

// Changes reads the facts in the order of the table and remembers the last of
// each: what is in no run of a narrowed one, or one that was cut off, has not
// changed by that.
func (s *database) Changes(ctx context.Context, target string) ([]login.FactChange, error) {
	states, err := s.states(ctx)
	if err != nil {
		return nil, explained(s.name, err)
	}
	type last struct{ run, state int64 }
	type change struct{ name, before, run, was, is int64 }
	seen := map[int64]last{}
	var changes []change
	err = each(ctx, s.db, func(rows *sql.Rows) error {
		var run, name, state int64
		if err := rows.Scan(&run, &name, &state); err != nil {
			return err
		}
		if before, known := seen[name]; known && before.state != state {
			changes = append(changes, change{name, before.run, run, before.state, state})
		}
		seen[name] = last{run, state}
		return nil
	}, `SELECT f.run, f.name, f.state FROM targets t JOIN facts f ON f.target = t.id WHERE t.name = ? ORDER BY f.run, f.name`, target)
	if err != nil {
		return nil, explained(s.name, err)
	}
	all := make([]login.FactChange, len(changes))
	for i, c := range changes {
		all[i] = login.FactChange{Before: c.before, Run: c.run, Was: states[c.was], Is: states[c.is]}
		if err := s.db.QueryRowContext(ctx, `SELECT name FROM names WHERE id = ?`, c.name).Scan(&all[i].ID); err != nil {
			return nil, explained(s.name, err)
		}
	}
	slices.SortFunc(all, func(a, b login.FactChange) int { return cmp.Or(cmp.Compare(a.Run, b.Run), cmp.Compare(a.ID, b.ID)) })
	return all, nil
}

func (s *database) states(ctx context.Context) (map[int64]login.Fact, error) {
	all := map[int64]login.Fact{}
	err := each(ctx, s.db, func(rows *sql.Rows) error {
		var (
			id                int64
			f                 login.Fact
			verdict, exposure []byte
		)
		if err := rows.Scan(&id, &verdict, &f.Outcome, &exposure); err != nil {
			return err
		}
		err := errors.Join(f.Verdict.UnmarshalText(verdict), f.Exposure.UnmarshalText(exposure))
		all[id] = f
		return err
	}, `SELECT id, verdict, outcome, exposure FROM states`)
	return all, err
}

// each gives the rows of a query to one.
func each(ctx context.Context, db *sql.DB, one func(*sql.Rows) error, query string, args ...any) (err error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := one(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
