package reports

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

func TestFormats(t *testing.T) {
	var names []string
	for _, f := range All() {
		names = append(names, f.Name)
	}
	if want := []string{"annotations", "csv", "html", "json", "jsonl", "junit", "markdown", "sarif", "svg", "text"}; !slices.Equal(names, want) {
		t.Errorf("formats are %v, want %v", names, want)
	}
	if f, err := Get("JUnit"); err != nil || f.Ext != "xml" {
		t.Errorf(`Get("JUnit") = %v, %v: any letter case must do`, f, err)
	}
	if _, err := Get("markdwon"); err == nil || !strings.Contains(err.Error(), `did you mean "markdown"?`) {
		t.Errorf("the error of an unknown format names no near one: %v", err)
	}
}

func TestRegisterRefuses(t *testing.T) {
	write := func(io.Writer, login.Report, Options) error { return nil }
	for name, f := range map[string]Format{
		"a second json":   {Name: "json", Ext: "json", About: "again", Write: write},
		"one that is nil": {Name: "new", Ext: "new", About: "never written"},
		"the zero value":  {},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("it was registered")
				}
			}()
			register(f)
		})
	}
}

// Nobody may be told that a report is written when it is not.
func TestWriteErrors(t *testing.T) {
	for _, f := range All() {
		if err := f.Write(full{}, smallReport(), Options{}); err == nil {
			t.Errorf("%s: no error from a disk that is full", f.Name)
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }
