package scenarios

import (
	"context"
	"crypto/tls"
	"fmt"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// bindings try each channel binding on the TLS versions that have it, for the
// right connection and for another: what a server sees when somebody stands
// between it and the client.
func bindings() []Scenario {
	var all []Scenario
	for _, m := range []login.Mechanism{login.SCRAMSHA1PLUS, login.SCRAMSHA256PLUS} {
		for _, b := range []struct {
			binding login.Binding
			version uint16
			refs    []string
		}{
			{login.BindingExporter, tls.VersionTLS13, []string{"RFC 5802 6", "RFC 9266"}},
			{login.BindingUnique, tls.VersionTLS12, []string{"RFC 5802 6", "RFC 5929 3"}},
			{login.BindingEndPoint, tls.VersionTLS13, []string{"RFC 5802 6", "RFC 5929 4"}},
			{login.BindingEndPoint, tls.VersionTLS12, []string{"RFC 5802 6", "RFC 5929 4"}},
		} {
			all = append(all, binding(m, b.binding, b.version, false, b.refs))
			if b.binding != login.BindingEndPoint { // two connections to one server are alike in that
				all = append(all, binding(m, b.binding, b.version, true, b.refs))
			}
		}
	}
	for _, m := range []login.Mechanism{login.SCRAMSHA1, login.SCRAMSHA256} {
		for _, listed := range []login.Mechanism{login.SCRAMSHA1PLUS, login.SCRAMSHA256PLUS} {
			all = append(all, downgrade(m, listed))
		}
	}
	return all
}

func binding(m login.Mechanism, b login.Binding, version uint16, between bool, refs []string) Scenario {
	expected, connection := login.LoggedIn, "own"
	if between {
		expected, connection = login.RefusedCredentials, "another"
	}
	return Scenario{
		ID:       fmt.Sprintf("scenario/posture/binding/%s/%s/tls1.%d/%s", m.Segment(), b, version-tls.VersionTLS10, connection),
		Kind:     login.KindPosture,
		Protocol: login.SMTP, Transport: login.StartTLS, Mechanism: m,
		Setup:    login.Setup{Flavour: login.Modern, Database: login.Full, Policy: login.Only(m, login.Allow)},
		Expected: []string{string(expected)},
		Refs:     refs,
		Run: func(ctx context.Context, s *Session) (string, error) {
			config := clientsim.Config{Profile: probe(), Protocol: login.SMTP, Transport: login.StartTLS, Mechanism: m,
				Credential: login.WithAccount, Binding: b, NewestTLS: version}
			if between {
				other, err := s.anotherConnection(ctx, version)
				if err != nil {
					return "", err
				}
				config.BoundTo = &other
			}
			return s.outcome(s.Login(ctx, config))
		},
	}
}

// anotherConnection is the state of one more TLS connection to the server.
func (s *Session) anotherConnection(ctx context.Context, version uint16) (tls.ConnectionState, error) {
	c, err := s.Open(ctx, login.SMTP, login.Plain)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer c.Quit()
	config := s.Trusting()
	config.MaxVersion = version
	if err := c.StartTLS(ctx, config); err != nil {
		return tls.ConnectionState{}, err
	}
	return c.TLSState(), c.Hello()
}

// downgrade: the server lists a -PLUS form, and the client was told that it
// does not. RFC 5802 6: the server refuses, and so both find out that somebody
// changed the list.
func downgrade(m, listed login.Mechanism) Scenario {
	return Scenario{
		ID:       fmt.Sprintf("scenario/posture/binding/%s/downgraded-from/%s", m.Segment(), listed.Segment()),
		Kind:     login.KindPosture,
		Protocol: login.SMTP, Transport: login.StartTLS, Mechanism: m,
		Setup: login.Setup{Flavour: login.Modern, Database: login.Full,
			Policy: login.Every([]login.Mechanism{m, listed}, login.Allow)},
		Expected: []string{string(login.RefusedCredentials)},
		Refs:     []string{"RFC 5802 6"},
		Run: func(ctx context.Context, s *Session) (string, error) {
			return s.outcome(s.Login(ctx, clientsim.Config{Profile: probe(), Protocol: login.SMTP, Transport: login.StartTLS,
				Mechanism: m, Credential: login.WithAccount, Binding: login.BindingUnused}))
		},
	}
}
