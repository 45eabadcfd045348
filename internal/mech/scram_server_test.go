package mech

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
)

// The client's first message, as it must not be.
func TestScramFirstMalformed(t *testing.T) {
	for _, row := range []struct{ name, message, reason string }{
		{"empty", "", "invalid-encoding"},
		{"no header", "n=alice,r=abc", "invalid-encoding"},
		{"header cut short", "n,n=alice,r=abc", "invalid-encoding"},
		{"unknown flag", "x,,n=alice,r=abc", "invalid-encoding"},
		{"flag in upper case", "N,,n=alice,r=abc", "invalid-encoding"},
		{"flag with a value", "n=1,,n=alice,r=abc", "invalid-encoding"},
		{"binding without a name", "p=,,n=alice,r=abc", "invalid-encoding"},
		{"binding with a bad name", "p=tls_unique,,n=alice,r=abc", "invalid-encoding"},
		{"authzid without its letter", "n,alice,n=alice,r=abc", "invalid-encoding"},
		{"empty authzid", "n,a=,n=alice,r=abc", "invalid-encoding"},
		{"badly quoted authzid", "n,a=al=2cice,n=alice,r=abc", "invalid-encoding"},
		{"authzid of which SASLprep leaves nothing", "n,a=\u00ad,n=alice,r=abc", "invalid-encoding"},
		{"authzid that SASLprep forbids", "n,a=alice\x07,n=alice,r=abc", "invalid-encoding"},
		{"no name", "n,,r=abc", "invalid-encoding"},
		{"empty name", "n,,n=,r=abc", "invalid-encoding"},
		{"badly quoted name", "n,,n=al=ice,r=abc", "invalid-username-encoding"},
		{"quoted in lower case", "n,,n=al=2cice,r=abc", "invalid-username-encoding"},
		{"NUL in the name", "n,,n=al\x00ice,r=abc", "invalid-encoding"},
		{"name not UTF-8", "n,,n=al\xffice,r=abc", "invalid-encoding"},
		{"wrong order", "n,,r=abc,n=alice", "invalid-encoding"},
		{"no nonce", "n,,n=alice", "invalid-encoding"},
		{"empty nonce", "n,,n=alice,r=", "invalid-encoding"},
		{"nonce with a space", "n,,n=alice,r=a b", "invalid-encoding"},
		{"nonce not in ASCII", "n,,n=alice,r=ä", "invalid-encoding"},
		{"mandatory extension", "n,,m=1,n=alice,r=abc", "extensions-not-supported"},
		{"mandatory extension at the end", "n,,n=alice,r=abc,m=1", "extensions-not-supported"},
		{"extension without a value", "n,,n=alice,r=abc,x=", "invalid-encoding"},
		{"extension of two letters", "n,,n=alice,r=abc,xy=1", "invalid-encoding"},
		{"extension of no letter", "n,,n=alice,r=abc,1=1", "invalid-encoding"},
		{"comma at the end", "n,,n=alice,r=abc,", "invalid-encoding"},
	} {
		for _, impl := range scrams {
			half := impl.Server(testConfig("alice", "secret"))
			if _, done, err := half.Next([]byte(row.message)); !done || !refusedFor(err, ErrMalformed, row.reason) {
				t.Errorf("%s: %s: done %v, %v", impl.Name, row.name, done, err)
			}
		}
	}
}

