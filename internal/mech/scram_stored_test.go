package mech

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the protocol demands it
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/xdg-go/scram"
)

// serverSignature is what a server with these keys proves itself with
// (RFC 5802 3).
func serverSignature(keys StoredKeys, authMessage string) string {
	mac := hmac.New(sha1.New, keys.ServerKey)
	mac.Write([]byte(authMessage))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func TestStoredKeys(t *testing.T) {
	for _, row := range []struct {
		name, password string
		hash           Hash
		salt           string
		rounds         int
	}{
		{"no password", "", SHA1, "salt", 1},
		{"no salt", "secret", SHA1, "", 1},
		{"no rounds", "secret", SHA1, "salt", 0},
		{"no hash", "secret", "", "salt", 1},
		{"another hash", "secret", "MD5", "salt", 1},
		{"SASLprep rejects it", "\u0007", SHA1, "salt", 1},
	} {
		if keys, err := NewStoredKeys(row.hash, row.password, []byte(row.salt), row.rounds); err == nil {
			t.Errorf("%s: %v", row.name, keys)
		}
	}
	for _, hash := range []Hash{SHA1, SHA256} {
		keys := testKeys(hash, "I\u00adX")
		for given, right := range map[string]bool{"IX": true, "I\u00adX": true, "\u2168": true, "ix": false, "": false, "\u0007": false} {
			if keys.Check(hash, given) != right {
				t.Errorf("%s: %q is %v", hash, given, !right)
			}
		}
		if keys.Check("", "IX") || (StoredKeys{}).Check(hash, "") || (StoredKeys{}).Check(hash, "IX") {
			t.Errorf("%s: a zero value verifies something", hash)
		}
	}
	if testKeys(SHA1, "secret").Check(SHA256, "secret") {
		t.Error("keys of one hash are right for the other")
	}
}

// Who changes keys that he was given changes nobody else's.
func TestStoredKeysAreCopies(t *testing.T) {
	keys := testKeys(SHA1, "secret")
	clear(keys.StoredKey)
	clear(keys.Salt)
	if !testKeys(SHA1, "secret").Check(SHA1, "secret") {
		t.Error("the memo was changed")
	}
}

// A proof is one to the last octet: that of RFC 5802 5.
func TestScramProven(t *testing.T) {
	salt, err := base64.StdEncoding.DecodeString("QSXCR+Q6sek8bf92")
	if err != nil {
		t.Fatal(err)
	}
	keys, err := NewStoredKeys(SHA1, "pencil", salt, DefaultRounds)
	if err != nil {
		t.Fatal(err)
	}
	const nonce = "r=fyko+d2lbbFgONRv9qkxdawL"
	const authMessage = "n=user," + nonce + "," + nonce + "3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096,c=biws," + nonce + "3rfcNHYJY1ZVvWVs7j"
	proof, err := base64.StdEncoding.DecodeString("v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name    string
		hash    Hash
		message string
		proof   []byte
		right   bool
	}{
		{"as published", SHA1, authMessage, proof, true},
		{"another message", SHA1, authMessage + "x", proof, false},
		{"another hash", SHA256, authMessage, proof, false},
		{"no hash", "", authMessage, proof, false},
		{"an octet more", SHA1, authMessage, append(bytes.Clone(proof), 0), false},
		{"an octet less", SHA1, authMessage, proof[:len(proof)-1], false},
		{"none", SHA1, authMessage, nil, false},
	} {
		if keys.proven(row.hash, row.message, row.proof) != row.right {
			t.Errorf("%s: %v", row.name, !row.right)
		}
	}
}

// A password is hashed once, however many ask for its keys at once, and one
// client serves a login after another.
func TestScramDerivesOnce(t *testing.T) {
	var hashes atomic.Int64
	counted := scram.HashGeneratorFcn(func() hash.Hash { hashes.Add(1); return sha256.New() })
	client, err := counted.NewClient("alice", "secret", "")
	if err != nil {
		t.Fatal(err)
	}
	credentials := &scramCredentials{client: client}
	if _, err := credentials.keys([]byte("salt"), DefaultRounds); err != nil {
		t.Fatal(err)
	}
	once := hashes.Swap(0)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, err := credentials.keys([]byte("pepper"), DefaultRounds); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := hashes.Load(); got != once || once == 0 {
		t.Errorf("eight at once make %d hashes, one alone %d", got, once)
	}
}

// The memo tells credentials apart by each of their parts, and forgets.
func TestScramMemo(t *testing.T) {
	memo := scramMemo{clients: map[[sha256.Size]byte]*scramCredentials{}}
	ask := func(hash Hash, parts ...string) *scramCredentials {
		t.Helper()
		c, err := memo.client(hash, parts[0], parts[1], parts[2], DefaultRounds)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	seen := map[*scramCredentials]bool{}
	for _, parts := range [][]string{{"a", "b", "c"}, {"ab", "", "c"}, {"", "ab", "c"}, {"a", "bc", ""}, {`a" "b`, "c", ""}} {
		for _, hash := range []Hash{SHA1, SHA256} {
			c := ask(hash, parts...)
			if seen[c] || ask(hash, parts...) != c {
				t.Errorf("%s of %q: not its own", hash, parts)
			}
			seen[c] = true
		}
	}
	for i := range memoUses {
		ask(SHA1, "name", fmt.Sprint(i), "")
	}
	if n := len(memo.clients); n > memoUses {
		t.Errorf("%d remembered", n)
	}
	memo.uses = memoUses
	if ask(SHA1, "a", "b", "c"); len(memo.clients) != 1 {
		t.Errorf("%d remembered, after all was to be forgotten", len(memo.clients))
	}
}

// A login of which the keys are known.
func BenchmarkSCRAM(b *testing.B) {
	for _, impl := range scrams {
		b.Run(string(impl.Name), func(b *testing.B) {
			client := testClient("alice", "secret")
			server := testConfig("alice", "secret")
			for b.Loop() {
				if err := exchange(b, impl, client, server, same); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// What the memo spares.
func BenchmarkSaltedPassword(b *testing.B) {
	for _, hash := range []Hash{SHA1, SHA256} {
		b.Run(string(hash), func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				if _, err := NewStoredKeys(hash, fmt.Sprint("secret", i), []byte("salt"), DefaultRounds); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
