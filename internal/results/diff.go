package results

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// DiffSchema is the version of a diff in JSON.
const DiffSchema = "mailmatrix-diff/1"

// Diff is what two reports say differently of the same things. How long
// something took, and in which words it was said, is no difference.
type Diff struct {
	Schema string `json:"schema"`
	Old    Side   `json:"old"`
	New    Side   `json:"new"`
	// Compared counts the results that both reports have.
	Compared int `json:"compared"`
	// Regressions counts the changes that make the exit status 1.
	Regressions int `json:"regressions"`
	// Totals counts the changes of each kind; one may be of several.
	Totals  map[ChangeKind]int `json:"totals"`
	Changes []Change           `json:"changes"`
	// Notes are what else a reader should know of the two.
	Notes []string `json:"notes"`
	// Unproved: a control failed in one of them, so that no change of it is sure.
	Unproved bool `json:"unproved,omitempty"`
}

// Side is one of the reports.
type Side struct {
	File      string    `json:"file"`
	Tool      string    `json:"tool"`
	Catalogue string    `json:"catalogue"`
	Started   time.Time `json:"started"`
	Targets   []string  `json:"targets"`
}

// ChangeKind is a way in which a result can change.
type ChangeKind string

const (
	NewlyAccepted ChangeKind = "newly-accepted" // somebody is let in now
	NewlyRefused  ChangeKind = "newly-refused"  // somebody is not let in any more
	NewExposure   ChangeKind = "new-exposure"   // more of the account's secrets can be read
	PassToFail    ChangeKind = "pass-to-fail"
	Fixed         ChangeKind = "fixed" // it failed, and does not
	OtherChange   ChangeKind = "changed"
	ChangeFlaky   ChangeKind = "flaky"    // it differs between repetitions of one of the runs
	Appeared      ChangeKind = "appeared" // it is decided now, and was not
	Vanished      ChangeKind = "vanished" // it was decided, and is not
)

// ChangeKinds lists them, those first that somebody should look at.
func ChangeKinds() []ChangeKind {
	return []ChangeKind{NewlyAccepted, NewlyRefused, NewExposure, PassToFail, Fixed, OtherChange, ChangeFlaky, Appeared, Vanished}
}

// Change is a result that came to something else.
type Change struct {
	// Kinds are in the order of [ChangeKinds].
	Kinds []ChangeKind `json:"kinds"`
	// Of is "cell", "scenario", "case", or "mechanism", which is a row of what
	// the doors of a deployed server offer.
	Of string `json:"of"`
	// ID is the result's; a case's with "@" and the protocol or the client.
	ID string `json:"id"`
	// Target is the server, where the reports have several.
	Target string `json:"target,omitempty"`
	// Old and New are nil where the report does not have the result.
	Old *Finding `json:"old"`
	New *Finding `json:"new"`
	// Regression: the server is worse than it was, and nobody has excused it.
	Regression bool `json:"regression"`
}

// Finding is what a result came to in one of the reports.
type Finding struct {
	Verdict  login.Verdict       `json:"verdict"`
	Outcome  string              `json:"outcome"`
	Exposure login.ExposureClass `json:"exposure"`
	Reason   string              `json:"reason"`
	Excused  string              `json:"excused,omitempty"`
}

// Compare says what differs between two reports, each of which must be [Sound].
// It refuses reports of different sorts of servers.
func Compare(before, after Part) (Diff, error) {
	if a, b := kindsOf(&before.Report), kindsOf(&after.Report); !slices.Equal(a, b) {
		return Diff{}, fmt.Errorf("%s is about %v servers and %s about %v ones: they were not asked the same", before.Name, a, after.Name, b)
	}
	d := Diff{Schema: DiffSchema, Old: sideOf(before), New: sideOf(after), Totals: map[ChangeKind]int{}, Changes: []Change{},
		Notes: notesOn(before, after), Unproved: before.Report.FailedControl()+after.Report.FailedControl() != ""}
	alike := askedAlike(before, after)
	was, order := byKey(items(&before.Report, namesOfDoors(&before.Report, &after.Report)))
	for key, it := range items(&after.Report, namesOfDoors(&after.Report, &before.Report)) {
		earlier := was[key]
		if earlier != nil {
			d.Compared++
			delete(was, key)
		}
		d.add(key, earlier, it.changes(earlier, alike), &it)
	}
	for _, key := range order {
		if it := was[key]; it != nil && it.decided() {
			d.add(key, it, []ChangeKind{Vanished}, nil)
		}
	}
	return d, nil
}

