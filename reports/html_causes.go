package reports

import "github.com/mailmatrix/mailmatrix/internal/login"

// pageCause is a finding about a server in service as the screen tells it: what
// is found in the same words at several places is one. Sort and Row are the
// result that it was found by.
type pageCause struct {
	Target  int           `json:"target"`
	Verdict login.Verdict `json:"verdict"`
	Text    string        `json:"text"`
	Sources string        `json:"sources"`
	Sort    string        `json:"sort"`
	Row     int           `json:"row"`
}

// pageSorts are the page's words for the kinds of items; any other is that of an
// experiment.
var pageSorts = map[string]string{"cells": "cell", "cases": "case"}

func pageCausesOf(r *login.Report) []pageCause {
	all := []pageCause{}
	for i := range r.Targets {
		if r.Targets[i].Kind != login.RemoteTarget {
			continue
		}
		one := onlyOf(r, i)
		rows := rowsOf(r, i)
		for _, c := range causes(&one) {
			sort := pageSorts[c.kind]
			if sort == "" {
				sort = "experiment"
			}
			all = append(all, pageCause{i, c.verdict, c.text(), c.sources(false), sort, rows[sort+c.id]})
		}
	}
	return all
}

// rowsOf are the places of a target's results in the whole report, by sort and ID.
func rowsOf(r *login.Report, target int) map[string]int {
	rows := map[string]int{}
	put := func(of int, key string, row int) {
		if _, known := rows[key]; of == target && !known {
			rows[key] = row
		}
	}
	for i, c := range r.Cells {
		put(c.Target, "cell"+c.ID, i)
	}
	for i, s := range r.Scenarios {
		put(s.Target, "experiment"+s.ID, i)
	}
	for i, c := range r.Cases {
		put(c.Target, "case"+r.Key(c), i)
	}
	return rows
}
