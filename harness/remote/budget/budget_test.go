package budget

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// clock is one that moves when it is told to.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func newClock() *clock { return &clock{at: time.Unix(1_800_000_000, 0)} }

// step is one thing done to a budget: what is reserved and how it ends, and
// whether there was any left.
type step struct {
	kind    Kind
	account string
	end     func(*Reservation) // nil leaves it under way
	passes  time.Duration      // before it
	spent   bool
}

var (
	commit   = (*Reservation).Commit
	release  = (*Reservation).Release
	accepted = (*Reservation).Accepted
)

func TestReserve(t *testing.T) {
	refused := step{kind: Auth, end: commit}
	wrong := step{kind: Password, account: "a", end: commit}
	for _, row := range []struct {
		name, why string
		limits    Limits
		steps     []step
		effort    login.Effort
	}{
		{
			"four refusals", "a fifth within ten minutes is what fail2ban's stock jail bans for", Limits{},
			[]step{refused, refused, {kind: Recipient, end: commit}, refused, {kind: Auth, spent: true}, {kind: Recipient, spent: true}, {kind: Password, account: "a", spent: true}},
			login.Effort{Auths: 3, Recipients: 1},
		},
		{
			"the window slides", "each refusal is forgotten ten minutes after it, not all at once", Limits{Auths: 2},
			[]step{
				refused,
				{kind: Auth, end: commit, passes: 6 * time.Minute},
				{kind: Auth, spent: true, passes: 4*time.Minute - 1},
				{kind: Auth, end: commit, passes: 1},
				{kind: Auth, spent: true},
			},
			login.Effort{Auths: 3},
		},
		{
			"a window of one's own", "an operator knows the server's", Limits{Auths: 1, Window: time.Minute},
			[]step{refused, {kind: Auth, spent: true, passes: 59 * time.Second}, {kind: Auth, end: commit, passes: time.Second}},
			login.Effort{Auths: 2},
		},
		{
			"three passwords", "an account is locked by its own failures", Limits{Auths: 9},
			[]step{wrong, wrong, wrong, {kind: Password, account: "a", spent: true}, {kind: Password, account: "b", end: commit}},
			login.Effort{Passwords: 4, Auths: 4},
		},
		{
			"passwords are not forgotten", "an account stays locked until somebody unlocks it", Limits{Passwords: 1},
			[]step{wrong, {kind: Password, account: "a", spent: true, passes: time.Hour}},
			login.Effort{Passwords: 1, Auths: 1},
		},
		{
			"a refused password is a refusal", "the address is counted whatever the account", Limits{Auths: 2},
			[]step{wrong, {kind: Password, account: "b", end: commit}, {kind: Password, account: "c", spent: true}, {kind: Auth, spent: true}},
			login.Effort{Passwords: 2, Auths: 2},
		},
		{
			"what succeeds is given back", "a server counts failures, and the effort counts everything", Limits{Passwords: 1, Auths: 1},
			[]step{{kind: Password, account: "a", end: accepted}, {kind: Password, account: "a", end: accepted}, {kind: Auth, end: accepted}, refused},
			login.Effort{Passwords: 2, Auths: 1},
		},
		{
			"what was not sent is given back", "nothing was counted there", Limits{Passwords: 1, Auths: 1},
			[]step{{kind: Password, account: "a", end: release}, {kind: Recipient, end: release}, wrong},
			login.Effort{Passwords: 1, Auths: 1},
		},
		{
			"what is under way is spent", "it may still be refused", Limits{Passwords: 1, Auths: 2},
			[]step{{kind: Password, account: "a"}, {kind: Password, account: "a", spent: true}, {kind: Auth}, {kind: Auth, spent: true}},
			login.Effort{},
		},
		{
			"without limits", "a target to be thrown away; it is counted all the same", Limits{None: true, Passwords: 1, Auths: 1},
			[]step{wrong, wrong, refused, {kind: Recipient, end: commit}},
			login.Effort{Passwords: 2, Auths: 3, Recipients: 1},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			clock := newClock()
			b := New(row.limits, clock.now)
			for i, s := range row.steps {
				clock.pass(s.passes)
				r, err := b.Reserve(s.kind, s.account)
				var spent *ExhaustedError
				if errors.As(err, &spent) != s.spent || (err == nil) == s.spent {
					t.Fatalf("step %d: %v, spent: %v; %s", i, err, s.spent, row.why)
				}
				if err == nil && s.end != nil {
					s.end(r)
					r.Commit()
					r.Release()
				}
			}
			if got := b.Effort(); got != row.effort {
				t.Errorf("effort %+v, want %+v; %s", got, row.effort, row.why)
			}
		})
	}
}