// byKey are the items by their keys, and the keys in the order of the report.
func byKey(all iter.Seq2[itemKey, item]) (found map[itemKey]*item, order []itemKey) {
	found = map[itemKey]*item{}
	for key, it := range all {
		found[key] = &it
		order = append(order, key)
	}
	return found, order
}

// askedAlike: what the later run found, and the earlier did not, the earlier would
// have found if it had been there. Where the server is, and who vouches for it,
// leaves nothing out.
func askedAlike(before, after Part) bool {
	asked := func(r *login.Report) map[string][]string {
		s := selected(r.Selection)
		for _, flag := range []string{"resolve", "source", "proxy", "trust", "authorized", "repeat"} {
			delete(s, flag)
		}
		return s
	}
	a, b := &before.Report, &after.Report
	return a.Complete && a.Catalogue == b.Catalogue && maps.EqualFunc(asked(a), asked(b), slices.Equal)
}

// add notes a change, if it is one.
func (d *Diff) add(key itemKey, before *item, kinds []ChangeKind, after *item) {
	if len(kinds) == 0 {
		return
	}
	shown := after
	if shown == nil {
		shown = before
	}
	c := Change{Kinds: kinds, Of: key.of, ID: shown.id, Target: key.target, Old: before.finding(), New: after.finding()}
	c.Regression = after != nil && after.worse(before, kinds)
	if c.Regression {
		d.Regressions++
	}
	for _, k := range kinds {
		d.Totals[k]++
	}
	d.Changes = append(d.Changes, c)
}

// Status is the exit status of a diff: 1 where the server is worse, 2 where
// nobody can say.
func (d *Diff) Status() int {
	switch {
	case d.Unproved:
		return 2
	case d.Regressions > 0:
		return 1
	case d.Compared == 0:
		return 2
	default:
		return 0
	}
}

// Of are the changes whose first kind is k.
func (d *Diff) Of(k ChangeKind) []Change {
	var all []Change
	for _, c := range d.Changes {
		if c.Kinds[0] == k {
			all = append(all, c)
		}
	}
	return all
}

// kindsOf are the sorts of servers that a report is about.
func kindsOf(r *login.Report) []string {
	kinds := map[string]bool{}
	for _, t := range r.Targets {
		kinds[t.Kind] = true
	}
	return slices.Sorted(maps.Keys(kinds))
}

func sideOf(p Part) Side {
	s := Side{File: p.Name, Tool: p.Report.Tool, Catalogue: p.Report.Catalogue, Started: p.Report.Started, Targets: []string{}}
	for _, t := range p.Report.Targets {
		s.Targets = append(s.Targets, t.Name)
	}
	return s
}

// notesOn says why something may appear or vanish.
func notesOn(before, after Part) []string {
	notes := []string{}
	note := func(yes bool, format string, args ...any) {
		if yes {
			notes = append(notes, fmt.Sprintf(format, args...))
		}
	}
	for _, p := range []Part{before, after} {
		note(!p.Report.Complete, "%s is not complete", p.Name)
		note(p.Report.FailedControl() != "", "a control failed in %s, so the rest of it proves nothing: %s", p.Name, p.Report.FailedControl())
	}
	a, b := &before.Report, &after.Report
	note(a.Catalogue != b.Catalogue, "the catalogues are different: %s and %s", a.Catalogue, b.Catalogue)
	others, gone, come := moved(a, b), silenced(a, b), silenced(b, a)
	note(gone != "", "does not answer any more: %s", gone)
	note(come != "", "answers now, and did not: %s", come)
	note(others != "", "doors have other ports: %s", others)
	narrowed := narrowedApart(narrowing(a), narrowing(b))
	note(narrowed != "", "the runs were narrowed differently: %s", narrowed)
	return notes
}

// narrowedApart says in which axes two selections differ.
func narrowedApart(was, is map[string][]string) string {
	var all []string
	for _, axis := range slices.Sorted(maps.Keys(union(was, is))) {
		if !slices.Equal(was[axis], is[axis]) {
			all = append(all, chosen(axis, was[axis])+", now "+chosen(axis, is[axis]))
		}
	}
	return strings.Join(all, "; ")
}

// narrowing is what in the selection of a report leaves something out.
func narrowing(r *login.Report) map[string][]string {
	left := map[string][]string{}
	for axis, values := range r.Selection {
		if one := (&login.Report{Selection: map[string][]string{axis: values}}); one.Narrowed() {
			left[axis] = values
		}
	}
	return left
}
