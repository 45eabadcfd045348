package mech

import (
	"errors"
	"fmt"
	"strings"

	"github.com/emersion/go-sasl"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech/ntlm"
)

// NTLM is Windows' own challenge and response (MS-NLMP) as SMTP and POP3
// carry it (MS-SMTPNTLM, MS-POP3): three messages, the client's first.
var NTLM = register(Impl{
	Traits: login.Traits{Name: login.NTLM, Class: login.ShowsVerifier, ClientFirst: true, Protocols: both,
		Refs: []string{"MS-NLMP", "MS-SMTPNTLM", "MS-POP3"},
		Compared: login.Comparison{Status: "vendor's, deprecated by it", Cracking: "one MD4 and two HMAC-MD5 (v2); one DES key of 2^56 for good (v1)",
			Malicious: "a proof to relay to another server, or to crack", Stolen: "logs in with the hash: it is as good as the password"}},
	Client: func(c ClientConfig) sasl.Client {
		return &ntlmClient{ntlm.Client{User: c.Username, Domain: c.Domain, Password: c.Password,
			Workstation: c.Workstation, Kind: ntlmKinds[c.NTLM], Rand: c.Rand, Now: c.Now}}
	},
	Server: func(c ServerConfig) Server { return &ntlmServer{config: c} },
	Cracks: func(_, challenges [][]byte, message []byte, secret string) bool {
		for _, challenge := range challenges {
			if ntlm.Cracks(challenge, message, secret) {
				return true
			}
		}
		return false
	},
})

// ntlmKinds turns the contract's words into the protocol's. The zero value is
// the strongest on both sides.
var ntlmKinds = map[login.NTLMKind]ntlm.Kind{
	"":                ntlm.V2,
	login.NTLMLM:      ntlm.LM,
	login.NTLMv1:      ntlm.V1,
	login.NTLMSession: ntlm.Session,
	login.NTLMv2:      ntlm.V2,
}

type ntlmClient struct{ ntlm.Client }

func (c *ntlmClient) Start() (string, []byte, error) {
	return string(login.NTLM), c.Negotiate(), nil
}

func (c *ntlmClient) Next(challenge []byte) ([]byte, error) { return c.Authenticate(challenge) }

type ntlmServer struct {
	config   ServerConfig
	asked    bool
	exchange *ntlm.Exchange
	username string
}

func (s *ntlmServer) Username() string { return s.username }

func (s *ntlmServer) Next(message []byte) (challenge []byte, done bool, err error) {
	switch {
	case message == nil && !s.asked: // an empty challenge asks for the first message
		s.asked = true
		return []byte{}, false, nil
	case s.exchange == nil:
		s.asked = true
		s.exchange, err = s.acceptor().Challenge(message)
		if err != nil {
			return nil, true, s.failure(err)
		}
		return s.exchange.Message(), false, nil
	default:
		_, err = s.exchange.Finish(message)
		return nil, true, s.failure(err)
	}
}

func (s *ntlmServer) acceptor() *ntlm.Acceptor {
	host, _, _ := strings.Cut(s.config.Identity, ".")
	return &ntlm.Acceptor{
		TargetName: strings.ToUpper(host), DNSName: s.config.Identity,
		Minimum: ntlmKinds[s.config.MinimumNTLM], Rand: s.config.Rand, Now: s.config.Now,
		Lookup: func(_, user string) (ntlm.Secret, bool) {
			s.username = user
			password, known := s.config.Lookup(user)
			return ntlm.NewSecret(password), known
		},
	}
}

// failure puts the protocol's errors into the words of a server half; the
// reason stays readable for the record.
func (s *ntlmServer) failure(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ntlm.ErrMalformed):
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	case errors.Is(err, ntlm.ErrCredentials), errors.Is(err, ntlm.ErrTooWeak):
		return fmt.Errorf("%w: %w", ErrCredentials, err)
	default:
		return err
	}
}
