package results

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Part is a report with the name of its file, for messages.
type Part struct {
	Name   string
	Report login.Report
}

// target names the servers that the part is about.
func (p Part) target() string {
	var names []string
	for _, t := range p.Report.Targets {
		names = append(names, t.Kind+" "+t.Name)
	}
	return strings.Join(names, ", ")
}

// doors are what tells two servers on one machine apart.
func (p Part) doors() string {
	var addresses []string
	for _, t := range p.Report.Targets {
		for _, d := range t.Doors {
			addresses = append(addresses, string(d.Protocol)+" "+d.Address)
		}
	}
	return strings.Join(addresses, ", ")
}

// Merge makes one report of several, each of which must be [Sound]. Shards of
// one run become the report of that run, whatever their order. Reports about
// several targets stand side by side, in the order given.
func Merge(parts []Part) (login.Report, error) {
	var targets []string
	of := map[string][]Part{}
	for _, p := range parts {
		target := p.target() + ": " + p.doors()
		if _, known := of[target]; !known {
			targets = append(targets, target)
		}
		of[target] = append(of[target], p)
	}
	var wholes []Part
	for _, target := range targets {
		whole, err := wholeOf(of[target])
		if err != nil {
			return login.Report{}, err
		}
		wholes = append(wholes, whole)
	}
	if len(wholes) == 1 {
		return wholes[0].Report, nil
	}
	return sideBySide(wholes)
}

// wholeOf is the one report about a target that the parts make.
func wholeOf(parts []Part) (Part, error) {
	first := parts[0]
	if _, _, sharded := shardOf(first); len(parts) == 1 && !sharded {
		return first, nil
	}
	for _, p := range parts {
		if _, _, sharded := shardOf(p); !sharded {
			other := parts[0].Name
			if other == p.Name {
				other = parts[1].Name
			}
			return Part{}, fmt.Errorf("%s and %s are both about %s, and not shards of one run: `mailmatrix report diff` compares them",
				p.Name, other, p.target())
		}
	}
	return joinShards(parts)
}

// sideBySide puts reports about several targets into one. What they say of
// themselves must hold for all of it.
func sideBySide(parts []Part) (login.Report, error) {
	var b builder
	first := &parts[0].Report
	all := login.Report{Schema: first.Schema, Catalogue: first.Catalogue, Started: first.Started, Seed: first.Seed,
		Complete: true, Selection: map[string][]string{}}
	var tools, vantages []string
	for i := range parts {
		p := &parts[i]
		r := &p.Report
		if r.Catalogue != first.Catalogue {
			return login.Report{}, fmt.Errorf("%s is about catalogue %s, and %s about %s: run the older one again",
				parts[0].Name, first.Catalogue, p.Name, r.Catalogue)
		}
		b.add(p, len(all.Targets))
		all.Targets = append(all.Targets, askedOf(r)...)
		all.ElapsedMS += r.ElapsedMS
		all.Complete = all.Complete && r.Complete
		if r.Started.Before(all.Started) {
			all.Started = r.Started
		}
		if r.Seed != first.Seed {
			all.Seed = 0 // there is none that repeats all of it
		}
		tools, vantages = withNew(tools, []string{r.Tool}), withNew(vantages, []string{r.Vantage})
		for axis, values := range r.Selection {
			all.Selection[axis] = withNew(all.Selection[axis], values)
		}
		all.Lacks = withNew(all.Lacks, r.Lacks)
		for _, n := range r.NotTested {
			n.What = targetNames(r) + ": " + n.What
			all.NotTested = append(all.NotTested, n)
		}
		all.Flaky = append(all.Flaky, r.Flaky...)
		all.Expectations = append(all.Expectations, r.Expectations...)
	}
	all.Tool, all.Vantage = strings.Join(tools, ", "), strings.Join(vantages, ", ")
	b.fill(&all)
	all.Count()
	return all, nil
}

// askedOf are the targets of a report, each with how its run was asked.
func askedOf(r *login.Report) []login.TargetResult {
	targets := slices.Clone(r.Targets)
	for i := range targets {
		if asked, known := r.AskedOf(i); known {
			asked.Selection = withoutShard(asked.Selection) // a copy
			targets[i].Asked = &asked
		}
	}
	return targets
}

// targetNames are those of the targets of a report.
func targetNames(r *login.Report) string {
	var all []string
	for _, t := range r.Targets {
		all = append(all, t.Name)
	}
	return strings.Join(all, ", ")
}

// withNew adds what is not there yet.
func withNew[T comparable](all, more []T) []T {
	for _, v := range more {
		if !slices.Contains(all, v) {
			all = append(slices.Clip(all), v)
		}
	}
	return all
}

// withoutShard is the selection of the run that a shard is of.
func withoutShard(selection map[string][]string) map[string][]string {
	selection = maps.Clone(selection)
	delete(selection, shardAxis)
	return selection
}