func TestHeard(t *testing.T) {
	const ms = time.Millisecond
	for _, row := range []struct {
		name, why string
		limits    Limits
		took      []time.Duration
		stops     bool
	}{
		{"steady", "mere distance is no hint", Limits{}, []time.Duration{200 * ms, 210 * ms, 190 * ms}, false},
		{"noise", "a thousand times slower, and still quick", Limits{}, []time.Duration{ms / 10, 100 * ms, 999 * ms}, false},
		{"a slow line", "seconds more, and less than three times", Limits{}, []time.Duration{2000 * ms, 5999 * ms}, false},
		{"slowed down", "three times and a second", Limits{}, []time.Duration{500 * ms, 1500 * ms}, true},
		{"a slow first", "it is compared with nothing but itself", Limits{}, []time.Duration{9000 * ms, 10 * ms}, false},
		{"in a laboratory", "it may take its time", Limits{None: true}, []time.Duration{ms, time.Minute}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := New(row.limits, newClock().now)
			for _, d := range row.took {
				b.Heard(d)
			}
			if got := b.Stopped(); (got != "") != row.stops {
				t.Errorf("stopped %q; %s", got, row.why)
			}
			if got := b.Effort().Trips; got != len(row.took) {
				t.Errorf("%d round trips, want %d", got, len(row.took))
			}
		})
	}
}

func TestStop(t *testing.T) {
	b := New(Limits{}, nil)
	b.Stop("421 go away")
	b.Stop("something later")
	var stopped *StoppedError
	if _, err := b.Reserve(Auth, ""); !errors.As(err, &stopped) || stopped.Reason != "421 go away" {
		t.Errorf("Reserve: %v", err)
	}
	if _, err := b.Connect(t.Context()); !errors.As(err, &stopped) || err.Error() != "421 go away" {
		t.Errorf("Connect: %v", err)
	}
	if got := b.Effort(); got.Stopped != "421 go away" || got.Connections != 0 {
		t.Errorf("effort %+v", got)
	}

	lab := New(Limits{None: true}, nil)
	lab.Stop("421 go away")
	if _, err := lab.Reserve(Auth, ""); err != nil || lab.Stopped() != "" {
		t.Errorf("without limits: %v, stopped %q", err, lab.Stopped())
	}
}

func TestConnect(t *testing.T) {
	b := New(Limits{Connections: 2}, nil)
	first := connect(t, b)
	connect(t, b)

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Connect(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("a third while two are open: %v", err)
	}
	first()
	first() // a second call frees no second place
	connect(t, b)

	waits := make(chan error)
	go func() {
		_, err := b.Connect(t.Context())
		waits <- err
	}()
	b.Stop("421 go away")
	var stopped *StoppedError
	if err := <-waits; !errors.As(err, &stopped) {
		t.Errorf("who waits when it stops: %v", err)
	}
	if got := b.Effort().Connections; got != 3 {
		t.Errorf("%d connections, want 3", got)
	}
}

func connect(t *testing.T, b *Budget) (done func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	done, err := b.Connect(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func TestManyAtOnce(t *testing.T) {
	const workers = 32
	b := New(Limits{}, nil)
	var wg sync.WaitGroup
	var mu sync.Mutex
	granted := map[Kind]int{}
	for i := range workers {
		wg.Go(func() {
			done := connect(t, b)
			defer done()
			b.Heard(time.Millisecond)
			kind := Kind(i % 3)
			if r, err := b.Reserve(kind, "a"); err == nil {
				r.Commit()
				mu.Lock()
				granted[kind]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	e := b.Effort()
	if e.Auths+e.Recipients != 4 || e.Passwords > 3 || e.Connections != workers || e.Trips != workers {
		t.Errorf("effort %+v", e)
	}
	if e.Passwords != granted[Password] || e.Recipients != granted[Recipient] {
		t.Errorf("granted %v, effort %+v", granted, e)
	}
}

// Words that a person reads say what is spent.
func TestErrors(t *testing.T) {
	for kind, word := range map[Kind]string{Password: "passwords", Auth: "exchanges", Recipient: "recipients"} {
		if got := (&ExhaustedError{kind}).Error(); !strings.Contains(got, word) {
			t.Errorf("%q has no %q", got, word)
		}
	}
}
