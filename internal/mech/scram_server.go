package mech

import (
	"errors"
	"fmt"
	"strings"

	"github.com/xdg-go/scram"
	"github.com/xdg-go/stringprep"
)

// scramServer is the half that has the stored keys. Each message has a step of
// its own; a step that fails leaves nothing to go on with.
type scramServer struct {
	scramVariant
	config       ServerConfig
	next         func(message []byte) (challenge []byte, done bool, err error)
	nonce        string // ours, drawn when the client has spoken; a test puts a published one here
	username     string
	authzid      string
	known        bool
	conversation *scram.ServerConversation
}

func newScramServer(v scramVariant, c ServerConfig) *scramServer {
	s := &scramServer{scramVariant: v, config: c}
	s.next = s.ask
	return s
}

func (s *scramServer) Username() string { return s.username }

func (s *scramServer) Next(message []byte) (challenge []byte, done bool, err error) {
	step := s.next
	s.next = over
	return step(message)
}

func over([]byte) ([]byte, bool, error) {
	return nil, true, fmt.Errorf("%w: the exchange is over", ErrMalformed)
}

// ask waits for the client, who speaks first.
func (s *scramServer) ask(message []byte) ([]byte, bool, error) {
	if message == nil { // no initial response: an empty challenge asks for it
		s.next = s.challenge
		return []byte{}, false, nil
	}
	return s.challenge(message)
}

// challenge answers the client-first-message with nonce, salt and rounds. An
// unknown name gets them too.
func (s *scramServer) challenge(message []byte) ([]byte, bool, error) {
	m, err := parseScramFirst(string(message))
	if err != nil {
		return nil, true, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	// RFC 5802 5.1: what a name is compared as is prepared first.
	if s.username, err = stringprep.SASLprep.Prepare(m.username); err != nil || s.username == "" {
		return nil, true, fmt.Errorf("%w: %w", ErrMalformed, errUsernameEncoding)
	}
	// RFC 4954 4, RFC 5034 4: one of which nothing is left is not none.
	if s.authzid, err = stringprep.SASLprep.Prepare(m.authzid); err != nil || s.authzid == "" && m.authzid != "" {
		return nil, true, fmt.Errorf("%w: %w", ErrMalformed, errInvalidEncoding)
	}
	binding, err := s.binding(m)
	if err != nil {
		return nil, true, fmt.Errorf("%w: %w", ErrCredentials, err)
	}
	server, err := s.library()
	if err != nil {
		return nil, true, err
	}
	s.conversation = server.NewConversation()
	if s.plus {
		s.conversation = server.NewConversationWithChannelBindingRequired(binding)
	}
	reply, err := s.conversation.Step(string(message))
	if err != nil {
		return nil, true, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	s.next = s.verify
	return []byte(reply), false, nil
}

// library is the library's server, which knows this one account.
func (s *scramServer) library() (*scram.Server, error) {
	if s.nonce == "" {
		var err error
		if s.nonce, err = freshNonce(s.config.Rand); err != nil {
			return nil, err
		}
	}
	var keys StoredKeys
	if keys, s.known = s.config.Keys(s.username, s.hash); len(keys.Salt) == 0 || keys.Rounds < 1 {
		return nil, errors.New("no stored keys to check against")
	}
	function, err := s.hash.function()
	if err != nil {
		return nil, err
	}
	server, err := function.NewServer(func(string) (scram.StoredCredentials, error) {
		return scram.StoredCredentials{
			KeyFactors: scram.KeyFactors{Salt: string(keys.Salt), Iters: keys.Rounds},
			StoredKey:  keys.StoredKey, ServerKey: keys.ServerKey,
		}, nil
	})
	if err != nil {
		return nil, err
	}
	return server.WithNonceGenerator(func() string { return s.nonce }), nil
}

// binding is what the client's flag demands (RFC 5802 6). The error is a
// server-error-value.
func (s *scramServer) binding(m scramFirst) (binding scram.ChannelBinding, err error) {
	switch {
	case !s.plus && m.flag == "p":
		return binding, errors.New("channel-binding-not-supported")
	case s.plus && m.flag != "p", m.flag == "y" && s.config.PlusListed:
		// "y" where -PLUS is listed: somebody took it off the list on its way.
		return binding, errors.New("server-does-support-channel-binding")
	case !s.plus:
		return binding, nil
	}
	if binding, err = channelBinding(m.binding, s.config.TLS, s.config.Shown); err != nil {
		return binding, errors.New("unsupported-channel-binding-type")
	}
	return binding, nil
}

// verify checks the client-final-message. Whatever is wrong with one that is
// well-formed counts as wrong credentials, a nonce that is not ours as well: it
// is a proof, but of another exchange. RFC 5802 5.1 allows to end an exchange
// without the error attribute; what it would say stands in the error.
func (s *scramServer) verify(message []byte) ([]byte, bool, error) {
	if _, err := parseScramFinal(string(message)); err != nil {
		return nil, true, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	reply, err := s.conversation.Step(string(message))
	switch {
	case !s.known: // and the proof is wrong whatever it is
		return nil, true, fmt.Errorf("%w: unknown-user", ErrCredentials)
	case err != nil:
		return nil, true, fmt.Errorf("%w: %s", ErrCredentials, strings.TrimPrefix(reply, "e="))
	case !s.config.mayActAs(s.authzid, s.username): // nobody here may act for somebody else
		return nil, true, fmt.Errorf("%w: other-error", ErrCredentials)
	}
	s.next = acknowledged
	return []byte(reply), false, nil
}

// acknowledged takes the empty message that answers the server's proof, which
// these protocols have no other place for than a challenge (RFC 4422 3.6).
func acknowledged(message []byte) ([]byte, bool, error) {
	if message == nil || len(message) > 0 {
		return nil, true, fmt.Errorf("%w: something after the last message", ErrMalformed)
	}
	return nil, true, nil
}
