package harness

import (
	"cmp"
	"context"
	"crypto/x509"
	"fmt"
	"slices"
	"sync"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/recording"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// Laboratory is a target whose servers can be watched, and which gives out
// what its accounts log in with besides a password.
type Laboratory interface {
	Issuer
	// UnderWitness is [Target.Under], with somebody who is told of everything
	// that is said.
	UnderWitness(context.Context, login.Setup, login.Witness) (wire.Door, error)
}

// Replay runs profiles against recorded logins.
type Replay struct {
	Lab   Laboratory
	Cases recording.Cases
	// Profile finds the profile of a client in a settings state.
	Profile func(client, variant string) (clientsim.Profile, error)
	// Parallel is how many records are replayed at a time; 0 is one.
	Parallel int
	// Progress is called after each record; nil is nobody.
	Progress func(done, all int)
}

// Agreement counts the records that agree, by what was compared.
type Agreement struct {
	Cases    int `json:"cases"`
	Attempts int `json:"attempts"` // the attempts
	Commands int `json:"commands"` // what was said, normalised
	Exposure int `json:"exposure"` // what a listener could read
	Outcome  int `json:"outcome"`  // login, TLS, connections, unauthenticated commands
}

// Percent is the smallest of the four shares; 100 of nothing.
func (a Agreement) Percent() float64 {
	if a.Cases == 0 {
		return 100
	}
	return 100 * float64(min(a.Attempts, a.Commands, a.Exposure, a.Outcome)) / float64(a.Cases)
}

func (a *Agreement) add(b Agreement) {
	a.Cases += b.Cases
	a.Attempts += b.Attempts
	a.Commands += b.Commands
	a.Exposure += b.Exposure
	a.Outcome += b.Outcome
}

// ReplayReport is what came of a replay.
type ReplayReport struct {
	Totals  Agreement      `json:"totals"`
	Clients []ReplayClient `json:"clients"`
	// Complete is false where the replay was interrupted.
	Complete bool `json:"complete"`
}

// ReplayClient is what came of one client in one settings state.
type ReplayClient struct {
	Client  string `json:"client"`
	Variant string `json:"variant"`
	Agreement
	// Missing: there is no such profile, or no such settings state of it.
	Missing       bool           `json:"missing"`
	Disagreements []Disagreement `json:"disagreements"`
}

// Disagreement is one field of one record.
type Disagreement struct {
	Case      string `json:"case"`
	Field     string `json:"field"`
	Recorded  string `json:"recorded"`
	Simulated string `json:"simulated"`
}

// replayed is what came of one record.
type replayed struct {
	done        bool
	missing     bool
	differences []recording.Difference
}

// Run replays the records. An error is ours; it names the record.
func (r Replay) Run(ctx context.Context, records []recording.Record) (ReplayReport, error) {
	results := make([]replayed, len(records))
	errs := make([]error, len(records))
	var telling sync.Mutex
	done := 0
	inParallel(ctx, len(records), r.Parallel, func(i int) {
		results[i], errs[i] = r.record(ctx, records[i])
		telling.Lock()
		defer telling.Unlock()
		if done++; r.Progress != nil {
			r.Progress(done, len(records))
		}
	})
	for i, err := range errs {
		if err != nil && ctx.Err() == nil {
			return ReplayReport{}, fmt.Errorf("%s, case %s: %w", clientName(records[i]), records[i].Case, err)
		}
	}
	return summary(records, results), nil
}

func clientName(r recording.Record) string { return nameIn(r.Client, r.Variant) }

// nameIn is what [login.SplitProfile] divides.
func nameIn(client, variant string) string {
	if variant == "" {
		return client
	}
	return client + "+" + variant
}

func (r Replay) record(ctx context.Context, recorded recording.Record) (replayed, error) {
	p, err := r.Profile(recorded.Client, recorded.Variant)
	if err != nil {
		return replayed{done: true, missing: true}, nil //nolint:nilerr // that is what came of it
	}
	posture, err := r.Cases.Find(recorded.Case)
	if err != nil {
		return replayed{}, err
	}
	simulated, err := Simulate(ctx, r.Lab, p, posture)
	if err != nil {
		return replayed{}, err
	}
	return replayed{done: ctx.Err() == nil, differences: recording.Compare(recorded, simulated)}, nil
}

// Simulate runs a profile against a posture, as the recorder ran the client,
// and returns what the server saw.
func Simulate(ctx context.Context, lab Laboratory, p clientsim.Profile, posture recording.Case) (recording.Record, error) {
	record, _, err := simulate(ctx, lab, p, posture)
	return record, err
}

// simulate returns what the client knows of it as well.
func simulate(ctx context.Context, lab Laboratory, p clientsim.Profile, posture recording.Case) (
	record recording.Record, result clientsim.Result, err error,
) {
	secrets := recording.Secrets()
	if secrets.Issued, err = lab.Issue(secrets.Name, login.Flawless); err != nil {
		return record, result, err
	}
	secrets.Issued.Tickets = nil // the recorder had no KDC
	recorder := recording.NewRecorder(posture)
	recorder.Host = recording.Machine
	door, err := lab.UnderWitness(ctx, posture.Setup(secrets), recorder)
	if err != nil {
		return record, result, err
	}
	config, able := posturedClient(p, posture)
	if able {
		config.Door, config.Secrets = door, secrets
		if result = clientsim.Login(ctx, config); result.Observation.Outcome == login.Error && ctx.Err() == nil {
			_ = door.Close()
			return record, result, fmt.Errorf("%s: %s", p, result.Observation.Detail)
		}
	}
	if err := door.Close(); err != nil { // waits for the last word of every session
		return record, result, err
	}
	record = recorder.Record()
	record.Client, record.Variant, record.Version = p.Name, p.Variant, p.Version
	return record, result, nil
}

// posturedClient configures the client as the recorder did; able is false
// where it has no such setting, and so does nothing.
func posturedClient(p clientsim.Profile, posture recording.Case) (config clientsim.Config, able bool) {
	config = clientsim.Config{
		Profile: p, Protocol: posture.Protocol, Mechanism: login.Auto, Credential: login.WithAccount,
		Host: recording.Host, Machine: recording.Machine, Sender: recording.Account, Whole: true, AnyLength: true,
		Store: x509.NewCertPool(), // no machine knows the recorder's authority
	}
	var opportunistic bool
	config.Transport, opportunistic = posture.Transport()
	if opportunistic && p.Opportunistic(config.Protocol) {
		config.Transport, config.IfAvailable = login.StartTLS, true
	}
	switch posture.Trust {
	case recording.TrustAuthority:
		config.Trust = clientsim.TrustAuthority
	case recording.TrustAnything:
		config.Trust = clientsim.TrustAnything
	}
	return config, config.IfAvailable || slices.Contains(p.Transports(config.Protocol), config.Transport)
}

// summary counts by client and settings state, in the order of names.
func summary(records []recording.Record, results []replayed) ReplayReport {
	report := ReplayReport{Complete: true, Clients: []ReplayClient{}}
	at := map[string]int{}
	for i, result := range results {
		if !result.done {
			report.Complete = false
			continue
		}
		name := clientName(records[i])
		if _, known := at[name]; !known {
			at[name] = len(report.Clients)
			report.Clients = append(report.Clients, ReplayClient{Client: records[i].Client, Variant: records[i].Variant, Disagreements: []Disagreement{}})
		}
		report.Clients[at[name]].count(records[i].Case, result)
	}
	for _, c := range report.Clients {
		report.Totals.add(c.Agreement)
	}
	slices.SortFunc(report.Clients, func(a, b ReplayClient) int {
		return cmp.Or(cmp.Compare(a.Client, b.Client), cmp.Compare(a.Variant, b.Variant))
	})
	return report
}

// Name is the client with its settings state, as in IDs and flags.
func (c ReplayClient) Name() string { return nameIn(c.Client, c.Variant) }

// count adds one record.
func (c *ReplayClient) count(name string, result replayed) {
	c.Cases++
	if result.missing {
		c.Missing = true
		c.Disagreements = append(c.Disagreements, Disagreement{name, "profile", c.Name(), "(none)"})
		return
	}
	departs := map[recording.Field]bool{}
	for _, d := range result.differences {
		departs[d.Field] = true
		c.Disagreements = append(c.Disagreements, Disagreement{name, d.At, d.Recorded, d.Simulated})
	}
	for field, n := range map[recording.Field]*int{
		recording.Attempts: &c.Attempts, recording.Commands: &c.Commands,
		recording.Exposure: &c.Exposure, recording.Outcome: &c.Outcome,
	} {
		if !departs[field] {
			*n++
		}
	}
}
