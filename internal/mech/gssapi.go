package mech

import (
	"cmp"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/emersion/go-sasl"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech/kerberos"
)

// GSSAPI is Kerberos V5 (RFC 4752): a ticket, the service's answer to it, and
// then a word about security layers, of which there are none here. TLS does
// that better.
var GSSAPI = register(Impl{
	Traits: login.Traits{
		Name: login.GSSAPI, Class: login.ShowsIdentity, Presents: login.PresentsTicket, ClientFirst: true, Protocols: both, Refs: []string{"RFC 4752"},
		Compared: login.Comparison{
			Status:    "Proposed Standard",
			Malicious: "nothing, unless it has the key of a service: then who the client is",
			Stolen:    "the service's key: tickets for this service can be forged for anybody",
			Mutual:    "the service's answer, which takes its key",
		},
	},
	Client: func(c ClientConfig) sasl.Client { return &gssapiClient{config: c} },
	Server: func(c ServerConfig) Server { return &gssapiServer{config: c} },
})

// noLayer is the bit of the login without security layer (RFC 4752 3.3).
const noLayer = 1

// gssapiClient without a ticket asks for the mechanism and has nothing to
// answer a challenge with.
type gssapiClient struct {
	config    ClientConfig
	initiator *kerberos.Initiator
	context   *kerberos.Context
}

var errNoTicket = errors.New("no Kerberos ticket for this server")

func (c *gssapiClient) Start() (string, []byte, error) {
	if len(c.config.Ticket.Encoded) == 0 {
		return string(login.GSSAPI), nil, nil
	}
	var err error
	c.initiator, err = kerberos.Initiate(c.config.Ticket, c.config.Now(), c.config.Rand)
	if err != nil {
		return "", nil, err
	}
	return string(login.GSSAPI), c.initiator.Token(), nil
}

func (c *gssapiClient) Next(challenge []byte) ([]byte, error) {
	switch {
	case c.initiator == nil:
		return nil, errNoTicket
	case c.context == nil:
		var err error
		if c.context, err = c.initiator.Finish(challenge); err != nil {
			return nil, err
		}
		return []byte{}, nil // RFC 4752 3.1: the context is complete, and has nothing to say
	default:
		return c.choose(challenge)
	}
}

// choose answers the server's list of security layers (RFC 4752 3.1).
func (c *gssapiClient) choose(challenge []byte) ([]byte, error) {
	offer, err := c.context.Unwrap(challenge)
	switch {
	case err != nil:
		return nil, err
	case len(offer) != 4:
		return nil, errors.New("the server's list of security layers is not 4 octets long")
	case offer[0]&noLayer == 0:
		return nil, errors.New("the server demands a security layer")
	}
	// RFC 4752 3.1 would have it look for a size of 0 where there is no layer.
	// Dovecot says 0xffffff, and nothing is ever sent that would have it.
	// Like Mozilla's client, it names itself where it is to be nobody else.
	authzid := cmp.Or(c.config.Authzid, c.config.Username)
	choice := []byte{noLayer, 0, 0, 0}
	if c.config.Layer != 0 { // for an experiment: with room for a message of 64 KiB
		choice = []byte{c.config.Layer, 1, 0, 0}
	}
	return c.context.Wrap(append(choice, authzid...))
}

type gssapiServer struct {
	config   ServerConfig
	asked    bool
	accepted *kerberos.Accepted
	offered  bool
}

func (s *gssapiServer) Username() string {
	if s.accepted == nil {
		return ""
	}
	return s.accepted.Client[0]
}

func (s *gssapiServer) Next(message []byte) (challenge []byte, done bool, err error) {
	switch {
	case message == nil && !s.asked: // an empty challenge asks for the first message
		s.asked = true
		return []byte{}, false, nil
	case s.accepted == nil:
		s.accepted, err = s.config.Kerberos.Accept(message, s.config.Protocol)
		if err != nil {
			return nil, true, s.failure(err)
		}
		if s.accepted.Reply != nil {
			return s.accepted.Reply, false, nil
		}
		return s.offer() // RFC 4752 3.2: at once, where there is no reply
	case !s.offered:
		if len(message) > 0 { // RFC 4752 3.2: the reply is answered with no data
			return nil, true, fmt.Errorf("%w: the reply to the ticket is answered with something", ErrMalformed)
		}
		return s.offer()
	default:
		return nil, true, s.judge(message)
	}
}

// offer lists the security layers: none, and so no size of what they carry
// (RFC 4752 3.2).
func (s *gssapiServer) offer() (challenge []byte, done bool, err error) {
	s.offered = true
	challenge, err = s.accepted.Context.Wrap([]byte{noLayer, 0, 0, 0})
	return challenge, err != nil, err
}

// judge reads the client's choice of a layer and the identity that it wants to
// act as (RFC 4752 3.2). Whether there is an account at all comes last.
func (s *gssapiServer) judge(message []byte) error {
	choice, err := s.accepted.Context.Unwrap(message)
	if err != nil {
		return s.failure(err)
	}
	if len(choice) < 4 {
		return fmt.Errorf("%w: no choice of a security layer", ErrMalformed)
	}
	size, authzid := [3]byte(choice[1:4]), string(choice[4:])
	switch {
	case choice[0] != noLayer:
		return fmt.Errorf("%w: a security layer that was not offered", ErrMalformed)
	case size != [3]byte{}: // RFC 4752 3.1
		return fmt.Errorf("%w: a size without a security layer", ErrMalformed)
	case !utf8.ValidString(authzid):
		return fmt.Errorf("%w: the identity to act as is no UTF-8", ErrMalformed)
	case !s.config.mayActAs(authzid, s.Username()):
		return fmt.Errorf("%w: nobody may act as somebody else", ErrCredentials)
	case len(s.accepted.Client) > 1:
		return fmt.Errorf("%w: an instance of a principal has no account", ErrCredentials)
	case !s.config.Known(s.Username()):
		return ErrCredentials
	}
	return nil
}

// failure puts the protocol's errors into the words of a server half.
func (s *gssapiServer) failure(err error) error {
	switch {
	case errors.Is(err, kerberos.ErrMalformed):
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	case errors.Is(err, kerberos.ErrRefused):
		return fmt.Errorf("%w: %w", ErrCredentials, err)
	default:
		return err
	}
}
