package reports

import "github.com/mailmatrix/mailmatrix/internal/login"

// note is what there is to say about results that pass.
type note struct {
	text    string
	count   int
	example string // the ID of the first of them
}

// notes are the passes with a reason, those that share it taken together, in
// the order of the report.
func notes(r *login.Report) []note {
	var all []note
	at := map[string]int{}
	for it := range items(r) {
		if it.verdict != login.Pass || it.reason == "" {
			continue
		}
		i, known := at[it.reason]
		if !known {
			i = len(all)
			at[it.reason] = i
			all = append(all, note{text: it.reason, example: it.id})
		}
		all[i].count++
	}
	return all
}

// notes writes them. They are no problems: what they are about passed.
func (p *page) notes(r *login.Report) {
	all := notes(r)
	if len(all) == 0 {
		return
	}
	p.gap()
	p.line(p.paint("NOTES", strong))
	for _, n := range all {
		p.flow(" *  ", of(n.count, "result")+": "+ascii(n.text), normal)
		p.line("    such as ", n.example)
	}
}
