package scenarios

import (
	"context"
	"fmt"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// slowDowns: failed logins are answered later and later, and after three of
// them the connection ends. The server's clock is virtual, so its record tells
// the delay and nobody waits.
func slowDowns() []Scenario {
	var all []Scenario
	for _, p := range login.Protocols() {
		all = append(all, Scenario{
			ID: fmt.Sprintf("scenario/posture/slow-down/%s", p), Kind: login.KindPosture,
			Protocol: p, Transport: login.Plain,
			Setup: login.Setup{Flavour: login.Modern, Database: login.WinGate,
				Policy:  login.Every([]login.Mechanism{login.PLAIN, login.UserPass}, login.Allow),
				Posture: login.Posture{SlowDown: true}},
			Expected: []string{"slower each time, closed after 3"},
			Refs:     []string{"RFC 4954 9", "RFC 5321 3.8"},
			Run: func(ctx context.Context, s *Session) (string, error) {
				return failUntilClosed(ctx, s, p)
			},
		})
	}
	return all
}

// enoughFailures is where we stop a server that never does.
const enoughFailures = 10

func failUntilClosed(ctx context.Context, s *Session, p login.Protocol) (string, error) {
	c, err := s.open(ctx, p, login.Plain)
	if err != nil {
		return "", err
	}
	defer c.quit()
	failures := 0
	for failures < enoughFailures {
		got, err := c.logIn(s.Secrets.Name, s.Secrets.Wrong)
		if err != nil { // the server hung up
			break
		}
		if got.positive {
			return "accepted", nil
		}
		failures++
	}
	pace := "slower each time"
	records := s.Door.Record()
	if len(records) != failures {
		return fmt.Sprintf("%d failures, %d in the record", failures, len(records)), nil
	}
	for i, r := range records {
		if r.DelayMS <= 0 || i > 0 && r.DelayMS <= records[i-1].DelayMS {
			pace = "no slower"
		}
	}
	return fmt.Sprintf("%s, closed after %d", pace, failures), nil
}
