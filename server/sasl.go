package server

import (
	"encoding/base64"
	"errors"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

// How an exchange can end beside what a mechanism's half says.
var (
	errCancelled = errors.New("cancelled by the client")
	errNotBase64 = errors.New("not base64")
	errLost      = errors.New("the client has gone")
)

// auth obeys AUTH with arguments, in both protocols (RFC 4954 4, RFC 5034 4).
func (s *session) auth(arg string) {
	// Blanks around it mean nothing to us: emailjs writes two before the name.
	name, initial, hasInitial := strings.Cut(strings.Trim(arg, " "), " ")
	if name == "" {
		s.tell(sayNoArgument)
		return
	}
	impl, known := s.mechanism(name)
	if !known && s.server.bug(UnknownTaken) {
		s.challenge(nil)
		return
	}
	if !known {
		s.refuse(login.Record{Refusal: login.ByUnknown, Reason: "no such mechanism"}, sayNotPermitted)
		return
	}
	// Rule 3: at the command, before any secret is asked for.
	decided := s.server.decide(s.protocol, impl.Name, s.link())
	refused := login.Record{Mechanism: impl.Name, Refusal: decided.refusal, Reason: decided.reason}
	if !decided.permitted && !s.server.bug(PolicyAtTheEnd) {
		s.refuseCommand(refused)
		return
	}
	if s.server.bug(InitialForgotten) && (initial == "=" || !impl.ClientFirst) {
		hasInitial = false
	}
	var message []byte // nil is no message, empty is an empty one
	if hasInitial {
		var err error
		if message, err = s.decodeInitial(initial); err != nil {
			s.refuse(login.Record{Mechanism: impl.Name, Refusal: login.BySyntax, Reason: err.Error()}, initialPhrase(initial))
			return
		}
	}
	a := s.newAttempt(impl)
	err := s.exchange(a, message)
	if !decided.permitted { // only the mutant comes here with this
		s.refuse(refused, sayNotPermitted)
		return
	}
	s.conclude(a, err)
}

// mechanism finds a SASL mechanism of this protocol. A name that nobody knows
// is not repeated anywhere: it may be a password in the wrong place.
func (s *session) mechanism(name string) (mech.Impl, bool) {
	if !s.server.bug(MechanismInUpperCase) {
		name = strings.ToUpper(name) // RFC 4954 4, RFC 5034 4: in any letter case
	}
	impl, known := mech.Get(login.Mechanism(name))
	if !known || !impl.In(s.protocol) || !isSASL(impl.Name) {
		return mech.Impl{}, false
	}
	return impl, true
}

// decodeInitial reads an initial response. RFC 4954 4: "=" is an empty one.
func (s *session) decodeInitial(text string) ([]byte, error) {
	if text == "=" {
		return []byte{}, nil
	}
	if text == "" {
		return nil, errNotBase64
	}
	return s.decode(text)
}

// initialPhrase tells a second argument from a first that is no base64.
func initialPhrase(initial string) phrase {
	if strings.Contains(initial, " ") {
		return sayTooManyArguments
	}
	return sayNotBase64
}

// strictBase64 takes one spelling only (RFC 4648 3.5).
var strictBase64 = base64.StdEncoding.Strict()

// decode reads base64. The package forgives line ends inside; we do not. A
// message is never nil: that would be none.
func (s *session) decode(text string) ([]byte, error) {
	if s.server.bug(BadBase64Forgiven) {
		text = strings.Map(onlyBase64, text)
		text += strings.Repeat("=", (4-len(text)%4)%4)
	}
	message, err := strictBase64.DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") {
		return nil, errNotBase64
	}
	return message, nil
}

func onlyBase64(r rune) rune {
	if r > '~' || !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", r) {
		return -1
	}
	return r
}

// exchange carries challenges and responses between the client and the
// attempt's half until that has decided: nil is a success.
func (s *session) exchange(a *attempt, message []byte) error {
	for {
		challenge, done, err := a.half.Next(message)
		if err != nil || done || a.keepsSignature(challenge) {
			return err
		}
		if s.server.bug(ProofWrong) {
			challenge = spoilProof(challenge)
		}
		if !s.challengesOtherwise(a, challenge) {
			s.challenge(challenge)
		}
		line, err := s.hearResponse(challenge)
		switch {
		case errors.Is(err, errTooLong) && s.server.bug(ExchangeShort):
			s.over = true
			return errLost
		case errors.Is(err, errTooLong):
			return err
		case errors.Is(err, errControl):
			return errNotBase64
		case err != nil:
			s.lost(err)
			return errLost
		case string(line) == "*": // RFC 4954 4, RFC 5034 4
			return errCancelled
		}
		// An empty line is an empty response; "=" is no response but base64
		// that is wrong.
		if message, err = s.decode(string(line)); err != nil {
			return err
		}
	}
}

// hearResponse reads the client's answer to a challenge.
func (s *session) hearResponse(challenge []byte) ([]byte, error) {
	limit := longestAuth
	if s.server.bug(ExchangeShort) {
		limit = longestSMTP
	}
	for {
		line, err := s.hear(limit)
		if err != nil || !s.mishears(line, challenge) {
			return line, err
		}
		if s.over {
			return nil, errLost
		}
	}
}

// challenge sends one. RFC 4954 4, RFC 5034 4: even an empty one has the
// blank behind the code.
func (s *session) challenge(challenge []byte) {
	if s.server.bug(WordsInChallenges) {
		s.sendChallenge("go on: " + string(challenge))
		return
	}
	s.out = append(s.out, s.asking()...)
	s.out = base64.StdEncoding.AppendEncode(s.out, challenge)
	s.out = append(s.out, '\r', '\n')
}

// sendChallenge sends one that is in base64 already, or is meant not to be.
func (s *session) sendChallenge(text string) { s.reply(s.asking() + text) }

func (s *session) asking() string {
	if s.protocol == login.POP3 {
		return "+ "
	}
	return "334 "
}
