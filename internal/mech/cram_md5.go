package mech

import (
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // the protocol demands it
	"encoding/hex"
	"strings"

	"github.com/emersion/go-sasl"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// CRAMMD5 proves the password by a keyed digest of the server's challenge
// (RFC 2195).
var CRAMMD5 = register(Impl{
	Traits: login.Traits{Name: login.CRAMMD5, Class: login.ShowsVerifier, Protocols: both, Refs: []string{"RFC 2195"},
		Compared: login.Comparison{Status: "Proposed Standard", Cracking: "one HMAC-MD5",
			Malicious: relayable, Stolen: storedCleartext}},
	Client: func(c ClientConfig) sasl.Client { return &cramClient{config: c} },
	Server: func(c ServerConfig) Server { return &cramServer{config: c} },
	Cracks: func(_, challenges [][]byte, message []byte, secret string) bool {
		for _, challenge := range challenges {
			if strings.HasSuffix(string(message), " "+cramDigest(secret, challenge)) {
				return true
			}
		}
		return false
	},
})

type cramClient struct{ config ClientConfig }

func (c *cramClient) Start() (string, []byte, error) { return string(login.CRAMMD5), nil, nil }

func (c *cramClient) Next(challenge []byte) ([]byte, error) {
	return []byte(c.config.Username + " " + cramDigest(c.config.Password, challenge)), nil
}

type cramServer struct {
	config    ServerConfig
	challenge []byte
	username  string
}

func (s *cramServer) Username() string { return s.username }

func (s *cramServer) Next(message []byte) (challenge []byte, done bool, err error) {
	if s.challenge == nil {
		if message != nil { // RFC 2195: the server speaks first
			return nil, true, ErrServerFirst
		}
		s.challenge, err = timestamp(s.config)
		return s.challenge, false, err
	}
	// The name may hold spaces; the digest is what follows the last.
	at := strings.LastIndexByte(string(message), ' ')
	if at <= 0 {
		return nil, true, ErrMalformed
	}
	s.username = string(message[:at])
	secret, known := s.config.Lookup(s.username)
	same := hmac.Equal([]byte(cramDigest(secret, s.challenge)), message[at+1:])
	if !known || !same {
		return nil, true, ErrCredentials
	}
	return nil, true, nil
}

// cramDigest is HMAC-MD5 in lower-case hex (RFC 2195 2).
func cramDigest(secret string, challenge []byte) string {
	mac := hmac.New(md5.New, []byte(secret))
	mac.Write(challenge)
	return hex.EncodeToString(mac.Sum(nil))
}
