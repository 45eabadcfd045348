package login

import "time"

// HistorySchema is the version of a history in JSON (docs/history.md).
const HistorySchema = "mailmatrix/history/1"

// History is what became of a target from run to run.
type History struct {
	Schema string `json:"schema"`
	Target string `json:"target"`
	// Runs are in the order in which they were kept.
	Runs    []KeptRun    `json:"runs"`
	Changes []FactChange `json:"changes"`
}

// KeptRun is a run of which a store has the facts.
type KeptRun struct {
	ID        int64     `json:"id"`
	Started   time.Time `json:"started"`
	Tool      string    `json:"tool"`
	Catalogue string    `json:"catalogue"`
	Vantage   string    `json:"vantage"`
	Complete  bool      `json:"complete"`
	// Selection are the flags that narrowed the run, or widened it; nil where
	// nobody knows, because the run was kept before they were.
	Selection map[string][]string `json:"selection"`
	Facts     int                 `json:"facts"` // about this target
}

// Fact is what a result came to, less the words: what is compared from run to
// run.
type Fact struct {
	Verdict  Verdict       `json:"verdict"`
	Outcome  string        `json:"outcome"`
	Exposure ExposureClass `json:"exposure"`
}

// FactChange is a fact that came to something else than in the last run that
// had it.
type FactChange struct {
	ID     string `json:"id"`     // a case's with "@" and the protocol or client
	Before int64  `json:"before"` // the run that had it before
	Run    int64  `json:"run"`
	Was    Fact   `json:"was"`
	Is     Fact   `json:"is"`
}
