package mech

import (
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech/kerberos"
)

// kerberosWorld is a realm, a service of it, and an account "alice".
type kerberosWorld struct {
	realm  *kerberos.Realm
	server ServerConfig
}

func newKerberosWorld(t testing.TB) *kerberosWorld {
	t.Helper()
	realm, err := kerberos.NewRealm("EXAMPLE.TEST", "mail.example.test")
	if err != nil {
		t.Fatal(err)
	}
	server := testConfig("alice", "")
	server.Kerberos = realm.Service(time.Now)
	return &kerberosWorld{realm, server}
}

// client has a ticket.
func (w *kerberosWorld) client(t interface{ Fatal(...any) }, principal string, flaw login.Flaw) ClientConfig {
	ticket, err := w.realm.Mint(principal, login.SMTP, time.Now(), flaw)
	if err != nil {
		t.Fatal(err)
	}
	return ClientConfig{Ticket: ticket, Rand: rand.Reader, Now: time.Now}
}

// choose has a server half decide on a client's last message that is made by
// hand.
func (w *kerberosWorld) choose(t testing.TB, principal, message string) (Server, error) {
	t.Helper()
	c := w.client(t, principal, login.Flawless)
	i, err := kerberos.Initiate(c.Ticket, time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s := GSSAPI.Server(w.server)
	reply, _, err := s.Next(i.Token())
	if err != nil {
		t.Fatal(err)
	}
	context, err := i.Finish(reply)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Next([]byte{}); err != nil {
		t.Fatal(err)
	}
	token, err := context.Wrap([]byte(message))
	if err != nil {
		t.Fatal(err)
	}
	_, done, err := s.Next(token)
	if !done {
		t.Error("the server half wants more")
	}
	return s, err
}

// The halves agree for any principal that has an account, whether the client
// names itself or nobody; and with no other identity.
func TestGSSAPIHalvesAgree(t *testing.T) {
	w := newKerberosWorld(t)
	name := rapid.StringMatching(`[a-zäöü0-9._$-]{1,20}`)
	rapid.Check(t, func(t *rapid.T) {
		user := name.Draw(t, "name")
		server := w.server
		server.Known = func(asked string) bool { return asked == user }
		client := w.client(t, user, login.Flawless)
		client.Username = rapid.SampledFrom([]string{"", user, strings.ToUpper(user)}).Draw(t, "username")
		if err := exchange(t, GSSAPI, client, server, same); err != nil {
			t.Fatalf("the account's own: %v", err)
		}
		client.Authzid = user + "x"
		if err := exchange(t, GSSAPI, client, server, same); !errors.Is(err, ErrCredentials) {
			t.Fatalf("another identity: %v", err)
		}
		other := w.client(t, user+"x", login.Flawless)
		if err := exchange(t, GSSAPI, other, server, same); !errors.Is(err, ErrCredentials) {
			t.Fatalf("no account: %v", err)
		}
	})
}

// A ticket with a flaw is refused, and the reason says which.
func TestGSSAPIFlaws(t *testing.T) {
	w := newKerberosWorld(t)
	for flaw, says := range map[login.Flaw]string{
		login.Forged: "not made with this service's key", login.Expired: "expired", login.Elsewhere: "for another service"} {
		err := exchange(t, GSSAPI, w.client(t, "alice", flaw), w.server, same)
		if !errors.Is(err, ErrCredentials) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", flaw, err)
		}
	}
	pop3 := w.server
	pop3.Protocol = login.POP3
	if err := exchange(t, GSSAPI, w.client(t, "alice", login.Flawless), pop3, same); !errors.Is(err, ErrCredentials) {
		t.Errorf("SMTP's ticket over POP3: %v", err)
	}
	none := w.server
	none.Kerberos = nil
	err := exchange(t, GSSAPI, w.client(t, "alice", login.Flawless), none, same)
	if err == nil || errors.Is(err, ErrCredentials) || errors.Is(err, ErrMalformed) {
		t.Errorf("without a key it is our own failure: %v", err)
	}
}

