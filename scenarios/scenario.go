package scenarios

import (
	"cmp"
	"context"
	"io"
	"slices"
	"time"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// Scenario is one experiment.
type Scenario struct {
	// ID names every axis that is crossed, and is unique; Kind is its second
	// part.
	ID   string
	Kind string

	// The axes that narrow a selection; zero where the scenario has no such
	// field.
	Profile   string
	Protocol  login.Protocol
	Transport login.Transport
	Mechanism login.Mechanism
	// Also is the second protocol of a scenario that needs both.
	Also login.Protocol

	// Setup is the state of the server. The harness puts its account before
	// those that the scenario brings.
	Setup login.Setup
	// MayNotStart: the question is whether the server starts. Session.Door is
	// nil where it does not; every other scenario has one.
	MayNotStart bool
	// Expected are the outcomes that pass, in this kind's own words.
	Expected []string
	// Shown is exactly what a listener can read; nil leaves it open.
	Shown *login.ExposureClass
	Refs  []string

	// Run returns the outcome. An error is ours: the scenario is then broken,
	// never failed.
	Run func(context.Context, *Session) (outcome string, err error)
}

// Session is what a scenario runs in.
type Session struct {
	Door wire.Door
	// Host is the name of the server as its users type it; "" is
	// [login.DefaultIdentity].
	Host string
	// AnyCertificate takes whatever the server shows: nothing that is secret is
	// said to it, and what is wrong with its certificate is found elsewhere.
	AnyCertificate bool
	// Refused is set, and Door nil, where the server did not start.
	Refused *login.StartupError
	Secrets login.Secrets
	Rand    io.Reader
	Now     func() time.Time
	// Limit is how long the server may take for one answer.
	Limit time.Duration
	// Relayed is what the server says of messages for other domains; nil where
	// nobody can know.
	Relayed func() []login.Relay
	// Issue makes what an account can log in with in place of a password, with
	// a flaw or without; nil where nobody gives out such things.
	Issue func(account string, flaw login.Flaw) (login.Issued, error)

	seen []Seen
}

// Seen is one connection of a scenario: what was said, and what a listener
// had of it.
type Seen struct {
	Protocol   login.Protocol
	Transport  login.Transport
	Transcript func() []string
	Tap        *wire.Tap
}

// Seen returns the scenario's connections so far.
func (s *Session) Seen() []Seen { return s.seen }

// Login lets a client log in and keeps what was seen. What the session knows
// is filled in: the door, the secrets, chance and clock.
func (s *Session) Login(ctx context.Context, c clientsim.Config) clientsim.Result {
	c.Door, c.Secrets, c.Rand, c.Now, c.Limit = s.Door, s.Secrets, s.Rand, s.Now, s.Limit
	if c.Host == "" {
		c.Host = s.Name()
	}
	got := clientsim.Login(ctx, c)
	for i, tap := range got.Taps {
		transcript := got.Transcript // of all connections: it is shown with the first
		if i > 0 {
			transcript = nil
		}
		s.seen = append(s.seen, Seen{c.Protocol, c.Transport, func() []string { return transcript }, tap})
	}
	return got
}

// All are the scenarios for these clients, sorted by kind and ID.
func All(profiles []clientsim.Profile) []Scenario {
	all := slices.Concat(
		controls(), startups(), relays(), contents(), slowDowns(), ruleScenarios(), ntlmKinds(), secondChances(), identities(),
		flaws(), bindings(), replays(), strangers(), salts(), clientCertificates(),
		acting(), principals(), brokenOff(),
		certificates(profiles), offeredRefused(profiles), withoutTLS(profiles))
	slices.SortFunc(all, func(a, b Scenario) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID))
	})
	return all
}

// probe is the client without a manner of its own.
func probe() clientsim.Profile {
	p, err := clientsim.Get("probe")
	if err != nil {
		panic(err) // it is built in
	}
	return p
}

// shown makes the pointer that an exact exposure is.
func shown(c login.ExposureClass) *login.ExposureClass { return &c }
