package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/strictyaml"
)

// Between these the document is made from the tables.
const (
	tablesBegin = "<!-- Made by `go test ./interop -run TestCheckDocument -update` from interop/testdata/check. -->\n"
	tablesEnd   = "<!-- End of what is made. -->\n"
)

// TestCheckDocument: the tables in docs/check-interop.md are those that the
// ledgers are compared with.
func TestCheckDocument(t *testing.T) {
	name := filepath.Join("..", "docs", "check-interop.md")
	have, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(have), tablesBegin)
	_, after, ended := strings.Cut(rest, tablesEnd)
	if !found || !ended {
		t.Fatalf("%s has lost the lines between which it is made", name)
	}
	want := before + tablesBegin + checkTables(t) + tablesEnd + after
	if *update {
		if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(have) != want {
		t.Errorf("%s is stale: go test ./interop -run TestCheckDocument -update", name)
	}
}

// checkTables are all of them.
func checkTables(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for _, name := range tableNames() {
		file, text := tableOf(t, name)
		var entries []truthEntry
		if err := strictyaml.Decode(file, text, &entries); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "\n### %s\n\n", name)
		for line := range strings.Lines(string(text)) {
			if !strings.HasPrefix(line, "# ") {
				break
			}
			b.WriteString(strings.TrimPrefix(line, "# "))
		}
		b.WriteString("\n| doors | on | mechanisms | offered | starts | completes |\n|---|---|---|---|---|---|\n")
		for _, e := range entries {
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", e.Doors, e.On, e.Mechanisms, word(e.Offered), word(e.Starts), word(e.Completes))
		}
	}
	return b.String() + "\n"
}

// word is for people.
func word(b *bool) string {
	return map[string]string{"true": "yes", "false": "no", "null": "?"}[yesNo(b)]
}
