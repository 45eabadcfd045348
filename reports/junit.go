package reports

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

var _ = register(Format{
	Name: "junit", Ext: "xml",
	About: "a test case for each cell, scenario and case, for CI servers",
	Write: writeJUnit,
})

// The dialect that CI servers have in common: that of Ant and Jenkins. Order
// of fields is order of elements.

type junitSuites struct {
	XMLName xml.Name `xml:"testsuites"`
	Name    string   `xml:"name,attr"`
	junitCounts
	Suites []*junitSuite `xml:"testsuite"`
}

type junitCounts struct {
	Tests    int     `xml:"tests,attr"`
	Failures int     `xml:"failures,attr"`
	Errors   int     `xml:"errors,attr"`
	Skipped  int     `xml:"skipped,attr"`
	Time     seconds `xml:"time,attr"`
}

type junitSuite struct {
	Name string `xml:"name,attr"`
	junitCounts
	Properties []junitProperty `xml:"properties>property,omitempty"`
	Cases      []junitCase     `xml:"testcase"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Name      string       `xml:"name,attr"`
	Classname string       `xml:"classname,attr"`
	Time      *seconds     `xml:"time,attr,omitempty"`
	Skipped   *junitResult `xml:"skipped"`
	Error     *junitResult `xml:"error"`
	Failure   *junitResult `xml:"failure"`
	SystemOut *junitText   `xml:"system-out"`
}

// junitResult is why a test case did not pass.
type junitResult struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Body    string `xml:",cdata"`
}

// junitText is an element of text alone. CDATA cleans nothing: what goes in
// must be ASCII, as all texts here are.
type junitText struct {
	Text string `xml:",cdata"`
}

// seconds is a time as the dialect has it: a decimal of seconds.
type seconds float64

func (s seconds) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%.3f", float64(s)), nil }

func writeJUnit(w io.Writer, r login.Report, _ Options) error {
	all := junitSuites{Name: "mailmatrix"}
	byKind := map[string]*junitSuite{}
	add := func(kind string, c junitCase, took float64) {
		suite, known := byKind[kind]
		if !known {
			suite = &junitSuite{Name: kind, Properties: junitProperties(r)}
			byKind[kind] = suite
			all.Suites = append(all.Suites, suite)
		}
		suite.Cases = append(suite.Cases, c)
		suite.count(c, took)
		all.count(c, took)
	}
	for it := range items(&r) {
		add(it.kind, junitCaseOf(it), it.seconds)
	}
	for _, p := range r.Expectations {
		c := junitCase{Name: ascii(p.Pattern), Classname: "expectations"}
		wrong := &junitResult{Message: ascii(p.Reason), Type: string(p.Problem), Body: ascii(p.Entry)}
		if p.NotKept() {
			c.Failure = wrong
		} else {
			c.Error = wrong
		}
		add("expectations", c, 0)
	}
	if broken := incomplete(&r); broken != "" {
		// Without it a CI server would show a run that was cut short in green.
		add("run", junitCase{
			Name: "run/complete", Classname: "run", Error: &junitResult{Message: broken, Type: "incomplete"},
		}, 0)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", " ")
	if err := encoder.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (n *junitCounts) count(c junitCase, took float64) {
	n.Tests++
	n.Time += seconds(took)
	switch {
	case c.Failure != nil:
		n.Failures++
	case c.Error != nil:
		n.Errors++
	case c.Skipped != nil:
		n.Skipped++
	}
}

func junitProperties(r login.Report) []junitProperty {
	return []junitProperty{
		{"tool", r.Tool}, {"catalogue", r.Catalogue}, {"seed", fmt.Sprint(r.Seed)},
	}
}

// junitCaseOf gives a result the one child element that its verdict has in
// JUnit. A warning passes there, as JUnit knows none, and says so in its output.
// A failure that is excused is skipped there, and its output says what happened.
func junitCaseOf(it item) junitCase {
	c := junitCase{Name: it.named(), Classname: classname(it.path)}
	if it.seconds > 0 {
		took := seconds(it.seconds)
		c.Time = &took
	}
	result := &junitResult{Message: ascii(it.reason), Type: it.verdict.String(), Body: junitBody(it)}
	if it.excused != "" {
		c.SystemOut = &junitText{result.Type + ": " + result.Message + "\n" + result.Body}
		if it.verdict == login.Fail {
			c.Skipped = &junitResult{Message: "known finding: " + ascii(it.excused)}
		} else {
			c.SystemOut.Text = "known finding: " + ascii(it.excused) + "\n" + c.SystemOut.Text
		}
		return c
	}
	switch it.verdict {
	case login.Pass:
	case login.Warn:
		c.SystemOut = &junitText{"warning: " + result.Message + "\n" + result.Body}
	case login.Skip:
		c.Skipped = &junitResult{Message: strings.TrimSuffix(string(it.why)+": "+result.Message, ": ")}
	case login.Fail:
		c.Failure = result
	default: // broken and unjudged: ours, not theirs
		c.Error = result
	}
	return c
}

func junitBody(it item) string {
	lines := it.transcript
	if len(it.refs) > 0 {
		lines = append(lines, "see "+ascii(joined(it.refs)))
	}
	if it.advice != nil {
		for _, fix := range it.advice.Fix {
			lines = append(lines, "fix: "+ascii(fix))
		}
		if it.advice.Command != "" {
			lines = append(lines, "see it: "+ascii(it.advice.Command))
		}
	}
	return strings.Join(lines, "\n")
}

// classname is the path as a Java class: CI servers make packages of what is
// before the last dot, so a dot within a segment must not divide.
func classname(path []string) string {
	segments := make([]string, len(path))
	for i, s := range path {
		segments[i] = strings.NewReplacer(".", "_", "/", "-").Replace(s)
	}
	return strings.Join(segments, ".")
}
