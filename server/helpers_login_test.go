package server

import (
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"strings"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// logIn runs a login without initial response to its end, or to the refusal.
// asked reports whether the server asked for a secret.
func (c *peer) logIn(m login.Mechanism, name, password string) (answer string, asked bool) {
	c.t.Helper()
	return c.logInAs(m, mech.ClientConfig{Username: name, Password: password})
}

func (c *peer) logInAs(m login.Mechanism, config mech.ClientConfig) (answer string, asked bool) {
	c.t.Helper()
	impl, ok := mech.Get(m)
	if !ok {
		c.t.Fatalf("no mechanism %s", m)
	}
	config.Protocol, config.Host, config.Rand, config.Now = c.protocol, login.DefaultIdentity, rand.Reader, time.Now
	config.Token, config.Ticket = c.issued.Token, c.issued.Tickets[c.protocol]
	if t, ok := c.conn.(*tls.Conn); ok && config.TLS == nil {
		state := t.ConnectionState()
		config.TLS = &state
	}
	name, password := config.Username, config.Password
	client := impl.Client(config)
	switch m {
	case login.UserPass:
		if answer = c.ask("USER " + name); !strings.HasPrefix(answer, "+OK") {
			return answer, false
		}
		return c.ask("PASS " + password), true
	case login.APOP:
		response, err := client.Next([]byte(wire.Timestamp(c.greeting)))
		if err != nil {
			c.t.Fatal(err)
		}
		return c.ask("APOP " + string(response)), true
	}
	_, initial, err := client.Start()
	if err != nil {
		c.t.Fatal(err)
	}
	answer = c.ask("AUTH " + string(m))
	for {
		challenge, more := c.challengeIn(answer)
		if !more {
			return answer, asked
		}
		asked = true
		response := initial
		if response == nil {
			if response, err = client.Next(challenge); err != nil {
				return c.ask("*"), asked
			}
		}
		initial = nil
		answer = c.ask(base64.StdEncoding.EncodeToString(response))
	}
}

func (c *peer) challengeIn(answer string) ([]byte, bool) {
	c.t.Helper()
	prefix := "334 "
	if c.protocol == login.POP3 {
		prefix = "+ "
	}
	text, ok := strings.CutPrefix(answer, prefix)
	if !ok {
		return nil, false
	}
	challenge, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		c.t.Errorf("challenge %q: %v", answer, err)
	}
	return challenge, true
}

// enter logs in or fails the test.
func (c *peer) enter(m login.Mechanism, a login.Account) *peer {
	c.t.Helper()
	if answer, _ := c.logIn(m, a.Name, a.Password); !accepted(answer) {
		c.t.Fatalf("%s as %s: %s", m, a.Name, answer)
	}
	return c
}

func accepted(answer string) bool {
	return strings.HasPrefix(answer, "235 ") || strings.HasPrefix(answer, "+OK")
}

// b64 is one response.
func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
