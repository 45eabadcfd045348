package reports

import (
	"regexp"
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

// leftOut is what nobody looked at, and what would change that.
type leftOut struct{ what, answer string }

// leftOuts are what the report says was not tested, then the results that were
// skipped, by the reason. What does not apply to the server is no gap, and that
// doors are silent is said where they stand.
func leftOuts(r *login.Report) []leftOut {
	var all []leftOut
	for _, n := range r.NotTested {
		// A question may have its reason behind it.
		what, answer := n.What, whyWords[n.Why]
		if question, reason, is := strings.Cut(n.What, "? "); is && !strings.HasSuffix(reason, "?") {
			what, answer = question+"?", reason
		}
		switch {
		case strings.Contains(n.Flag, ":"), n.Flag != "" && n.Why == login.WhyOperator:
			answer = n.Flag
		case n.Flag != "":
			answer = n.Flag + ": " + answer
		}
		all = append(all, leftOut{ascii(what), ascii(answer)})
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
		k := key{why: it.why}
		if it.why == login.WhyVantage || it.kind != "cases" {
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
			all = append(all, leftOut{list(what), ascii(answer)})
		}
	}
	return all
}

// leftOutWidth is how wide the first column is.
const leftOutWidth = 34

// notTried writes them in two columns, so many of them.
func (p *page) notTried(r *login.Report, most int) {
	all := leftOuts(r)
	lead := " " + p.paint(pad("NOT TRIED", offersLead-1), strong)
	for i, n := range all {
		if !p.Verbose && i == most && len(all) > most+1 {
			rest := of(len(all)-i, "more point")
			if i == 0 {
				rest = of(len(all), "point")
			}
			p.line(lead, rest, ": -v")
			return
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
	if r.Vantage == "" {
		return
	}
	lead := " " + p.paint(pad("SEEN FROM", offersLead-1), strong)
	for _, line := range wrap(ascii(r.Vantage), p.width()-offersLead) {
		p.line(lead, line)
		lead = strings.Repeat(" ", offersLead)
	}
}

// typed is a name that a shell takes as it is.
var typed = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.:/\[\]-]*( [A-Za-z0-9][A-Za-z0-9.:/\[\]-]*)*$`)

// suggestion is a command, and what it gives.
type suggestion struct{ command, gives string }

// suggestions are what to do next: what was left out and costs least, who is
// lost under a stricter policy, and everything as a file.
func suggestions(r *login.Report) []suggestion {
	host := arguments(&r.Targets[0])
	if !typed.MatchString(host) {
		return nil
	}
	if !answers(r) {
		return []suggestion{{"mailmatrix check " + host + " -v", "how far it came at each door"}}
	}
	var all []suggestion
	for _, next := range []struct{ flag, options, gives string }{
		{"--probe", " --probe", "asks for hidden mechanisms, without a password"},
		{"--login", " --login --authorized", "logs an account of yours in"},
	} {
		if slices.ContainsFunc(r.NotTested, func(n login.NotTested) bool { return strings.HasPrefix(n.Flag, next.flag) }) {
			all = append(all, suggestion{"mailmatrix check " + host + next.options, next.gives})
			break
		}
	}
	if !strings.Contains(host, " ") { // of several doors it would be too long for a line
		all = append(all, suggestion{"mailmatrix policy explain rfc8314 --on " + host, "who is lost if you tighten"})
	}
	return append(all, suggestion{"mailmatrix check " + host + " --output json=check.json", "the same, with every line sent"})
}

// answers reports whether some door speaks.
func answers(r *login.Report) bool {
	return slices.ContainsFunc(login.Protocols(), func(p login.Protocol) bool { return speaks(r, p) })
}

// arguments are what names the server: its doors, where it was these that the
// user has named, or its name.
func arguments(t *login.TargetResult) string {
	var all []string
	for _, d := range t.Doors {
		if d.Found != login.FoundNamed {
			continue
		}
		scheme, host := string(d.Protocol), d.Host
		if d.Implicit {
			scheme += "s"
		}
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		all = append(all, scheme+"://"+host+":"+d.Port())
	}
	if len(all) == 0 {
		return t.Name
	}
	return strings.Join(all, " ")
}

func (p *page) checkNext(r *login.Report) {
	all, widest := suggestions(r), 0
	for _, s := range all {
		widest = max(widest, len(s.command))
	}
	lead := " " + p.paint("NEXT", strong) + "   "
	host := arguments(&r.Targets[0])
	for i, s := range all {
		lines := shellLines(s.command, p.width()-8)
		if i > 0 && len(lines) > 1 && !p.Verbose { // the doors are in the first
			lines = []string{strings.Replace(s.command, host, "...", 1)}
		}
		if long := pad(s.command, widest) + "   " + s.gives; len(long)+8 <= p.width() {
			lines = []string{long}
		}
		for _, line := range lines {
			p.line(lead, line)
			lead = strings.Repeat(" ", 8)
		}
	}
}
