package reports

import (
	"encoding/csv"
	"os/exec"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// checks are the reports of servers in service.
func checks() map[string]func() login.Report {
	all := map[string]func() login.Report{}
	for name, report := range everyReport {
		if strings.HasPrefix(name, "check") {
			all[name] = report
		}
	}
	return all
}

func TestDeployed(t *testing.T) {
	for name, report := range everyReport {
		r := report()
		if _, is := checks()[name]; deployed(&r) != is {
			t.Errorf("%s: taken for the wrong sort of report", name)
		}
	}
	mixed := checkReport()
	mixed.Targets = append(mixed.Targets, login.TargetResult{Name: "reference", Kind: "reference"})
	if deployed(&mixed) {
		t.Error("a report about a server of ours as well is no check")
	}
}

// A terminal may be narrow: then a word may be too long, but no line of ours is.
func TestCheckFitsANarrowScreen(t *testing.T) {
	for name, report := range checks() {
		for _, line := range strings.Split(string(written(t, "text", report(), Options{Width: 80})), "\n") {
			if len(line) > 80 && !strings.Contains(line, "mailmatrix ") && !strings.Contains(line, "live/remote/") {
				t.Errorf("%s: %d columns: %s", name, len(line), line)
			}
		}
	}
}

func TestRequirements(t *testing.T) {
	r := remoteReport("192.0.2.10")
	requirement(&r, "a/1", "", login.Must, login.Ruling{Verdict: login.Pass})
	requirement(&r, "a/1", "", login.Must, login.Ruling{Verdict: login.Skip, Why: login.WhyCannot})
	requirement(&r, "a/2", "", login.Must, login.Ruling{Verdict: login.Skip, Why: login.WhyNoCredentials})
	requirement(&r, "a/3", "", login.Must, login.Ruling{Verdict: login.Skip, Why: login.WhyNotApplicable})
	requirement(&r, "a/4", "", login.Must, login.Ruling{Verdict: login.Fail})
	if decided, open := requirements(&r); decided != 2 || open != 1 {
		t.Errorf("%d decided, %d not tried; want 2 and 1", decided, open)
	}
}

func TestNotTried(t *testing.T) {
	for _, c := range []struct {
		name string
		left login.NotTested
		want string
	}{
		{"a choice with its flag", login.NotTested{What: "x", Why: login.WhyOperator, Flag: "--probe"}, "--probe"},
		{"a flag that says what it costs", login.NotTested{What: "x", Why: login.WhyBudget, Flag: "--probe: 9 lines"}, "--probe: 9 lines"},
		{"a flag with a reason", login.NotTested{What: "x", Why: login.WhyBudget, Flag: "--wait 9s"}, "--wait 9s: more than a server in service is asked for"},
		{"a number that gets people banned", login.NotTested{What: "x", Why: login.WhyBudget, Flag: "--max-failures 90"},
			"--max-failures 90 (90 refusals are needed; a server that counts them bans before that)"},
		{"a question with its reason", login.NotTested{What: "does x work? nobody knows", Why: login.WhyBudget, Flag: "--y 9"}, "--y 9: nobody knows"},
		{"two questions", login.NotTested{What: "x? y?", Why: login.WhyOperator, Flag: "--probe"}, "--probe"},
		{"a reason", login.NotTested{What: "IMAP", Why: login.WhyNotApplicable}, "not judged by this version"},
	} {
		r := remoteReport("192.0.2.10")
		r.NotTested = []login.NotTested{c.left}
		if got := leftOuts(&r); len(got) != 1 || got[0].answer != c.want {
			t.Errorf("%s: %v, want %q", c.name, got, c.want)
		}
	}
	for why := range whyWords {
		if whyWords[why] == "" {
			t.Errorf("no words for %s", why)
		}
	}
}

// What was left out because the server had had enough says so, unless a flag would
// have helped.
func TestNotTriedWhereItStopped(t *testing.T) {
	const enough = "421 too many errors"
	usual := whyWords[login.WhyBudget]
	for _, c := range []struct {
		name          string
		stopped, flag string
		want          string
	}{
		{"it was left alone", enough, "", enough},
		{"what it said is not obeyed", "421 \x1b[2J", "", `421 \x1b[2J`},
		{"a flag would have helped", enough, "--wait 9s", "--wait 9s: " + usual},
		{"it was not left alone", "", "", usual},
	} {
		r := remoteReport("192.0.2.10")
		r.Targets[0].Effort.Stopped = c.stopped
		r.NotTested = []login.NotTested{{What: "the requirements on a session", Why: login.WhyBudget, Flag: c.flag}}
		requirement(&r, "smtp/x/1", "X", login.Must, login.Ruling{Verdict: login.Skip, Why: login.WhyBudget, Reason: c.stopped})
		requirement(&r, "smtp/x/2", "X", login.Must, login.Ruling{Verdict: login.Skip, Why: login.WhyBudget, Reason: "4096 rounds"})
		got := leftOuts(&r)
		if got[0].answer != c.want {
			t.Errorf("%s: %q, want %q", c.name, got[0].answer, c.want)
		}
		// Of a requirement that was too much work, it is not the reason.
		if last := got[len(got)-1]; last.answer != usual {
			t.Errorf("%s: %v, want %q", c.name, last, usual)
		}
	}
}

// A name that a shell would take for something else is not put into a command.
func TestSuggestionsAreSafe(t *testing.T) {
	r := checkReport()
	for name, want := range map[string]bool{
		"mail.example.com": true, "smtp://[2001:db8::1]:587": true, "smtp://a:25 pop3://a:110": true,
		"a; rm -rf /": false, "$(x)": false, "-v": false, "a --lab": false, "": false,
	} {
		r.Targets[0].Name = name
		if got := len(suggestions(&r)) > 0; got != want {
			t.Errorf("%q is suggested: %v", name, got)
		}
	}
}

// Doors that were named are named again: the next check is of the same server.
func TestSuggestionsNameTheDoors(t *testing.T) {
	r := checkReport()
	r.Targets[0].Doors[1].Found, r.Targets[0].Doors[4].Found = login.FoundNamed, login.FoundNamed
	r.Targets[0].Doors[4].Host = "2001:db8::1"
	if got, want := arguments(&r.Targets[0]), "smtp://mail.example.com:587 pop3s://[2001:db8::1]:995"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestAddressed(t *testing.T) {
	r := checkReport()
	target := &r.Targets[0]
	target.Addresses = append(target.Addresses, "192.0.2.25", "2001:db8::11 not reached")
	target.Doors[0].Address = "192.0.2.25:25" // an MX host, and nothing to compare
	const want = "mail.example.com  192.0.2.10 (2001:db8::10 alike, 192.0.2.25, 2001:db8::11 not reached)"
	if got := addressed(&r, target); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// A command asks the same server in the same way: what is pasted works.
func TestSuggestionsRepeatTheFlags(t *testing.T) {
	r := checkReport()
	r.Selection = map[string][]string{
		"resolve": {"a:*:192.0.2.7", "b:25:[2001:db8::1]"}, "trust": {"my ca.pem"}, "policy": {"modern"}, "login": {"true"}, "authorized": nil,
		"probe": {"false"}, "max-failures": {"9"},
	}
	want := []string{
		"mailmatrix check mail.example.com --policy modern --probe --login --authorized --max-failures 9 " +
			"--resolve 'a:*:192.0.2.7' --resolve 'b:25:[2001:db8::1]' --trust 'my ca.pem'",
		"mailmatrix policy explain rfc8314 --on mail.example.com --resolve 'a:*:192.0.2.7' --resolve 'b:25:[2001:db8::1]' --trust 'my ca.pem'",
		"mailmatrix check mail.example.com --policy modern --login --authorized --max-failures 9 " +
			"--resolve 'a:*:192.0.2.7' --resolve 'b:25:[2001:db8::1]' --trust 'my ca.pem' --output html=check.html",
	}
	for i, s := range suggestions(&r) {
		if s.command != want[i] {
			t.Errorf("%s, want\n%s", s.command, want[i])
		}
	}
	if text := string(written(t, "text", r, Options{})); !strings.Contains(text, " \\\n") || strings.Contains(text, "...") {
		t.Errorf("a long command is not broken into lines that a shell takes:\n%s", text)
	}
	r.Selection["trust"] = []string{"\x1b[2J.pem"}
	if s := suggestions(&r); s != nil {
		t.Errorf("no terminal may get %q", s)
	}
}

func TestQuoted(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no shell")
	}
	for _, value := range []string{"plain.pem", "a b", "it's a $(test)", "'", "--x", "a:*:[::1]", ""} {
		command := strings.Join(shellLines("printf %s "+quoted(value), 12), "\n")
		if out, err := exec.Command(sh, "-c", command).Output(); err != nil || string(out) != value {
			t.Errorf("%s says %q, %v, want %q", command, out, err, value)
		}
	}
}

// How a server was reached changes nothing that is to be read.
func TestAskedWith(t *testing.T) {
	for _, c := range []struct {
		selection map[string][]string
		want      string
	}{
		{nil, ""},
		{map[string][]string{"trust": {"ca.pem"}, "authorized": {"true"}, "resolve": {"a:*:192.0.2.7"}, "deadline": {"5m"}, "wait": {"1m"}}, ""},
		{map[string][]string{"probe": {"true"}, "login": {"true"}, "policy": {"mine.yaml"}, "lab": {"false"}}, "login   policy mine.yaml   probe"},
		{map[string][]string{"mechanism": {"PLAIN", "LOGIN"}}, "mechanism PLAIN,LOGIN"},
	} {
		r := checkReport()
		r.Selection = c.selection
		if got := askedWith(&r); got != c.want {
			t.Errorf("%v: %q, want %q", c.selection, got, c.want)
		}
	}
}

// Where no door speaks, nothing was tried, and there is one thing to do.
func TestNothingOfAServerThatIsSilent(t *testing.T) {
	r := silentReport()
	notTriedYet(&r)
	for _, format := range []string{"text", "markdown"} {
		out := string(written(t, format, r, Options{}))
		for _, gone := range []string{"NOT TRIED", "Not tried", "SEEN FROM", "Seen from", "--probe", "policy explain"} {
			if strings.Contains(out, gone) {
				t.Errorf("%s: still %q in\n%s", format, gone, out)
			}
		}
	}
}

// A server that was put into states was put there by a command, which the report
// does not know.
func TestNothingIsSuggestedForStates(t *testing.T) {
	r := checkReport()
	r.Targets[0].Effort = nil
	if s := suggestions(&r); s != nil {
		t.Errorf("suggests %v", s)
	}
}

func TestSeenFrom(t *testing.T) {
	r := checkReport()
	if got := seenFrom(&r); got != r.Vantage {
		t.Errorf("%q", got)
	}
	r = blindReport()
	if got, want := seenFrom(&r), "127.0.0.1: the server's own or a private address: clear links not judged (--source)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// What costs less is suggested first, and nothing that was done.
func TestSuggestionsFollowWhatIsOpen(t *testing.T) {
	r := checkReport()
	first := func() string { return suggestions(&r)[0].command }
	if got := first(); got != "mailmatrix check mail.example.com --probe" {
		t.Error(got)
	}
	r.NotTested = r.NotTested[1:]
	if got := first(); got != "mailmatrix check mail.example.com --login --authorized" {
		t.Error(got)
	}
	r.NotTested = nil
	if got := first(); !strings.HasPrefix(got, "mailmatrix policy") {
		t.Error(got)
	}
}

func TestConclusionOfACheck(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(*login.Report)
		want string
	}{
		{"cut short", func(r *login.Report) { r.Complete = false }, "INCOMPLETE         it did not come to its end: the deadline came, or somebody"},
		{"a named door is silent beside others", func(r *login.Report) {
			closed(r, login.SMTP, 2525, login.FoundNamed, "timeout")
		}, "INCOMPLETE         the door that was asked for does not answer: 192.0.2.10:2525"},
		{"a MUST stays open", func(r *login.Report) {
			requirement(r, "smtp/x/1", "X", login.Must, login.Ruling{Verdict: login.Skip, Why: login.WhyInconclusive})
		}, "INCOMPLETE         what the server must do could not be found out"},
		{"it was left alone", func(r *login.Report) { r.Targets[0].Effort.Stopped = "421 \x1b" }, `STOPPED EARLY      the server was left alone before the end: 421 \x1b`},
		{"a known failure", func(r *login.Report) {
			requirement(r, "smtp/x/1", "X", login.Must, login.Ruling{Verdict: login.Fail})
			r.Cases[len(r.Cases)-1].Excused = "known"
		}, "CONFORMING         0 fail   0 warn   1 note (-v)   1 known"},
	} {
		r := conformingReport()
		c.do(&r)
		r.Count()
		if text := string(written(t, "text", r, Options{})); !strings.Contains(text, c.want) {
			t.Errorf("%s: no %q in\n%s", c.name, c.want, text)
		}
	}
}

var leftOutFindings = regexp.MustCompile(`\n \d+ more findings \(\d+ fail, 20 warn\): -v shows all\n`)

// The long form tells every finding and every client, the short one how many
// it leaves out.
func TestVerboseCheckTellsAll(t *testing.T) {
	r := crowdedReport()
	long := string(written(t, "text", r, Options{Verbose: true}))
	for _, s := range r.Scenarios {
		if !strings.Contains(long, s.ID) {
			t.Errorf("%s is not in the long form", s.ID)
		}
	}
	for _, want := range []string{"client-42", "question 4", "SCRAM-SHA-256-PLUS"} {
		if !strings.Contains(long, want) {
			t.Errorf("%s is not in the long form", want)
		}
	}
	if short := string(written(t, "text", r, Options{})); !leftOutFindings.MatchString(short) {
		t.Errorf("the short form does not say what it leaves out:\n%s", short)
	}
}

// Each row of the ledger is a line, and a spreadsheet takes none for a formula.
func TestLedgerCSV(t *testing.T) {
	r := probedReport()
	rows, err := csv.NewReader(strings.NewReader(string(written(t, "csv", r, Options{})))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if want := len(ledgerRows(&r)) + 1; len(rows) != want || want < 50 {
		t.Errorf("%d lines, want %d", len(rows), want)
	}
	for _, row := range rows {
		for _, value := range row {
			if value != "" && strings.Contains("=+@", value[:1]) {
				t.Errorf("%q is a formula", value)
			}
		}
	}
}

// ours are the texts that no server has a part in; and with an excuse there
// would be no findings.
var ours = []string{"ID", "Kind", "Tool", "Catalogue", "Profile", "Refs", "Basis", "Excused"}

// spoilStrings appends to every text in v what no terminal may get.
func spoilStrings(v reflect.Value, nasty string) {
	switch v.Kind() {
	case reflect.String:
		if v.CanSet() && v.Type() == reflect.TypeFor[string]() {
			v.SetString(v.String() + nasty)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			spoilStrings(v.Elem(), nasty)
		}
	case reflect.Slice:
		for i := range v.Len() {
			spoilStrings(v.Index(i), nasty)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			if value := v.MapIndex(key); value.Kind() == reflect.String {
				v.SetMapIndex(key, reflect.ValueOf(value.String()+nasty))
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if !slices.Contains(ours, v.Type().Field(i).Name) {
				spoilStrings(v.Field(i), nasty)
			}
		}
	default:
	}
}

// Whatever a stranger's server says, a terminal does not obey it: not in any of
// the texts that may come from there.
func TestCheckTrustsNoText(t *testing.T) {
	for name, report := range checks() {
		r := report()
		spoilStrings(reflect.ValueOf(&r).Elem(), "\x1b]0;x\x07\u202e")
		for _, format := range []string{"text", "markdown", "csv", "junit"} {
			out := written(t, format, r, Options{Verbose: true})
			for i, c := range out {
				if c != '\n' && c != '\r' && (c < ' ' || c > '~') {
					t.Errorf("%s as %s: octet %#x in %q", name, format, c, out[max(i-60, 0):i+1])
					break
				}
			}
		}
	}
}

// A schema that accepts anything proves nothing: what checks add to it is closed
// as well.
func TestSchemaRefusesInChecks(t *testing.T) {
	s := schema(t)
	good := string(written(t, "json", checkReport(), Options{}))
	for _, c := range []struct{ name, old, new string }{
		{"an unknown field of the effort", `"trips":71`, `"trips":71,"sleeps":1`},
		{"an unknown field of a certificate", `"days":9`, `"days":9,"hours":1`},
		{"an unknown field of an advice", `"software":"Postfix","fix"`, `"software":"Postfix","price":1,"fix"`},
		{"a step that is none", `"stages":{"banner"`, `"stages":{"bananer"`},
		{"a way of finding doors that is none", `"found":"port"`, `"found":"luck"`},
		{"a version of TLS that is none", `"version":"1.3"`, `"version":"1.4"`},
		{"an advice of nothing", `"fix":["smtpd_tls_auth_only = yes","(on 25: smtpd_sasl_auth_enable = no)"]`, `"fix":[]`},
		{"no door at all", `"door":0`, `"door":-1`},
		{"an unknown kind", `"kind":"door"`, `"kind":"window"`},
	} {
		bad := strings.Replace(good, c.old, c.new, 1)
		if bad == good {
			t.Errorf("%s: %q is not in the report", c.name, c.old)
		} else if validate(t, s, []byte(bad)) == nil {
			t.Errorf("%s: the schema accepts %s", c.name, c.new)
		}
	}
}
