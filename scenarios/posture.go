package scenarios

import (
	"context"
	"fmt"
	"slices"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// offeredRefused: the server lists a mechanism and refuses it at the command.
// What the client then does shows what it gives away after a refusal.
func offeredRefused(profiles []clientsim.Profile) []Scenario {
	var all []Scenario
	for _, p := range profiles {
		facts := p.Facts()
		for _, protocol := range login.Protocols() {
			for _, t := range tried(p, protocol) {
				if t == login.TLS {
					continue // the classic flavour has no such port
				}
				for _, m := range p.Mechanisms(protocol) {
					all = append(all, offeredThenRefused(p, facts, protocol, t, m))
				}
			}
		}
	}
	return all
}

func offeredThenRefused(p clientsim.Profile, facts login.ClientFacts, protocol login.Protocol, t login.Transport,
	m login.Mechanism,
) Scenario {
	database := login.WinGate
	if m == login.NTLM {
		database = login.NT
	}
	cell := login.Cell{Flavour: login.Classic, Protocol: protocol, Transport: t, Mechanism: m, Database: database}
	expected, exposed := login.RefusedPolicy, login.ShownWhenRefused(cell, facts)
	known := facts.Protocols[protocol]
	if slices.Contains(known.EncryptedOnly, m) && !t.Encrypted() || known.ForgetsTimestamp && m == login.APOP && t == login.StartTLS {
		expected, exposed = login.NotOffered, login.ShowsNothing
	}
	return Scenario{
		ID:      fmt.Sprintf("scenario/posture/offered-refused/%s/%s/%s/%s", p.ID(), protocol, t, m.Segment()),
		Kind:    login.KindPosture,
		Profile: p.ID(), Protocol: protocol, Transport: t, Mechanism: m,
		Setup: login.Setup{Flavour: login.Classic, Database: database, Policy: login.Only(m, login.Allow),
			Posture: login.Posture{OfferedRefused: true}},
		Expected: []string{string(expected)},
		Shown:    shown(exposed),
		Refs:     []string{"RFC 4954 4", "RFC 5034 4"},
		Run: func(ctx context.Context, s *Session) (string, error) {
			got := s.Login(ctx, clientsim.Config{Profile: p, Protocol: protocol, Transport: t, Mechanism: m,
				Credential: login.WithAccount})
			return s.outcome(got)
		},
	}
}

// tried are the transports with which a client comes as far as a scenario
// looks: one that says STARTTLS before EHLO is sent away (RFC 5321 4.1.4), and
// that is the matrix's business.
func tried(p clientsim.Profile, protocol login.Protocol) []login.Transport {
	early := p.Facts().Protocols[protocol].BeforeHello
	return slices.DeleteFunc(p.Transports(protocol), func(t login.Transport) bool { return early && t == login.StartTLS })
}

// withoutTLS: somebody strips STARTTLS from the list, or the server refuses
// it. A client that demands encryption must stop there.
func withoutTLS(profiles []clientsim.Profile) []Scenario {
	var all []Scenario
	for _, p := range profiles {
		for _, protocol := range login.Protocols() {
			for _, t := range p.Transports(protocol) {
				// Who cannot demand it has nothing to stop for.
				if t != login.StartTLS || p.Facts().Protocols[protocol].NeverInsists {
					continue
				}
				for _, stripping := range []login.Stripping{login.TLSStripped, login.TLSRefused} {
					all = append(all, stripped(p, protocol, stripping))
				}
			}
		}
	}
	return all
}

func stripped(p clientsim.Profile, protocol login.Protocol, stripping login.Stripping) Scenario {
	mechanisms := p.Mechanisms(protocol)
	return Scenario{
		ID:      fmt.Sprintf("scenario/posture/starttls-%s/%s/%s", stripping, p.ID(), protocol),
		Kind:    login.KindPosture,
		Profile: p.ID(), Protocol: protocol, Transport: login.StartTLS,
		Setup: login.Setup{Flavour: login.Classic, Database: login.WinGate, Policy: login.Every(mechanisms, login.Allow),
			Posture: login.Posture{StartTLS: stripping}},
		Expected: []string{string(login.NoTLS)},
		Shown:    shown(login.ShowsNothing),
		Refs:     []string{"RFC 3207 4.1", "RFC 8314 5.1"},
		Run: func(ctx context.Context, s *Session) (string, error) {
			got := s.Login(ctx, clientsim.Config{Profile: p, Protocol: protocol, Transport: login.StartTLS,
				Mechanism: anyMechanism(p, protocol), Credential: login.WithAccount})
			return s.outcome(got)
		},
	}
}

// anyMechanism is what the client takes as installed, or for the probe, which
// has no choice of its own, one that shows the password if it is sent.
func anyMechanism(p clientsim.Profile, protocol login.Protocol) login.Mechanism {
	switch {
	case !p.Probe():
		return login.Auto
	case protocol == login.POP3:
		return login.UserPass
	default:
		return login.PLAIN
	}
}

// outcome is a client's outcome, refined by the server's record.
func (s *Session) outcome(got clientsim.Result) (string, error) {
	o := got.Observation
	if o.Outcome == login.Error {
		return "", fmt.Errorf("client: %s", o.Detail)
	}
	return string(o.Outcome.Refine(s.Door.Record())), nil
}
