package mech

import (
	"crypto/hmac"
	"errors"
	"fmt"
	"strings"

	"github.com/emersion/go-sasl"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// DigestMD5 is HTTP's digest as a SASL mechanism (RFC 2831, made historic by
// RFC 6331): a proof over both sides' nonces, answered by the server's own.
// There is no security layer here, and no subsequent authentication.
var DigestMD5 = register(Impl{
	Traits: login.Traits{Name: login.DIGESTMD5, Class: login.ShowsVerifier, Protocols: both,
		Refs: []string{"RFC 2831", "RFC 6331"},
		Compared: login.Comparison{Status: "Historic (RFC 6331)", Cracking: "three MD5",
			Malicious: relayable, Stolen: storedCleartext, Mutual: "by a digest of the same secret"}},
	Client: func(c ClientConfig) sasl.Client { return &digestClient{config: c} },
	Server: func(c ServerConfig) Server { return &digestServer{config: c} },
	// The response repeats all that it was computed over, the nonce as well.
	Cracks: func(_, _ [][]byte, message []byte, secret string) bool {
		r, err := parseDigestResponse(message)
		return err == nil && r.carries(secret) && r.response == r.proof(digestOfClient, secret)
	},
})

type digestClient struct {
	config   ClientConfig
	cnonce   string
	expected string // the server's proof, once ours is given
	over     bool
}

func (c *digestClient) Start() (string, []byte, error) { return string(login.DIGESTMD5), nil, nil }

func (c *digestClient) Next(message []byte) ([]byte, error) {
	switch {
	case c.expected == "":
		return c.answer(message)
	case !c.over:
		c.over = true
		return c.check(message)
	default:
		return nil, errors.New("the server goes on after its proof")
	}
}

// answer proves the password to the server (RFC 2831 2.1.2).
func (c *digestClient) answer(message []byte) ([]byte, error) {
	challenge, err := parseDigestChallenge(message)
	if err != nil {
		return nil, err
	}
	service := digestService(c.config.Protocol)
	if service == "" || c.config.Host == "" {
		return nil, errors.New("digest-uri needs a protocol and a host")
	}
	if c.cnonce == "" {
		if c.cnonce, err = freshNonce(c.config.Rand); err != nil {
			return nil, err
		}
	}
	r := digestResponse{
		username: c.config.Username,
		realm:    c.config.Host, // RFC 2831 2.1.1: where no realm is offered the client finds one
		nonce:    challenge.nonce,
		cnonce:   c.cnonce,
		nc:       "00000001",
		qop:      "auth",
		uri:      service + "/" + c.config.Host,
		authzid:  c.config.Authzid,
		utf8:     challenge.utf8,
	}
	if len(challenge.realms) > 0 {
		r.realm = challenge.realms[0]
	}
	if !r.carries(r.username) || !r.carries(c.config.Password) {
		return nil, errors.New("the server wants ISO 8859-1, in which the name or the password cannot be said")
	}
	r.response = r.proof(digestOfClient, c.config.Password)
	response := r.encode()
	if len(response) >= responseForm.limit {
		return nil, fmt.Errorf("the response is not under %d octets", responseForm.limit)
	}
	c.expected = r.proof(digestOfServer, c.config.Password)
	return response, nil
}

// check wants the server to prove that it has the password (RFC 2831 2.1.3).
// Its proof comes as a challenge, so an empty message answers it (RFC 4422 3.6).
func (c *digestClient) check(message []byte) ([]byte, error) {
	list, err := responseAuthForm.parse(message)
	if err != nil {
		return nil, err
	}
	if !hmac.Equal([]byte(c.expected), []byte(list.value("rspauth", ""))) {
		return nil, errors.New("the server's proof is wrong")
	}
	return []byte{}, nil
}

// digestStep is how far the server has come. There is no way back: a response
// is judged once, and nothing follows a refusal.
type digestStep uint8

const (
	digestUnasked digestStep = iota
	digestAsked
	digestProved
	digestOver
)

type digestServer struct {
	config   ServerConfig
	step     digestStep
	nonce    string
	username string
}

func (s *digestServer) Username() string { return s.username }

func (s *digestServer) Next(message []byte) (challenge []byte, done bool, err error) {
	step := s.step
	s.step = digestOver
	switch step {
	case digestUnasked:
		challenge, err = s.ask(message)
	case digestAsked:
		challenge, err = s.judge(message)
	case digestProved: // RFC 4422 3.6: the proof went out as a challenge, and is only acknowledged
		if message == nil || len(message) > 0 {
			err = fmt.Errorf("%w: more than an acknowledgement", ErrMalformed)
		}
		return nil, true, err
	default:
		err = fmt.Errorf("%w: the exchange is over", ErrMalformed)
	}
	if err != nil {
		return nil, true, err
	}
	s.step = step + 1
	return challenge, false, nil
}

// ask makes the challenge (RFC 2831 2.1.1). An initial response would be an
// attempt at subsequent authentication (RFC 2831 2.2): it needs nonces that are
// kept from one connection to the next, and here each connection stands alone.
// RFC 2831 2.2.2 would then have the challenge sent all the same; RFC 4954 4
// and RFC 5034 4 came later and refuse it where the server speaks first.
func (s *digestServer) ask(message []byte) ([]byte, error) {
	if message != nil {
		return nil, ErrServerFirst
	}
	var err error
	if s.nonce, err = freshNonce(s.config.Rand); err != nil {
		return nil, err
	}
	return digestChallenge{realms: []string{s.config.Identity}, nonce: s.nonce, utf8: true}.encode(), nil
}

// judge checks the client's proof and makes the server's (RFC 2831 2.1.3).
func (s *digestServer) judge(message []byte) ([]byte, error) {
	r, err := parseDigestResponse(message)
	if err != nil {
		return nil, err
	}
	s.username = r.username
	if err := s.fits(r); err != nil {
		return nil, err
	}
	password, known := s.config.Lookup(r.username)
	right := hmac.Equal([]byte(r.response), []byte(r.proof(digestOfClient, password)))
	if said := r.carries(password); !known || !right || !said {
		return nil, ErrCredentials
	}
	return []byte("rspauth=" + r.proof(digestOfServer, password)), nil
}

// fits asks whether r answers this challenge, before anybody's password.
func (s *digestServer) fits(r digestResponse) error {
	service, _, _ := strings.Cut(r.uri, "/")
	switch {
	case !strings.EqualFold(r.qop, "auth"): // RFC 2831 2.1.2: only what was offered
		return fmt.Errorf("%w: qop was not offered", ErrMalformed)
	case r.nonce != s.nonce:
		return fmt.Errorf("%w: the nonce is not ours", ErrCredentials)
	case r.nc != "00000001": // RFC 2831 2.1.3; anything else is a replay
		return fmt.Errorf("%w: the nonce was used before", ErrCredentials)
	case r.realm != s.config.Identity: // RFC 2831 2.1.2: one was offered, so none is no answer
		return fmt.Errorf("%w: the realm is not ours", ErrCredentials)
	case !strings.EqualFold(service, digestService(s.config.Protocol)):
		// A proof for another service. The host is not compared: clients call
		// this server by many names.
		return fmt.Errorf("%w: digest-uri names another service", ErrCredentials)
	case !s.config.mayActAs(r.authzid, r.username):
		return fmt.Errorf("%w: nobody here may act for somebody else", ErrCredentials)
	default:
		return nil
	}
}

// digestService is the protocol's in SASL (RFC 4954 4, RFC 5034 4).
func digestService(p login.Protocol) string {
	if p == login.POP3 {
		return "pop"
	}
	return string(p)
}
