package main

import (
	"cmp"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/compliance"
)

// What a release writes into the program, by -ldflags "-X main.version=...",
// and nothing else writes. A program that was built from a working copy knows
// its commit from Go itself.
var (
	// version is what the program calls itself in reports.
	version = "0.1.0"
	commit  string
	date    string
)

// provenance says where a program comes from, so that two people who see
// different results know whether they ask the same program.
type provenance struct {
	Version string `json:"version"`
	// Commit is empty where nobody knows it, as in a build without a
	// repository. Dirty says that files differed from it.
	Commit string `json:"commit"`
	Dirty  bool   `json:"dirty"`
	// Date is the commit's, and not the build's: who builds it again gets the
	// same program.
	Date      string `json:"date"`
	Catalogue string `json:"catalogue"`
	Go        string `json:"go"`
	Platform  string `json:"platform"`
}

// provenanceOf puts together what the release has written and what Go knows.
// They can disagree on nothing but dirt, which only Go sees.
func provenanceOf(info *debug.BuildInfo) provenance {
	known := map[string]string{}
	if info != nil {
		for _, s := range info.Settings {
			known[s.Key] = s.Value
		}
	}
	return provenance{
		Version: version, Commit: cmp.Or(commit, known["vcs.revision"]), Dirty: known["vcs.modified"] == "true",
		Date: cmp.Or(date, known["vcs.time"]), Catalogue: compliance.Release(),
		Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
	}
}

func newVersion(t terminal) *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:   "version",
		Short: "say which program this is: version, commit, catalogue",
		Long: `Say which program this is: its version, the commit that it was built from, the
release of the compliance cases that it knows, and the Go that built it. The
commit is "unknown" in a build without a repository.`,
		Example: `  mailmatrix version
  mailmatrix version --format json`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			form, err := login.ParseName("format", format, []string{"text", "json"})
			if err != nil {
				return err
			}
			info, _ := debug.ReadBuildInfo()
			if form == "json" {
				return writeJSON(t.Out, provenanceOf(info))
			}
			return provenanceOf(info).write(t.Out)
		},
	}
	c.Flags().StringVar(&format, "format", "text", "text or json")
	return c
}

func (p provenance) write(w io.Writer) error {
	from := cmp.Or(p.Commit, "unknown")
	if p.Dirty {
		from += ", dirty"
	}
	if p.Date != "" {
		from += ", " + p.Date
	}
	_, err := fmt.Fprintf(w, "mailmatrix %s\ncommit     %s\ncatalogue  %s\ngo         %s %s\n", p.Version, from, p.Catalogue, p.Go, p.Platform)
	return err
}
