package scenarios

import (
	"context"
	"fmt"
	"strings"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// replays do what a listener does who cannot crack anything: they say to the
// server once more what a client has said that logged in. No mechanism with a
// challenge may let them in.
func replays() []Scenario {
	var all []Scenario
	for _, p := range login.Protocols() {
		for _, m := range []login.Mechanism{login.CRAMMD5, login.NTLM, login.DIGESTMD5, login.SCRAMSHA1, login.SCRAMSHA256, login.GSSAPI} {
			all = append(all, replay(p, m))
		}
	}
	return append(all, replay(login.POP3, login.APOP))
}

func replay(p login.Protocol, m login.Mechanism) Scenario {
	return Scenario{
		ID:       fmt.Sprintf("scenario/posture/replay/%s/%s", m.Segment(), p),
		Kind:     login.KindPosture,
		Protocol: p, Transport: login.Plain, Mechanism: m,
		Setup:    login.Setup{Flavour: login.Modern, Database: login.Full, Policy: login.Only(m, login.Allow)},
		Expected: []string{"refused"},
		Refs:     replayRefs(m),
		Run: func(ctx context.Context, s *Session) (string, error) {
			first := s.Login(ctx, clientsim.Config{Profile: probe(), Protocol: p, Transport: login.Plain, Mechanism: m,
				Credential: login.WithAccount})
			if first.Observation.Outcome != login.LoggedIn {
				return "the login to be replayed: " + string(first.Observation.Outcome), nil
			}
			c, err := s.Open(ctx, p, login.Plain)
			if err != nil {
				return "", err
			}
			defer c.Quit()
			var got Said
			for _, l := range first.Heard() {
				line := strings.TrimRight(string(l.Line), "\r\n")
				verb, _, _ := strings.Cut(line, " ")
				if l.Server || verb == "EHLO" || verb == "CAPA" || verb == "QUIT" {
					continue
				}
				if got, err = c.SaySecret(line, verbOf(line)+"<a replay>"); err != nil || !got.Positive {
					return accepted(got), err
				}
			}
			return accepted(got), nil
		},
	}
}

func replayRefs(m login.Mechanism) []string {
	switch m {
	case login.APOP:
		return []string{"RFC 1939 7"}
	case login.GSSAPI:
		return []string{"RFC 4422 6.1.3", "RFC 4120 3.2.3"}
	default:
		return []string{"RFC 4422 6.1.3"}
	}
}

// verbOf is the command at the head of a line, with a blank; "" of a message
// of an exchange.
func verbOf(line string) string {
	verb, _, isCommand := strings.Cut(line, " ")
	if !isCommand {
		return ""
	}
	return verb + " "
}
