package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/results"
	"github.com/mailmatrix/mailmatrix/reports"
)

func newReportDiff(t terminal) *cobra.Command {
	var (
		format  string
		verbose bool
	)
	c := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "say what came to something else than before",
		Long: `Compare two saved reports, result by result. That a conversation took longer, or
was worded otherwise, is no difference.

Exit status: 1 something is worse: somebody is let in now who should not be, what
passed fails, more of an account's secrets can be read; so too where a hole appeared,
and both runs were asked the same. 2 nobody can say: there is
no result in both, a control failed, or the reports are of different sorts.
0 otherwise, whatever else appeared, vanished or was fixed.`,
		Example: `  mailmatrix report diff old.json new.json
  mailmatrix report diff main.json branch.json --format markdown >> "$GITHUB_STEP_SUMMARY"`,
		Args: files(2, 2),
		RunE: func(c *cobra.Command, args []string) error {
			form, err := login.ParseName("format of a diff", format, reports.DiffFormats())
			if err != nil {
				return err
			}
			var sides [2]results.Part
			for i, name := range args {
				r, err := readSound(c.Context(), "diff", name)
				if err != nil {
					return err
				}
				sides[i] = results.Part{Name: name, Report: r}
			}
			d, err := results.Compare(sides[0], sides[1])
			if err != nil {
				return err
			}
			options := reports.Options{Color: colour(t.Out), Width: reports.DefaultWidth, Verbose: verbose}
			if err := reports.WriteDiff(t.Out, &d, form, options); err != nil {
				return err
			}
			return ended(d.Status())
		},
	}
	c.Flags().StringVar(&format, "format", "text", "what to print: "+strings.Join(reports.DiffFormats(), ", "))
	c.Flags().BoolVarP(&verbose, "verbose", "v", false, "leave nothing out")
	return c
}
