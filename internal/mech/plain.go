package mech

import (
	"bytes"

	"github.com/emersion/go-sasl"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Plain sends name and password in one message (RFC 4616).
var Plain = register(Impl{
	Traits: login.Traits{Name: login.PLAIN, Class: login.ShowsPassword, ClientFirst: true, Protocols: both, Refs: []string{"RFC 4616"},
		Compared: login.Comparison{Status: "Proposed Standard", Malicious: "the password", Stolen: storedHashes}},
	Client: func(c ClientConfig) sasl.Client { return sasl.NewPlainClient(c.Authzid, c.Username, c.Password) },
	Server: func(c ServerConfig) Server { return &plainServer{config: c} },
})

type plainServer struct {
	config   ServerConfig
	username string
	asked    bool
}

func (s *plainServer) Username() string { return s.username }

func (s *plainServer) Next(message []byte) (challenge []byte, done bool, err error) {
	if message == nil && !s.asked { // no initial response: an empty challenge asks for it
		s.asked = true
		return []byte{}, false, nil
	}
	// RFC 4616 2: authorization identity, NUL, name, NUL, password; neither
	// name nor password is empty, and there is no third NUL.
	parts := bytes.Split(message, []byte{0})
	if len(parts) != 3 || len(parts[1]) == 0 || len(parts[2]) == 0 {
		return nil, true, ErrMalformed
	}
	s.username = string(parts[1])
	ok := s.config.Check(s.username, string(parts[2]))
	// Nobody here may act for somebody else.
	if !ok || !s.config.mayActAs(string(parts[0]), s.username) {
		return nil, true, ErrCredentials
	}
	return nil, true, nil
}
