package mech

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/emersion/go-sasl"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// XOAUTH2 and OAUTHBEARER say the same two things, each in its own dress: a
// name and a bearer token (RFC 6750). Both answer a bad token in two steps:
// an error result that is a challenge, and the refusal itself after a message
// of the client's that means nothing. SASL has no place for the reason in the
// refusal (RFC 4422 3.6).

// Scope is what a token must be good for before it opens a mailbox or sends
// mail (RFC 6749 3.3).
const Scope = "mail"

// bearerClient sends its one message, and after an error result the one that
// the mechanism demands.
type bearerClient struct {
	mechanism     login.Mechanism
	message, last []byte
	refused       bool
}

func (c *bearerClient) Start() (string, []byte, error) { return string(c.mechanism), c.message, nil }

// Next does not read the error result: a user has no use for it, and another
// token would need another login.
func (c *bearerClient) Next([]byte) ([]byte, error) {
	if c.refused {
		return nil, sasl.ErrUnexpectedServerChallenge
	}
	c.refused = true
	return c.last, nil
}

// bearerMessage is what a client says in either mechanism.
type bearerMessage struct {
	name  string // "" is whoever the token is for
	token string
	host  string // the server as the client calls it; "" is not said
}

type bearerServer struct {
	config   ServerConfig
	read     func(message []byte) (bearerMessage, error)
	result   string // the error result
	asked    bool
	username string
	refused  error // why, once the error result is out
}

func (s *bearerServer) Username() string { return s.username }

// Refused is why the login fails, once the error result has told the client
// so; nil before. What he says to it, or that he hangs up, changes nothing.
func (s *bearerServer) Refused() error { return s.refused }

func (s *bearerServer) Next(message []byte) (challenge []byte, done bool, err error) {
	switch {
	case s.refused != nil: // whatever the client says now
		return nil, true, s.refused
	case message == nil && !s.asked: // no initial response: an empty challenge asks for it
		s.asked = true
		return []byte{}, false, nil
	}
	m, err := s.read(message)
	if err != nil {
		return nil, true, err
	}
	err = s.check(m)
	if errors.Is(err, ErrCredentials) {
		s.refused = err
		return []byte(s.result), false, nil
	}
	return nil, true, err
}

// check takes the same steps for an unknown name as for a bad token.
func (s *bearerServer) check(m bearerMessage) error {
	s.username = m.name
	account, err := s.config.Token(m.token)
	if s.username == "" {
		s.username = account
	}
	known := s.config.Known(s.username)
	switch {
	case err != nil:
		return err
	case !known:
		return fmt.Errorf("%w: no account has this name", ErrCredentials)
	case !s.config.mayActAs(s.username, account): // nobody here may act for somebody else
		return fmt.Errorf("%w: the token is for another account", ErrCredentials)
	case m.host != "" && s.config.Host != nil && !s.config.Host(m.host): // RFC 7628 3.2
		return fmt.Errorf("%w: the client means another server", ErrCredentials)
	default:
		return nil
	}
}

// authorization is the value of HTTP's header (RFC 6750 2.1). Schemes come in
// any letter case (RFC 7628 4).
var authorization = regexp.MustCompile(`^(?i:Bearer) +([A-Za-z0-9._~+/-]+=*)$`)

// bearerToken takes an empty value for a token that is no good: a client sends
// it to be told which scope it needs (RFC 7628 4.3).
func bearerToken(value string) (string, error) {
	if value == "" {
		return "", nil
	}
	parts := authorization.FindStringSubmatch(value)
	if parts == nil {
		return "", fmt.Errorf("%w: no bearer token", ErrMalformed)
	}
	return parts[1], nil
}
