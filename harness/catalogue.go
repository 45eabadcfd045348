package harness

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/compliance"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

// cases are those that the grid asks for, of a release, over each of their
// protocols that it lets through: cheap ones first, wrong passwords last.
func (g Grid) cases(release string) ([]CaseJob, error) {
	all, provisional, err := compliance.In(release)
	if err != nil {
		return nil, err
	}
	if len(g.Cases) == 0 {
		if !g.whole() {
			return nil, nil
		}
	} else {
		// Those that name clients' cases are not about a server's.
		named := slices.DeleteFunc(slices.Clone(g.Cases), namesClients)
		if all, err = SelectCases(all, named); err != nil {
			return nil, err
		}
	}
	costs := map[string]script.Cost{} // each is added up once
	for _, c := range all {
		costs[c.ID] = c.Cost()
	}
	slices.SortFunc(all, func(a, b script.Case) int { return cmp.Or(costs[a.ID].Compare(costs[b.ID]), cmp.Compare(a.ID, b.ID)) })
	var jobs []CaseJob
	for _, c := range all {
		for _, p := range narrow(c.Protocols(), g.Protocols) {
			jobs = append(jobs, CaseJob{Case: c, Protocol: p, Provisional: provisional(c)})
		}
	}
	return jobs, nil
}

// onlyCases: cases are chosen, and nothing else is. Of clients' cases alone a
// profile says whose.
func (g Grid) onlyCases() bool {
	s := g.Selection()
	delete(s, "cases")
	delete(s, "protocol")
	if !slices.ContainsFunc(g.Cases, func(s string) bool { return !namesClients(s) }) {
		delete(s, "profile")
		delete(s, "full")
	}
	return len(g.Cases) > 0 && len(s) == 0 && g.Policy == nil
}

// SelectCases keeps the cases that one of the selections means. A selection is
// one or more terms joined by "+", all of which must hold. A term is
//
//	smtp/auth/003, smtp/auth/*    an ID, or a pattern of IDs
//	*                             all of them
//	smtp/auth, sasl               an area, or the beginning of areas
//	MUST, SHOULD, MAY, practice   a level
//	rfc4954, rfc4954/4            a source, or a section of it with what is below
//	cve-2011-0411                 another source
//	cost=0                        cases that nobody counts: see [script.Cost.Free]
//
// in any letter case. A term that means no case is an error.
//
// A selection one of whose terms begins with "client" is about clients' cases
// (client/smtp/009, client+MUST): see [SelectClientCases].
func SelectCases(all []script.Case, selections []string) ([]script.Case, error) {
	return pick(all, caseHeader, selections)
}

// header is what of a case a selection looks at.
type header struct {
	id    string
	level login.Level
	refs  []string
	free  bool
}

func caseHeader(c script.Case) header { return header{c.ID, c.Level, c.Refs, c.Cost().Free()} }

// pick keeps the cases that one of the selections means, by their headers.
func pick[C any](all []C, of func(C) header, selections []string) ([]C, error) {
	headers := make([]header, len(all))
	for i, c := range all {
		headers[i] = of(c)
	}
	wanted, err := selected(headers, selections)
	if err != nil {
		return nil, err
	}
	var kept []C
	for i, c := range all {
		if wanted[i] {
			kept = append(kept, c)
		}
	}
	return kept, nil
}

// selected says which of the cases one of the selections means.
func selected(all []header, selections []string) ([]bool, error) {
	wanted := make([]bool, len(all))
	for _, s := range selections {
		matched := slices.Repeat([]bool{true}, len(all))
		for term := range strings.SplitSeq(s, "+") {
			means, err := termOf(strings.ToLower(strings.TrimSpace(term)))
			if err != nil {
				return nil, err
			}
			if !slices.ContainsFunc(all, means) {
				return nil, unknownTerm(term)
			}
			for i, c := range all {
				matched[i] = matched[i] && means(c)
			}
		}
		for i := range all {
			wanted[i] = wanted[i] || matched[i]
		}
	}
	return wanted, nil
}

func unknownTerm(term string) error {
	return fmt.Errorf("no compliance case is meant by %q: name an ID (smtp/auth/003), a pattern (smtp/tls/*), an area (sasl), "+
		"a level (MUST), a source (rfc4954/4) or cost=0; `mailmatrix list cases` prints them all", term)
}

// termOf is what a term means, in small letters.
func termOf(term string) (func(header) bool, error) {
	if term == "cost=0" {
		return func(c header) bool { return c.free }, nil
	}
	for _, level := range login.Levels() {
		if strings.EqualFold(term, string(level)) {
			return func(c header) bool { return c.level == level }, nil
		}
	}
	if _, err := path.Match(term, ""); err != nil {
		return nil, unknownTerm(term)
	}
	return func(c header) bool {
		matches, _ := path.Match(term, c.id)
		return term == "*" || matches || strings.HasPrefix(c.id, term+"/") || slices.ContainsFunc(c.refs, func(ref string) bool { return within(ref, term) })
	}, nil
}

// within reports whether a source such as "RFC 4954 4.1" is what "rfc4954/4"
// means.
func within(ref, term string) bool {
	ref = strings.ToLower(ref)
	if rest, ok := strings.CutPrefix(ref, "rfc "); ok {
		ref = "rfc" + strings.Replace(rest, " ", "/", 1)
	}
	rest, ok := strings.CutPrefix(ref, term)
	return ok && (rest == "" || strings.ContainsRune("/. ", rune(rest[0])))
}
