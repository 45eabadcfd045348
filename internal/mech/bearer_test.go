package mech

import (
	"cmp"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

var bearers = []Impl{XOAUTH2, OAUTHBEARER}

// bearerConfig is a server whose only account is this one, and which takes
// this token of its.
func bearerConfig(name, token string) ServerConfig {
	c := testConfig(name, "")
	c.Token = func(got string) (string, error) {
		if got != token {
			return "", fmt.Errorf("%w: no such token", ErrCredentials)
		}
		return name, nil
	}
	return c
}

// The halves agree for any name and token; another name, another token and
// another's token are refused.
func TestBearerHalvesAgree(t *testing.T) {
	names := rapid.StringMatching(`[^\x00\x01]{1,20}`)
	tokens := rapid.StringMatching(`[A-Za-z0-9._~+/-]{1,80}={0,2}`)
	for _, impl := range bearers {
		t.Run(string(impl.Name), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				name, token := names.Draw(t, "name"), tokens.Draw(t, "token")
				client := ClientConfig{Username: name, Token: token, Host: "mail.example.test", Rand: rand.Reader, Now: time.Now}
				server := bearerConfig(name, token)
				if err := exchange(t, impl, client, server, same); err != nil {
					t.Fatalf("right token: %v", err)
				}
				server.Token = func(string) (string, error) { return name + "x", nil }
				if err := exchange(t, impl, client, server, same); !errors.Is(err, ErrCredentials) {
					t.Fatalf("another's token: %v", err)
				}
				for what, server := range map[string]ServerConfig{
					"wrong token": bearerConfig(name, "x"+token), "unknown name": bearerConfig(name+"x", token),
				} {
					err := exchange(t, impl, client, server, same)
					if !errors.Is(err, ErrCredentials) {
						t.Fatalf("%s: %v", what, err)
					}
					if len(token) > 20 && strings.Contains(err.Error(), token) {
						t.Fatalf("%s: the error shows the token", what)
					}
				}
			})
		})
	}
}

// A message cut short is refused, and nothing falls over.
func TestBearerTruncated(t *testing.T) {
	for _, impl := range bearers {
		client := ClientConfig{Username: "alice", Token: "token", Host: "mail.example.test"}
		_, whole, _ := impl.Client(client).Start()
		for keep := range whole {
			_, done, err := impl.Server(bearerConfig("alice", "token")).Next(whole[:keep:keep])
			if !done || !errors.Is(err, ErrMalformed) {
				t.Errorf("%s: %q: done %v, %v", impl.Name, whole[:keep], done, err)
			}
		}
	}
}

// Every field that counts is refused in two steps when it is changed, and
// nothing that the client says in between helps.
func TestBearerRefusals(t *testing.T) {
	right := ClientConfig{Username: "alice", Token: "token", Host: "mail.example.test"}
	config := bearerConfig("alice", "token")
	config.Known = func(name string) bool { return strings.EqualFold(name, "alice") || name == "bob" }
	config.TLS = &tls.ConnectionState{ServerName: "mail.example.test"}
	config.Host = func(name string) bool { return name == "mail.example.test" }
	for _, row := range []struct {
		name   string
		change func(*ClientConfig)
		only   login.Mechanism
		reason string // "" is accepted
	}{
		{"nothing", func(*ClientConfig) {}, "", ""},
		{"letter case of the name", func(c *ClientConfig) { c.Username = "ALICE" }, "", ""},
		{"no host", func(c *ClientConfig) { c.Host = "" }, "", ""},
		{"no name", func(c *ClientConfig) { c.Username = "" }, login.OAUTHBEARER, ""},
		{"own name as identity", func(c *ClientConfig) { c.Authzid = "alice" }, "", ""},
		{"another's name", func(c *ClientConfig) { c.Username = "bob" }, "", "another account"},
		{"another's identity", func(c *ClientConfig) { c.Authzid = "bob" }, login.OAUTHBEARER, "another account"},
		{"unknown name", func(c *ClientConfig) { c.Username = "carol" }, "", "no account"},
		{"another token", func(c *ClientConfig) { c.Token = "Token" }, "", "no such token"},
		{"another token, no name", func(c *ClientConfig) { c.Username, c.Token = "", "Token" }, login.OAUTHBEARER, "no such token"},
		{"another token, unknown name", func(c *ClientConfig) { c.Username, c.Token = "carol", "Token" }, "", "no such token"},
		{"another host, which XOAUTH2 does not say", func(c *ClientConfig) { c.Host = "evil.example" }, login.XOAUTH2, ""},
		{"another host", func(c *ClientConfig) { c.Host = "evil.example" }, login.OAUTHBEARER, "another server"},
	} {
		for _, impl := range bearers {
			if row.only != "" && row.only != impl.Name {
				continue
			}
			client := right
			row.change(&client)
			_, message, _ := impl.Client(client).Start()
			for _, then := range []string{"", "\x01", "*", string(message), "\x00\xff"} {
				s := impl.Server(config)
				result, done, err := s.Next(message)
				if row.reason == "" {
					if !done || err != nil || s.Username() == "" {
						t.Errorf("%s: %s: done %v, %v", impl.Name, row.name, done, err)
					}
					continue
				}
				if done || err != nil || !json.Valid(result) {
					t.Errorf("%s: %s: %q, done %v, %v", impl.Name, row.name, result, done, err)
				}
				if s.Username() != client.Username && s.Username() != client.Authzid {
					t.Errorf("%s: %s: refuses %q", impl.Name, row.name, s.Username())
				}
				for range 2 { // and it stays refused
					if _, done, err = s.Next([]byte(then)); !done || !errors.Is(err, ErrCredentials) || !strings.Contains(err.Error(), row.reason) {
						t.Errorf("%s: %s, then %q: done %v, %v", impl.Name, row.name, then, done, err)
					}
				}
			}
		}
	}
}

