package login

import (
	"strings"
	"time"
)

// Schema is the version of the JSON surface.
const Schema = "mailmatrix/1"

// ClaimSchema is the version of a claim (docs/claims.md).
const ClaimSchema = "mailmatrix/claim/1"

// Report is the one result type: a run, a check and a merge differ only in
// what they fill. Its JSON is described in docs/result.schema.json.
type Report struct {
	Schema         string              `json:"schema"`
	Tool           string              `json:"tool"`
	Catalogue      string              `json:"catalogue"`
	Started        time.Time           `json:"started"`
	ElapsedMS      float64             `json:"elapsed_ms"`
	Seed           uint64              `json:"seed"`
	Vantage        string              `json:"vantage"`
	Complete       bool                `json:"complete"`
	Selection      map[string][]string `json:"selection"`
	Totals         Totals              `json:"totals"`
	ScenarioTotals Totals              `json:"scenario_totals"`
	CaseTotals     Totals              `json:"case_totals"`
	Targets        []TargetResult      `json:"targets"`
	Cells          []CellResult        `json:"cells"`
	Lacks          []Lack              `json:"lacks"`
	Scenarios      []ScenarioResult    `json:"scenarios"`
	Cases          []CaseResult        `json:"cases"`
	Clients        []ClientDescription `json:"clients"`
	NotTested      []NotTested         `json:"not_tested"`
	// Flaky are the results that differ between repetitions of the run.
	Flaky []Flake `json:"flaky,omitempty"`
	// Expectations are the entries of files of excuses that do not hold.
	Expectations []ExcuseProblem `json:"expectations"`
	// Lines is the table of distinct transcript lines; a transcript is a row
	// of indices into it.
	Lines       []string `json:"lines"`
	Transcripts [][]int  `json:"transcripts"`
	// Order, in the report of a shard, says of each cell, then of each scenario,
	// then of each case, the place that it has in the whole run.
	Order []int `json:"order,omitempty"`
	// Decided, where set, is the exit status by what somebody chose to fail on.
	Decided *int `json:"decided,omitempty"`
}

// Totals counts results by verdict; what is excused is counted apart, and in
// nothing else.
type Totals struct {
	Cells           int `json:"cells"`
	Pass            int `json:"pass"`
	Warn            int `json:"warn"`
	Fail            int `json:"fail"`
	Skip            int `json:"skip"`
	Broken          int `json:"broken"`
	Unjudged        int `json:"unjudged"`
	Excused         int `json:"excused"`
	WronglyAccepted int `json:"wrongly_accepted"`
	WronglyRefused  int `json:"wrongly_refused"`
}

// CellResult is a cell with what was seen and what we think of it.
type CellResult struct {
	ID         string        `json:"id"`
	Target     int           `json:"target"`
	Flavour    Flavour       `json:"flavour"`
	Protocol   Protocol      `json:"protocol"`
	Transport  Transport     `json:"transport"`
	Mechanism  Mechanism     `json:"mechanism"`
	Setting    Setting       `json:"setting"`
	Profile    string        `json:"profile"`
	Variant    string        `json:"variant"`
	Database   Database      `json:"database"`
	Override   Override      `json:"override"`
	Credential Credential    `json:"credential"`
	Offered    *bool         `json:"offered"`
	Attempted  bool          `json:"attempted"`
	Used       Mechanism     `json:"used"`
	Outcome    Outcome       `json:"outcome"`
	Expected   []Outcome     `json:"expected"`
	Exposure   ExposureClass `json:"exposure"`
	Exposures  []Exposure    `json:"exposures"`
	Verdict    Verdict       `json:"verdict"`
	Why        Why           `json:"why"`
	Reason     string        `json:"reason"`
	Excused    string        `json:"excused,omitempty"` // why a failure or warning was to be expected
	Refs       []string      `json:"refs"`
	Confidence Confidence    `json:"confidence"`
	Basis      string        `json:"basis"` // Measured or Predicted
	ElapsedMS  float64       `json:"elapsed_ms"`
	Transcript *int          `json:"transcript"`

	WronglyAccepted bool `json:"wrongly_accepted,omitempty"`
	WronglyRefused  bool `json:"wrongly_refused,omitempty"`
}

// ClientName is profile and variant as flags and IDs write them.
func (r CellResult) ClientName() string {
	if r.Variant == "" {
		return r.Profile
	}
	return r.Profile + "+" + r.Variant
}

// Rule notes what we think of the cell.
func (r *CellResult) Rule(g Ruling) {
	r.Verdict, r.Why, r.Reason = g.Verdict, g.Why, g.Reason
	r.WronglyAccepted, r.WronglyRefused = g.WronglyAccepted, g.WronglyRefused
}

// Lack is something that a client does not have, said once instead of as
// cells that cannot be.
type Lack struct {
	Profile   string    `json:"profile"`
	Protocol  Protocol  `json:"protocol"`
	Mechanism Mechanism `json:"mechanism,omitempty"`
	Transport Transport `json:"transport,omitempty"`
}

