package mech

import (
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	"github.com/xdg-go/scram"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

type scramClient struct {
	scramVariant
	config       ClientConfig
	nonce        string // drawn by Start; a test puts a published one here
	credentials  *scramCredentials
	conversation *scram.ClientConversation
	answered     bool  // the server's first message
	unable       error // why there is no conversation
}

var errNotStarted = errors.New("the exchange has not begun")

// Start fails only where there is no nonce to be had. A client that cannot
// speak, for want of TLS or since SASLprep rejects the password, asks for the
// mechanism all the same, and has nothing to send then.
func (c *scramClient) Start() (string, []byte, error) {
	if c.nonce == "" {
		var err error
		if c.nonce, err = freshNonce(c.config.Rand); err != nil {
			return "", nil, err
		}
	}
	first, err := c.begin()
	if c.unable = err; err != nil {
		return string(c.name), nil, nil
	}
	return string(c.name), []byte(first), nil
}

func (c *scramClient) begin() (first string, err error) {
	open := (*scram.Client).NewConversation
	switch {
	case c.plus:
		binding, err := c.binding()
		if err != nil {
			return "", err
		}
		open = func(client *scram.Client) *scram.ClientConversation {
			return client.NewConversationWithChannelBinding(binding)
		}
	case c.config.Binding == login.BindingUnused:
		open = (*scram.Client).NewConversationAdvertisingChannelBinding
	}
	c.credentials, err = saltedPasswords.client(c.hash, c.config.Username, c.config.Password, c.config.Authzid, c.rounds())
	if err != nil {
		return "", err
	}
	c.conversation, first, err = c.credentials.begin(c.nonce, open)
	if err == nil {
		_, err = parseScramFirst(first) // SASLprep may have left nothing of the name
	}
	return first, err
}

// rounds are the fewest that the client puts up with (RFC 5802 5.1, RFC 7677 3).
func (c *scramClient) rounds() int {
	if c.config.FewRounds {
		return 1
	}
	return DefaultRounds
}

func (c *scramClient) binding() (scram.ChannelBinding, error) {
	kind := c.config.Binding
	if kind == login.BindingDefault {
		kind = bestBinding(c.config.TLS)
	}
	var shown *x509.Certificate
	if c.config.TLS != nil && len(c.config.TLS.PeerCertificates) > 0 {
		shown = c.config.TLS.PeerCertificates[0]
	}
	return channelBinding(kind, c.config.TLS, shown)
}

func (c *scramClient) Next(challenge []byte) ([]byte, error) {
	if c.unable != nil {
		return nil, c.unable
	}
	if c.answered {
		return c.conclude(string(challenge))
	}
	c.answered = true
	m, err := parseScramChallenge(string(challenge))
	if err != nil {
		return nil, err
	}
	// RFC 5802 5.1: the server's nonce begins with the client's. One that adds
	// nothing is the client's own come back.
	if !strings.HasPrefix(m.nonce, c.nonce) || m.nonce == c.nonce {
		return nil, errors.New("the server's nonce does not extend the client's")
	}
	if m.rounds < c.rounds() {
		return nil, fmt.Errorf("the server asks for %d iterations only", m.rounds)
	}
	final, err := c.credentials.prove(c.conversation, string(challenge))
	return []byte(final), err
}

// conclude reads the server-final-message, in which the server proves that it
// has the keys (RFC 5802 5). The empty answer only ends the exchange.
func (c *scramClient) conclude(message string) ([]byte, error) {
	if _, err := attributes(message, ""); err != nil {
		return nil, err
	}
	if _, err := c.conversation.Step(message); err != nil {
		return nil, err
	}
	return []byte{}, nil
}
