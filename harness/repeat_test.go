package harness_test

import (
	"slices"
	"testing"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// The runs of a check share a budget, so the last knows what all of them have
// cost the server.
func TestRepeatedEffort(t *testing.T) {
	spent := func(connections int, stopped string) *login.Effort {
		return &login.Effort{Connections: connections, Trips: 2 * connections, Stopped: stopped}
	}
	for _, row := range []struct {
		name, why string
		runs      []*login.Effort // nil is a run that has none
		want      *login.Effort
	}{
		{"three", "the budget counts on", []*login.Effort{spent(32, ""), spent(64, ""), spent(96, "")}, spent(96, "")},
		{"stopped", "whichever run it was", []*login.Effort{spent(32, ""), spent(40, "421 enough")}, spent(40, "421 enough")},
		{"once", "it is what it was", []*login.Effort{spent(32, "")}, spent(32, "")},
		{"nobody counts", "a server that is reconfigured", []*login.Effort{nil, nil}, nil},
		{"one came to nothing", "what is known stays", []*login.Effort{spent(32, ""), nil}, spent(32, "")},
	} {
		var runs []login.Report
		for _, e := range row.runs {
			runs = append(runs, login.Report{Complete: true, Targets: []login.TargetResult{{Effort: e}}})
		}
		got := harness.Repeated(runs).Targets[0].Effort
		if (got == nil) != (row.want == nil) || got != nil && *got != *row.want {
			t.Errorf("%s: %v, want %v: %s", row.name, got, row.want, row.why)
		}
		if runs[0].Targets[0].Effort != row.runs[0] {
			t.Errorf("%s: the first run was changed", row.name)
		}
	}
	if all := harness.Repeated([]login.Report{{Targets: []login.TargetResult{{Effort: spent(3, "")}}}, {}}); all.Targets[0].Effort.Connections != 3 {
		t.Error("a run without a server took away what another knew")
	}
}

// A shard that is repeated says where its results belong, once.
func TestRepeatedShard(t *testing.T) {
	shard := login.Report{Complete: true, Order: []int{2, 5}, Cells: []login.CellResult{{ID: "a"}, {ID: "b"}}}
	again := shard
	again.Complete, again.Order, again.Cells = false, []int{2}, shard.Cells[:1]
	for _, runs := range [][]login.Report{{shard, shard}, {shard, again}} {
		if all := harness.Repeated(runs); !slices.Equal(all.Order, shard.Order) || len(all.Cells) != len(all.Order) {
			t.Errorf("places %v of %d cells", all.Order, len(all.Cells))
		}
	}
}
