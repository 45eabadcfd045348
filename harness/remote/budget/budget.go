// Package budget keeps what a server in service is asked to do within what it
// can be asked: a few passwords, a few refusals, a few connections at once; and
// stops altogether when the server shows that it has had enough.
package budget

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Kind is what a server counts against who asks.
type Kind uint8

const (
	// Password is one that the server judges and may refuse; a proof made from
	// it counts as the password itself. A refused one is a refused exchange as
	// well, so it takes from the Auths too: who bans counts one line for each.
	Password Kind = iota
	// Auth is an exchange that is refused or cancelled.
	Auth
	// Recipient is one that is refused.
	Recipient
)

func (k Kind) String() string {
	switch k {
	case Password:
		return "refused passwords"
	case Auth:
		return "refused or cancelled exchanges"
	default:
		return "refused recipients"
	}
}

// Limits are how much may be spent. The zero value is what is done to a server
// in service; None is no limit at all.
type Limits struct {
	// Passwords that are refused, for each account; 0 is 3.
	Passwords int
	// Auths and recipients together, over all doors, in a Window; 0 is 4.
	Auths int
	// Window is how long a server remembers; 0 is ten minutes.
	Window time.Duration
	// Connections at once; 0 is 4.
	Connections int
	// None: the target is there to be thrown away. Nothing is ever spent, and
	// nothing stops it.
	None bool
}

// WithDefaults puts the numbers in the place of zeros.
func (l Limits) WithDefaults() Limits {
	l.Passwords = cmp.Or(l.Passwords, 3)
	l.Auths = cmp.Or(l.Auths, 4)
	l.Window = cmp.Or(l.Window, 10*time.Minute)
	l.Connections = cmp.Or(l.Connections, 4)
	return l
}

// Budget is what may still be spent from one source address on one server. It
// may be used by several goroutines. The zero value is not ready: see [New].
type Budget struct {
	limits Limits
	now    func() time.Time
	// places holds a token for each open connection; nil is no limit.
	places chan struct{}
	// over is closed by Stop.
	over chan struct{}

	mu sync.Mutex
	// passwords are those refused or under way, by account.
	passwords map[string]int
	// underway are the Auths and recipients set aside, refused when the others
	// were counted.
	underway int
	refused  []time.Time
	// first is what the first answer took, once one was measured.
	first    time.Duration
	measured bool
	effort   login.Effort
}

// New makes one. now is the clock; nil is [time.Now].
func New(l Limits, now func() time.Time) *Budget {
	if now == nil {
		now = time.Now
	}
	b := &Budget{limits: l.WithDefaults(), now: now, over: make(chan struct{}), passwords: map[string]int{}}
	if !l.None {
		b.places = make(chan struct{}, b.limits.Connections)
	}
	return b
}

// Limits are those that it keeps, with the numbers in the place of zeros.
func (b *Budget) Limits() Limits { return b.limits }

// Connect waits until one more connection may be open, and counts it. done must
// be called when it is closed. The error is a *[StoppedError], or the context's.
func (b *Budget) Connect(ctx context.Context) (done func(), err error) {
	if done, err = b.Place(ctx); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.effort.Connections++
	return done, nil
}

// Place is Connect for a connection that is counted already: its place was given
// to others while nobody answered.
func (b *Budget) Place(ctx context.Context) (done func(), err error) {
	if reason := b.Stopped(); reason != "" {
		return nil, &StoppedError{reason}
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("waiting for a connection to be closed: %w", err)
	}
	if b.places != nil {
		select {
		case b.places <- struct{}{}:
		case <-b.over:
			return nil, &StoppedError{b.Stopped()}
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for a connection to be closed: %w", ctx.Err())
		}
	}
	return sync.OnceFunc(func() {
		if b.places != nil {
			<-b.places
		}
	}), nil
}

// An answer that takes slower times as long as the first, and noticeable more,
// is no noise of the network.
const (
	slower     = 3
	noticeable = time.Second
)

// Heard is told how long the server took for an answer. One that takes three
// times as long as the first, and noticeably longer, has begun to slow us down:
// that stops.
func (b *Budget) Heard(took time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.effort.Trips++
	if !b.measured {
		b.first, b.measured = took, true
	}
	if took >= slower*b.first && took-b.first >= noticeable {
		b.stop(fmt.Sprintf("an answer took %s, the first took %s: the server is slowing us down",
			took.Round(time.Millisecond), b.first.Round(time.Millisecond)))
	}
}

// Stop ends it: the server has had enough. The first reason stays. Without
// limits there is nothing to end.
func (b *Budget) Stop(reason string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stop(reason)
}

func (b *Budget) stop(reason string) {
	if b.limits.None || b.effort.Stopped != "" {
		return
	}
	b.effort.Stopped = cmp.Or(reason, "stopped")
	close(b.over)
}

// Stopped is why it was stopped; "" if it was not.
func (b *Budget) Stopped() string { return b.Effort().Stopped }

// Effort is what has been spent so far.
func (b *Budget) Effort() login.Effort {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.effort
}

// ExhaustedError says that nothing of a kind is left.
type ExhaustedError struct{ Kind Kind }

func (e *ExhaustedError) Error() string { return fmt.Sprintf("the budget of %s is spent", e.Kind) }

// StoppedError says that the server is left alone, and why.
type StoppedError struct{ Reason string }

func (e *StoppedError) Error() string { return e.Reason }
