package reports

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// readLines puts a report together from its lines, as a reader would that
// docs/formats.md has told of them.
func readLines(t *testing.T, text []byte) map[string]any {
	t.Helper()
	var report map[string]any
	lists := map[string][]any{}
	for i, line := range bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n")) {
		var object map[string]any
		if err := json.Unmarshal(line, &object); err != nil || len(object) != 1 {
			t.Fatalf("line %d is no object of one field: %s (%v)", i+1, line, err)
		}
		for kind, value := range object {
			if (kind == "header") != (i == 0) {
				t.Fatalf("line %d is a %s", i+1, kind)
			}
			if kind == "header" {
				report = value.(map[string]any)
				continue
			}
			lists[kind] = append(lists[kind], value)
		}
	}
	counts := report["count"].(map[string]any)
	delete(report, "count")
	for _, kind := range linesKinds {
		if got := float64(len(lists[kind.one])); counts[kind.one] != got {
			t.Errorf("%v lines of %s, and the header says %v", got, kind.one, counts[kind.one])
		}
		if list := lists[kind.one]; len(list) > 0 || kind.list != "flaky" {
			report[kind.list] = append([]any{}, list...)
		}
		delete(lists, kind.one)
	}
	for kind := range lists {
		t.Errorf("the header knows no %s", kind)
	}
	return report
}

// Both forms say the same: nothing is lost, whatever fields a report gets.
func TestJSONLinesAreTheReport(t *testing.T) {
	for name, report := range everyReport {
		t.Run(name, func(t *testing.T) {
			r := report()
			if name == "small" {
				r.Flaky = []login.Flake{{ID: "a", Verdicts: map[login.Verdict]int{login.Pass: 2, login.Fail: 1}}}
			}
			var want map[string]any
			if err := json.Unmarshal(written(t, "json", r, Options{}), &want); err != nil {
				t.Fatal(err)
			}
			// DeepEqual first: to look for differences in some thousand cells takes its time.
			if got := readLines(t, written(t, "jsonl", r, Options{})); !reflect.DeepEqual(got, want) {
				t.Error(cmp.Diff(want, got))
			}
		})
	}
}

// A reader knows the conversation by the time it reads of the result.
func TestJSONLinesTablesComeFirst(t *testing.T) {
	var kinds []string
	for line := range bytes.Lines(written(t, "jsonl", smallReport(), Options{})) {
		kind := string(bytes.Split(line, []byte(`"`))[1])
		if len(kinds) == 0 || kinds[len(kinds)-1] != kind {
			kinds = append(kinds, kind)
		}
	}
	want := []string{"header", "target", "line", "transcript", "client", "cell", "lack", "scenario", "case", "not_tested", "expectation"}
	if !slices.Equal(kinds, want) {
		t.Errorf("lines are of %v, want %v", kinds, want)
	}
}

// What a server says cannot end a line.
func TestJSONLinesStayLines(t *testing.T) {
	r := hostileReport()
	readLines(t, written(t, "jsonl", r, Options{}))
}

// The document tells of every format, and of every line in JSON lines.
func TestFormatsDocument(t *testing.T) {
	document, err := os.ReadFile(filepath.Join("..", "docs", "formats.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range All() {
		if !bytes.Contains(document, []byte("\n| `"+f.Name+"` | ")) {
			t.Errorf("docs/formats.md does not tell of %s", f.Name)
		}
	}
	for _, kind := range linesKinds {
		if !bytes.Contains(document, []byte("\n| `"+kind.one+"` | `"+kind.list+"` |\n")) {
			t.Errorf("docs/formats.md does not tell of lines of %s", kind.one)
		}
	}
}
