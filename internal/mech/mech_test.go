package mech

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// errClient is a client that does not go on.
var errClient = errors.New("the client gives up")

// exchange lets the halves speak until the server is done or the client gives
// up; those of a mechanism that binds to TLS speak over one connection.
func exchange(t interface{ Fatal(...any) }, impl Impl, client ClientConfig, server ServerConfig, alter func([]byte) []byte) error {
	if binds(impl) && client.TLS == nil && server.TLS == nil {
		ends := tls13()
		client.TLS, server.TLS = ends.client, ends.server
	}
	c, s := impl.Client(client), impl.Server(server)
	_, message, err := c.Start()
	if err != nil {
		t.Fatal(err)
	}
	serverFirst := message == nil
	for range 8 {
		if serverFirst {
			serverFirst = false
			challenge, done, err := s.Next(nil)
			if err != nil || done {
				t.Fatal("the server did not ask: ", err)
			}
			if message, err = c.Next(challenge); err != nil {
				return fmt.Errorf("%w: %w", errClient, err)
			}
		}
		challenge, done, err := s.Next(alter(message))
		if done || err != nil {
			return err
		}
		if message, err = c.Next(challenge); err != nil {
			return fmt.Errorf("%w: %w", errClient, err)
		}
	}
	t.Fatal("no end of it")
	return nil
}

func binds(impl Impl) bool { return strings.HasSuffix(string(impl.Name), "-PLUS") }

func same(b []byte) []byte { return b }

// withPasswords are those that prove or send one; the others have tests of
// their own.
func withPasswords() []Impl {
	var all []Impl
	for _, impl := range All() {
		if impl.Presents == login.PresentsPassword {
			all = append(all, impl)
		}
	}
	return all
}

// The halves agree for any name and password that the mechanism can carry,
// and a wrong password or name is refused.
func TestHalvesAgree(t *testing.T) {
	// No mechanism here can carry NUL; APOP's and CRAM-MD5's digest is divided
	// from the name by a space; old NTLM folds case, so names stay lower.
	name := rapid.StringMatching(`[a-zäöü0-9._@-]{1,20}`)
	password := rapid.StringMatching(`[ -~äöüß€]{1,14}`)
	for _, impl := range withPasswords() {
		t.Run(string(impl.Name), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				user, pass := name.Draw(t, "name"), password.Draw(t, "password")
				client := testClient(user, pass)
				if err := exchange(t, impl, client, testConfig(user, pass), same); err != nil {
					t.Fatalf("right credentials: %v", err)
				}
				client.Password = pass + "x"
				if err := exchange(t, impl, client, testConfig(user, pass), same); !errors.Is(err, ErrCredentials) {
					t.Fatalf("wrong password: %v", err)
				}
				if err := exchange(t, impl, client, testConfig(user+"x", pass), same); !errors.Is(err, ErrCredentials) {
					t.Fatalf("unknown name: %v", err)
				}
			})
		})
	}
}

// A message cut short is refused, and nothing falls over.
func TestTruncated(t *testing.T) {
	for _, impl := range withPasswords() {
		for keep := range 80 {
			client := testClient("alice", "pass word")
			cut := 0
			err := exchange(t, impl, client, testConfig("alice", "pass word"), func(b []byte) []byte {
				if len(b) > keep {
					cut++
					return b[:keep:keep]
				}
				return b
			})
			if cut > 0 && err == nil {
				t.Errorf("%s: accepted with %d octets of a message", impl.Name, keep)
			}
			if err != nil && !errors.Is(err, ErrCredentials) && !errors.Is(err, ErrMalformed) && !errors.Is(err, errClient) {
				t.Errorf("%s: %d octets: %v is no answer of a half", impl.Name, keep, err)
			}
		}
	}
}

// What a listener needs to test a guess is in the exchange, and only with the
// right guess.
func TestCracks(t *testing.T) {
	for _, impl := range withPasswords() {
		if impl.Cracks == nil {
			continue
		}
		for _, kind := range []login.NTLMKind{login.NTLMv1, login.NTLMSession, login.NTLMv2} {
			client := testClient("alice", "right")
			client.NTLM = kind
			said, heard := overheard(t, impl, client, testConfig("alice", "right"))
			for guess, right := range map[string]bool{"right": true, "wrong": false} {
				cracked := false
				for i, message := range said {
					cracked = cracked || impl.Cracks(said[:i], heard[:i+1], message, guess)
				}
				if cracked != right {
					t.Errorf("%s %s: the guess %q can be tested: %v", impl.Name, kind, guess, cracked)
				}
			}
		}
	}
}

// overheard is what a listener hears of a login: what the client said, and
// before each of its messages the challenge, or something else.
func overheard(t *testing.T, impl Impl, client ClientConfig, server ServerConfig) (said, heard [][]byte) {
	t.Helper()
	if binds(impl) {
		ends := tls13()
		client.TLS, server.TLS = ends.client, ends.server
	}
	c, s := impl.Client(client), impl.Server(server)
	_, message, err := c.Start()
	challenge := []byte("something else")
	if message == nil && err == nil {
		if challenge, _, err = s.Next(nil); err == nil {
			message, err = c.Next(challenge)
		}
	}
	for err == nil {
		said, heard = append(said, message), append(heard, challenge)
		var done bool
		if challenge, done, err = s.Next(message); done {
			break
		}
		if err == nil {
			message, err = c.Next(challenge)
		}
	}
	if err != nil {
		t.Fatalf("%s: %v", impl.Name, err)
	}
	return said, heard
}

// No two challenges are alike, and each names the server.
func TestChallengesAreFresh(t *testing.T) {
	for _, impl := range []Impl{CRAMMD5, APOP} {
		seen := map[string]bool{}
		for range 100 {
			challenge, _, err := impl.Server(testConfig("a", "b")).Next(nil)
			if err != nil {
				t.Fatal(err)
			}
			if seen[string(challenge)] || !bytes.HasSuffix(challenge, []byte("@mail.example.test>")) {
				t.Fatalf("%s: challenge %q", impl.Name, challenge)
			}
			seen[string(challenge)] = true
		}
	}
}

func TestPlainRefuses(t *testing.T) {
	for _, row := range []struct {
		name, message string
		want          error
	}{
		{"another identity", "bob\x00alice\x00pass", ErrCredentials},
		{"no NUL", "alicepass", ErrMalformed},
		{"one NUL", "alice\x00pass", ErrMalformed},
		{"three NULs", "\x00alice\x00pa\x00ss", ErrMalformed},
		{"empty name", "\x00\x00pass", ErrMalformed},
		{"empty password", "\x00alice\x00", ErrMalformed},
		{"empty", "", ErrMalformed},
	} {
		_, done, err := Plain.Server(testConfig("alice", "pass")).Next([]byte(row.message))
		if !errors.Is(err, row.want) || !done {
			t.Errorf("%s: done %v, %v", row.name, done, err)
		}
	}
}

func TestParse(t *testing.T) {
	for text, want := range map[string]login.Mechanism{
		"cram-md5": login.CRAMMD5, "user/pass": login.UserPass, "User-Pass": login.UserPass,
	} {
		if got, err := Parse(text); err != nil || got != want {
			t.Errorf("%q is %q, %v", text, got, err)
		}
	}
	if _, err := Parse("LOIGN"); err == nil || !strings.Contains(err.Error(), `"LOGIN"`) {
		t.Errorf("a typing error: %v", err)
	}
}
