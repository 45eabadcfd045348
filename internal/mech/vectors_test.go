package mech

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// vector is a published exchange, read from testdata/vectors. Each line of a
// file is a key and a value:
//
//	mechanism NAME, authzid TEXT, username TEXT, password TEXT
//	set KEY TEXT              whatever else the mechanism's own test needs
//	S "...", C "..."          the messages in turn, quoted as in Go
//	refused N "old" "new"     message N (from 0), so changed, is refused by
//	                          whoever receives it, at once or by the end
type vector struct {
	mechanism                   login.Mechanism
	authzid, username, password string
	set                         map[string]string
	messages                    []string
	refused                     []alteration
}

// alteration is a change of a field that the mechanism authenticates.
type alteration struct {
	message  int
	old, new string
}

// published has, for a mechanism with nonces, what puts the published ones in
// place of fresh ones; half is a client or a server of the mechanism. Each
// mechanism's own test file adds its own.
var published = map[login.Mechanism]func(half any, v vector){
	login.CRAMMD5: func(half any, v vector) {
		if s, ok := half.(*cramServer); ok {
			s.challenge = []byte(v.messages[0])
		}
	},
	login.APOP: func(half any, v vector) {
		if s, ok := half.(*apopServer); ok {
			s.timestamp = []byte(v.messages[0])
		}
	},
}

func readVector(t *testing.T, name string) vector {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	v := vector{set: map[string]string{}}
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
		case "set":
			key, value, _ := strings.Cut(value, " ")
			v.set[key] = value
		case "S", "C":
			text, err := strconv.Unquote(value)
			if err != nil {
				t.Fatalf("%s: %s: %v", name, line, err)
			}
			v.messages = append(v.messages, text)
		case "refused":
			var a alteration
			if _, err := fmt.Sscanf(value, "%d %q %q", &a.message, &a.old, &a.new); err != nil {
				t.Fatalf("%s: %s: %v", name, line, err)
			}
			v.refused = append(v.refused, a)
		default:
			t.Fatalf("%s: unknown key %q", name, key)
		}
	}
	return v
}

// Both halves replay the exchange that their document publishes, and refuse
// it wherever a field is changed that the mechanism authenticates.
func TestVectors(t *testing.T) {
	names, err := filepath.Glob("testdata/vectors/*.txt")
	if err != nil || len(names) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			v := readVector(t, name)
			if err := v.replayClient(t); err != nil {
				t.Errorf("client: %v", err)
			}
			if err := v.replayServer(t); err != nil {
				t.Errorf("server: %v", err)
			}
			for _, a := range v.refused {
				altered := v.with(t, a)
				if a.message%2 == 0 { // the server's
					err = altered.replayClient(nil)
				} else if err = altered.replayServer(nil); err != nil && !errors.Is(err, ErrCredentials) && !errors.Is(err, ErrMalformed) {
					t.Errorf("%q for %q in message %d: %v is no answer of a server half", a.new, a.old, a.message, err)
				}
				if err == nil {
					t.Errorf("%q for %q in message %d is accepted", a.new, a.old, a.message)
				}
			}
		})
	}
}

// with is the exchange with one message changed.
func (v vector) with(t *testing.T, a alteration) vector {
	t.Helper()
	messages := append([]string{}, v.messages...)
	messages[a.message] = strings.Replace(messages[a.message], a.old, a.new, 1)
	if messages[a.message] == v.messages[a.message] {
		t.Fatalf("message %d has no %q", a.message, a.old)
	}
	v.messages = messages
	return v
}

func (v vector) impl() Impl {
	impl, ok := Get(v.mechanism)
	if !ok {
		panic(fmt.Sprintf("no mechanism %q", v.mechanism))
	}
	return impl
}

// replayClient has the client answer the server's messages. The error is the
// client's own. With t, what it says is compared with what was published.
func (v vector) replayClient(t *testing.T) error {
	client := v.impl().Client(v.clientConfig())
	if publish := published[v.mechanism]; publish != nil {
		publish(client, v)
	}
	_, kept, err := client.Start()
	if err != nil {
		return err
	}
	for i := 0; i < len(v.messages); i += 2 {
		got := kept // without an initial response the first message answers the first challenge
		if kept = nil; got == nil {
			if got, err = client.Next([]byte(v.messages[i])); err != nil {
				return err
			}
		}
		if t != nil && string(got) != v.messages[i+1] {
			t.Errorf("client says %q, the document %q", got, v.messages[i+1])
		}
	}
	return nil
}

// replayServer has the server take the client's messages. The error is the
// server's own.
func (v vector) replayServer(t *testing.T) error {
	server := v.impl().Server(v.serverConfig())
	challenge, _, err := server.Next(nil)
	if err != nil && !errors.Is(err, ErrMalformed) {
		return err
	}
	publish := published[v.mechanism]
	if publish != nil {
		publish(server, v)
	}
	done := false
	for i := 0; i < len(v.messages); i += 2 {
		if t != nil && string(challenge) != v.messages[i] && (i > 0 || publish == nil) {
			t.Errorf("server says %q, the document %q", challenge, v.messages[i])
		}
		if challenge, done, err = server.Next([]byte(v.messages[i+1])); err != nil {
			return err
		}
		if last := i+2 == len(v.messages); t != nil && done != last {
			t.Errorf("message %q: done %v", v.messages[i+1], done)
		}
	}
	if t != nil && server.Username() != v.username {
		t.Errorf("server knows the client as %q", server.Username())
	}
	if !done {
		return errors.New("the server waits for more")
	}
	return nil
}

func (v vector) clientConfig() ClientConfig {
	return ClientConfig{Protocol: login.Protocol(v.set["protocol"]), Host: v.set["host"], Token: v.set["token"],
		Authzid: v.authzid, Username: v.username, Password: v.password, Rand: rand.Reader, Now: time.Now}
}

func (v vector) serverConfig() ServerConfig {
	c := testConfig(v.username, v.password)
	c.Protocol = login.Protocol(v.set["protocol"])
	if v.set["host"] != "" {
		c.Identity = v.set["host"]
	}
	if token := v.set["token"]; token != "" {
		c.Token = func(got string) (string, error) {
			if got != token {
				return "", fmt.Errorf("%w: another token", ErrCredentials)
			}
			return v.username, nil
		}
	}
	return c
}

// testClient is a client of testConfig's server.
func testClient(username, password string) ClientConfig {
	return ClientConfig{Protocol: login.SMTP, Host: "mail.example.test", Username: username, Password: password,
		Rand: rand.Reader, Now: time.Now}
}

// testConfig is a server whose only account is this one.
func testConfig(username, password string) ServerConfig {
	return ServerConfig{
		Protocol:    login.SMTP,
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
		Check: func(name, given string) bool { return name == username && given == password },
		Keys: func(name string, hash Hash) (StoredKeys, bool) {
			if name != username {
				return testKeys(hash, "of nobody"), false
			}
			return testKeys(hash, password), true
		},
		Known: func(name string) bool { return name == username },
		Token: func(string) (string, error) { return "", ErrCredentials },
	}
}

// testKeys are stored keys as a server of tests has them.
func testKeys(hash Hash, password string) StoredKeys {
	keys, err := NewStoredKeys(hash, password, []byte("salt of the tests"), DefaultRounds)
	if err != nil {
		panic(err)
	}
	return keys
}
