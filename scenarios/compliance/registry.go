package compliance

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

// Releases of the catalogue, the oldest first.
var Releases = []string{"2026.1"}

// Release is the newest.
func Release() string { return Releases[len(Releases)-1] }

// Retired are IDs that had a case once and never will again, each with the
// reason. The list only grows.
var Retired = map[string]string{}

// topics are the lists of all files.
var topics [][]script.Case

// register is called once in each file.
func register(cases ...script.Case) []script.Case {
	topics = append(topics, cases)
	return cases
}

// All returns the cases sorted by ID. It panics on an entry that is incomplete
// or there twice: a test calls it.
func All() []script.Case {
	all := slices.Concat(topics...)
	slices.SortFunc(all, func(a, b script.Case) int { return cmp.Compare(a.ID, b.ID) })
	for i, c := range all {
		switch {
		case c.ID == "" || c.Title == "" || !slices.Contains(Releases, c.Since) || c.Level == "" || len(c.Refs) == 0 || c.Says == "" || len(c.Steps) == 0:
			panic(fmt.Sprintf("compliance: incomplete case %q", c.ID))
		case i > 0 && all[i-1].ID == c.ID:
			panic(fmt.Sprintf("compliance: %s is there twice", c.ID))
		case Retired[c.ID] != "":
			panic(fmt.Sprintf("compliance: %s is retired: %s", c.ID, Retired[c.ID]))
		}
	}
	return all
}

// In returns the cases of a release, and whether each is provisional in it: new
// in that release, and not yet in the one before, so that an upgrade turns
// nothing red. The first release has no provisional case.
func In(release string) (cases []script.Case, provisional func(script.Case) bool, err error) {
	return Since(release, All(), func(c script.Case) string { return c.Since })
}

// Since is [In] for cases of any kind: since is the release in which one was
// new.
func Since[C any](release string, all []C, since func(C) string) (cases []C, provisional func(C) bool, err error) {
	at := slices.Index(Releases, release)
	if at < 0 {
		return nil, nil, fmt.Errorf("there is no catalogue %q; there is %s", release, Releases)
	}
	for _, c := range all {
		switch was := slices.Index(Releases, since(c)); {
		case was < 0:
			return nil, nil, fmt.Errorf("a case is of the catalogue %q; there is %s", since(c), Releases)
		case was <= at:
			cases = append(cases, c)
		}
	}
	return cases, func(c C) bool { return at > 0 && since(c) == release }, nil
}
