package mech

import (
	"bytes"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// LOGIN and USER/PASS say the same two things, each in its own dress: a name,
// then a password.

// namePasswordClient gives its name as first message; a caller that wants no
// initial response keeps it for the first prompt. The prompts are not read: no
// two servers agree on them.
type namePasswordClient struct {
	mechanism login.Mechanism
	config    ClientConfig
}

func (c *namePasswordClient) Start() (string, []byte, error) {
	return string(c.mechanism), []byte(c.config.Username), nil
}

func (c *namePasswordClient) Next([]byte) ([]byte, error) { return []byte(c.config.Password), nil }

// namePasswordServer takes the name, whether it is known or not, and then the
// password.
type namePasswordServer struct {
	config                     ServerConfig
	askForName, askForPassword string
	asked                      bool
	username                   string
}

func (s *namePasswordServer) Username() string { return s.username }

func (s *namePasswordServer) Next(message []byte) (challenge []byte, done bool, err error) {
	switch {
	case message == nil && !s.asked:
		s.asked = true
		return []byte(s.askForName), false, nil
	case s.username == "" && (len(message) == 0 || bytes.IndexByte(message, 0) >= 0): // RFC 4422 3.4.1: no NUL in a name
		return nil, true, ErrMalformed
	case s.username == "":
		s.asked, s.username = true, string(message)
		return []byte(s.askForPassword), false, nil
	case !s.config.Check(s.username, string(message)):
		return nil, true, ErrCredentials
	default:
		return nil, true, nil
	}
}
