package mech

import (
	"github.com/emersion/go-sasl"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// UserPass is POP3's own login (RFC 1939 7): USER carries the client's first
// message, PASS its second.
var UserPass = register(Impl{
	Traits: login.Traits{Name: login.UserPass, Class: login.ShowsPassword, Protocols: pop3Only,
		Refs: []string{"RFC 1939 7"}},
	Client: func(c ClientConfig) sasl.Client { return &userPassClient{config: c} },
	Server: func(c ServerConfig) Server { return &userPassServer{config: c} },
})

type userPassClient struct{ config ClientConfig }

func (c *userPassClient) Start() (string, []byte, error) {
	return string(login.UserPass), []byte(c.config.Username), nil
}

func (c *userPassClient) Next([]byte) ([]byte, error) { return []byte(c.config.Password), nil }

type userPassServer struct {
	config   ServerConfig
	username string
}

func (s *userPassServer) Username() string { return s.username }

// Next takes the name, whether it is known or not, and then the password.
func (s *userPassServer) Next(message []byte) (challenge []byte, done bool, err error) {
	if s.username == "" {
		if len(message) == 0 {
			return nil, true, ErrMalformed
		}
		s.username = string(message)
		return []byte{}, false, nil
	}
	if !samePassword(s.config, s.username, message) {
		return nil, true, ErrCredentials
	}
	return nil, true, nil
}
