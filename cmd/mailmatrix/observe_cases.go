package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/clientcases"
)

// What --client-cases can say besides what selects cases.
const (
	allCases = "all"
	noCases  = "none"
)

// clientCases are those that the client is judged by. A person would have to
// click far more often than for the postures: nobody is made to unasked.
func (o observeConfig) clientCases() ([]clientcases.Case, error) {
	all := clientcases.All()
	for _, name := range o.protocol {
		p, err := login.ParseProtocol(name)
		if err != nil {
			return nil, err
		}
		if len(o.protocol) == 1 {
			all = slices.DeleteFunc(all, func(c clientcases.Case) bool { return c.Protocol() != p })
		}
	}
	switch {
	case len(o.clients) == 0 && (o.exec == "" || len(o.only) > 0), slices.Equal(o.clients, []string{noCases}):
		return nil, nil
	case len(o.clients) == 0, slices.Equal(o.clients, []string{allCases}):
		return all, nil
	}
	chosen, err := harness.SelectClientCases(all, o.clients)
	if err != nil {
		return nil, fmt.Errorf("--client-cases: no case is meant by %q: name an ID (client/smtp/009), a pattern (client/*/*), a level (MUST), "+
			"a source (rfc3207), all or none", strings.Join(o.clients, ","))
	}
	return chosen, nil
}

// keepConduct takes what came of one situation; nil is that the client has no
// such setting.
func (run *observation) keepConduct(s clientcases.Situation, did *clientcases.Conduct) {
	if did != nil {
		run.conducts[s.Name] = *did
	}
}

// writeVerdicts says what the cases say of the client: what failed and warned
// with its reason, and the rest in one line each.
func (run *observation) writeVerdicts(w io.Writer) error {
	if len(run.conducts) == 0 {
		return nil
	}
	results := harness.JudgeClient(run.title(), run.judged, run.conducts)
	n := map[string]int{}
	for _, r := range results {
		n[word(r)]++
	}
	var counts []string
	for _, what := range []string{"FAIL", "WARN", "pass", "unknown", "na"} {
		if n[what] > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", n[what], what))
		}
	}
	_, _ = fmt.Fprintf(w, "\nCLIENT CASES   in %d situations: %s\n\n", len(run.conducts), strings.Join(counts, ", "))
	for _, r := range results {
		_, _ = fmt.Fprintf(w, " %-15s %-8s %-7s %s\n", r.ID, r.Level, word(r), r.Title)
		if r.Reason == "" || word(r) == "na" {
			continue
		}
		for part := range strings.SplitSeq(r.Reason, "; ") {
			if _, err := fmt.Fprintf(w, " %s%s\n", strings.Repeat(" ", 16), part); err != nil {
				return err
			}
		}
	}
	return nil
}

// word is a verdict as the list has it; what wants attention is in capitals.
func word(r login.CaseResult) string {
	switch {
	case r.Verdict == login.Fail:
		return "FAIL"
	case r.Verdict == login.Warn:
		return "WARN"
	case r.Verdict == login.Pass:
		return "pass"
	case r.Why == login.WhyInconclusive:
		return "unknown"
	default:
		return "na"
	}
}
