package reports

import (
	"fmt"
	"io"
	"net/url"
	"path"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

var _ = register(Format{
	Name: "sarif", Ext: "sarif", Points: true,
	About: "what failed or warned, at the lines of --policy or --expect, for code scanning (SARIF 2.1.0)",
	Write: writeSARIF,
})

// sarifMost is how many results are written out. Whoever shows them shows no
// more than some thousands, and nobody reads those.
const sarifMost = 1000

// homepage is where the program comes from.
const homepage = "https://github.com/mailmatrix/mailmatrix"

// What follows is the part of the standard that is used. "s3.27" is a section of
// SARIF 2.1.0.

type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool        sarifTool         `json:"tool"`
	Invocations []sarifInvocation `json:"invocations"`
	Results     []sarifResult     `json:"results"`
	Properties  sarifOrigin       `json:"properties"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name           string      `json:"name"`
	Version        string      `json:"version,omitempty"`
	InformationURI string      `json:"informationUri"`
	Rules          []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID      string       `json:"id"`
	Short   sarifMessage `json:"shortDescription"`
	Full    sarifMessage `json:"fullDescription"`
	Help    sarifMessage `json:"help"`
	HelpURI string       `json:"helpUri"`
}

type sarifMessage struct {
	Text     string `json:"text"`
	Markdown string `json:"markdown,omitempty"`
}

type sarifInvocation struct {
	Successful    bool                `json:"executionSuccessful"`
	ExitCode      int                 `json:"exitCode"`
	Notifications []sarifNotification `json:"toolExecutionNotifications"`
}

type sarifNotification struct {
	Level   string       `json:"level"`
	Message sarifMessage `json:"message"`
}

type sarifResult struct {
	RuleID       string            `json:"ruleId"`
	RuleIndex    int               `json:"ruleIndex"`
	Level        string            `json:"level"`
	Message      sarifMessage      `json:"message"`
	Locations    []sarifLocation   `json:"locations"`
	Fingerprints sarifFingerprints `json:"partialFingerprints"`
	Properties   sarifDetails      `json:"properties"`
}

type sarifLocation struct {
	Physical struct {
		Artifact struct {
			URI string `json:"uri"`
		} `json:"artifactLocation"`
		Region struct {
			Line int `json:"startLine"`
		} `json:"region"`
	} `json:"physicalLocation"`
}

// sarifFingerprints are the ID twice, with its server where there are several: under a name of our own, and under the only
// one by which GitHub tells results on the same line apart.
type sarifFingerprints struct {
	ID   string `json:"mailmatrixID/v1"`
	Line string `json:"primaryLocationLineHash"`
}

type sarifDetails struct {
	Verdict    string   `json:"verdict"`
	Transcript []string `json:"transcript,omitempty"`
}

type sarifOrigin struct {
	Catalogue string `json:"catalogue"`
	Seed      string `json:"seed"` // larger than the numbers of JavaScript
	Vantage   string `json:"vantage"`
}

func writeSARIF(w io.Writer, r login.Report, o Options) error {
	if len(o.Claims) == 0 {
		return errNoClaim("sarif")
	}
	name, version, _ := strings.Cut(r.Tool, " ")
	rules := ruleBook{at: map[string]int{}}
	run := sarifRun{
		Invocations: []sarifInvocation{{Successful: incomplete(&r) == "", ExitCode: r.ExitStatus(), Notifications: []sarifNotification{}}},
		Results:     []sarifResult{},
		Properties:  sarifOrigin{ascii(r.Catalogue), fmt.Sprint(r.Seed), ascii(r.Vantage)},
	}
	left := map[string]int{}
	for _, f := range sarifFindings(&r, o) {
		if len(run.Results) == sarifMost {
			left[f.level]++
			continue
		}
		run.Results = append(run.Results, f.result(&rules))
	}
	run.Invocations[0].Notifications = notifications(&r, left)
	run.Tool.Driver = sarifDriver{Name: ascii(name), Version: ascii(version), InformationURI: homepage, Rules: rules.list()}
	return writeIndented(w, sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}})
}

// notifications say what the results do not: why nobody can tell, what is ours to
// mend, how much was left out, and what is known. That would be results with
// suppressions (s3.27.23), but GitHub takes no notice of those, and would open an
// alert for each on a run in which nothing is wrong.
func notifications(r *login.Report, left map[string]int) []sarifNotification {
	all := []sarifNotification{}
	add := func(level, text string) {
		all = append(all, sarifNotification{level, sarifMessage{Text: sarifText(text)}})
	}
	if why := incomplete(r); why != "" {
		add(levelError, why)
	}
	if sum := r.Sum(); sum.Broken+sum.Unjudged > 0 {
		add(levelError, of(sum.Broken+sum.Unjudged, "result")+" broken or unjudged, which says nothing of the server: see the JSON report")
	}
	if n := left[levelError] + left[levelWarning]; n > 0 {
		add("note", fmt.Sprintf("%s left out, as %s is the most: %s and %s; the JSON report has all",
			of(n, "more result"), count(sarifMost), of(left[levelError], levelError), of(left[levelWarning], levelWarning)))
	}
	known := findings(r)
	for _, f := range known[:min(len(known), sarifMost)] {
		add("note", "known, and no result here: "+f.String()+", such as "+f.first.named())
	}
	if more := len(known) - sarifMost; more > 0 {
		add("note", of(more, "more known finding")+" left out; the JSON report has all")
	}
	return all
}

// sarifFinding is a result before its rule is known.
type sarifFinding struct {
	item
	level string
	spot
}

// sarifFindings are what failed or warned, and expectations that do not hold, the
// worst first.
func sarifFindings(r *login.Report, o Options) []sarifFinding {
	var failed, warned []sarifFinding
	add := func(f sarifFinding) {
		if f.level == levelError {
			failed = append(failed, f)
		} else {
			warned = append(warned, f)
		}
	}
	for _, it := range problems(r) {
		if it.verdict == login.Fail || it.verdict == login.Warn {
			add(sarifFinding{it, levelOf(it), o.spotOf(it)})
		}
	}
	for _, p := range r.Expectations {
		add(sarifFinding{item{id: "expectation/" + p.Pattern, kind: "expectations", path: []string{"expectation", string(p.Problem)},
			reason: p.Reason}, levelOfEntry(p), o.spotOfEntry(p)})
	}
	return append(failed, warned...)
}

func (f sarifFinding) result(rules *ruleBook) sarifResult {
	id := ascii(f.named())
	text := id
	if f.reason != "" {
		text += ": " + f.reason
	}
	if f.advice != nil && len(f.advice.Fix) > 0 {
		text += " (fix: " + strings.Join(f.advice.Fix, "; ") + ")"
	}
	s := sarifResult{
		RuleID: ruleOf(f.item), Level: f.level, Message: sarifMessage{Text: sarifText(text)}, Locations: make([]sarifLocation, 1),
		Fingerprints: sarifFingerprints{id, id},
		Properties:   sarifDetails{f.verdict.String(), f.transcript},
	}
	s.RuleIndex = rules.add(f.item)
	s.Locations[0].Physical.Artifact.URI = fileURI(f.file)
	s.Locations[0].Physical.Region.Line = f.line
	return s
}

// fileURI is the name of a file as SARIF wants it: relative to where the program
// was started, unless it is absolute.
func fileURI(name string) string {
	u := url.URL{Path: path.Clean(name)}
	if path.IsAbs(name) {
		u.Scheme = "file"
	}
	return u.String()
}

// sarifText is plain text as a message has it: braces are doubled (s3.11.5), and
// what a server says cannot become a link (s3.11.6).
func sarifText(s string) string { return sarifEscapes.Replace(ascii(s)) }

var sarifEscapes = strings.NewReplacer("{", "{{", "}", "}}", "](", "] (")
