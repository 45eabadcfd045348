package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

func (s *database) Put(ctx context.Context, r *login.Report) (int64, error) {
	all := factsOf(r)
	selection := r.Selection
	if selection == nil {
		selection = map[string][]string{}
	}
	asked, err := json.Marshal(selection)
	if err != nil {
		return 0, explained(s.name, err)
	}
	var run int64
	err = within(ctx, s.db, func(tx *sql.Tx) error {
		w, err := newWriter(ctx, tx)
		if err != nil {
			return err
		}
		defer w.close()
		run, err = w.add(w.run, r.Started.UTC().Format(time.RFC3339), r.Tool, r.Catalogue, r.Vantage, r.Complete, string(asked))
		if err != nil {
			return err
		}
		for i, t := range r.Targets {
			target, err := w.id(w.targetIs, w.target, t.Name)
			if err != nil {
				return err
			}
			if err := w.facts(target, run, all[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return run, explained(s.name, err)
}

// writer has the statements of one Put.
type writer struct {
	ctx                       context.Context
	run, fact                 *sql.Stmt
	targetIs, nameIs, stateIs *sql.Stmt
	target, name, state       *sql.Stmt
	states                    map[login.Fact]int64
}

func newWriter(ctx context.Context, tx *sql.Tx) (*writer, error) {
	w := &writer{ctx: ctx, states: map[login.Fact]int64{}}
	for _, s := range []struct {
		into **sql.Stmt
		text string
	}{
		{&w.run, `INSERT INTO runs (started, tool, catalogue, vantage, complete, selection) VALUES (?, ?, ?, ?, ?, ?)`},
		{&w.targetIs, `SELECT id FROM targets WHERE name = ?`},
		{&w.target, `INSERT INTO targets (name) VALUES (?)`},
		{&w.nameIs, `SELECT id FROM names WHERE name = ?`},
		{&w.name, `INSERT INTO names (name) VALUES (?)`},
		{&w.stateIs, `SELECT id FROM states WHERE verdict = ? AND outcome = ? AND exposure = ?`},
		{&w.state, `INSERT INTO states (verdict, outcome, exposure) VALUES (?, ?, ?)`},
		// Two targets of one name, side by side: the first is the one.
		{&w.fact, `INSERT INTO facts (target, run, name, state) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`},
	} {
		var err error
		if *s.into, err = tx.PrepareContext(ctx, s.text); err != nil {
			return nil, err
		}
	}
	return w, nil
}

func (w *writer) close() {
	for _, s := range []*sql.Stmt{w.run, w.fact, w.targetIs, w.nameIs, w.stateIs, w.target, w.name, w.state} {
		_ = s.Close()
	}
}

// facts writes those of one target, in the order of the table.
func (w *writer) facts(target, run int64, all map[string]login.Fact) error {
	byName := make(map[int64]login.Fact, len(all))
	for _, id := range slices.Sorted(maps.Keys(all)) {
		name, err := w.id(w.nameIs, w.name, id)
		if err != nil {
			return err
		}
		byName[name] = all[id]
	}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		state, err := w.stateOf(byName[name])
		if err != nil {
			return err
		}
		if _, err := w.fact.ExecContext(w.ctx, target, run, name, state); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) stateOf(f login.Fact) (int64, error) {
	if id, known := w.states[f]; known {
		return id, nil
	}
	id, err := w.id(w.stateIs, w.state, f.Verdict.String(), f.Outcome, f.Exposure.String())
	w.states[f] = id
	return id, err
}

// id finds what stands in a table once, or adds it.
func (w *writer) id(is, add *sql.Stmt, values ...any) (int64, error) {
	var id int64
	err := is.QueryRowContext(w.ctx, values...).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return w.add(add, values...)
	}
	return id, err
}

func (w *writer) add(s *sql.Stmt, values ...any) (int64, error) {
	done, err := s.ExecContext(w.ctx, values...)
	if err != nil {
		return 0, err
	}
	return done.LastInsertId()
}
