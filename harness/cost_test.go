package harness_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/compliance"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
	"github.com/mailmatrix/mailmatrix/server"
)

// What a case costs is computed from its script. The server says what it did
// cost: no more than that.
func TestNoCaseCostsMoreThanItSays(t *testing.T) {
	for _, c := range compliance.All() {
		for _, protocol := range c.Protocols() {
			t.Run(c.ID+"@"+string(protocol), func(t *testing.T) {
				t.Parallel()
				seen := costOf(t, c, protocol)
				said := c.CostOver(protocol)
				for _, x := range []struct {
					what       string
					seen, said int
				}{
					{"passwords judged", seen.Passwords, said.Passwords},
					{"recipients refused", seen.Recipients, said.Recipients},
					// A refused AUTH is a refused command too, and the other way round
					// where a password is judged before it is known to be malformed.
					{"refusals", seen.Auths, said.Passwords + said.Auths + said.Recipients + said.Commands},
					{"messages", seen.Messages, said.Messages},
					{"connections", seen.Connections - len(login.Transports()), said.Connections},
				} {
					if x.seen > x.said {
						t.Errorf("%s: the server saw %d, the case says %d at most", x.what, x.seen, x.said)
					}
				}
			})
		}
	}
}

// costOf is what a case cost the reference server; Auths are all refusals.
func costOf(t *testing.T, c script.Case, protocol login.Protocol) script.Cost {
	t.Helper()
	w := &counter{last: map[int]string{}}
	target, err := server.NewReference(server.WithWitness(w))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = target.Close() }()
	counting := &countingTarget{Reference: target}
	harness.Run(context.Background(), harness.Plan{Jobs: []harness.Job{{Case: &harness.CaseJob{Case: c, Protocol: protocol}}}},
		harness.Config{Target: counting, Patience: patience})
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cost.Passwords = counting.judged
	return w.cost
}

// countingTarget counts the passwords that its server judged.
type countingTarget struct {
	*server.Reference
	judged int
}

func (c *countingTarget) Under(ctx context.Context, s login.Setup) (harness.Door, error) {
	door, err := c.Reference.Under(ctx, s)
	if err != nil {
		return nil, err
	}
	return &countingDoor{door, c}, nil
}

type countingDoor struct {
	harness.Door
	target *countingTarget
}

func (d *countingDoor) Close() error {
	err := d.Door.Close()
	for _, r := range d.Record() {
		if r.Refusal == login.NotRefused || r.Refusal == login.ByCredentials {
			d.target.judged++
		}
	}
	return err
}

// counter counts what the server refuses.
type counter struct {
	mu   sync.Mutex
	last map[int]string // verb of each connection's last line
	cost script.Cost
}

func (w *counter) Witness(e login.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e.Kind {
	case login.EventOpened:
		w.cost.Connections++
	case login.EventLine:
		w.last[e.Connection], _, _ = strings.Cut(strings.ToUpper(e.Text), " ")
	case login.EventReply:
		refused := strings.HasPrefix(e.Text, "5") || strings.HasPrefix(e.Text, "-ERR") || strings.HasPrefix(e.Text, "4")
		if strings.Contains(e.Text, "shutting down") { // because the door is being closed
			return
		}
		switch {
		case strings.HasPrefix(e.Text, "250 2.0.0 OK: queued"):
			w.cost.Messages++
		case refused && w.last[e.Connection] == "RCPT":
			w.cost.Recipients++
			w.cost.Auths++
		case refused:
			w.cost.Auths++
		}
	}
}
