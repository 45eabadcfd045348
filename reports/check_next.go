package reports

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// typed is a name that a shell takes as it is.
var typed = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.:/\[\]-]*( [A-Za-z0-9][A-Za-z0-9.:/\[\]-]*)*$`)

// suggestion is a command, and what it gives.
type suggestion struct{ command, gives string }

// suggestions are what to do next: what was left out and costs least, who is
// lost under a stricter policy, and everything as a file. Each asks the server in
// the way in which it was asked. Where it was put into states, by a command that
// the report does not know, nothing is suggested.
func suggestions(r *login.Report) []suggestion {
	host := arguments(&r.Targets[0])
	options, safe := given(r.Selection)
	if !typed.MatchString(host) || !safe || r.Targets[0].Effort == nil {
		return nil
	}
	check := "mailmatrix check " + host + joinOptions(options)
	if r.SilentServer() != "" {
		return []suggestion{{check + " -v", "how far it came at each door"}}
	}
	var all []suggestion
	for _, next := range []struct {
		adds  []string
		gives string
	}{
		{[]string{"probe"}, "asks for hidden mechanisms, without a password"},
		{[]string{"login", "authorized"}, "logs an account of yours in"},
	} {
		if slices.ContainsFunc(r.NotTested, func(n login.NotTested) bool { return strings.HasPrefix(n.Flag, "--"+next.adds[0]) }) {
			more := maps.Clone(options)
			for _, flag := range next.adds {
				more[flag] = []string{"--" + flag}
			}
			all = append(all, suggestion{"mailmatrix check " + host + joinOptions(more), next.gives})
			break
		}
	}
	if !strings.Contains(host, " ") { // of several doors it would be too long
		all = append(all, suggestion{"mailmatrix policy explain rfc8314 --on " + host + joinOptions(waysOf(options)), "who is lost if you tighten"})
	}
	return append(all, suggestion{check + " --output html=check.html", "the same, with every line sent"})
}

// wayFlags say how a server is reached, whatever is asked there. `policy explain`
// takes them as well.
var wayFlags = []string{"resolve", "trust", "source", "proxy", "autoconfig", "parallel", "deadline", "wait"}

// waysOf are the options that say so.
func waysOf(options map[string][]string) map[string][]string {
	ways := maps.Clone(options)
	maps.DeleteFunc(ways, func(flag string, _ []string) bool { return !slices.Contains(wayFlags, flag) })
	return ways
}

// switches are the flags without a value.
var switches = []string{"probe", "login", "authorized", "tls", "lab", "allow-cleartext", "autoconfig"}

// given are the flags of a selection, each as a shell takes it. It is not safe to
// show them where one holds what no terminal may get.
func given(selection map[string][]string) (options map[string][]string, safe bool) {
	options = map[string][]string{}
	for flag, values := range selection {
		if slices.Contains(switches, flag) {
			if !slices.Contains(values, "false") {
				options[flag] = []string{"--" + flag}
			}
			continue
		}
		for _, value := range values {
			if ascii(value) != value {
				return nil, false
			}
			options[flag] = append(options[flag], "--"+flag+" "+quoted(value))
		}
	}
	return options, true
}

// joinOptions puts them behind a command, those first that say what is asked.
func joinOptions(options map[string][]string) string {
	first := []string{"policy", "lab", "probe", "login", "authorized"}
	text := ""
	rest := slices.DeleteFunc(slices.Sorted(maps.Keys(options)), func(flag string) bool { return slices.Contains(first, flag) })
	for _, flag := range slices.Concat(first, rest) {
		for _, words := range options[flag] {
			text += " " + words
		}
	}
	return text
}

// plainWord is what a shell takes as it is, wherever it stands.
var plainWord = regexp.MustCompile(`^[A-Za-z0-9./:,@%+=_-]+$`)

// quoted is the value as a shell takes it.
func quoted(value string) string {
	if plainWord.MatchString(value) {
		return value
	}
	return "'" + strings.ReplaceAll(value, "'", `'"'"'`) + "'"
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

// nextMost is how many lines a short screen has for them. The first is there in
// any case.
const nextMost = 6

func (p *page) checkNext(r *login.Report, most int) {
	const indent = 8
	all, widest := suggestions(r), 0
	for _, s := range all {
		if indent+len(s.command)+3+len(s.gives) <= p.width() {
			widest = max(widest, len(s.command))
		}
	}
	lead := " " + p.paint(pad("NEXT", indent-1), strong)
	written := 0
	for _, s := range all {
		lines := shellLines(s.command, p.width()-indent)
		if long := pad(s.command, widest) + "   " + s.gives; indent+len(long) <= p.width() {
			lines = []string{long}
		}
		if written += len(lines); written > most && written > len(lines) && !p.Verbose {
			return
		}
		for _, line := range lines {
			p.line(lead, line)
			lead = strings.Repeat(" ", indent)
		}
	}
}

// mannerFlags say how hard a server is asked, and whose word is taken. With
// [wayFlags] they are for who asks, and change nothing that is to be read.
var mannerFlags = []string{"authorized", "tls", "allow-cleartext", "account-file", "max-failures", "expect", "repeat"}

// askedWith are the flags of the report that change what it is about.
func askedWith(r *login.Report) string {
	var parts []string
	for _, flag := range slices.Sorted(maps.Keys(r.Selection)) {
		values := r.Selection[flag]
		switch {
		case slices.Contains(wayFlags, flag), slices.Contains(mannerFlags, flag), slices.Contains(values, "false"):
		case slices.Contains(switches, flag):
			parts = append(parts, flag)
		default:
			parts = append(parts, flag+" "+ascii(strings.Join(values, ",")))
		}
	}
	return strings.Join(parts, "   ")
}
