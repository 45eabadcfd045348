package clientsim_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/certs"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// A conversation is a file in testdata/conversations: what the client is told
// to do, the transcript that must come of it, and the outcome. Its "S" lines
// are what the server says, so the transcript is script and golden in one.
type conversation struct {
	profile   string
	protocol  login.Protocol
	transport login.Transport
	mechanism login.Mechanism
	script    []string
	outcome   login.Outcome
	offered   string
}

func TestConversations(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/conversations/*.txt")
	if err != nil || len(names) == 0 {
		t.Fatalf("no conversations: %v", err)
	}
	first := map[string]bool{}
	for _, name := range names {
		c := readConversation(t, name)
		first[c.profile+" "+string(c.protocol)] = true
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			play(t, c)
		})
	}
	// No recording vouches for the probe and for the document's clients; the
	// others are held against recordings by harness.TestReplay.
	for _, name := range []string{"probe", "outlook", "outlook-express", "outlook-express-6", "eudora", "eudora-7-win"} {
		for _, protocol := range login.Protocols() {
			if !first[name+" "+string(protocol)] {
				t.Errorf("no conversation of %s in %s", name, protocol)
			}
		}
	}
}

func readConversation(t *testing.T, name string) conversation {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var c conversation
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || words[0] == "#":
		case words[0] == "run":
			c.profile, c.protocol = words[1], login.Protocol(words[2])
			c.transport, c.mechanism = login.Transport(words[3]), login.Mechanism(words[4])
		case words[0] == "outcome":
			c.outcome = login.Outcome(words[1])
		case words[0] == "offered":
			c.offered = words[1]
		default:
			c.script = append(c.script, line)
		}
	}
	return c
}

func play(t *testing.T, c conversation) {
	s := newScripted(t, c.script, c.mechanism, certs.Leaf{Names: []string{login.DefaultIdentity}, Key: certs.RSA})
	got := clientsim.Login(t.Context(), configFor(t, c, s))
	if !slices.Equal(got.Transcript, c.script) {
		t.Errorf("transcript:\n%s\nwant:\n%s", strings.Join(got.Transcript, "\n"), strings.Join(c.script, "\n"))
	}
	o := got.Observation
	if o.Outcome != c.outcome {
		t.Errorf("outcome %s (%s), want %s", o.Outcome, o.Detail, c.outcome)
	}
	offered := "unseen"
	if o.Offered != nil {
		offered = fmt.Sprint(*o.Offered)
	}
	if offered != c.offered {
		t.Errorf("offered %s, want %s", offered, c.offered)
	}
	if err := s.Close(); err != nil {
		t.Errorf("server: %v", err)
	}
}

// configFor is the login of a conversation at a server.
func configFor(t testing.TB, c conversation, s *scripted) clientsim.Config {
	t.Helper()
	p, err := clientsim.Get(c.profile)
	if err != nil {
		t.Fatal(err)
	}
	return clientsim.Config{
		Profile: p, Protocol: c.protocol, Transport: c.transport, Mechanism: c.mechanism,
		Door: s, Host: login.DefaultIdentity, Secrets: secrets, Credential: login.WithAccount,
		Limit: 10 * time.Second,
	}
}
