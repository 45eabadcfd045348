package server

import (
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Login commands that are refused before anything looks at what they ask: they
// come out of order, or are lines that nobody can read. They are attempts all
// the same, so they are recorded.

// misplaced refuses a command that is not permitted now.
func (s *session) misplaced(verb, arg, reason string) {
	if m, ok := s.attempted(verb, arg); ok {
		s.write(login.Record{Mechanism: m, Refusal: login.BySequence, Reason: reason})
	}
	s.tell(sayOutOfOrder)
}

// misspelt refuses a line for how it is written.
func (s *session) misspelt(verb, arg string, answer phrase) {
	if m, ok := s.attempted(verb, arg); ok {
		reason := "octets that do not belong in a command"
		if answer == sayTooLong {
			reason = "line too long"
		}
		s.write(login.Record{Mechanism: m, Refusal: login.BySyntax, Reason: reason})
	}
	s.mistake(answer)
}

// attempted reports whether a command would log somebody in, and with which
// mechanism; "" is one that nobody knows. A bare AUTH names none: it is a
// mistake in SMTP and a question in POP3 (MS-OXPOP3 1.7).
func (s *session) attempted(verb, arg string) (m login.Mechanism, ok bool) {
	switch {
	case verb == "AUTH":
		name, _, _ := strings.Cut(arg, " ")
		impl, _ := s.mechanism(name)
		return impl.Name, name != ""
	case s.protocol != login.POP3:
		return "", false
	case verb == "USER", verb == "PASS":
		return login.UserPass, true
	case verb == "APOP":
		return login.APOP, true
	default:
		return "", false
	}
}
