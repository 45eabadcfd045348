package clientsim

import (
	"context"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// logIn makes attempts until one is accepted or the client has enough. Without
// an error the client goes on, with a login or without.
func (s *session) logIn(ctx context.Context) error {
	for {
		m, ok := s.choose()
		if !ok {
			return s.nothingFits()
		}
		if s.tries[m] == maxTries {
			return s.over(closing)
		}
		then, err := s.try(m)
		if err != nil {
			return err
		}
		if s.Once && s.outcome() != login.LoggedIn {
			return s.over(quitting)
		}
		switch then {
		case takingForGood, carryingOn:
			s.result.Believed = then == takingForGood
			s.result.Unauthenticated = s.outcome() != login.LoggedIn
			return nil
		case encrypting:
			if s.conn.Encrypted() {
				return s.over(closing)
			}
			if err := s.upgrade(ctx); err != nil {
				return err
			}
		case repeating:
		case trying:
			s.drop(m)
		case tryingOnNew, tryingAfterQuit:
			s.drop(m)
			return s.again(then)
		default:
			return s.over(then)
		}
	}
}

// drop strikes a mechanism out, and with it those that stand and fall with it.
func (s *session) drop(m login.Mechanism) {
	all := s.sheet.SASLOnce.or(false) && isSASL(m)
	s.candidates = slices.DeleteFunc(slices.Clone(s.candidates), func(c login.Mechanism) bool { return c == m || all && isSASL(c) })
}

// isSASL: all but the two that POP3 had before (RFC 1939 7).
func isSASL(m login.Mechanism) bool { return m != login.APOP && m != login.UserPass }

// again makes another connection, if there is anything left to try there.
func (s *session) again(then reaction) error {
	if len(s.candidates) == 0 {
		return s.over(s.sheet.Exhausted.or(closing))
	}
	return s.over(then)
}

// over ends the connection, and the login with what the attempts came to.
func (s *session) over(then reaction) error {
	return &ending{s.outcome(), s.result.Observation.Detail, then}
}

// nothingFits is what the client does where it finds no mechanism to use: at
// first, or after others have failed.
func (s *session) nothingFits() error {
	then := s.sheet.NoCommon.or(closing)
	switch {
	case len(s.result.Attempts) > 0:
		then = s.sheet.Exhausted.or(closing)
	case s.Mechanism == login.Auto && len(s.willing()) == 0: // a client that is told not to log in
		then = s.sheet.NoChoice.or(carryingOn)
	case s.sheet.Hello != nil && s.offer.plainHello:
		then = s.sheet.Hello.AfterHELO.or(s.sheet.Unoffered.or(closing))
	case !s.offer.listed:
		then = s.sheet.Unoffered.or(closing)
	case s.withheld && !s.conn.Encrypted():
		then = s.sheet.Withheld.or(then)
	}
	if then != carryingOn {
		return s.over(then)
	}
	s.result.Unauthenticated = true
	return nil
}

// try makes the attempts with one mechanism, one for each user, and says what
// the client does after the last.
func (s *session) try(m login.Mechanism) (reaction, error) {
	s.tries[m]++
	for _, u := range s.users(m) {
		unable, err := s.attempt(m, u)
		if err != nil {
			return "", err
		}
		if unable {
			return s.sheet.Unable.or(closing), nil
		}
		last := s.result.Attempts[len(s.result.Attempts)-1]
		if last.Accepted {
			return carryingOn, nil
		}
		if !last.Asked {
			break // no other user would be asked either
		}
	}
	return s.afterRefusal(m)
}

// afterRefusal is what the client does now that its last attempt has failed.
func (s *session) afterRefusal(m login.Mechanism) (reaction, error) {
	last := s.result.Attempts[len(s.result.Attempts)-1]
	ofRefused := !last.Asked && slices.Contains(s.sheet.CancelsRefused.or(nil), m)
	if (ofRefused || s.sheet.StrayCancel.or(false)) && !last.Cancelled {
		if _, err := s.speaks.say("*", "*"); err != nil {
			s.hungUp = true
		}
	}
	if then, ok := s.sheet.Codes.or(nil)[codeOf(last.Reply)]; ok {
		return then, nil
	}
	switch {
	case last.Cancelled:
		return s.sheet.Undecodable.or(closing), nil
	case !last.Asked && !(last.Initial && s.rejectsInitial(last.Reply)):
		if s.tries[m] <= s.sheet.RefusedRetries.or(nil)[m] {
			return repeating, nil
		}
		return s.sheet.Refused.or(closing), nil
	case s.tries[m] <= s.sheet.Retries.or(nil)[m]:
		return repeating, nil
	default:
		return s.sheet.Rejected.or(closing), nil
	}
}

// rejectsInitial reports whether a refusal is of what an initial response
// said, and not of the mechanism: RFC 4954 6 has a code for the latter.
func (s *session) rejectsInitial(reply string) bool {
	return s.Protocol == login.POP3 || strings.HasPrefix(reply, "535")
}

// codeOf is the part of a reply that a client can go by: the number, or POP3's
// response code in brackets.
func codeOf(reply string) string {
	if text, ok := strings.CutPrefix(reply, "-ERR"); ok {
		text = strings.TrimLeft(text, " ")
		if end := strings.IndexByte(text, ']'); end > 0 && text[0] == '[' {
			return text[:end+1]
		}
		return "-ERR"
	}
	return reply[:min(3, len(reply))]
}

// maxTries ends a client that would go on for ever.
const maxTries = 8
