package harness_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/recording"
	"github.com/mailmatrix/mailmatrix/server"
)

func TestExplore(t *testing.T) {
	name := filepath.Join("..", "..", "shared", "ground-truth", "recorded-logins.jsonl")
	if f := os.Getenv("FILE"); f != "" {
		name = f
	}
	data, err := os.ReadFile(name)
	if err != nil {
		t.Skip(err)
	}
	records, err := recording.ReadRecords(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	lab, err := server.NewReference()
	if err != nil {
		t.Fatal(err)
	}
	defer lab.Close()
	groups := map[string][]recording.Record{}
	var names []string
	for _, r := range records {
		k := r.Client + "+" + r.Variant
		if groups[k] == nil {
			names = append(names, k)
		}
		groups[k] = append(groups[k], r)
	}
	for _, k := range names {
		if want := os.Getenv("WHO"); want != "" && want != k || want == "" && len(groups[k]) < 10 {
			continue
		}
		trial, err := harness.TryDraft(context.Background(), lab, recording.Postures(), groups[k], 4)
		if err != nil {
			t.Errorf("%s: %v\n%s", k, err, trial.Draft.YAML)
			continue
		}
		t.Logf("%s: %d seen %d assumed; all %+v without %+v foretold %+v", k, trial.Draft.Observed, trial.Draft.Assumed, trial.All.Totals, trial.Without.Totals, trial.Foretold.Totals)
		for _, d := range trial.All.Clients[0].Disagreements {
			t.Logf("   all %s %s: recorded %s, simulated %s", d.Case, d.Field, d.Recorded, d.Simulated)
		}
		if len(trial.Foretold.Clients) > 0 {
			for _, d := range trial.Foretold.Clients[0].Disagreements {
				t.Logf("   held %s %s: recorded %s, simulated %s", d.Case, d.Field, d.Recorded, d.Simulated)
			}
		}
		if os.Getenv("WHO") != "" {
			t.Logf("\n%s", trial.Draft.YAML)
		}
	}
}
