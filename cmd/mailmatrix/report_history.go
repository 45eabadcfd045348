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
  mailmatrix report history mail.example.com --store results.db --format json > history.json`,
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
	if h.Target, err = login.ParseName("target", target, targets); err != nil {
		return h, fmt.Errorf("%s: %w", name, err)
	}
	if h.Runs, err = kept.Runs(ctx, h.Target); err != nil {
		return h, err
	}
	h.Changes, err = kept.Changes(ctx, h.Target)
	return h, err
}