// ScenarioResult is an experiment that is no cell.
type ScenarioResult struct {
	ID         string        `json:"id"`
	Kind       string        `json:"kind"`
	Target     int           `json:"target"`
	Profile    string        `json:"profile"`
	Protocol   Protocol      `json:"protocol"`
	Transport  Transport     `json:"transport"`
	Expected   []string      `json:"expected"`
	Outcome    string        `json:"outcome"`
	Exposure   ExposureClass `json:"exposure"`
	Verdict    Verdict       `json:"verdict"`
	Why        Why           `json:"why"`
	Reason     string        `json:"reason"`
	Excused    string        `json:"excused,omitempty"`
	Refs       []string      `json:"refs"`
	Transcript *int          `json:"transcript"`
	// Door is an index into those of the target, where one is meant.
	Door   *int    `json:"door,omitempty"`
	Advice *Advice `json:"advice,omitempty"`

	WronglyAccepted bool `json:"wrongly_accepted,omitempty"`
	WronglyRefused  bool `json:"wrongly_refused,omitempty"`
}

// Rule notes what we think of the scenario.
func (r *ScenarioResult) Rule(g Ruling) {
	r.Verdict, r.Why, r.Reason = g.Verdict, g.Why, g.Reason
	r.WronglyAccepted, r.WronglyRefused = g.WronglyAccepted, g.WronglyRefused
}

// CaseResult is a compliance case against one door.
type CaseResult struct {
	ID         string   `json:"id"`
	Title      string   `json:"title"`
	Target     int      `json:"target"`
	Door       int      `json:"door"`
	Profile    string   `json:"profile"`
	Level      Level    `json:"level"`
	Verdict    Verdict  `json:"verdict"`
	Why        Why      `json:"why"`
	Reason     string   `json:"reason"`
	Excused    string   `json:"excused,omitempty"`
	Refs       []string `json:"refs"`
	Transcript *int     `json:"transcript"`
	Advice     *Advice  `json:"advice,omitempty"`

	WronglyAccepted bool `json:"wrongly_accepted,omitempty"`
	WronglyRefused  bool `json:"wrongly_refused,omitempty"`
}

// Rule notes what we think of the case.
func (r *CaseResult) Rule(g Ruling) {
	r.Verdict, r.Why, r.Reason = g.Verdict, g.Why, g.Reason
	r.WronglyAccepted, r.WronglyRefused = g.WronglyAccepted, g.WronglyRefused
}

// Key names the result of a case: its ID, and behind an "@" the client of a
// client's case, the protocol of a server's; with its port where the server has
// several doors for the protocol.
func (r *Report) Key(c CaseResult) string {
	switch {
	case c.Profile != "":
		return c.ID + "@" + c.Profile
	case c.Target < len(r.Targets) && c.Door < len(r.Targets[c.Target].Doors):
		doors := r.Targets[c.Target].Doors
		key, same := c.ID+"@"+string(doors[c.Door].Protocol), 0
		for _, d := range doors {
			if d.Protocol == doors[c.Door].Protocol {
				same++
			}
		}
		if port := doors[c.Door].Port(); same > 1 && strings.Trim(port, "0123456789") == "" {
			key += ":" + port
		}
		return key
	default:
		return c.ID
	}
}

// NotTested is what was left out, why, and the flag that would decide it.
type NotTested struct {
	What string `json:"what"`
	Why  Why    `json:"why"`
	Flag string `json:"flag"`
}

// Flake is a result that differs between repetitions: how often it came to
// what. It counts as its worst.
type Flake struct {
	ID       string          `json:"id"` // a case's with "@" and the protocol or client
	Verdicts map[Verdict]int `json:"verdicts"`
}

// ExcuseProblem is an entry of a file of excuses that does not hold.
type ExcuseProblem struct {
	Pattern string      `json:"pattern"`
	Problem ExcuseFault `json:"problem"`
	Reason  string      `json:"reason"` // in words, and what to do
	Entry   string      `json:"entry"`  // file and line, where they are known
}

// ExcuseFault is how an entry can be wrong.
type ExcuseFault string

const (
	ExcusePass    ExcuseFault = "unexpected-pass"    // everything that was to fail passes
	ExcuseVerdict ExcuseFault = "unexpected-verdict" // it fails where it was to warn, or the other way round
	ExcuseExpired ExcuseFault = "expired"            // its date has passed
	ExcuseUnused  ExcuseFault = "unused"             // nothing that it matches was decided
)

// The kinds of scenarios, the second part of their IDs.
const (
	KindControl     = "control" // they frame every run
	KindRelay       = "relay"
	KindCertificate = "certificate"
	KindStartup     = "startup"
	KindPosture     = "posture" // and the rules of a session that no cell can see
	KindContents    = "contents"
	KindDoor        = "door" // what a deployed server's doors say and do
)

// TopicLogin follows [KindDoor] in the ID of what became of the logins that were
// asked for.
const TopicLogin = "login"
