package clientcases

import (
	"cmp"
	_ "embed"
	"fmt"
	"slices"
)

// Retired are IDs that had a case once and never will again, each with the
// reason. The list only grows.
var Retired = map[string]string{}

// topics are the lists of all files.
var topics [][]Case

// register is called once in each file.
func register(cases ...Case) []Case {
	topics = append(topics, cases)
	return cases
}

// All returns the cases sorted by ID. It panics on an entry that is incomplete
// or there twice, and on two situations of one name: a test calls it.
func All() []Case {
	all := slices.Concat(topics...)
	slices.SortFunc(all, func(a, b Case) int { return cmp.Compare(a.ID, b.ID) })
	for i, c := range all {
		switch {
		case c.ID == "" || c.Title == "" || c.Since == "" || c.Level == "" || len(c.Refs) == 0 || c.Says == "" || len(c.Situations) == 0 || c.Judge == nil:
			panic(fmt.Sprintf("clientcases: incomplete case %q", c.ID))
		case i > 0 && all[i-1].ID == c.ID:
			panic(fmt.Sprintf("clientcases: %s is there twice", c.ID))
		case Retired[c.ID] != "":
			panic(fmt.Sprintf("clientcases: %s is retired: %s", c.ID, Retired[c.ID]))
		}
	}
	return all
}

// Situations are those of the cases, with their twins and controls, each once
// and in the order of first use.
func Situations(cases []Case) []Situation {
	var all []Situation
	known := map[string]bool{}
	add := func(s Situation) {
		if !known[s.Name] {
			known[s.Name] = true
			all = append(all, s)
		}
	}
	for _, c := range cases {
		for _, s := range c.Situations {
			for _, control := range controls(s) {
				add(control)
			}
			if s.Twin != nil {
				add(*s.Twin)
			}
			add(s)
		}
	}
	return all
}

// Sinners is the file of a profile whose settings states are sins, for the
// tests of the cases.
//
//go:embed sinners.yaml
var Sinners []byte

// Known are the sins of built-in profiles that are known, in the form of
// excuses: pattern, verdict, reason, source.
//
//go:embed known.yaml
var Known []byte

// KnownFile is where they stand.
const KnownFile = "scenarios/clientcases/known.yaml"
