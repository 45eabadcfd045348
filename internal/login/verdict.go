package login

// Verdict is what we think of a result. The zero value is Unjudged. Verdicts
// are ordered: a status may only get worse.
type Verdict uint8

const (
	Unjudged Verdict = iota
	Pass
	Skip   // with a Why
	Warn   // a SHOULD, or the right refusal with the wrong code
	Broken // ours, not theirs
	Fail
)

var verdictNames = []string{"unjudged", "pass", "skip", "warn", "broken", "fail"}

func (v Verdict) String() string               { return verdictNames[v] }
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText accepts any letter case.
func (v *Verdict) UnmarshalText(b []byte) error { return parseIndex("verdict", b, verdictNames, v) }

// Why says why something was skipped.
type Why string

const (
	WhyNotApplicable Why = "not-applicable"
	WhyNoCredentials Why = "no-credentials"
	WhyBudget        Why = "budget"
	WhyRisk          Why = "risk"
	WhyInconclusive  Why = "inconclusive"
	WhyVantage       Why = "vantage"
	WhyCannot        Why = "cannot" // the target cannot take this posture
	WhyOperator      Why = "operator"
)

// Ruling is a verdict with its reason.
type Ruling struct {
	Verdict Verdict
	Why     Why
	Reason  string
	// WronglyAccepted is a hole, WronglyRefused locks somebody out; they are
	// counted apart.
	WronglyAccepted, WronglyRefused bool
}

// Level is how much a requirement demands (RFC 2119); what no standard
// demands, but good practice, is Practice. The zero value is none.
type Level string

const (
	Must     Level = "MUST"
	Should   Level = "SHOULD"
	May      Level = "MAY"
	Practice Level = "practice"
)

// Levels lists them, the strongest first.
func Levels() []Level { return []Level{Must, Should, May, Practice} }
