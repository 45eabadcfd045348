package mech

import (
	"github.com/emersion/go-sasl"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Login asks for the name, then for the password
// (draft-murchison-sasl-login; it never became an RFC).
var Login = register(Impl{
	Traits: login.Traits{Name: login.LOGIN, Class: login.ShowsPassword, Protocols: both,
		Refs: []string{"draft-murchison-sasl-login"}},
	Client: func(c ClientConfig) sasl.Client { return &loginClient{config: c} },
	Server: func(c ServerConfig) Server { return &loginServer{config: c} },
})

// loginClient sends its name as initial response; a caller that wants none
// keeps it for the first prompt. The prompts are not read: no two servers
// agree on them.
type loginClient struct{ config ClientConfig }

func (c *loginClient) Start() (string, []byte, error) {
	return string(login.LOGIN), []byte(c.config.Username), nil
}

func (c *loginClient) Next([]byte) ([]byte, error) { return []byte(c.config.Password), nil }

type loginServer struct {
	config   ServerConfig
	username string
	step     int
}

func (s *loginServer) Username() string { return s.username }

func (s *loginServer) Next(message []byte) (challenge []byte, done bool, err error) {
	if message == nil && s.step == 0 {
		s.step = 1
		return []byte("Username:"), false, nil
	}
	if s.step < 2 {
		if len(message) == 0 {
			return nil, true, ErrMalformed
		}
		s.username, s.step = string(message), 2
		return []byte("Password:"), false, nil
	}
	if !samePassword(s.config, s.username, message) {
		return nil, true, ErrCredentials
	}
	return nil, true, nil
}
