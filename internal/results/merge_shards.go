package results

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// shardAxis is the axis of a selection that says which part of a run it is.
const shardAxis = "shard"

// shardOf reads which shard of how many a report is; ok is false where it is of
// a whole run.
func shardOf(p Part) (k, n int, ok bool) {
	values := p.Report.Selection[shardAxis]
	if len(values) != 1 {
		return 0, 0, false
	}
	_, err := fmt.Sscanf(values[0], "%d/%d", &k, &n)
	return k, n, err == nil && 1 <= k && k <= n
}

// joinShards makes the report of the run that was divided. All of its shards
// have to be there: what one of them would have found, nobody knows.
func joinShards(parts []Part) (Part, error) {
	parts = slices.Clone(parts)
	slices.SortStableFunc(parts, func(a, b Part) int {
		ka, _, _ := shardOf(a)
		kb, _, _ := shardOf(b)
		return cmp.Compare(ka, kb)
	})
	if err := sameRun(parts); err != nil {
		return Part{}, err
	}
	if err := allThere(parts); err != nil {
		return Part{}, err
	}
	first := &parts[0].Report
	all := login.Report{Schema: first.Schema, Tool: first.Tool, Catalogue: first.Catalogue, Started: first.Started, Seed: first.Seed,
		Vantage: first.Vantage, Complete: true, Selection: withoutShard(first.Selection), Targets: first.Targets, Lacks: first.Lacks}
	var b builder
	for i := range parts {
		r := &parts[i].Report
		b.add(&parts[i], 0)
		all.Complete = all.Complete && r.Complete
		all.ElapsedMS += r.ElapsedMS
		if r.Started.Before(all.Started) {
			all.Started = r.Started
		}
		all.NotTested, all.Expectations = withNew(all.NotTested, r.NotTested), withNew(all.Expectations, r.Expectations)
		all.Flaky = append(all.Flaky, r.Flaky...)
	}
	b.sort()
	if err := b.onlyOnce(); err != nil {
		return Part{}, err
	}
	if hole := b.hole(); hole >= 0 && all.Complete {
		return Part{}, fmt.Errorf("%s and the other shards have no result %d of the run: they are not of one plan", parts[0].Name, hole+1)
	}
	b.fill(&all)
	all.Flaky = inOrder(&all, all.Flaky)
	all.Count()
	return Part{Name: parts[0].Name, Report: all}, nil
}

// sameRun demands that the shards agree about everything on which results depend.
func sameRun(parts []Part) error {
	first := parts[0]
	_, n, _ := shardOf(first)
	for _, p := range parts[1:] {
		_, m, _ := shardOf(p)
		for _, field := range []struct {
			what       string
			one, other any
		}{
			{"number of shards", n, m},
			{"program", first.Report.Tool, p.Report.Tool},
			{"catalogue", first.Report.Catalogue, p.Report.Catalogue},
			{"seed", first.Report.Seed, p.Report.Seed},
			{"vantage", first.Report.Vantage, p.Report.Vantage},
			{"selection", withoutShard(first.Report.Selection), withoutShard(p.Report.Selection)},
			{"target", first.Report.Targets, p.Report.Targets},
			{"list of what clients lack", first.Report.Lacks, p.Report.Lacks},
		} {
			if !reflect.DeepEqual(field.one, field.other) {
				return fmt.Errorf("%s and %s are not shards of one run: they differ in %s%s", first.Name, p.Name, field.what, shown(field.one, field.other))
			}
		}
	}
	return nil
}

// shown are two values where they fit on a line.
func shown(one, other any) string {
	if text := fmt.Sprintf(" (%v and %v)", one, other); len(text) < 120 {
		return text
	}
	return ""
}

// allThere names the shards that are missing.
func allThere(parts []Part) error {
	there := map[int]bool{}
	n := 0
	for _, p := range parts {
		var k int
		k, n, _ = shardOf(p)
		there[k] = true
		if len(p.Report.Order) == 0 && len(p.Report.Cells)+len(p.Report.Scenarios)+len(p.Report.Cases) > 0 {
			return fmt.Errorf("%s does not say where its results belong: it was not written by `mailmatrix run --shard`", p.Name)
		}
	}
	for k := range n {
		if !there[k+1] {
			return fmt.Errorf("shard %d/%d is missing: nobody knows what it would have found", k+1, n)
		}
	}
	return nil
}

// onlyOnce drops what several shards have, which must be the same, times aside.
// The builder is sorted.
func (b *builder) onlyOnce() error {
	var err error
	b.cells = once(b.cells, &err, func(c login.CellResult) (string, login.CellResult) {
		c.ElapsedMS, c.Transcript = 0, nil
		return c.ID, c
	})
	b.scenarios = once(b.scenarios, &err, func(s login.ScenarioResult) (string, login.ScenarioResult) {
		s.Transcript = nil
		return s.ID, s
	})
	b.cases = once(b.cases, &err, func(c login.CaseResult) (string, login.CaseResult) {
		c.Transcript = nil
		return c.ID, c
	})
	return err
}

// once drops the results whose place is taken. essence is the ID of a result,
// and all of it but times and transcript.
func once[T any](all []told[T], err *error, essence func(T) (string, T)) []told[T] {
	var kept []told[T]
	for _, t := range all {
		if len(kept) == 0 || kept[len(kept)-1].place != t.place {
			kept = append(kept, t)
			continue
		}
		there := kept[len(kept)-1]
		id, one := essence(there.result)
		other, two := essence(t.result)
		switch {
		case *err != nil:
		case id != other:
			*err = fmt.Errorf("%s has %s where %s has %s: they are not shards of one plan", there.from, id, t.from, other)
		case !reflect.DeepEqual(one, two):
			*err = fmt.Errorf("%s came to something else in %s than in %s: run one of them again", id, there.from, t.from)
		}
	}
	return kept
}

// hole is the first place that no result has, -1 where there is none.
func (b *builder) hole() int {
	want := 0
	for _, places := range [][]int{placesOf(b.cells), placesOf(b.scenarios), placesOf(b.cases)} {
		for _, place := range places {
			if place != want {
				return want
			}
			want++
		}
	}
	return -1
}

func placesOf[T any](all []told[T]) []int {
	places := make([]int, len(all))
	for i, t := range all {
		places[i] = t.place
	}
	return places
}

// inOrder sorts what is flaky as its results stand in the report.
func inOrder(r *login.Report, flaky []login.Flake) []login.Flake {
	at := map[string]int{}
	for _, it := range items(r, namesOfDoors(r, r)) {
		if _, known := at[it.id]; !known {
			at[it.id] = len(at)
		}
	}
	distinct := map[string]login.Flake{}
	for _, f := range flaky {
		distinct[f.ID] = f
	}
	return slices.SortedFunc(maps.Values(distinct), func(x, y login.Flake) int { return cmp.Compare(at[x.ID], at[y.ID]) })
}