// The first message of one login is good for no other.
func TestGSSAPIReplay(t *testing.T) {
	w := newKerberosWorld(t)
	_, token, err := GSSAPI.Client(w.client(t, "alice", login.Flawless)).Start()
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := GSSAPI.Server(w.server).Next(token); err != nil {
		t.Fatal(err)
	}
	_, done, err := GSSAPI.Server(w.server).Next(token)
	if !done || !errors.Is(err, ErrCredentials) || !strings.Contains(err.Error(), "replay") {
		t.Errorf("done %v, %v", done, err)
	}
}

// What the client may say in the end, and what not (RFC 4752 3.1, 3.2).
func TestGSSAPIChoice(t *testing.T) {
	w := newKerberosWorld(t)
	for _, row := range []struct {
		name, principal, message string
		want                     error
		says                     string
	}{
		{"nobody else", "alice", "\x01\x00\x00\x00", nil, ""},
		{"itself", "alice", "\x01\x00\x00\x00alice", nil, ""},
		{"itself, in capitals", "alice", "\x01\x00\x00\x00ALICE", nil, ""},
		{"its principal", "alice", "\x01\x00\x00\x00alice@EXAMPLE.TEST", ErrCredentials, "somebody else"},
		{"another", "alice", "\x01\x00\x00\x00bob", ErrCredentials, "somebody else"},
		{"itself, and a NUL", "alice", "\x01\x00\x00\x00alice\x00", ErrCredentials, "somebody else"},
		{"no UTF-8", "alice", "\x01\x00\x00\x00\xff", ErrMalformed, "UTF-8"},
		{"integrity", "alice", "\x02\x00\x00\x00", ErrMalformed, "security layer"},
		{"no layer or integrity", "alice", "\x03\x00\x00\x00", ErrMalformed, "security layer"},
		{"nothing chosen", "alice", "\x00\x00\x00\x00", ErrMalformed, "security layer"},
		{"a size", "alice", "\x01\x00\x00\x01", ErrMalformed, "a size"},
		{"cut short", "alice", "\x01\x00\x00", ErrMalformed, "choice"},
		{"empty", "alice", "", ErrMalformed, "choice"},
		{"no account", "bob", "\x01\x00\x00\x00", ErrCredentials, ""},
		{"an instance", "alice/admin", "\x01\x00\x00\x00", ErrCredentials, "instance"},
		{"an instance that names the account", "alice/admin", "\x01\x00\x00\x00alice", ErrCredentials, "instance"},
	} {
		s, err := w.choose(t, row.principal, row.message)
		if !errors.Is(err, row.want) || err != nil && !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v, want %v (%s)", row.name, err, row.want, row.says)
		}
		if want, _, _ := strings.Cut(row.principal, "/"); s.Username() != want {
			t.Errorf("%s: it is known as %q", row.name, s.Username())
		}
	}
}

// The server half asks for the first message, once; a reply wants an empty
// answer.
func TestGSSAPIServerSteps(t *testing.T) {
	w := newKerberosWorld(t)
	s := GSSAPI.Server(w.server)
	if challenge, done, err := s.Next(nil); challenge == nil || len(challenge) > 0 || done || err != nil {
		t.Errorf("%q, done %v, %v", challenge, done, err)
	}
	if _, done, err := s.Next(nil); !done || !errors.Is(err, ErrMalformed) {
		t.Errorf("nothing twice: done %v, %v", done, err)
	}
	if s.Username() != "" {
		t.Errorf("somebody is known as %q", s.Username())
	}
	_, token, err := GSSAPI.Client(w.client(t, "alice", login.Flawless)).Start()
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Next(token); err != nil {
		t.Fatal(err)
	}
	if _, done, err := s.Next([]byte("x")); !done || !errors.Is(err, ErrMalformed) {
		t.Errorf("an answer to the reply: done %v, %v", done, err)
	}
}

// A name that nobody has takes as many steps as one that somebody has.
func TestGSSAPIUnknownName(t *testing.T) {
	w := newKerberosWorld(t)
	steps := func(principal string) (n int) {
		_ = exchange(t, GSSAPI, w.client(t, principal, login.Flawless), w.server, func(b []byte) []byte { n++; return b })
		return n
	}
	if known, unknown := steps("alice"), steps("bob"); known != unknown || known != 3 {
		t.Errorf("%d steps, and %d", known, unknown)
	}
}

