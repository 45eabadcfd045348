// Package ledger finds out of each door, transport and mechanism whether it is
// offered, starts and completes; politely, and in the order in which an answer
// is worth most.
package ledger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/mailmatrix/mailmatrix/harness/remote/budget"
	"github.com/mailmatrix/mailmatrix/harness/remote/reach"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Account is who logs in. Its secrets are fetched when they are needed, and
// kept nowhere.
type Account struct {
	Name string
	// Secrets fetches the password, and what the account holds besides.
	Secrets func() (password string, issued login.Issued, err error)
}

// Ledger is being filled. Its doors are in the order of the looks.
type Ledger struct {
	Doors []login.DoorResult
	// NotTested is what was left out and which flag would decide it.
	NotTested []login.NotTested
	// Lines are the conversations, by door, transport and mechanism: see [Key].
	Lines map[string][]string
}

// Config is what it is filled with.
type Config struct {
	Caller *reach.Caller
	Looks  []reach.Look
	Budget *budget.Budget
	Rand   io.Reader
	// Probe sends AUTH without a secret; Login logs the account in.
	Probe, Login bool
	Account      Account
	// Cleartext permits the account's secrets on a clear link. Inside TLS that was
	// not verified nothing permits them but trust: see [reach.Trust].
	Cleartext bool
	// Everything asks every question, whatever it costs: for a target that is
	// there to be thrown away.
	Everything bool
	// Told, where set, hears of each row as it is decided. Calls do not overlap.
	Told func(door int, t login.Transport, row login.MechanismResult)
}

// Key names a row.
func Key(door int, t login.Transport, m login.Mechanism) string {
	return fmt.Sprintf("%d/%s/%s", door, t, m.Segment())
}

// Fill fills it. It stops where the budget does, and what is then left is in
// NotTested. An error is ours.
func Fill(ctx context.Context, c Config) (Ledger, error) {
	switch {
	case (c.Probe || c.Login) && c.Rand == nil:
		return Ledger{}, errors.New("a ledger that asks needs a source of chance")
	case c.Login && (c.Account.Name == "" || c.Account.Secrets == nil):
		return Ledger{}, errors.New("a login was asked for, and no account was named")
	}
	f := &filler{Config: c, ledger: Ledger{Doors: lists(c.Looks), Lines: map[string][]string{}}}
	f.Rand = &oneAtATime{r: c.Rand}
	f.open()
	var err error
	if c.Probe {
		if f.madeUp, f.decoy, err = madeUpNames(f.Rand, c.Account.Name); err != nil {
			return Ledger{}, err
		}
		f.probe(ctx)
	} else {
		f.leave(login.NotTested{What: "do hidden mechanisms work?", Why: login.WhyOperator, Flag: "--probe"})
	}
	f.infer()
	if c.Login {
		err = f.logins(ctx)
	} else {
		f.leave(login.NotTested{What: "do the offered mechanisms work?", Why: login.WhyOperator, Flag: "--login --authorized"})
	}
	for i := range f.ledger.Doors {
		Settings(&f.ledger.Doors[i])
	}
	return f.ledger, err
}

// filler fills a ledger. Lanes share it.
type filler struct {
	Config

	// madeUp and decoy are names that nobody has.
	madeUp login.Mechanism
	decoy  string

	mu     sync.Mutex
	ledger Ledger
	left   []leftover
}

// place is a link of a door.
type place struct {
	door int
	link login.Transport
}

// question is about one row.
type question struct {
	place
	mechanism login.Mechanism
}

// row is the one that the question is about. Each is written by one lane only.
func (f *filler) row(q question) *login.MechanismResult {
	door := &f.ledger.Doors[q.door]
	for t := range door.Transports {
		if door.Transports[t].Transport != q.link {
			continue
		}
		rows := door.Transports[t].Mechanisms
		for i := range rows {
			if rows[i].Mechanism == q.mechanism {
				return &rows[i]
			}
		}
	}
	panic("ledger: a question about no row")
}

// each calls what for every row.
func each(doors []login.DoorResult, what func(question, *login.MechanismResult)) {
	for d := range doors {
		for _, t := range doors[d].Transports {
			for i := range t.Mechanisms {
				what(question{place{d, t.Transport}, t.Mechanisms[i].Mechanism}, &t.Mechanisms[i])
			}
		}
	}
}

// open tells what the lists say.
func (f *filler) open() {
	each(f.ledger.Doors, func(q question, _ *login.MechanismResult) { f.tell(q) })
}

// infer draws the conclusions that need no experiment: what is refused before
// any secret is asked for is no way in for anybody, and without a timestamp
// there is nothing from which APOP's proof could be made (RFC 1939 7).
func (f *filler) infer() {
	each(f.ledger.Doors, func(q question, row *login.MechanismResult) {
		stampless := q.mechanism == login.APOP && !*row.Offered
		if row.Completes == nil && (stampless || row.Starts != nil && !*row.Starts) {
			row.Completes, row.Evidence = new(false), login.EvidenceInferred
			f.tell(q)
		}
	})
}

func (f *filler) tell(q question) {
	if f.Told == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.Told(q.door, q.link, *f.row(q))
}

// said keeps what was said for a row.
func (f *filler) said(q question, lines []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	key := Key(q.door, q.link, q.mechanism)
	f.ledger.Lines[key] = append(f.ledger.Lines[key], lines...)
}

func (f *filler) leave(what login.NotTested) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ledger.NotTested = append(f.ledger.NotTested, what)
}

// oneAtATime lets lanes share a source of chance.
type oneAtATime struct {
	mu sync.Mutex
	r  io.Reader
}

func (o *oneAtATime) Read(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.r.Read(b)
}
