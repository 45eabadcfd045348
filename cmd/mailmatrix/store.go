package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/store"
)

// keeping is --store: where the facts of a run are kept for `report history`.
type keeping struct {
	name string
	kept store.Store
}

func (k *keeping) register(c *cobra.Command) {
	c.Flags().StringVar(&k.name, "store", "", "also keep the run in this `FILE`, for `mailmatrix report history` (docs/history.md)")
}

// open opens the store before the work begins, so that a file that is none
// costs nothing.
func (k *keeping) open() error {
	if k.name == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), keepingLimit)
	defer cancel()
	var err error
	k.kept, err = store.Create(ctx, k.name)
	return err
}

// keepingLimit is how long it may take to keep a run, other writers' turns
// included. A run that was interrupted is kept, too: Ctrl-C does not end this.
const keepingLimit = time.Minute

// put keeps the run, says so on w, has out show what became of its targets from
// run to run, and closes the store. It comes before out is written.
func (k *keeping) put(w io.Writer, r *login.Report, out *outputs) error {
	if k.kept == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), keepingLimit)
	defer cancel()
	id, err := k.kept.Put(ctx, r)
	if err == nil {
		err = out.recall(ctx, k.kept, r)
	}
	if err = joined(err, k.kept.Close()); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(w, "mailmatrix: kept in %s as run %d\n", k.name, id)
	return nil
}

// discard closes a store that was opened for nothing.
func (k *keeping) discard() {
	if k.kept != nil {
		_ = k.kept.Close()
	}
}
