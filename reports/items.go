package reports

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// item is a result of any sort, seen as what cells, scenarios and cases have
// in common.
type item struct {
	id         string
	target     int
	server     string // its name, where the report is about several
	kind       string // "cells", "cases", or the kind of a scenario
	title      string // of a case, or what a cell is about
	level      login.Level
	path       []string
	door       doorAt
	protocol   login.Protocol      // of a cell or scenario that has one
	mechanism  login.Mechanism     // of a cell: what the client used, else what it was to
	transport  login.Transport     // of a scenario that has one
	port       string              // of the door that a scenario is about,
	silent     bool                // which does not speak
	client     bool                // a case of a client
	hole       bool                // somebody was let in who should not have been
	exposure   login.ExposureClass // what a listener could read, of a cell or a scenario
	verdict    login.Verdict
	why        login.Why
	reason     string
	excused    string // why this was to be expected
	refs       []string
	transcript []string
	advice     *login.Advice
	expected   []login.Outcome // of a cell
	seconds    float64         // 0 where nobody took the time
}

// doorAt is where one stands in the report: the index of its target, and its own
// with one added, so that none is zero.
type doorAt struct{ target, number int }

// named is the ID with the server that it is about, where there are several.
func (it item) named() string {
	if it.server == "" {
		return it.id
	}
	return it.server + ": " + it.id
}

// items yields every result that counts, in the order of the report. What is
// only predicted counts nowhere.
func items(r *login.Report) iter.Seq[item] {
	if len(r.Targets) < 2 {
		return itemsOf(r)
	}
	names := targetNames(r)
	return func(yield func(item) bool) {
		for it := range itemsOf(r) {
			if it.target >= 0 && it.target < len(names) {
				it.server = names[it.target]
			}
			if !yield(it) {
				return
			}
		}
	}
}

func itemsOf(r *login.Report) iter.Seq[item] {
	return func(yield func(item) bool) {
		for i := range r.Cells {
			if c := &r.Cells[i]; c.Basis != login.Predicted && !yield(cellItem(r, c)) {
				return
			}
		}
		for _, s := range r.Scenarios {
			if !yield(scenarioItem(r, s)) {
				return
			}
		}
		for _, c := range r.Cases {
			if !yield(item{
				id: r.Key(c), target: c.Target, title: c.Title, level: c.Level, client: c.Profile != "", kind: "cases", path: parents(c.ID),
				door: doorAt{c.Target, c.Door + 1}, verdict: c.Verdict, why: c.Why, reason: c.Reason,
				excused: c.Excused, refs: c.Refs, transcript: transcript(r, c.Transcript), advice: c.Advice,
			}) {
				return
			}
		}
	}
}

func cellItem(r *login.Report, c *login.CellResult) item {
	return item{
		id: c.ID, target: c.Target, kind: "cells", title: cellTitle(r, c), expected: c.Expected,
		path:     []string{string(c.Flavour), string(c.Protocol), string(c.Transport), string(c.Mechanism)},
		protocol: c.Protocol, mechanism: cmp.Or(c.Used, c.Mechanism),
		hole: c.WronglyAccepted, exposure: c.Exposure,
		verdict: c.Verdict, why: c.Why, reason: c.Reason, excused: c.Excused, refs: c.Refs, transcript: transcript(r, c.Transcript),
		seconds: c.ElapsedMS / 1000,
	}
}

// parents are the segments of an ID above the last.
func parents(id string) []string {
	segments := strings.Split(id, "/")
	return segments[:len(segments)-1]
}

func scenarioItem(r *login.Report, s login.ScenarioResult) item {
	it := item{
		id: s.ID, target: s.Target, kind: s.Kind, path: parents(s.ID), protocol: s.Protocol, transport: s.Transport, hole: s.WronglyAccepted, exposure: s.Exposure,
		verdict: s.Verdict, why: s.Why, reason: s.Reason, excused: s.Excused, refs: s.Refs, transcript: transcript(r, s.Transcript),
		advice: s.Advice,
	}
	if s.Door != nil && *s.Door >= 0 && s.Target >= 0 && s.Target < len(r.Targets) && *s.Door < len(r.Targets[s.Target].Doors) {
		at := &r.Targets[s.Target].Doors[*s.Door]
		it.port, it.silent = portName(at), !at.Speaks()
		it.door = doorAt{s.Target, *s.Door + 1}
	}
	return it
}

// topic is the third part of the ID of a scenario about a door.
func (it item) topic() string {
	if it.kind != login.KindDoor || len(it.path) < 3 {
		return ""
	}
	return it.path[2]
}

// transcript puts a conversation together from the table of lines. A report
// that was read from a file may point nowhere.
func transcript(r *login.Report, at *int) []string {
	if at == nil || *at < 0 || *at >= len(r.Transcripts) {
		return nil
	}
	var lines []string
	for _, i := range r.Transcripts[*at] {
		if i >= 0 && i < len(r.Lines) {
			lines = append(lines, ascii(r.Lines[i]))
		}
	}
	return lines
}

// problems are the items that somebody should look at, the worst first: who
// got in and should not, what else failed, what we could not tell, warnings.
// What is excused is none of them.
func problems(r *login.Report) []item {
	var found []item
	for it := range items(r) {
		if it.verdict != login.Pass && it.verdict != login.Skip && it.excused == "" {
			found = append(found, it)
		}
	}
	slices.SortStableFunc(found, func(a, b item) int { return cmp.Compare(a.urgency(), b.urgency()) })
	return found
}

func (it item) urgency() int {
	switch {
	case it.hole:
		return 0
	case it.verdict == login.Fail:
		return 1
	case it.verdict == login.Broken:
		return 2
	case it.verdict == login.Unjudged:
		return 3
	default:
		return 4
	}
}