// An unknown name is asked about exactly as a bad token is.
func TestBearerSameSteps(t *testing.T) {
	for _, impl := range bearers {
		for name, client := range map[string]ClientConfig{
			"right":        {Username: "alice", Token: "token"},
			"unknown name": {Username: "carol", Token: "token"},
			"bad token":    {Username: "alice", Token: "other"},
			"both":         {Username: "carol", Token: "other"},
		} {
			var steps []string
			config := bearerConfig("alice", "token")
			token, known := config.Token, config.Known
			config.Token = func(t string) (string, error) { steps = append(steps, "token"); return token(t) }
			config.Known = func(n string) bool { steps = append(steps, "known "+n); return known(n) }
			_, message, _ := impl.Client(client).Start()
			if _, _, err := impl.Server(config).Next(message); err != nil {
				t.Errorf("%s: %s: %v", impl.Name, name, err)
			}
			if want := []string{"token", "known " + client.Username}; !slices.Equal(steps, want) {
				t.Errorf("%s: %s: %q", impl.Name, name, steps)
			}
		}
	}
}

// A verifier that fails for a reason of its own has not refused the token.
func TestBearerFailureOfOurs(t *testing.T) {
	down := errors.New("no verifier answers")
	for _, impl := range bearers {
		config := bearerConfig("alice", "token")
		config.Token = func(string) (string, error) { return "", down }
		_, message, _ := impl.Client(ClientConfig{Username: "alice", Token: "token"}).Start()
		if result, done, err := impl.Server(config).Next(message); !done || err != down || result != nil {
			t.Errorf("%s: %q, done %v, %v", impl.Name, result, done, err)
		}
	}
}

// The client answers an error result, published ones too, with what the
// mechanism demands, and once.
func TestBearerClientAfterRefusal(t *testing.T) {
	for _, row := range []struct {
		impl         Impl
		result, want string
	}{
		// Google's document, "Error Response"
		{XOAUTH2, `{"status":"401","schemes":"bearer mac","scope":"https://mail.google.com/"}` + "\n", ""},
		// RFC 7628 4.3 and 4.4
		{OAUTHBEARER, `{"status":"invalid_token","scope":"example_scope","openid-configuration":"https://example.com/.well-known/openid-config"}`, "\x01"},
		{OAUTHBEARER, `{"status":"invalid_token","schemes":"bearer mac","scope":"https://mail.example.com/"}`, "\x01"},
	} {
		c := row.impl.Client(ClientConfig{Username: "alice", Token: "token"})
		if _, _, err := c.Start(); err != nil {
			t.Fatal(err)
		}
		if got, err := c.Next([]byte(row.result)); err != nil || got == nil || string(got) != row.want {
			t.Errorf("%s: %q, %v", row.impl.Name, got, err)
		}
		if got, err := c.Next([]byte(row.result)); err == nil {
			t.Errorf("%s: a second error result is answered with %q", row.impl.Name, got)
		}
	}
}

// The error results hold what each document demands.
func TestBearerErrorResults(t *testing.T) {
	for _, row := range []struct {
		impl Impl
		want map[string]string
	}{
		{XOAUTH2, map[string]string{"status": "401", "schemes": "bearer", "scope": "mail"}},
		{OAUTHBEARER, map[string]string{"status": "invalid_token", "scope": "mail"}},
	} {
		_, message, _ := row.impl.Client(ClientConfig{Username: "alice", Token: "bad"}).Start()
		result, _, err := row.impl.Server(bearerConfig("alice", "token")).Next(message)
		var got map[string]string
		if err != nil || json.Unmarshal(result, &got) != nil || fmt.Sprint(got) != fmt.Sprint(row.want) {
			t.Errorf("%s: %s, %v", row.impl.Name, result, err)
		}
	}
}

// fuzzBearer: no message lets anybody in but one with the token, and what is
// read is read again from what our client makes of it.
func fuzzBearer(f *testing.F, impl Impl, read func([]byte) (bearerMessage, error)) {
	f.Fuzz(func(t *testing.T, message []byte) {
		s := impl.Server(bearerConfig("alice", "sesame"))
		result, done, err := s.Next(message)
		m, malformed := read(message)
		switch {
		case malformed != nil:
			if !done || !errors.Is(err, ErrMalformed) || s.Username() != "" {
				t.Fatalf("done %v, %v", done, err)
			}
			return
		case done && err == nil:
			if m.token != "sesame" || !strings.EqualFold(cmp.Or(m.name, "alice"), "alice") {
				t.Fatalf("accepted: %+v", m)
			}
		case done || err != nil || !json.Valid(result):
			t.Fatalf("%q, done %v, %v", result, done, err)
		default:
			if _, done, err = s.Next(message); !done || !errors.Is(err, ErrCredentials) {
				t.Fatalf("after the error result: done %v, %v", done, err)
			}
		}
		if m.token == "" {
			return
		}
		_, again, _ := impl.Client(ClientConfig{Username: m.name, Token: m.token, Host: m.host}).Start()
		if n, err := read(again); err != nil || n != m {
			t.Fatalf("%+v is read as %+v, %v", m, n, err)
		}
	})
}
