package reports

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Format is a way of writing a report down.
type Format struct {
	// Name is how flags call it, Ext what its files end with, without the dot.
	Name, Ext string
	// About says in a few words whom the format is for.
	About string
	// Points: it points at the lines of [Options.Claims], and is nothing without.
	Points bool
	Write  func(io.Writer, login.Report, Options) error
}

// Options are what the caller knows of whoever reads. The zero value suits a
// file: no colour, [DefaultWidth], the short form.
type Options struct {
	// Color adds ANSI colours where the format is for terminals. The caller
	// honours NO_COLOR.
	Color bool
	// Width is that of a line, for formats that have lines; 0 is DefaultWidth.
	Width int
	// Verbose leaves nothing out for the sake of brevity.
	Verbose bool
	// Claims are the files in which the user says how the server is to behave,
	// for formats that point at a line. The caller has read them.
	Claims []Claim
	// Policies are those that everybody can name, for formats in which one can be
	// picked.
	Policies []NamedPolicy
	// History is what became of the report's targets from run to run, for formats
	// that show it.
	History []login.History
}

// NamedPolicy is a policy with the name that flags take and what it is for.
type NamedPolicy struct {
	Name, About string
	Policy      login.Policy
}

// DefaultWidth is the width of a screen that nobody measured.
const DefaultWidth = 100

func (o Options) width() int {
	if o.Width <= 0 {
		return DefaultWidth
	}
	return o.Width
}

var registry = map[string]Format{}

// register adds a format. Each format's file calls it once, so a mistake
// shows as soon as the program starts.
func register(f Format) Format { //nolint:unparam // the result is what makes a call a declaration
	if f.Name == "" || f.Ext == "" || f.About == "" || f.Write == nil {
		panic(fmt.Sprintf("format %q is incomplete", f.Name))
	}
	if _, taken := registry[f.Name]; taken {
		panic(fmt.Sprintf("format %q is registered twice", f.Name))
	}
	registry[f.Name] = f
	return f
}

// All lists the formats, sorted by name.
func All() []Format {
	all := make([]Format, 0, len(registry))
	for _, f := range registry {
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b Format) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Get finds a format by its name in any letter case. The error of an unknown
// name suggests the nearest.
func Get(name string) (Format, error) {
	var names []string
	for _, f := range All() {
		names = append(names, f.Name)
	}
	known, err := login.ParseName("format", name, names)
	if err != nil {
		return Format{}, err
	}
	return registry[known], nil
}