// The client's last message, as it must not be.
func TestScramFinalMalformed(t *testing.T) {
	for _, row := range []struct {
		name     string
		old, new string
		class    error
		reason   string
	}{
		{"no proof", ",p=", ",x=", ErrMalformed, "invalid-encoding"},
		{"no base64 in the proof", ",p=", ",p=*", ErrMalformed, "invalid-encoding"},
		{"a line end in the proof", ",p=", ",p=\n", ErrMalformed, "invalid-encoding"},
		{"proof too short", ",p=", ",p=AAAA,p=", ErrCredentials, "invalid-proof"}, // the first is an extension
		{"something after the proof", "END", ",x=1", ErrMalformed, "invalid-encoding"},
		{"proof too long", "END", "", ErrCredentials, "other-error"},
		{"no channel binding", "c=biws,", "", ErrMalformed, "invalid-encoding"},
		{"empty channel binding", "c=biws", "c=", ErrMalformed, "invalid-encoding"},
		{"another header", "c=biws", "c=eSws", ErrCredentials, "channel-bindings-dont-match"},
		{"base64 with bits to spare", "c=biws", "c=bix=", ErrMalformed, "invalid-encoding"},
		{"nonce with a space", ",r=", ",r= ", ErrMalformed, "invalid-encoding"},
		{"another nonce", ",r=", ",r=x", ErrCredentials, "other-error"},
		{"mandatory extension", ",p=", ",m=1,p=", ErrMalformed, "extensions-not-supported"},
		{"extension that the proof does not cover", ",p=", ",x=1,p=", ErrCredentials, "invalid-proof"},
	} {
		err := exchange(t, SCRAMSHA256, testClient("alice", "secret"),
			testConfig("alice", "secret"), func(b []byte) []byte {
				text := string(b)
				switch {
				case !strings.HasPrefix(text, "c="):
					return b
				case row.name == "proof too long":
					return []byte(text[:strings.LastIndex(text, "=")-43] + base64.StdEncoding.EncodeToString(make([]byte, 33)))
				case row.old == "END":
					return []byte(text + row.new)
				}
				return []byte(strings.Replace(text, row.old, row.new, 1))
			})
		if !refusedFor(err, row.class, row.reason) {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}

// Every message counts to its last octet.
func TestScramTruncated(t *testing.T) {
	for _, impl := range scrams {
		for cut := 1; cut < 200; cut++ {
			shortened := false
			err := exchange(t, impl, testClient("alice", "secret"), testConfig("alice", "secret"), func(b []byte) []byte {
				if shortened || len(b) < cut {
					return b
				}
				shortened = true
				return b[:len(b)-cut]
			})
			if shortened == (err == nil) {
				t.Errorf("%s: first message that is long enough cut by %d: %v", impl.Name, cut, err)
			}
			final := false
			err = exchange(t, impl, testClient("alice", "secret"), testConfig("alice", "secret"), func(b []byte) []byte {
				if !strings.HasPrefix(string(b), "c=") || len(b) < cut {
					return b
				}
				final = true
				return b[:len(b)-cut]
			})
			if final == (err == nil) {
				t.Errorf("%s: last message cut by %d: %v", impl.Name, cut, err)
			}
		}
	}
}

// An optional extension that nobody knows changes nothing (RFC 5802 5.1).
func TestScramExtensionIgnored(t *testing.T) {
	const first = "n,,n=alice,r=abc,x=1"
	server := SCRAMSHA1.Server(testConfig("alice", "secret"))
	if _, done, err := server.Next([]byte(first)); done || err != nil {
		t.Errorf("done %v, %v", done, err)
	}
}

// What comes at the wrong time is refused, whatever it is.
func TestScramOutOfOrder(t *testing.T) {
	client := testClient("alice", "secret")
	// until has the server as far as it is after so many of the client's messages.
	until := func(messages int) Server {
		c, s := SCRAMSHA256.Client(client), SCRAMSHA256.Server(testConfig("alice", "secret"))
		_, message, err := c.Start()
		for range messages {
			challenge, _, serverErr := s.Next(message)
			if err != nil || serverErr != nil {
				t.Fatal(err, serverErr)
			}
			if messages--; messages > 0 {
				message, err = c.Next(challenge)
			}
		}
		return s
	}
	for _, row := range []struct {
		name     string
		messages int
		next     []byte
	}{
		{"no message for the last", 1, nil},
		{"the first message twice", 1, []byte("n,,n=alice,r=abc")},
		{"no message for the acknowledgement", 2, nil},
		{"an acknowledgement with something in it", 2, []byte("v")},
		{"after success", 3, []byte{}},
		{"no message after success", 3, nil},
	} {
		s := until(row.messages)
		if _, done, err := s.Next(row.next); !done || !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: done %v, %v", row.name, done, err)
		}
		if _, done, err := s.Next([]byte{}); !done || !errors.Is(err, ErrMalformed) {
			t.Errorf("%s, and then an acknowledgement: done %v, %v", row.name, done, err)
		}
	}
	s := SCRAMSHA256.Server(testConfig("alice", "secret"))
	_, _, _ = s.Next(nil)
	if _, done, err := s.Next(nil); !done || !errors.Is(err, ErrMalformed) {
		t.Errorf("no message twice: done %v, %v", done, err)
	}
	if _, err := SCRAMSHA256.Client(client).Next([]byte{}); err == nil {
		t.Error("a client that was not started goes on")
	}
}

// A database without keys is a failure of ours, not of the client's.
func TestScramWithoutKeys(t *testing.T) {
	config := testConfig("alice", "secret")
	config.Keys = func(string, Hash) (StoredKeys, bool) { return StoredKeys{}, true }
	_, done, err := SCRAMSHA256.Server(config).Next([]byte("n,,n=alice,r=abc"))
	if !done || err == nil || errors.Is(err, ErrCredentials) || errors.Is(err, ErrMalformed) {
		t.Errorf("done %v, %v", done, err)
	}
}