// Without a ticket the client asks, and has nothing to answer with.
func TestGSSAPIWithoutTicket(t *testing.T) {
	c := GSSAPI.Client(ClientConfig{Username: "alice", Rand: rand.Reader, Now: time.Now})
	if name, message, err := c.Start(); name != "GSSAPI" || message != nil || err != nil {
		t.Errorf("%q, %q, %v", name, message, err)
	}
	if message, err := c.Next([]byte{}); message != nil || err != errNoTicket {
		t.Errorf("%q, %v", message, err)
	}
	broken := GSSAPI.Client(ClientConfig{Ticket: login.Ticket{Encoded: []byte("x")}, Rand: rand.Reader, Now: time.Now})
	if _, _, err := broken.Start(); err == nil {
		t.Error("a message is made of no ticket")
	}
}

// The client goes on with a server that it believes, and that demands no more
// than it has (RFC 4752 3.1).
func TestGSSAPIClientJudges(t *testing.T) {
	w := newKerberosWorld(t)
	for _, row := range []struct{ name, offer, says string }{
		{"no layer", "\x01\x00\x00\x00", ""},
		{"every layer", "\x07\x00\xff\xff", ""},
		{"no layer, with a size", "\x01\xff\xff\xff", ""}, // Dovecot's
		{"integrity only", "\x02\x00\xff\xff", "demands a security layer"},
		{"nothing", "\x00\x00\x00\x00", "demands a security layer"},
		{"three octets", "\x01\x00\x00", "not 4 octets"},
		{"five octets", "\x01\x00\x00\x00\x00", "not 4 octets"},
	} {
		c := GSSAPI.Client(w.client(t, "alice", login.Flawless))
		_, token, err := c.Start()
		if err != nil {
			t.Fatal(err)
		}
		accepted, err := w.server.Kerberos.Accept(token, login.SMTP)
		if err != nil {
			t.Fatal(err)
		}
		if answer, err := c.Next(accepted.Reply); answer == nil || len(answer) > 0 || err != nil {
			t.Fatalf("%s: %q, %v", row.name, answer, err)
		}
		offer, err := accepted.Context.Wrap([]byte(row.offer))
		if err != nil {
			t.Fatal(err)
		}
		if _, err = c.Next(offer); row.says == "" && err != nil || row.says != "" && (err == nil || !strings.Contains(err.Error(), row.says)) {
			t.Errorf("%s: %v, want %q", row.name, err, row.says)
		}
	}
	// A server that cannot open the ticket has no reply, and goes straight on.
	c := GSSAPI.Client(w.client(t, "alice", login.Flawless))
	if _, _, err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Next([]byte("\x05\x04\x01\xff\x00\x0c\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00............")); err == nil {
		t.Error("the client believes a server that did not prove itself")
	}
}

// A message cut short is refused, and nothing falls over.
func TestGSSAPITruncated(t *testing.T) {
	w := newKerberosWorld(t)
	for step := range 3 {
		for keep := 0; keep < 900; keep += 7 {
			n, cut := 0, false
			err := exchange(t, GSSAPI, w.client(t, "alice", login.Flawless), w.server, func(b []byte) []byte {
				n++
				if cut = cut || n == step+1 && keep < len(b); n == step+1 && keep < len(b) {
					return b[:keep:keep]
				}
				return b
			})
			if cut == (err == nil) || err != nil && !errors.Is(err, ErrCredentials) && !errors.Is(err, ErrMalformed) {
				t.Errorf("%d octets of message %d: cut %v, %v", keep, step, cut, err)
			}
		}
	}
}

func BenchmarkGSSAPI(b *testing.B) {
	w := newKerberosWorld(b)
	client := w.client(b, "alice", login.Flawless)
	for b.Loop() {
		if err := exchange(b, GSSAPI, client, w.server, same); err != nil {
			b.Fatal(err)
		}
	}
}

// A client that is told to chooses a security layer that was not offered, and
// the server refuses it (RFC 4752 3.2).
func TestGSSAPIClientChoosesALayer(t *testing.T) {
	w := newKerberosWorld(t)
	for layer, want := range map[byte]error{0: nil, 1: ErrMalformed, 2: ErrMalformed, 4: ErrMalformed} {
		config := w.client(t, "alice", login.Flawless)
		config.Layer = layer
		if err := exchange(t, GSSAPI, config, w.server, same); !errors.Is(err, want) {
			t.Errorf("layer %d: %v, want %v", layer, err, want)
		}
	}
}
