package server

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

var update = flag.Bool("update", false, "write docs/mutants.md")

// TestMutantsDocument: docs/mutants.md is made from Bugs.
func TestMutantsDocument(t *testing.T) {
	var b strings.Builder
	b.WriteString("<!-- Made by `go test ./server -run TestMutantsDocument -update`. -->\n\n# Mutants\n\n" +
		"Each breaks one rule of the reference server. `server.WithBug` makes one; a suite that notices none of it proves nothing.\n" +
		"The rule is that of the contract's section 2.\n\n| mutant | rule | what it does |\n|---|---|---|\n")
	for _, i := range Bugs() {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", i.Name, i.Rule, i.What)
	}
	name := filepath.Join("..", "docs", "mutants.md")
	if *update {
		if err := os.WriteFile(name, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != b.String() {
		t.Errorf("%s is stale: go test ./server -run TestMutantsDocument -update", name)
	}
}

// TestUnknownMutant: a name that nobody has is an error, not a healthy server.
func TestUnknownMutant(t *testing.T) {
	if _, err := New(open(), withStore(testStore), WithBug("no-such-bug")); err == nil {
		t.Error("taken")
	}
}

// TestEveryMutantIsOne: a mutant behaves differently from the healthy server,
// and the healthy server always alike.
func TestEveryMutantIsOne(t *testing.T) {
	var healthy []facts
	for n, experiment := range experiments {
		healthy = append(healthy, experiment(t, ""))
		if again := experiment(t, ""); !slices.Equal(healthy[n], again) {
			t.Fatalf("the healthy server is not always alike: %s", difference(healthy[n], again))
		}
	}
	for _, i := range Bugs() {
		t.Run(string(i.Name), func(t *testing.T) {
			t.Parallel()
			for n, experiment := range experiments {
				if d := difference(healthy[n], experiment(t, i.Name)); d != "" {
					t.Log(d)
					return
				}
			}
			t.Error("no difference was seen")
		})
	}
}

// TestContentsInClear: the mutant breaks its rule in both flavours.
func TestContentsInClear(t *testing.T) {
	for _, flavour := range login.Flavours() {
		setup := with(open(), func(s *login.Setup) { s.Flavour = flavour })
		const clear = `first octet of a message: "+"`
		if slices.Contains(mailboxes(start(t, setup)), clear) {
			t.Errorf("%s: the healthy server retrieves in clear", flavour)
		}
		if !slices.Contains(mailboxes(start(t, setup, WithBug(ContentsInClear))), clear) {
			t.Errorf("%s: the mutant does not", flavour)
		}
	}
}

func difference(a, b []string) string {
	for i := range a {
		if i >= len(b) || a[i] != b[i] {
			return fmt.Sprintf("%q became %q", a[i], append(b, "nothing")[min(i, len(b))])
		}
	}
	return ""
}
