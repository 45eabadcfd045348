package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// whyWords say why something was left out to who cannot know our words.
var whyWords = map[login.Why]string{
	login.WhyNotApplicable: "not judged by this version",
	login.WhyNoCredentials: "no account was given that has what it needs",
	login.WhyBudget:        "more than a server in service is asked for",
	login.WhyRisk:          "nothing that a server in service is asked",
	login.WhyInconclusive:  "the answers leave it open",
	login.WhyVantage:       "cannot be seen from here",
	login.WhyCannot:        "the server cannot be brought to that",
	login.WhyOperator:      "left out on request",
}

// stopped is why a server was left alone before the end; "" if none was.
func stopped(r *login.Report) string {
	for _, t := range r.Targets {
		if t.Effort != nil && t.Effort.Stopped != "" {
			return t.Effort.Stopped
		}
	}
	return ""
}

// leftOut is what nobody looked at, and what would change that.
type leftOut struct {
	what, answer string
	vantage      bool // it cannot be seen from here
}

// leftOuts are what the report says was not tested, then the results that were
// skipped, by the reason. What does not apply to the server is no gap, and that
// doors are silent is said where they stand.
func leftOuts(r *login.Report) []leftOut {
	var all []leftOut
	for _, n := range r.NotTested {
		// A question may have its reason behind it.
		what, answer := n.What, whyWords[n.Why]
		if n.Why == login.WhyBudget && n.Flag == "" { // no flag would have helped
			answer = cmp.Or(stopped(r), answer)
		}
		if question, reason, is := strings.Cut(n.What, "? "); is && !strings.HasSuffix(reason, "?") {
			what, answer = question+"?", reason
		}
		refusals := 0
		_, err := fmt.Sscanf(n.Flag, "--max-failures %d", &refusals)
		switch {
		case err == nil: // who takes it for advice is locked out
			answer = fmt.Sprintf("%s (%s are needed; a server that counts them bans before that)", n.Flag, of(refusals, "refusal"))
		case strings.Contains(n.Flag, ":"), n.Flag != "" && n.Why == login.WhyOperator:
			answer = n.Flag
		case n.Flag != "":
			answer = n.Flag + ": " + answer
		}
		all = append(all, leftOut{what: ascii(what), answer: ascii(answer)})
	}
	type key struct {
		why    login.Why
		reason string
	}
	others := map[key][]string{} // the ports
	counts, required := map[key]int{}, map[key]int{}
	seen := map[string]bool{}
	var order []key
	for it := range items(r) {
		if it.verdict != login.Skip || it.client || it.why == login.WhyNotApplicable || it.silent {
			continue
		}
		if it.topic() == login.TopicLogin { // why it stays open is said first of all
			continue
		}
		k := key{why: it.why}
		if it.why == login.WhyVantage || it.kind != "cases" || it.why == login.WhyBudget && it.reason == stopped(r) {
			k.reason = it.reason // one for all, or of one door
		}
		if counts[k]+required[k] == 0 {
			order = append(order, k)
		}
		id, _, _ := strings.Cut(it.id, "@")
		switch {
		case it.kind != "cases":
			counts[k]++
			if it.port != "" && !slices.Contains(others[k], it.port) {
				others[k] = append(others[k], it.port)
			}
		case !seen[id]:
			seen[id] = true
			required[k]++
		}
	}
	for _, k := range order {
		var what []string
		behind := ""
		if k.why == login.WhyVantage {
			behind = " without TLS" // and with it the way from here makes no difference
		}
		switch ports := others[k]; {
		case counts[k] == 0:
		case len(ports) == 1:
			what = append(what, "what port "+ports[0]+" does"+behind)
		case len(ports) > 1:
			what = append(what, "what ports "+list(ports)+" do"+behind)
		default:
			what = append(what, of(counts[k], "other question"))
		}
		if n := required[k]; n > 0 {
			what = append(what, of(n, "requirement"))
		}
		answer := whyWords[k.why]
		if k.reason != "" {
			answer = k.reason
		}
		if len(what) > 0 {
			all = append(all, leftOut{list(what), ascii(answer), k.why == login.WhyVantage})
		}
	}
	return all
}

const (
	// leftOutWidth is how wide the first column is.
	leftOutWidth = 34
	// leftOutNamed are named however little room there is.
	leftOutNamed = 2
)

// notTried writes them in two columns, so many of them, with no more than the
// flag where they are to be brief. Where no door speaks, nothing was tried at all,
// and the vantage has a line of its own.
func (p *page) notTried(r *login.Report, most int, brief bool) {
	if r.SilentServer() != "" {
		return
	}
	all := leftOuts(r)
	if !p.Verbose {
		all = slices.DeleteFunc(all, func(l leftOut) bool { return l.vantage })
	}
	lead := " " + p.paint(pad("NOT TRIED", offersLead-1), strong)
	for i, n := range all {
		if !p.Verbose && i == most && len(all) > most+1 {
			p.line(lead, of(len(all)-i, "more point"), ": -v")
			return
		}
		if flag, _, is := strings.Cut(n.answer, ":"); brief && is && strings.HasPrefix(flag, "--") {
			n.answer = flag
		}
		left := wrap(n.what, leftOutWidth-2)
		right := wrap(n.answer, p.width()-offersLead-leftOutWidth)
		for j := range max(len(left), len(right)) {
			line := ""
			if j < len(left) {
				line = left[j]
			}
			line = pad(line, leftOutWidth)
			if j < len(right) {
				line += right[j]
			}
			p.line(lead, line)
			lead = strings.Repeat(" ", offersLead)
		}
	}
}

func (p *page) seenFrom(r *login.Report) {
	from := seenFrom(r)
	if from == "" {
		return
	}
	lead := " " + p.paint(pad("SEEN FROM", offersLead-1), strong)
	for _, line := range wrap(from, p.width()-offersLead) {
		p.line(lead, line)
		lead = strings.Repeat(" ", offersLead)
	}
}

// seenFrom is where the server was asked from, and what cannot be seen from
// there; "" where no door speaks.
func seenFrom(r *login.Report) string {
	if r.Vantage == "" || r.SilentServer() != "" {
		return ""
	}
	from := ascii(r.Vantage)
	for it := range items(r) {
		if it.verdict == login.Skip && it.why == login.WhyVantage {
			return from + ": the server's own or a private address: clear links not judged (--source)"
		}
	}
	return from
}
