package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/harness/policy"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/reports"
)

// outputs are the forms in which a report is wanted: one on standard output,
// any number in files. Files are opened before the work begins, so that a
// folder without permission costs nothing.
type outputs struct {
	format  reports.Format
	options reports.Options
	files   []outputFile
}

type outputFile struct {
	format reports.Format
	file   *pendingFile
}

// openOutputs understands --format and --output FORMAT=FILE.
func openOutputs(t terminal, format string, files []string, verbose bool) (*outputs, error) {
	stdout, err := reports.Get(format)
	if err != nil {
		return nil, err
	}
	o := &outputs{format: stdout, options: reports.Options{Color: colour(t.Out), Width: 100, Verbose: verbose, Policies: namedPolicies()}}
	for _, spec := range files {
		f, err := openOutput(spec)
		if err != nil {
			o.discard()
			return nil, err
		}
		o.files = append(o.files, f)
	}
	return o, nil
}

func openOutput(spec string) (outputFile, error) {
	formatName, name, ok := strings.Cut(spec, "=")
	if !ok || name == "" {
		return outputFile{}, fmt.Errorf("--output wants FORMAT=FILE, for example json=result.json, not %q", spec)
	}
	format, err := reports.Get(formatName)
	if err != nil {
		return outputFile{}, err
	}
	file, err := createFile(name, publicFile)
	if err != nil {
		return outputFile{}, err
	}
	return outputFile{format, file}, nil
}

// claim tells the formats of the user's files that claim something; nil is none.
// A format that would have nothing to point at is refused.
func (o *outputs) claim(claims ...*reports.Claim) error {
	for _, c := range claims {
		if c != nil {
			o.options.Claims = append(o.options.Claims, *c)
		}
	}
	err := o.format.Ready(o.options)
	for _, f := range o.files {
		err = cmp.Or(err, f.format.Ready(o.options))
	}
	return err
}

// write puts the report everywhere it is wanted. All are tried, whatever
// fails.
func (o *outputs) write(stdout io.Writer, r login.Report) error {
	var errs []error
	if err := o.format.Write(stdout, r, o.options); err != nil {
		errs = append(errs, fmt.Errorf("output: %w", err))
	}
	for _, f := range o.files {
		errs = append(errs, f.write(r, o.options))
	}
	return joined(errs...)
}

// write leaves nothing out: whoever opens a file has time.
func (f outputFile) write(r login.Report, o reports.Options) error {
	o.Color, o.Verbose = false, true
	return f.file.commit(f.format.Write(f.file, r, o))
}

// pages reports whether one of them is a page, which shows what became of a
// server from run to run.
func (o *outputs) pages() bool {
	return o.format.Name == "html" || slices.ContainsFunc(o.files, func(f outputFile) bool { return f.format.Name == "html" })
}

// namedPolicies are those that every --policy takes by name.
func namedPolicies() []reports.NamedPolicy {
	var all []reports.NamedPolicy
	for _, b := range policy.Builtins() {
		all = append(all, reports.NamedPolicy{Name: b.ID(), About: b.About, Policy: b.Policy})
	}
	return all
}

// discard forgets the files that were opened for nothing.
func (o *outputs) discard() {
	for _, f := range o.files {
		f.file.discard()
	}
}
