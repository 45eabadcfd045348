package mech

import (
	"bytes"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// vector is a published exchange.
type vector struct {
	mechanism                   login.Mechanism
	authzid, username, password string
	messages                    []string // the server's and the client's in turn
}

func readVector(t *testing.T, name string) vector {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var v vector
	for line := range strings.Lines(string(data)) {
		key, value, _ := strings.Cut(strings.TrimRight(line, "\n"), " ")
		switch key {
		case "#", "":
		case "mechanism":
			v.mechanism = login.Mechanism(value)
		case "authzid":
			v.authzid = value
		case "username":
			v.username = value
		case "password":
			v.password = value
		case "S", "C":
			text, err := strconv.Unquote(value)
			if err != nil {
				t.Fatalf("%s: %s: %v", name, line, err)
			}
			v.messages = append(v.messages, text)
		default:
			t.Fatalf("%s: unknown key %q", name, key)
		}
	}
	return v
}

// Both halves replay the exchange that their document publishes.
func TestVectors(t *testing.T) {
	names, err := filepath.Glob("testdata/vectors/*.txt")
	if err != nil || len(names) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			v := readVector(t, name)
			impl, ok := Get(v.mechanism)
			if !ok {
				t.Fatalf("no mechanism %q", v.mechanism)
			}
			replayClient(t, impl, v)
			replayServer(t, impl, v)
		})
	}
}

func replayClient(t *testing.T, impl Impl, v vector) {
	client := impl.Client(ClientConfig{Authzid: v.authzid, Username: v.username, Password: v.password})
	_, kept, err := client.Start()
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(v.messages); i += 2 {
		got := kept // without an initial response the first message answers the first challenge
		if kept = nil; got == nil {
			if got, err = client.Next([]byte(v.messages[i])); err != nil {
				t.Fatal(err)
			}
		}
		if string(got) != v.messages[i+1] {
			t.Errorf("client says %q, the document %q", got, v.messages[i+1])
		}
	}
}

func replayServer(t *testing.T, impl Impl, v vector) {
	server := impl.Server(testConfig(v.username, v.password))
	challenge, _, err := server.Next(nil)
	if err != nil && !errors.Is(err, ErrMalformed) {
		t.Fatal(err)
	}
	for i := 0; i < len(v.messages); i += 2 {
		switch s := server.(type) { // the published challenge in place of a fresh one
		case *cramServer:
			s.challenge = []byte(v.messages[0])
		case *apopServer:
			s.timestamp = []byte(v.messages[0])
		default:
			if string(challenge) != v.messages[i] {
				t.Errorf("server says %q, the document %q", challenge, v.messages[i])
			}
		}
		var done bool
		challenge, done, err = server.Next([]byte(v.messages[i+1]))
		if last := i+2 == len(v.messages); err != nil || done != last {
			t.Errorf("message %q: done %v, %v", v.messages[i+1], done, err)
		}
	}
	if server.Username() != v.username {
		t.Errorf("server knows the client as %q", server.Username())
	}
}

func testConfig(username, password string) ServerConfig {
	return ServerConfig{
		Identity:    "mail.example.test",
		MinimumNTLM: login.NTLMv1,
		Rand:        rand.Reader,
		Now:         time.Now,
		Lookup: func(name string) (string, bool) {
			if name != username {
				return "of nobody", false
			}
			return password, true
		},
	}
}

// exchange lets the halves speak until the server is done.
func exchange(t interface{ Fatal(...any) }, impl Impl, client ClientConfig, server ServerConfig, alter func([]byte) []byte) error {
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
				t.Fatal(err)
			}
		}
		challenge, done, err := s.Next(alter(message))
		if done || err != nil {
			return err
		}
		if message, err = c.Next(challenge); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("no end of it")
	return nil
}

func same(b []byte) []byte { return b }

func complete() []Impl {
	var all []Impl
	for _, impl := range All() {
		if impl.Server != nil {
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
	for _, impl := range complete() {
		t.Run(string(impl.Name), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				user, pass := name.Draw(t, "name"), password.Draw(t, "password")
				client := ClientConfig{Username: user, Password: pass, Rand: rand.Reader, Now: time.Now}
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
	for _, impl := range complete() {
		for keep := range 80 {
			client := ClientConfig{Username: "alice", Password: "pass word", Rand: rand.Reader, Now: time.Now}
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
			if err != nil && !errors.Is(err, ErrCredentials) && !errors.Is(err, ErrMalformed) {
				t.Errorf("%s: %d octets: %v is no answer of a server half", impl.Name, keep, err)
			}
		}
	}
}

// What a listener needs to test a guess is in the exchange, and only with the
// right guess.
func TestCracks(t *testing.T) {
	for _, impl := range complete() {
		if impl.Cracks == nil {
			continue
		}
		for _, kind := range []login.NTLMKind{login.NTLMv1, login.NTLMSession, login.NTLMv2} {
			c := impl.Client(ClientConfig{Username: "alice", Password: "right", NTLM: kind, Rand: rand.Reader, Now: time.Now})
			s := impl.Server(testConfig("alice", "right"))
			_, message, _ := c.Start()
			challenge, _, err := s.Next(message)
			if err != nil {
				t.Fatal(err)
			}
			if message, err = c.Next(challenge); err != nil {
				t.Fatal(err)
			}
			heard := [][]byte{[]byte("something else"), challenge}
			if !impl.Cracks(heard, message, "right") || impl.Cracks(heard, message, "wrong") {
				t.Errorf("%s %s: a listener cannot tell right from wrong", impl.Name, kind)
			}
		}
	}
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
