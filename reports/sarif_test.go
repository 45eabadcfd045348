package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/login"
	all "github.com/mailmatrix/mailmatrix/scenarios"
)

// sarifSchema is that of OASIS, as published (testdata/README.md).
func sarifSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "sarif-schema-2.1.0.json"))
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("sarif.json", document); err != nil {
		t.Fatal(err)
	}
	s, err := compiler.Compile("sarif.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func readSARIF(t *testing.T, r login.Report, o Options) sarifRun {
	t.Helper()
	var log sarifLog
	if err := json.Unmarshal(written(t, "sarif", r, o), &log); err != nil || len(log.Runs) != 1 {
		t.Fatalf("%d runs, %v", len(log.Runs), err)
	}
	return log.Runs[0]
}

func TestSARIFFollowsTheSchema(t *testing.T) {
	s := sarifSchema(t)
	everything := map[string]func() login.Report{"hostile": hostileReport, "crowd": func() login.Report { return crowd(1200) }}
	for name, report := range everyReport {
		everything[name] = report
	}
	for name, report := range everything {
		for _, claims := range [][]Claim{testClaims(), testClaims()[1:]} {
			if err := validate(t, s, written(t, "sarif", report(), Options{Claims: claims})); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	good := string(written(t, "sarif", smallReport(), Options{Claims: testClaims()}))
	for _, c := range []struct{ name, old, new string }{
		{"a lost version", `"version": "2.1.0",`, ``},
		{"an unknown level", `"level": "warning"`, `"level": "bad"`},
		{"a line before the first", `"startLine": 3`, `"startLine": 0`},
		{"a field that nobody knows", `"ruleId"`, `"rule"`},
	} {
		bad := strings.Replace(good, c.old, c.new, 1)
		if bad == good || validate(t, s, []byte(bad)) == nil {
			t.Errorf("the schema accepts %s", c.name)
		}
	}
}

// Only what failed or warned is a result. What is excused is none, though it would
// be suppressed: GitHub opens alerts for suppressed results as well.
func TestSARIFResults(t *testing.T) {
	for name, report := range everyReport {
		t.Run(name, func(t *testing.T) {
			r := report()
			run := readSARIF(t, r, Options{Claims: testClaims()})
			sum := r.Sum()
			if want := sum.Fail + sum.Warn + len(r.Expectations); len(run.Results) != want {
				t.Errorf("%d results, want %d", len(run.Results), want)
			}
			for _, result := range run.Results {
				if run.Tool.Driver.Rules[result.RuleIndex].ID != result.RuleID {
					t.Errorf("%s: rule %d is not %s", result.Fingerprints.ID, result.RuleIndex, result.RuleID)
				}
			}
			known := 0
			for _, n := range run.Invocations[0].Notifications {
				if rest, is := strings.CutPrefix(n.Message.Text, "known, and no result here: "); is {
					var of int
					if _, err := fmt.Sscanf(rest, "%d result", &of); err != nil {
						t.Errorf("%q: %v", n.Message.Text, err)
					}
					known += of
				}
			}
			if known != sum.Excused {
				t.Errorf("%d are said to be known, %d are excused", known, sum.Excused)
			}
			if invocation := run.Invocations[0]; invocation.ExitCode != r.ExitStatus() || invocation.Successful != (incomplete(&r) == "") {
				t.Errorf("invocation %+v", invocation)
			}
		})
	}
}

// crowd is a report in which n cells fail.
func crowd(n int) login.Report {
	r := emptyReport()
	r.Complete = true
	for i := range n {
		at := login.Cell{
			Flavour: login.Classic, Protocol: login.SMTP, Transport: login.Plain, Mechanism: login.PLAIN, Setting: login.Secure,
			Profile: fmt.Sprintf("client-%04d", i), Database: login.NT, Override: login.NoOverride, Credential: login.WithAccount,
		}
		r.Cells = append(r.Cells, login.CellResult{
			ID: at.ID(), Flavour: at.Flavour, Protocol: at.Protocol, Transport: at.Transport, Mechanism: at.Mechanism, Setting: at.Setting,
			Profile: at.Profile, Database: at.Database, Override: at.Override, Credential: at.Credential, Basis: "measured",
			Outcome: login.LoggedIn, Verdict: login.Fail, Reason: "expected not-offered, saw logged-in", Refs: []string{"RFC 4954 4"},
			Transcript: keep(&r, "S 220 ready", "C AUTH PLAIN <secret>", fmt.Sprintf("S 235 %d", i)),
		})
	}
	for i := range min(n, 5) {
		r.Cells[i].Verdict = login.Warn
	}
	r.Count()
	return r
}

// Of too many the worst stay, and the rest is counted.
func TestSARIFIsCapped(t *testing.T) {
	for _, c := range []struct {
		failing int
		results int
		says    string
	}{
		{sarifMost, sarifMost, ""},
		{sarifMost + 4, sarifMost, "4 more results left out, as 1,000 is the most: 0 errors and 4 warnings; the JSON report has all"},
		{sarifMost + 7, sarifMost, "7 more results left out, as 1,000 is the most: 2 errors and 5 warnings; the JSON report has all"},
	} {
		run := readSARIF(t, crowd(c.failing), Options{Claims: testClaims()})
		var says string
		for _, n := range run.Invocations[0].Notifications {
			says += n.Message.Text
		}
		if len(run.Results) != c.results || says != c.says {
			t.Errorf("of %d: %d results, %q", c.failing, len(run.Results), says)
		}
		seen := map[string]bool{}
		for _, result := range run.Results {
			seen[result.Fingerprints.ID] = true
		}
		if len(seen) != c.results {
			t.Errorf("of %d: %d fingerprints", c.failing, len(seen))
		}
	}
}

// What a server says becomes no link, and no placeholder.
func TestSARIFQuotes(t *testing.T) {
	run := readSARIF(t, hostileReport(), Options{Claims: testClaims()})
	found := false
	for _, result := range run.Results {
		text := result.Message.Text
		found = found || strings.Contains(text, "[click] (https://evil.example) {{0}}")
		if strings.Contains(text, "](") || strings.ContainsAny(text, "\r\n\x1b\u202e") {
			t.Errorf("%q", text)
		}
	}
	if !found {
		t.Error("what the server said left no trace")
	}
	for _, rule := range run.Tool.Driver.Rules {
		if strings.Contains(strings.ReplaceAll(rule.Help.Markdown, `\](`, ""), "](https://evil") {
			t.Errorf("%q", rule.Help.Markdown)
		}
	}
}

func TestSARIFNeedsAFile(t *testing.T) {
	f, err := Get("sarif")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := f.Write(&b, smallReport(), Options{}); err == nil || !strings.Contains(err.Error(), "--policy FILE or --expect FILE") || b.Len() > 0 {
		t.Errorf("wrote %d bytes, %v", b.Len(), err)
	}
}

func TestSourceURL(t *testing.T) {
	for _, c := range []struct{ ref, want string }{
		{"RFC 4954 4", "https://www.rfc-editor.org/rfc/rfc4954#section-4"},
		{"RFC 5321 4.3.2", "https://www.rfc-editor.org/rfc/rfc5321#section-4.3.2"},
		{"RFC 8446 E.5", "https://www.rfc-editor.org/rfc/rfc8446#appendix-E.5"},
		{"RFC 9266", "https://www.rfc-editor.org/rfc/rfc9266"},
		{"CVE-2011-0411", "https://www.cve.org/CVERecord?id=CVE-2011-0411"},
		{"MS-NLMP 5.1", ""},
		{"RFC 1) <x>", ""},
	} {
		if got := sourceURL(c.ref); got != c.want {
			t.Errorf("%s: %q, want %q", c.ref, got, c.want)
		}
	}
}

func TestFileURI(t *testing.T) {
	for _, c := range []struct{ why, name, want string }{
		{"relative to where we are", "./conf/mine.yaml", "conf/mine.yaml"},
		{"outside of it", "../mine.yaml", "../mine.yaml"},
		{"with what a URI has not", "my policy#1%.yaml", "my%20policy%231%25.yaml"},
		{"no scheme", "a:b.yaml", "./a:b.yaml"},
		{"absolute", "/etc/mine.yaml", "file:///etc/mine.yaml"},
	} {
		if got := fileURI(c.name); got != c.want {
			t.Errorf("%s: %q, want %q", c.why, got, c.want)
		}
	}
}

// Every rule says where its sources can be read, once each.
func TestSARIFRules(t *testing.T) {
	rules := readSARIF(t, crowd(3), Options{Claims: testClaims()}).Tool.Driver.Rules
	if len(rules) != 1 || rules[0].ID != "login/PLAIN" || rules[0].HelpURI != "https://www.rfc-editor.org/rfc/rfc4954#section-4" ||
		rules[0].Short.Text != "A login with PLAIN ends as policy, transport and database want it" ||
		rules[0].Help.Markdown != "See [RFC 4954 4](https://www.rfc-editor.org/rfc/rfc4954#section-4)" {
		t.Errorf("%+v", rules)
	}
	var ids []string
	r := smallReport()
	r.Cases[1].Excused = ""
	for _, rule := range readSARIF(t, r, Options{Claims: testClaims()}).Tool.Driver.Rules {
		ids = append(ids, rule.ID)
	}
	for _, want := range []string{"smtp/auth/003", "expectation/unexpected-pass", "login/APOP"} {
		if !slices.Contains(ids, want) {
			t.Errorf("no rule %s among %v", want, ids)
		}
	}
}

// GitHub demands two texts of each rule, and shows them alone in its list.
func TestSARIFRulesSayWhatTheyDemand(t *testing.T) {
	unknown := failingReport()
	unknown.Scenarios = []login.ScenarioResult{{ID: "scenario/posture/of-tomorrow/smtp", Kind: login.KindPosture, Verdict: login.Fail}}
	unknown.Count()
	everything := map[string]func() login.Report{"hostile": hostileReport, "several": severalReport, "unknown": func() login.Report { return unknown }}
	for name, report := range everyReport {
		everything[name] = report
	}
	for name, report := range everything {
		for _, rule := range readSARIF(t, report(), Options{Claims: testClaims()}).Tool.Driver.Rules {
			if rule.Short.Text == "" || !strings.HasPrefix(rule.Full.Text, rule.Short.Text+". ") || rule.Help.Text == "" || rule.Help.Markdown == "" ||
				!strings.HasPrefix(rule.HelpURI, "https://") {
				t.Errorf("%s: %+v", name, rule)
			}
			if file, is := strings.CutPrefix(rule.HelpURI, documents); is {
				if _, err := os.Stat(filepath.Join("..", "docs", file)); err != nil {
					t.Error(err)
				}
			}
		}
	}
}

// topicLiteral is the topic of a finding, where judges write it.
var topicLiteral = regexp.MustCompile(`(?:topic: |topic = |f\.topic, .* = |breach\(|^\t\t\{)"([a-z-]+)"|\{\{?"(permitted-[a-z]+)"`)

// Whatever scenario there is, the rule says in a sentence what it demands.
func TestEveryTopicHasASentence(t *testing.T) {
	topics := map[string]bool{"scenario/door/" + login.TopicLogin: true}
	for _, s := range all.All(clientsim.All()) {
		topics[ruleOf(item{kind: s.Kind, path: parents(s.ID)})] = true
	}
	files, err := filepath.Glob("../harness/remote/judge/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			for _, m := range topicLiteral.FindAllStringSubmatch(line, -1) {
				if !strings.HasSuffix(file, "_test.go") {
					topics["scenario/door/"+m[1]+m[2]] = true
				}
			}
		}
	}
	for _, fault := range []login.ExcuseFault{login.ExcusePass, login.ExcuseVerdict, login.ExcuseExpired, login.ExcuseUnused} {
		topics["expectation/"+string(fault)] = true
	}
	for topic := range topics {
		if topicTexts[topic] == "" {
			t.Errorf("%s has no sentence", topic)
		}
	}
	for topic := range topicTexts {
		if !topics[topic] && topic != "scenario/door/discovery" { // which the check adds itself
			t.Errorf("nothing is about %s", topic)
		}
	}
}
