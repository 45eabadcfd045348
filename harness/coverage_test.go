package harness_test

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/clientcases"
	"github.com/mailmatrix/mailmatrix/scenarios/compliance"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
	"github.com/mailmatrix/mailmatrix/server"
)

var update = flag.Bool("update", false, "run every case against every mutant, and write what kills what, and docs/rfc-coverage.md")

// killsFile says which mutants of the server each case kills.
const killsFile = "testdata/kills.json"

// TestKills: every requirement of level MUST kills a mutant of the server, a
// server that breaks one rule. Which kills which is found out with -update; the
// test repeats one kill of each case.
func TestKills(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: as many wrong servers as there are rules")
	}
	kills := map[string][]string{}
	if *update {
		kills = killMatrix(t)
		write(t, killsFile, marshal(t, kills))
	} else {
		data, err := os.ReadFile(killsFile)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, &kills); err != nil {
			t.Fatal(err)
		}
	}
	byMutant := map[string][]script.Case{}
	for _, c := range compliance.All() {
		mutants := kills[c.ID]
		switch {
		case len(mutants) > 0:
			byMutant[mutants[0]] = append(byMutant[mutants[0]], c)
		case beyondMutants[c.ID] != "":
		case c.Level == login.Must:
			t.Errorf("%s kills no mutant: add one to server/bugs.go that breaks its rule, and run this test with -update", c.ID)
		}
	}
	for mutant, cases := range byMutant {
		t.Run(mutant, func(t *testing.T) {
			t.Parallel()
			dead := killedBy(t, server.Bug(mutant), cases)
			for _, c := range cases {
				if !dead[c.ID] {
					t.Errorf("%s does not kill %s any more: run this test with -update", c.ID, mutant)
				}
			}
		})
	}
}

// beyondMutants are requirements that no mutant of ours can break, and why.
// Their cases are shown to fail by another answer alone.
var beyondMutants = map[string]string{
	"tls/ticket/001": "crypto/tls decides how long its tickets are good for, and takes no word for it",
	"tls/ticket/003": "crypto/tls has no early data, and no switch for it",
}

// killMatrix runs every case against every mutant.
func killMatrix(t *testing.T) map[string][]string {
	t.Helper()
	if sick := killedBy(t, "", compliance.All()); len(sick) > 0 {
		t.Fatalf("the healthy server fails %v", slices.Sorted(maps.Keys(sick)))
	}
	kills := map[string][]string{}
	for i, bug := range server.Bugs() {
		t.Logf("%s, %d of %d", bug.Name, i+1, len(server.Bugs()))
		for id := range killedBy(t, bug.Name, compliance.All()) {
			kills[id] = append(kills[id], string(bug.Name))
		}
	}
	// First the mutants that few cases kill: they say most.
	killers := map[string]int{}
	for _, mutants := range kills {
		for _, m := range mutants {
			killers[m]++
		}
	}
	for _, mutants := range kills {
		slices.SortFunc(mutants, func(a, b string) int { return cmp.Or(cmp.Compare(killers[a], killers[b]), cmp.Compare(a, b)) })
	}
	return kills
}

// killedBy are the cases that fail against a mutant.
func killedBy(t *testing.T, bug server.Bug, cases []script.Case) map[string]bool {
	t.Helper()
	mutant, err := server.NewReference(server.WithBug(bug))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = mutant.Close() }()
	var p harness.Plan
	for _, c := range cases {
		for _, protocol := range c.Protocols() {
			p.Jobs = append(p.Jobs, harness.Job{Case: &harness.CaseJob{Case: c, Protocol: protocol}})
		}
	}
	failed := map[string]bool{}
	for _, r := range harness.Run(context.Background(), p, harness.Config{Target: mutant, Patience: patience,
		// A mutant may leave us waiting, and many may wait at once.
		Limit: 3 * time.Second, Parallel: 32}).Cases {
		if r.Verdict == login.Fail {
			failed[r.ID] = true
		}
	}
	return failed
}

// TestCoverageDocument: docs/rfc-coverage.md is made from the cases.
func TestCoverageDocument(t *testing.T) {
	data, err := os.ReadFile(killsFile)
	if err != nil {
		t.Fatal(err)
	}
	kills := map[string][]string{}
	if err := json.Unmarshal(data, &kills); err != nil {
		t.Fatal(err)
	}
	page := coveragePage(kills, readMutation(t))
	name := filepath.Join("..", "docs", "rfc-coverage.md")
	if *update {
		write(t, name, []byte(page))
	}
	have, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != page {
		t.Errorf("%s is not fresh: go test ./harness -run 'TestKills|TestCoverageDocument' -update", name)
	}
}

