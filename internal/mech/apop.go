package mech

import (
	"crypto/md5" //nolint:gosec // the protocol demands it
	"crypto/subtle"
	"encoding/hex"
	"strings"

	"github.com/emersion/go-sasl"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// APOP proves the password by a digest over the greeting's timestamp
// (RFC 1939 7). The challenge is that timestamp, angle brackets included; the
// client's message is the two arguments of the command.
var APOP = register(Impl{
	Traits: login.Traits{Name: login.APOP, Class: login.ShowsVerifier, Protocols: pop3Only, Refs: []string{"RFC 1939 7"},
		Compared: login.Comparison{Status: "Internet Standard, optional", Cracking: "one MD5",
			// The digest's prefix is the server's to choose: CVE-2007-1558.
			Malicious: relayable + "; and the password's first octets, by MD5 collisions", Stolen: storedCleartext}},
	Client: func(c ClientConfig) sasl.Client { return &apopClient{config: c} },
	Server: func(c ServerConfig) Server { return &apopServer{config: c} },
	Cracks: func(_, challenges [][]byte, message []byte, secret string) bool {
		for _, challenge := range challenges {
			if strings.HasSuffix(string(message), " "+apopDigest(challenge, secret)) {
				return true
			}
		}
		return false
	},
})

type apopClient struct{ config ClientConfig }

func (c *apopClient) Start() (string, []byte, error) { return string(login.APOP), nil, nil }

func (c *apopClient) Next(timestamp []byte) ([]byte, error) {
	return []byte(c.config.Username + " " + apopDigest(timestamp, c.config.Password)), nil
}

type apopServer struct {
	config    ServerConfig
	timestamp []byte
	username  string
}

func (s *apopServer) Username() string { return s.username }

// Next gives the timestamp for the greeting first, then takes the command's
// arguments.
func (s *apopServer) Next(message []byte) (challenge []byte, done bool, err error) {
	if s.timestamp == nil {
		s.timestamp, err = timestamp(s.config)
		return s.timestamp, false, err
	}
	username, digest, ok := strings.Cut(string(message), " ")
	if !ok || username == "" {
		return nil, true, ErrMalformed
	}
	s.username = username
	secret, known := s.config.Lookup(username)
	same := subtle.ConstantTimeCompare([]byte(apopDigest(s.timestamp, secret)), []byte(digest)) == 1
	if !known || !same {
		return nil, true, ErrCredentials
	}
	return nil, true, nil
}

// apopDigest is MD5 over timestamp and secret in lower-case hex.
func apopDigest(timestamp []byte, secret string) string {
	sum := md5.Sum(append(timestamp[:len(timestamp):len(timestamp)], secret...))
	return hex.EncodeToString(sum[:])
}
