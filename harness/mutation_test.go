package harness_test

import (
	"bufio"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var updateMutation = flag.Bool("update-mutation", false, "take over what the general mutation tool wrote into $MAILMATRIX_MUTATION: see .ci/nightly")

// mutationFile is what the general mutation tool found, published as it is.
const mutationFile = "testdata/mutation.json"

// mutation is what came of one room.
type mutation struct {
	Tool string `json:"tool"`
	Room string `json:"room"`
	// Note says what the figures are not about; "" is nothing.
	Note string `json:"note,omitempty"`
	// Killed by the room's own tests; Slow are those that made them hang.
	Killed  int `json:"killed"`
	Slow    int `json:"slow"`
	Lived   int `json:"lived"`
	Covered int `json:"not_covered"`
	// Survivors are those that lived, with the line as it was.
	Survivors []survivor `json:"survivors"`
}

type survivor struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Change string `json:"change"`
	Source string `json:"source"`
}

// score is the share of the mutants of covered code that died.
func (m mutation) score() float64 {
	return 100 * float64(m.Killed+m.Slow) / float64(max(1, m.Killed+m.Slow+m.Lived))
}

// gremlins is the form of the tool's own file.
type gremlins struct {
	Files []struct {
		Name      string `json:"file_name"`
		Mutations []struct {
			Type, Status string
			Line, Column int
		} `json:"mutations"`
	} `json:"files"`
}

// TestMutationIsPublished: the figures are there, and of a tool that found
// something to do.
func TestMutationIsPublished(t *testing.T) {
	if *updateMutation {
		// What was not run anew stays as it is.
		all := readMutation(t)
		for _, room := range []string{"internal/mech", "server"} {
			name := filepath.Join(os.Getenv("MAILMATRIX_MUTATION"), strings.ReplaceAll(room, "/", "-")+".json")
			if _, err := os.Stat(name); err != nil {
				continue
			}
			all = append(slices.DeleteFunc(all, func(m mutation) bool { return m.Room == room }), readGremlins(t, name, room))
		}
		slices.SortFunc(all, func(a, b mutation) int { return cmp.Compare(a.Room, b.Room) })
		write(t, mutationFile, marshal(t, all))
	}
	for _, m := range readMutation(t) {
		if m.Killed == 0 || m.Lived != len(m.Survivors) {
			t.Errorf("%s: %d killed, %d lived, %d of them named", m.Room, m.Killed, m.Lived, len(m.Survivors))
		}
	}
}

func readMutation(t *testing.T) []mutation {
	t.Helper()
	data, err := os.ReadFile(mutationFile)
	if err != nil {
		t.Fatal(err)
	}
	var all []mutation
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func readGremlins(t *testing.T, name, room string) mutation {
	t.Helper()
	data, err := os.ReadFile(name) //nolint:gosec // the one that the tool wrote
	if err != nil {
		t.Fatal(err)
	}
	var found gremlins
	if err := json.Unmarshal(data, &found); err != nil {
		t.Fatal(err)
	}
	m := mutation{Tool: "gremlins v0.5.0", Room: room}
	for _, f := range found.Files {
		file := room + "/" + strings.TrimPrefix(f.Name, room+"/")
		for _, x := range f.Mutations {
			switch x.Status {
			case "KILLED":
				m.Killed++
			case "TIMED OUT":
				m.Slow++
			case "NOT COVERED":
				m.Covered++
			case "LIVED":
				m.Lived++
				m.Survivors = append(m.Survivors, survivor{file, x.Line, strings.ToLower(strings.ReplaceAll(x.Type, "_", " ")), lineOf(t, file, x.Line)})
			}
		}
	}
	slices.SortFunc(m.Survivors, func(a, b survivor) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Change, b.Change))
	})
	return m
}

// lineOf is a line of our source.
func lineOf(t *testing.T, file string, line int) string {
	t.Helper()
	f, err := os.Open(filepath.Join("..", file)) //nolint:gosec // ours
	if err != nil {
		return "" // it has gone since
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		if n == line {
			return strings.TrimSpace(lines.Text())
		}
	}
	return ""
}

// mutationPage is the part of docs/rfc-coverage.md about it.
func mutationPage(all []mutation) string {
	var b strings.Builder
	b.WriteString("\n## Mutants that nobody chose\n\nA general mutation tool turns comparisons, conditions and arithmetic round, one at a time, and runs the\n" +
		"room's own unit tests; no compliance case and no cell helps them. `.ci/nightly mutation` repeats it.\n\n" +
		"| room | killed | hung | lived | not covered | score |\n|---|---|---|---|---|---|\n")
	for _, m := range all {
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %.1f %% |\n", m.Room, m.Killed, m.Slow, m.Lived, m.Covered, m.score())
	}
	for _, m := range all {
		if m.Note != "" {
			fmt.Fprintf(&b, "\n%s: %s\n", m.Room, m.Note)
		}
	}
	b.WriteString("\nThose that lived:\n\n| where | change | line |\n|---|---|---|\n")
	for _, m := range all {
		for _, s := range m.Survivors {
			fmt.Fprintf(&b, "| %s:%d | %s | `%s` |\n", s.File, s.Line, s.Change, cell(s.Source))
		}
	}
	return b.String()
}