func coveragePage(kills map[string][]string, published []mutation) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<!-- Made by `go test ./harness -run 'TestKills|TestCoverageDocument' -update`. -->\n\n# What is required, and how we know that we would notice\n\n"+
		"Catalogue %s. Each row is one compliance case: the requirement, its source and level, what it costs a server at most\n"+
		"(`cost=0`: a few connections and time), the sabotage that must make it fail, and mutants of the reference server that it kills\n"+
		"([what they are](mutants.md)). `mailmatrix run --cases ID` runs one; `--cases rfc4954/4` those of a source.\n\n", compliance.Release())
	cases := compliance.All()
	fmt.Fprintf(&b, "%s\n", countsTable(cases, kills))
	area := ""
	for _, c := range cases {
		if c.Area() != area {
			area = c.Area()
			fmt.Fprintf(&b, "\n## %s\n\n| case | level | requirement | source | cost | sabotage | kills |\n|---|---|---|---|---|---|---|\n", area)
		}
		cost := c.Cost().String()
		if c.Cost().Free() {
			cost = "0"
		}
		killed := few(kills[c.ID])
		if why := beyondMutants[c.ID]; why != "" {
			killed = "none: " + why
		}
		fmt.Fprintf(&b, "| %s | %s | **%s.** %s | %s | %s | %s | %s |\n", strings.TrimPrefix(c.ID, area+"/"), c.Level, cell(c.Title), cell(c.Says),
			strings.Join(c.Refs, ", "), cost, cell(sabotageInWords(c.Sabotage)), killed)
	}
	return b.String() + clientsPage() + mutationPage(published)
}

// clientsPage is the part about what clients must not do.
func clientsPage() string {
	var b strings.Builder
	b.WriteString("\n## What a client must not do\n\nThese are judged for every profile, and for whatever client `mailmatrix observe` is given. What a profile\n" +
		"is known to do wrong is an expectation with a source: `scenarios/clientcases/known.yaml`. The sabotage is a\n" +
		"client that sins: one of `scenarios/clientcases/sinners.yaml`, or a conversation.\n\n" +
		"| case | level | requirement | source | situations | sabotage |\n|---|---|---|---|---|---|\n")
	for _, c := range clientcases.All() {
		sabotage := "a conversation"
		if c.Sabotage.Sinner != "" {
			sabotage = "the sinner `" + c.Sabotage.Sinner + "`"
		}
		fmt.Fprintf(&b, "| %s | %s | **%s.** %s | %s | %d | %s |\n", c.ID, c.Level, cell(c.Title), cell(c.Says), strings.Join(c.Refs, ", "), len(c.Situations), sabotage)
	}
	return b.String()
}

// countsTable counts by area and level.
func countsTable(cases []script.Case, kills map[string][]string) string {
	var b strings.Builder
	b.WriteString("| area | MUST | SHOULD | MAY | practice | all | cost=0 | kill a mutant |\n|---|---|---|---|---|---|---|---|\n")
	counts := map[string]map[string]int{}
	for _, c := range cases {
		for _, area := range []string{c.Area(), "**all**"} {
			if counts[area] == nil {
				counts[area] = map[string]int{}
			}
			counts[area][string(c.Level)]++
			counts[area]["all"]++
			if c.Cost().Free() {
				counts[area]["free"]++
			}
			if len(kills[c.ID]) > 0 {
				counts[area]["kills"]++
			}
		}
	}
	areas := slices.Sorted(maps.Keys(counts))
	for _, area := range append(areas[1:], areas[0]) { // "**all**" sorts first
		n := counts[area]
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d | %d | %d |\n", area, n["MUST"], n["SHOULD"], n["MAY"], n["practice"], n["all"], n["free"], n["kills"])
	}
	return b.String()
}

func sabotageInWords(s script.Sabotage) string {
	var all []string
	if s.Bug != "" {
		all = append(all, "mutant `"+s.Bug+"`")
	}
	if s.State != nil {
		all = append(all, "the server is in another state")
	}
	for _, r := range s.Rewrites {
		from := "whatever"
		if r.From != "" {
			from = "`" + r.From + "`"
		}
		all = append(all, fmt.Sprintf("after `%s` %s becomes `%s`", cmp.Or(r.After, "anything"), from, r.To))
	}
	return strings.Join(all, "; ")
}

// few are so many names that a row stays readable.
func few(names []string) string {
	const shown = 4
	if len(names) > shown {
		return strings.Join(names[:shown], ", ") + fmt.Sprintf(" and %d more", len(names)-shown)
	}
	return strings.Join(names, ", ")
}

// cell is text in a table of Markdown.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "\r", `\r`, "\x00", `\0`).Replace(s)
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return append(data, '\n')
}

func write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name, data, 0o644); err != nil { //nolint:gosec // documents are for everybody
		t.Fatal(err)
	}
}
