package mech

import (
	"crypto/tls"
	"encoding/base64"
	"errors"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

var scrams = []Impl{SCRAMSHA1, SCRAMSHA1PLUS, SCRAMSHA256, SCRAMSHA256PLUS}

func init() {
	for _, impl := range scrams {
		published[impl.Name] = publishScram
	}
}

// publishScram puts nonces, salt and channel binding of a vector in place.
func publishScram(half any, v vector) {
	decode := func(key string) []byte {
		b, err := base64.StdEncoding.DecodeString(v.set[key])
		if err != nil {
			panic(err)
		}
		return b
	}
	connection := &tls.ConnectionState{Version: tls.VersionTLS12, TLSUnique: decode("tls-unique")}
	switch h := half.(type) {
	case *scramClient:
		h.nonce, h.config.TLS = v.set["client-nonce"], connection
	case *scramServer:
		h.nonce, h.config.TLS = v.set["server-nonce"], connection
		h.config.Keys = func(name string, hash Hash) (StoredKeys, bool) {
			keys, err := NewStoredKeys(hash, v.password, decode("salt"), DefaultRounds)
			return keys, err == nil && name == v.username
		}
	}
}

// Names and passwords of any script, with what has to be quoted in a name.
func TestScramNames(t *testing.T) {
	name := rapid.StringMatching(`[a-zA-Z0-9,=@ .äöüéñяжあ中]{1,12}|=2C|=3D|a=2C=`)
	password := rapid.StringMatching(`[ -~äöüß€яжあ中]{1,12}`)
	for _, impl := range []Impl{SCRAMSHA1, SCRAMSHA256PLUS} { // the four read names alike
		t.Run(string(impl.Name), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				user, pass := name.Draw(t, "name"), password.Draw(t, "password")
				client := testClient(user, pass)
				client.Authzid = rapid.SampledFrom([]string{"", user}).Draw(t, "authzid")
				if err := exchange(t, impl, client, testConfig(user, pass), same); err != nil {
					t.Fatalf("right credentials: %v", err)
				}
				client.Password += "я"
				if err := exchange(t, impl, client, testConfig(user, pass), same); !refusedFor(err, ErrCredentials, "invalid-proof") {
					t.Fatalf("wrong password: %v", err)
				}
			})
		})
	}
}

// Nobody may act for somebody else, and an unknown name comes as far as a
// wrong password does.
func TestScramWho(t *testing.T) {
	for _, row := range []struct{ name, authzid, username, reason string }{
		{"as himself", "Alice", "alice", ""},
		{"as somebody else", "bob", "alice", "other-error"},
		{"unknown", "", "bob", "unknown-user"},
		{"unknown, as somebody else", "alice", "bob", "unknown-user"},
	} {
		for _, impl := range scrams {
			client := testClient(row.username, "secret")
			client.Authzid = row.authzid
			messages := 0
			err := exchange(t, impl, client, testConfig("alice", "secret"), func(b []byte) []byte { messages++; return b })
			if row.reason == "" && err != nil || row.reason != "" && (!refusedFor(err, ErrCredentials, row.reason) || messages != 2) {
				t.Errorf("%s: %s: %v after %d messages", impl.Name, row.name, err, messages)
			}
		}
	}
}

// refusedFor reports whether err is of the class and says this reason.
func refusedFor(err, class error, reason string) bool {
	return errors.Is(err, class) && strings.HasSuffix(err.Error(), ": "+reason)
}

// SASLprep makes several spellings one, and rejects some: RFC 4013 3.
func TestScramPrepared(t *testing.T) {
	for _, row := range []struct {
		name, given, account string // no account: rejected
	}{
		{"soft hyphen is mapped to nothing", "I\u00adX", "IX"},
		{"no change", "user", "user"},
		{"case is kept", "USER", "USER"},
		{"NFKC, Latin 1", "\u00aa", "a"},
		{"NFKC, roman nine", "\u2168", "IX"},
		{"control character", "\u0007", ""},
		{"bidirectional", "\u0627\u0031", ""},
		{"not UTF-8", "a\xff", ""},
		{"empty", "", ""},
		{"nothing left", "\u00ad", ""},
	} {
		client := testClient(row.given, "p"+row.given)
		if row.account != "" {
			server := testConfig(row.account, "p"+row.account)
			if err := exchange(t, SCRAMSHA256, client, server, same); err != nil {
				t.Errorf("%s: %v", row.name, err)
			}
			continue
		}
		half := SCRAMSHA256.Client(client)
		name, first, err := half.Start()
		if name != "SCRAM-SHA-256" || first != nil || err != nil {
			t.Errorf("%s: client starts with %q, %q, %v", row.name, name, first, err)
		}
		if _, err := half.Next([]byte{}); err == nil {
			t.Errorf("%s: client goes on", row.name)
		}
		server := SCRAMSHA256.Server(testConfig(row.account, "p"))
		if _, done, err := server.Next([]byte("n,,n=" + row.given + ",r=abc")); !done || !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: server: %v, %v", row.name, done, err)
		}
	}
}

func TestScramSecretIsInNoError(t *testing.T) {
	half := SCRAMSHA256.Client(testClient("alice", "hush\u0007"))
	if _, _, err := half.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := half.Next([]byte{}); err == nil || strings.ContainsAny(err.Error(), "\u0007") || strings.Contains(err.Error(), "hush") {
		t.Errorf("client: %v", err)
	}
	if _, err := NewStoredKeys(SHA256, "hush\u0007", []byte("salt"), 1); err == nil || strings.Contains(err.Error(), "hush") {
		t.Errorf("keys: %v", err)
	}
}

// Logins at the same time share what was derived and nothing else.
func TestScramAtOnce(t *testing.T) {
	var all sync.WaitGroup
	for _, impl := range scrams {
		for range 20 {
			all.Go(func() {
				client := testClient("alice", "at once")
				if err := exchange(t, impl, client, testConfig("alice", "at once"), same); err != nil {
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
}
