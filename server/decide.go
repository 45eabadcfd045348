package server

import (
	"slices"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

// verdict is whether a mechanism is permitted on a connection and, if not,
// why. The zero value refuses.
type verdict struct {
	permitted bool
	refusal   login.Refusal
	reason    string
}

// link is what a decision may know of a connection.
type link struct {
	transport login.Transport
	// certificate: the client has shown one that leads to an authority of ours.
	certificate bool
}

// decide is the only place that knows whether mechanism m is permitted in
// protocol p on a connection. What it lists and what it accepts are both asked
// here, so they cannot differ. Policy comes before availability.
func (s *Server) decide(p login.Protocol, m login.Mechanism, l link) verdict {
	if v, ok := s.postured(m, l); ok {
		return v
	}
	return s.ruled(p, m, l)
}

// ruled is what policy and database say, without the posture.
func (s *Server) ruled(p login.Protocol, m login.Mechanism, l link) verdict {
	setting := s.setup.Policy.For(p, m)
	lacking := s.lacking(p, m, l)
	switch {
	case s.bug(SecureRefusedOnTLS) && setting == login.Secure, !s.permits(setting, l.transport):
		return verdict{refusal: login.ByPolicy, reason: "the setting is " + setting.String() + " and the connection is " + linkName(l.transport)}
	case lacking != "":
		return verdict{refusal: login.ByAvailability, reason: lacking}
	default:
		return verdict{permitted: true}
	}
}

func (s *Server) permits(setting login.Setting, t login.Transport) bool {
	switch {
	case s.bug(SecureIgnoredOnPlain) && setting == login.Secure:
		return true
	case (s.bug(DenyIgnored) || s.bug(DenyHidesOnly)) && setting == login.Deny:
		return true
	}
	return setting.Permits(t)
}

func linkName(t login.Transport) string {
	if t.Encrypted() {
		return "encrypted"
	}
	return "clear"
}

// lists reports whether a connection shows m among what it accepts.
func (s *Server) lists(p login.Protocol, m login.Mechanism, l link) bool {
	list, scripted := s.scripted(l)
	switch {
	case scripted && isSASL(m):
		return slices.Contains(list, m)
	case s.setup.Posture.OfferedRefused:
		return slices.Contains(s.setup.Policy.Mechanisms(), m)
	case s.bug(PermittedNotOffered):
		return false
	case s.bug(DenyHidesOnly) && s.setup.Policy.For(p, m) == login.Deny:
		return false
	}
	if s.bug(SecureRefusedOnTLS) && s.setup.Policy.For(p, m) == login.Secure {
		return l.transport.Encrypted() && s.lacking(p, m, l) == ""
	}
	return s.ruled(p, m, l).permitted
}

// mechanisms are all that anybody here has heard of, in the order of lists.
var mechanisms = mech.All()

// listed names the SASL mechanisms that a connection shows.
func (s *Server) listed(p login.Protocol, l link) []login.Mechanism {
	if list, scripted := s.scripted(l); scripted {
		return list
	}
	var names []login.Mechanism
	for _, m := range mechanisms {
		if m.In(p) && isSASL(m.Name) && s.lists(p, m.Name, l) {
			names = append(names, m.Name)
		}
	}
	return names
}

// bareList is what POP3's AUTH without an argument lists: what CAPA does.
func (s *Server) bareList(l link) []login.Mechanism {
	if s.bug(PermittedNotOffered) {
		return nil
	}
	return s.listed(login.POP3, l)
}

// listsPlus reports whether the connection lists any form of SCRAM that binds
// to it (RFC 5802 6).
func (s *session) listsPlus() bool {
	return s.server.lists(s.protocol, login.SCRAMSHA1PLUS, s.link()) || s.server.lists(s.protocol, login.SCRAMSHA256PLUS, s.link())
}

// isSASL: POP3's own two have commands of their own.
func isSASL(m login.Mechanism) bool { return m != login.UserPass && m != login.APOP }
