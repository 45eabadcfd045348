package scenarios

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"

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
	c, err := s.Open(ctx, p, login.Plain)
	if err != nil {
		return "", err
	}
	defer c.Quit()
	failures := 0
	for failures < enoughFailures {
		got, err := c.LogIn(s.Secrets.Name, s.Secrets.Wrong)
		if err != nil { // the server hung up
			break
		}
		if got.Positive {
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

// brokenOff: a client that is told that its token is no good, and then breaks
// off in place of the answer that the mechanism wants, has failed to log in all
// the same: it is slowed and ended as any other (rule 11).
func brokenOff() []Scenario {
	var all []Scenario
	for _, m := range []login.Mechanism{login.XOAUTH2, login.OAUTHBEARER} {
		all = append(all, Scenario{
			ID:       fmt.Sprintf("scenario/posture/bad-token-and-cancelled/%s", m.Segment()),
			Kind:     login.KindPosture,
			Protocol: login.SMTP, Transport: login.Plain, Mechanism: m,
			Setup: login.Setup{Flavour: login.Modern, Database: login.Full, Policy: login.Only(m, login.Allow),
				Posture: login.Posture{SlowDown: true}},
			Expected: []string{"ended after 3"},
			Refs:     []string{"RFC 7628 3.2.3"},
			Run: func(ctx context.Context, s *Session) (string, error) {
				c, err := s.Open(ctx, login.SMTP, login.Plain)
				if err != nil {
					return "", err
				}
				defer c.Quit()
				message := "user=" + s.Secrets.Name + "\x01auth=Bearer no-good\x01\x01"
				if m == login.OAUTHBEARER {
					message = "n,a=" + s.Secrets.Name + ",\x01auth=Bearer no-good\x01\x01"
				}
				for n := 1; n <= 6; n++ {
					got, err := c.SaySecret("AUTH "+string(m)+" "+base64.StdEncoding.EncodeToString([]byte(message)), "AUTH "+string(m)+" <secret>")
					if err != nil || !got.Positive {
						return "refused at once: " + got.Line, err
					}
					if got, err = c.Say("*"); err != nil {
						return "", err
					}
					if strings.HasPrefix(got.Line, "421") {
						return fmt.Sprintf("ended after %d", n), nil
					}
				}
				return "never ended", nil
			},
		})
	}
	return all
}
