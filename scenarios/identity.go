package scenarios

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// identities: the server's own name stands in its greeting, in EHLO's answer,
// in APOP's timestamp and in CRAM-MD5's challenge (the contract's rule 9).
func identities() []Scenario {
	const identity = "another-name.example.test"
	var all []Scenario
	for _, p := range login.Protocols() {
		all = append(all, Scenario{
			ID: fmt.Sprintf("scenario/posture/identity/%s", p), Kind: login.KindPosture,
			Protocol: p, Transport: login.Plain,
			Setup: login.Setup{Flavour: login.Classic, Database: login.WinGate, Identity: identity,
				Policy: login.Every([]login.Mechanism{login.CRAMMD5, login.APOP}, login.Allow)},
			Expected: []string{"named everywhere"},
			Refs:     []string{"WinGate Mail Security: Server Identity", "RFC 5321 4.2", "RFC 1939 7", "RFC 2195 2"},
			Run: func(ctx context.Context, s *Session) (string, error) {
				return namedIn(ctx, s, p, identity)
			},
		})
	}
	return all
}

func namedIn(ctx context.Context, s *Session, p login.Protocol, identity string) (string, error) {
	c, err := s.Open(ctx, p, login.Plain)
	if err != nil {
		return "", err
	}
	defer c.Quit()
	places := map[string]string{"greeting": c.Greeting}
	if p == login.SMTP {
		places["answer to EHLO"] = strings.Join(c.Capabilities[:min(1, len(c.Capabilities))], "")
	} else {
		places["timestamp"] = c.Greeting[strings.IndexByte(c.Greeting, '<')+1:]
	}
	got, err := c.Say("AUTH CRAM-MD5")
	if err != nil {
		return "", err
	}
	status, text, _ := strings.Cut(got.Line, " ")
	c.Reshow(status + " <challenge>")
	challenge, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return "challenge is no base64", nil //nolint:nilerr // it says something of the server
	}
	places["challenge"] = string(challenge)
	if _, err := c.Say("*"); err != nil {
		return "", err
	}
	for _, place := range []string{"greeting", "answer to EHLO", "timestamp", "challenge"} {
		if said, asked := places[place]; asked && !strings.Contains(said, identity) {
			return "not named in the " + place, nil
		}
	}
	return "named everywhere", nil
}
