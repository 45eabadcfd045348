package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/reports"
	"github.com/mailmatrix/mailmatrix/store"
)

func newReportHistory(t terminal) *cobra.Command {
	var (
		name, format string
		verbose      bool
	)
	c := &cobra.Command{
		Use:   "history TARGET --store FILE",
		Short: "say when each result of a server changed",
		Long: `Read what --store of run and check has kept, and say in which run each result
came to something else than in the last one that had it. TARGET is the server as
its reports name it: "reference" for mailmatrix run, HOST for mailmatrix check HOST.

Exit status: 0 the history is written, whatever it says; 2 there is none.`,
		Example: `  mailmatrix check mail.example.com --probe --store results.db
  mailmatrix report history mail.example.com --store results.db
  mailmatrix report history mail.example.com --store results.db --format html > history.html`,
		Args: files(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			form, err := login.ParseName("format of a history", format, reports.HistoryFormats())
			if err != nil {
				return err
			}
			if name == "" {
				return errors.New("whose history? name the --store FILE that runs were kept in")
			}
			h, err := readHistory(c.Context(), name, args[0])
			if err != nil {
				return err
			}
			return reports.WriteHistory(t.Out, h, form, reports.Options{Color: colour(t.Out), Verbose: verbose})
		},
	}
	flags := c.Flags()
	flags.StringVar(&name, "store", "", "the `FILE` that runs were kept in")
	flags.StringVar(&format, "format", "text", "what to print: "+strings.Join(reports.HistoryFormats(), ", "))
	flags.BoolVarP(&verbose, "verbose", "v", false, "leave nothing out")
	return c
}

// readHistory reads that of the target that is meant.
func readHistory(ctx context.Context, name, target string) (h login.History, err error) {
	kept, err := store.Open(ctx, name)
	if err != nil {
		return h, err
	}
	defer func() { err = errors.Join(err, kept.Close()) }()
	targets, err := kept.Targets(ctx)
	if err != nil {
		return h, err
	}
	if len(targets) == 0 {
		return h, fmt.Errorf("%s: no run is kept in it yet", name)
	}
	if target, err = login.ParseName("target", target, targets); err != nil {
		return h, fmt.Errorf("%s: %w", name, err)
	}
	return historyOf(ctx, kept, target)
}

func historyOf(ctx context.Context, kept store.Store, target string) (login.History, error) {
	h := login.History{Schema: login.HistorySchema, Target: target}
	var err error
	if h.Runs, err = kept.Runs(ctx, target); err != nil {
		return h, err
	}
	h.Changes, err = kept.Changes(ctx, target)
	return h, err
}

// recall has the outputs show what became of the report's targets, where they
// can show it: reading it takes as long as there are runs.
func (o *outputs) recall(ctx context.Context, kept store.Store, r *login.Report) error {
	if !o.pages() {
		return nil
	}
	for _, t := range r.Targets {
		h, err := historyOf(ctx, kept, t.Name)
		if err != nil {
			return err
		}
		if len(h.Runs) > 0 {
			o.options.History = append(o.options.History, h)
		}
	}
	return nil
}

// recallFrom does so from a file; "" is none.
func recallFrom(ctx context.Context, name string, r *login.Report, o *outputs) (err error) {
	if name == "" {
		return nil
	}
	if !o.pages() {
		return errors.New("--store is for a page, which shows what changed: add --output html=FILE")
	}
	kept, err := store.Open(ctx, name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, kept.Close()) }()
	return o.recall(ctx, kept, r)
}
