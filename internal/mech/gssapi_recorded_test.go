package mech

import (
	"bytes"
	"encoding/hex"
	"errors"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech/kerberos"
)

// TestGSSAPIRecorded replays logins that were recorded with MIT's programs and
// with Dovecot, for want of a published exchange. They stand apart from the
// vectors, because AP-REQ and AP-REP begin with octets of chance that gokrb5
// draws itself: what we say is compared from the first message on that has
// none.
func TestGSSAPIRecorded(t *testing.T) {
	names, err := filepath.Glob("testdata/gssapi/*.txt")
	if err != nil || len(names) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			r := recording{vector: readVector(t, name)}
			if err := r.client(t, r.messages); err != nil {
				t.Errorf("client: %v", err)
			}
			if err := r.server(t, r.messages); err != nil {
				t.Errorf("server: %v", err)
			}
			for _, a := range r.refused {
				altered := r.with(t, a).messages
				if a.message%2 == 0 {
					err = r.client(t, altered)
				} else if err = r.server(t, altered); err != nil && !errors.Is(err, ErrCredentials) && !errors.Is(err, ErrMalformed) {
					t.Errorf("%q for %q in message %d: %v is no answer of a server half", a.new, a.old, a.message, err)
				}
				if err == nil {
					t.Errorf("%q for %q in message %d is accepted", a.new, a.old, a.message)
				}
			}
		})
	}
}

// recording is a login with what each side had: a keytab where the server was
// ours, a ticket where the client is to be replayed.
type recording struct{ vector }

func (r recording) octets(t *testing.T, key string) []byte {
	t.Helper()
	b, err := hex.DecodeString(r.set[key])
	if err != nil {
		t.Fatalf("%s: %v", key, err)
	}
	return b
}

func (r recording) now(t *testing.T) func() time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, r.set["now"])
	if err != nil {
		t.Fatal(err)
	}
	return func() time.Time { return at }
}

// server takes the client's messages, if the server was ours. The error is
// its own.
func (r recording) server(t *testing.T, messages []string) error {
	t.Helper()
	if r.set["keytab"] == "" {
		return nil
	}
	service, err := kerberos.NewService(r.octets(t, "keytab"), r.now(t))
	if err != nil {
		t.Fatal(err)
	}
	half := GSSAPI.Server(ServerConfig{Protocol: login.Protocol(r.set["protocol"]), Kerberos: service,
		Known: func(name string) bool { return name == r.username }})
	if _, _, err := half.Next(nil); err != nil {
		return err
	}
	for i := 1; i < len(messages); i += 2 {
		_, done, err := half.Next([]byte(messages[i]))
		if err != nil {
			return err
		}
		if last := i+1 == len(messages); done != last {
			t.Errorf("message %d: done %v", i, done)
		}
	}
	if half.Username() != r.username {
		t.Errorf("the server knows the client as %q", half.Username())
	}
	return nil
}

// client takes the server's messages, if there is a ticket. The error is its
// own.
func (r recording) client(t *testing.T, messages []string) error {
	t.Helper()
	if r.set["ticket"] == "" {
		return nil
	}
	keyType, err := strconv.ParseInt(r.set["key-type"], 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	half := GSSAPI.Client(ClientConfig{Username: r.username, Now: r.now(t), Rand: bytes.NewReader(r.octets(t, "random")),
		Ticket: login.Ticket{Realm: "EXAMPLE.TEST", Client: r.username, Encoded: r.octets(t, "ticket"),
			KeyType: int32(keyType), Key: r.octets(t, "key")}})
	if _, _, err := half.Start(); err != nil {
		return err
	}
	for i := 2; i < len(messages); i += 2 {
		said, err := half.Next([]byte(messages[i]))
		if err != nil {
			return err
		}
		if string(said) != messages[i+1] {
			t.Errorf("message %d: the client says %q, and said %q", i+1, said, messages[i+1])
		}
	}
	return nil
}
