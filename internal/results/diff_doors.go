package results

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// doorNames are what the doors of a report are called in it and in another, by
// target and door: the two are compared under that name.
type doorNames [][]string

// pair is a target in one report, and what it is in the other; nil is not there.
type pair struct{ here, there *login.TargetResult }

// namesOfDoors calls a door by its sort where it is the only one of it in both
// reports: in a laboratory it has another port each time. Others go by their
// port, so that none is taken for another where one has come or gone.
func namesOfDoors(r, other *login.Report) doorNames {
	all := make(doorNames, len(r.Targets))
	for i, p := range pairs(r, other) {
		for j := range p.here.Doors {
			door := &p.here.Doors[j]
			name := string(door.Protocol) + ":" + portOf(door)
			if p.there != nil && onlyOne(p.here, door) && onlyOne(p.there, door) {
				name = sortOf(door)
			}
			all[i] = append(all[i], name)
		}
	}
	return all
}

// pairs finds each target in the other report: by its name, or where there is one
// in each, as the one.
func pairs(r, other *login.Report) []pair {
	all := make([]pair, len(r.Targets))
	for i := range r.Targets {
		all[i].here = &r.Targets[i]
		for j := range other.Targets {
			there := &other.Targets[j]
			if all[i].there == nil && (there.Name == r.Targets[i].Name || len(r.Targets)+len(other.Targets) == 2) {
				all[i].there = there
			}
		}
	}
	return all
}

// sortOf is the protocol of a door, with an s where it is inside TLS from the
// first octet.
func sortOf(d *login.DoorResult) string {
	if d.Implicit {
		return string(d.Protocol) + "s"
	}
	return string(d.Protocol)
}

// onlyOne: the target has one door of this sort.
func onlyOne(t *login.TargetResult, d *login.DoorResult) bool {
	n := 0
	for i := range t.Doors {
		if sortOf(&t.Doors[i]) == sortOf(d) {
			n++
		}
	}
	return n == 1
}

// moved says of the doors that are compared under one name, and have another
// port, which is held against which.
func moved(before, after *login.Report) string {
	var all []string
	for _, p := range pairs(after, before) {
		for i := range p.here.Doors {
			is := &p.here.Doors[i]
			if p.there == nil || !onlyOne(p.here, is) || !onlyOne(p.there, is) {
				continue
			}
			for j := range p.there.Doors {
				if was := &p.there.Doors[j]; sortOf(was) == sortOf(is) && was.Port() != is.Port() {
					all = append(all, fmt.Sprintf("%s %s is compared with %s", sortOf(is), is.Port(), was.Port()))
				}
			}
		}
	}
	return strings.Join(all, ", ")
}

// silenced are the doors of a report that speak, and in the other do not.
func silenced(r, other *login.Report) string {
	names, others := namesOfDoors(r, other), namesOfDoors(other, r)
	speaking := map[string]bool{}
	for i, p := range pairs(other, r) {
		for j, d := range p.here.Doors {
			if p.there != nil && d.Speaks() {
				speaking[p.there.Name+" "+others[i][j]] = true
			}
		}
	}
	var all []string
	for i, p := range pairs(r, other) {
		for j := range p.here.Doors {
			if d := &p.here.Doors[j]; p.there != nil && d.Speaks() && !speaking[p.here.Name+" "+names[i][j]] {
				all = append(all, sortOf(d)+" "+portOf(d))
			}
		}
	}
	return strings.Join(all, ", ")
}

// portOf is the port of a door; of one whose address has none, all of it.
func portOf(d *login.DoorResult) string {
	if _, err := strconv.ParseUint(d.Port(), 10, 16); err != nil {
		return d.Address
	}
	return d.Port()
}
