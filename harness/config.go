package harness

import (
	crand "crypto/rand"
	"io"
	"math/rand/v2"
	"runtime"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Transcripts says which conversations a report keeps.
type Transcripts string

const (
	// KeepFailed keeps those of what did not pass; the default.
	KeepFailed Transcripts = "failed"
	KeepAll    Transcripts = "all"
	KeepNone   Transcripts = "none"
)

// Config is what a run needs besides its plan. Target must be set; every
// other zero value is sensible.
type Config struct {
	Target Target
	// TargetKind is [login.ReferenceTarget] or [login.RemoteTarget]; "" is the latter.
	TargetKind string
	// Tool is name and version of the program, for the report.
	Tool string
	// Seed makes the canaries; a run can be repeated with it. 0 draws one.
	Seed uint64
	// Rand is where clients take their nonces from; nil is crypto/rand.
	Rand io.Reader
	// Vantage is the address from which the target is seen, for the report.
	Vantage string
	// Now is the clock; nil is [time.Now].
	Now func() time.Time
	// Limit is how long a server may take for one answer; 0 is 10 seconds.
	Limit time.Duration
	// Patience is how long a server is listened to that should say nothing; 0
	// is 3 seconds.
	Patience time.Duration
	// Parallel is how many experiments run at once; 0 suits the machine.
	Parallel int
	// Transcripts is which conversations are kept; "" is KeepFailed.
	Transcripts Transcripts
	// Journal, where set, is told each result as soon as it is there, and gives
	// the run its seed and what was done before: see [OpenJournal].
	Journal *Journal
	// Progress, where set, is told after each experiment how many of all are
	// done. Calls do not overlap.
	Progress func(done, all int)
}

func (c Config) withDefaults() Config {
	if c.TargetKind == "" {
		c.TargetKind = login.RemoteTarget
	}
	if c.Rand == nil {
		c.Rand = crand.Reader
	}
	if c.Seed == 0 {
		c.Seed = 1 + uint64(rand.Uint32N(9_999)) // small enough to be typed, and for the head line
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Limit == 0 {
		c.Limit = 10 * time.Second
	}
	if c.Parallel == 0 {
		// Both ends share the machine, and each waits for the other half of the
		// time: some more experiments than processors keep them busy.
		c.Parallel = 4 * runtime.GOMAXPROCS(0)
	}
	if c.Transcripts == "" {
		c.Transcripts = KeepFailed
	}
	return c
}

// chance is the source of a run's canaries.
func (c Config) chance() *rand.Rand {
	return rand.New(rand.NewPCG(c.Seed, 0x6d61696c6d617472)) //nolint:gosec // repeatable on purpose; keys are made elsewhere
}
