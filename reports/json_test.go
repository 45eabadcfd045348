package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/mailmatrix/mailmatrix/docs"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(docs.ResultSchema))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("result.schema.json", document); err != nil {
		t.Fatal(err)
	}
	s, err := compiler.Compile("result.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validate(t *testing.T, s *jsonschema.Schema, report []byte) error {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(report))
	if err != nil {
		t.Fatalf("not JSON: %v", err)
	}
	return s.Validate(value)
}

var everyReport = map[string]func() login.Report{
	"empty": emptyReport, "full": fullReport, "failing": failingReport, "narrow": narrowReport, "database": databaseReport,
	"policy": policyReport, "excused": excusedReport, "unkept": unkeptReport, "interrupted": interruptedReport, "small": smallReport,
	"check": checkReport, "check-conforming": conformingReport, "check-probed": probedReport, "check-silent": silentReport,
	"check-differing": differingReport, "check-blind": blindReport, "check-crowded": crowdedReport,
}

func TestJSONFollowsTheSchema(t *testing.T) {
	s := schema(t)
	for name, report := range everyReport {
		if err := validate(t, s, written(t, "json", report(), Options{})); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A schema that accepts anything proves nothing.
func TestSchemaRefuses(t *testing.T) {
	s := schema(t)
	good := string(written(t, "json", smallReport(), Options{}))
	for _, c := range []struct{ name, old, new string }{
		{"a field that nobody knows", `"seed": 7`, `"seed": 7, "sead": 7`},
		{"an unknown field of a cell", `"basis":"measured"`, `"basis":"measured","colour":"red"`},
		{"null for a list", `"exposures":[]`, `"exposures":null`},
		{"a lost field", `"vantage": "127.0.0.1",`, ``},
		{"an unknown outcome", `"outcome":"refused-policy"`, `"outcome":"refused-maybe"`},
		{"a measured cell without outcome", `"outcome":"logged-in","expected"`, `"outcome":"","expected"`},
		{"a predicted cell that is judged", `"verdict":"unjudged"`, `"verdict":"pass"`},
		{"another version", `"mailmatrix/1"`, `"mailmatrix/2"`},
		{"a scenario of no kind", `"kind":"control"`, `"kind":""`},
		{"a time that is none", `"2026-01-02T03:04:05Z"`, `"yesterday"`},
		{"an excuse of nothing", `"excused":"older than RFC 4954"`, `"excused":""`},
		{"an unknown sort of problem", `"problem":"unexpected-pass"`, `"problem":"maybe"`},
		{"a lack of nothing", `,"transport":"starttls"}` + "\n ],\n \"scenarios\"", `}` + "\n ],\n \"scenarios\""},
		{"a line of nobody", `"C AUTH LOGIN"`, `"AUTH LOGIN"`},
		{"a setting of no mechanism", `"policy":{"APOP"`, `"policy":{"APOOP"`},
		{"an axis in capitals", `{"protocol":["smtp","pop3"]}`, `{"PROTOCOL":["smtp"]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			bad := strings.Replace(good, c.old, c.new, 1)
			if bad == good {
				t.Fatalf("%q is not in the report", c.old)
			}
			if validate(t, s, []byte(bad)) == nil {
				t.Errorf("the schema accepts %s", c.new)
			}
		})
	}
}

// Objects of fixed fields are closed; maps name their keys.
func TestSchemaIsClosed(t *testing.T) {
	var root any
	if err := json.Unmarshal(docs.ResultSchema, &root); err != nil {
		t.Fatal(err)
	}
	objects := 0
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case []any:
			for i, e := range v {
				walk(fmt.Sprintf("%s/%d", path, i), e)
			}
		case map[string]any:
			if v["type"] == "object" {
				objects++
				if v["additionalProperties"] != false && v["propertyNames"] == nil {
					t.Errorf("%s takes any field", path)
				}
			}
			for key, e := range v {
				walk(path+"/"+key, e)
			}
		}
	}
	walk("", root)
	if objects < 10 {
		t.Errorf("only %d objects were looked at", objects)
	}
}

func TestJSONRoundTrip(t *testing.T) {
	want := smallReport()
	var got login.Report
	if err := json.Unmarshal(written(t, "json", want, Options{}), &got); err != nil {
		t.Fatal(err)
	}
	unsaid := cmp.Options{
		cmpopts.EquateEmpty(),
		cmpopts.IgnoreFields(login.CellResult{}, "WronglyAccepted", "WronglyRefused"),
		cmpopts.IgnoreFields(login.ScenarioResult{}, "WronglyAccepted", "WronglyRefused"),
	}
	if diff := cmp.Diff(want, got, unsaid); diff != "" {
		t.Errorf("written and read again:\n%s", diff)
	}
}

// A terminal obeys more than what lies below the space, and shows what follows some
// characters in another order. The value is the same.
func TestJSONIsNotObeyed(t *testing.T) {
	for _, c := range []struct {
		name, text string
		escaped    bool
	}{
		{"DEL", "\u007f", true},
		{"CSI in one character", "\u009b31m", true},
		{"the last of its kind", "\u009f", true},
		{"a space that is none", "\u00a0", false},
		{"a letter", "\u00e9", false},
		{"beyond sixteen bits", "\U0001f4e7", false},
		{"to the left", "\u202efdp", true},
		{"the first of its kind", "\u202a", true},
		{"isolated", "\u2066", true},
		{"and no more", "\u2069", true},
		{"a joiner", "\u2060", false},
		{"ESC, which the encoder knows", "\x1b[2J", true},
		{"what looks like an escape", `\u009b`, false},
	} {
		r := smallReport()
		r.Targets[0].Name, r.Vantage = c.text, c.text // in a list, and beside it
		r.Selection = map[string][]string{c.text: {c.text}}
		text := written(t, "json", r, Options{})
		var back login.Report
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if back.Targets[0].Name != c.text || back.Vantage != c.text || back.Selection[c.text][0] != c.text {
			t.Errorf("%s: read again, it is %q", c.name, back.Vantage)
		}
		first, _ := utf8.DecodeRuneInString(c.text)
		if got := !strings.ContainsRune(string(text), first); got != c.escaped {
			t.Errorf("%s is escaped: %v, want %v", c.name, got, c.escaped)
		}
	}
}

// Formats share the caller's report: none may change it.
func TestFormatsLeaveTheReportAlone(t *testing.T) {
	for _, f := range All() {
		want, got := smallReport(), smallReport()
		written(t, f.Name, got, Options{Verbose: true})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s changed the report:\n%s", f.Name, diff)
		}
	}
}
