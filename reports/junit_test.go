package reports

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// The dialect, as the schemas of Ant and of Jenkins' xUnit plugin have it in
// common: which elements an element may hold, in which order, and which
// attributes it must and may have.
var dialect = map[string]struct {
	children []string
	must     []string
	may      []string
}{
	"testsuites": {[]string{"testsuite"}, nil, []string{"name", "tests", "failures", "errors", "skipped", "time"}},
	"testsuite": {
		[]string{"properties", "testcase", "system-out", "system-err"},
		[]string{"name", "tests"},
		[]string{"failures", "errors", "skipped", "time", "timestamp", "hostname", "id", "package"},
	},
	"properties": {[]string{"property"}, nil, nil},
	"property":   {nil, []string{"name", "value"}, nil},
	"testcase":   {[]string{"skipped", "error", "failure", "system-out", "system-err"}, []string{"name", "classname"}, []string{"time"}},
	"skipped":    {nil, nil, []string{"message"}},
	"error":      {nil, []string{"message"}, []string{"type"}},
	"failure":    {nil, []string{"message"}, []string{"type"}},
	"system-out": {nil, nil, nil},
}

var decimal = regexp.MustCompile(`^\d+\.\d+$`)

// element is an XML element, read without knowing what it is.
type element struct {
	name     string
	attrs    map[string]string
	children []*element
}

// parse is strict: encoding/xml refuses characters that XML has not.
func parse(t *testing.T, document []byte) *element {
	t.Helper()
	root := &element{}
	open := []*element{root}
	d := xml.NewDecoder(bytes.NewReader(document))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			e := &element{name: token.Name.Local, attrs: map[string]string{}}
			for _, a := range token.Attr {
				e.attrs[a.Name.Local] = a.Value
			}
			parent := open[len(open)-1]
			parent.children = append(parent.children, e)
			open = append(open, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		}
	}
	if len(root.children) != 1 {
		t.Fatalf("%d root elements", len(root.children))
	}
	return root.children[0]
}

func (e *element) check(t *testing.T) {
	t.Helper()
	rule, known := dialect[e.name]
	if !known {
		t.Fatalf("no element %s in the dialect", e.name)
	}
	for _, name := range rule.must {
		if e.attrs[name] == "" && name != "value" {
			t.Errorf("%s without %s", e.name, name)
		}
	}
	for name, value := range e.attrs {
		if !slices.Contains(rule.must, name) && !slices.Contains(rule.may, name) {
			t.Errorf("%s has no attribute %s in the dialect", e.name, name)
		}
		if name == "time" && !decimal.MatchString(value) {
			t.Errorf("time %q is no decimal of seconds", value)
		}
	}
	last := 0
	for _, child := range e.children {
		at := slices.Index(rule.children, child.name)
		if at < 0 {
			t.Fatalf("%s holds %s", e.name, child.name)
		}
		if at < last {
			t.Errorf("%s: %s comes too late", e.name, child.name)
		}
		last = at
		child.check(t)
	}
}

// results counts the children of the test cases below e.
func (e *element) results() map[string]int {
	n := map[string]int{"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
	if e.name == "testcase" {
		n["tests"] = 1
		for _, c := range e.children {
			switch c.name {
			case "failure":
				n["failures"]++
			case "error":
				n["errors"]++
			case "skipped":
				n["skipped"]++
			}
		}
	}
	for _, c := range e.children {
		for what, count := range c.results() {
			n[what] += count
		}
	}
	return n
}

func TestJUnitDialect(t *testing.T) {
	for name, report := range everyReport {
		t.Run(name, func(t *testing.T) {
			r := report()
			root := parse(t, written(t, "junit", r, Options{}))
			root.check(t)
			for _, e := range append([]*element{root}, root.children...) {
				for what, n := range e.results() {
					if e.attrs[what] != strconv.Itoa(n) {
						t.Errorf("%s %s says %s=%s, there are %d", e.name, e.attrs["name"], what, e.attrs[what], n)
					}
				}
			}
			total := r.Sum()
			want := map[string]int{
				"tests": total.Cells, "failures": total.Fail, "errors": total.Broken + total.Unjudged, "skipped": total.Skip,
			}
			for _, it := range excused(&r) {
				if it.verdict == login.Fail {
					want["skipped"]++
				}
			}
			for _, p := range r.Expectations {
				want["tests"]++
				if p.NotKept() {
					want["failures"]++
				} else {
					want["errors"]++
				}
			}
			if incomplete(&r) != "" {
				want["tests"]++
				want["errors"]++
			}
			for what, n := range want {
				if got := root.results()[what]; got != n {
					t.Errorf("%d %s, the report has %d", got, what, n)
				}
			}
		})
	}
}

func TestJUnitCase(t *testing.T) {
	root := parse(t, written(t, "junit", smallReport(), Options{}))
	want := map[string]struct{ class, child, message string }{
		"classic/smtp/plain/PLAIN/secure/eudora/wingate/none/account": {
			"classic.smtp.plain.PLAIN", "failure", "expected not-offered, saw logged-in: 235 2.7.0 welcome",
		},
		"modern/smtp/tls/NTLM/allow/outlook/nt/none/account": {
			"modern.smtp.tls.NTLM", "error", "the harness failed: dial tcp: refused",
		},
		"scenario/certificate/wildcard/a.b.example.test/default/eudora/smtp/starttls": {
			"scenario.certificate.wildcard.a_b_example_test.default.eudora.smtp", "skipped",
			"cannot: this target cannot show another certificate",
		},
		// JUnit knows no warning: it passes, and says so in its output.
		"classic/smtp/plain/LOGIN/deny/probe/nt/none/account": {"classic.smtp.plain.LOGIN", "system-out", ""},
	}
	for _, suite := range root.children {
		for _, c := range suite.children {
			w, ok := want[c.attrs["name"]]
			if !ok {
				continue
			}
			delete(want, c.attrs["name"])
			if c.attrs["classname"] != w.class || len(c.children) != 1 || c.children[0].name != w.child ||
				c.children[0].attrs["message"] != w.message {
				t.Errorf("%s: %v with %+v, want %+v", c.attrs["name"], c.attrs, c.children[0], w)
			}
		}
	}
	for id := range want {
		t.Errorf("no test case %s", id)
	}
}

// What a server says may hold characters that XML has not, and the end of a
// CDATA section.
func TestJUnitStaysXML(t *testing.T) {
	r := smallReport()
	nasty := "-ERR \x00\x1b]]>\xff\u202e <&\"'"
	spoil(&r, r.Cells[0].ID, login.Ruling{Verdict: login.Fail, Reason: nasty}, login.Refused, "S "+nasty)
	out := written(t, "junit", r, Options{})
	parse(t, out).check(t)
	if !strings.Contains(string(out), `\x00\x1b`) {
		t.Error("what was cleaned away left no trace")
	}
}
