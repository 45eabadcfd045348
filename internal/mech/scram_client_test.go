package mech

import (
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// What a client must not put up with from a server.
func TestScramClientRefuses(t *testing.T) {
	const salt = ",s=c2FsdA==,"
	begin := func() (*scramClient, string) {
		c := &scramClient{scramVariant: scramVariant{name: login.SCRAMSHA1, hash: SHA1}, nonce: "abc",
			config: ClientConfig{Username: "alice", Password: "secret"}}
		_, first, err := c.Start()
		if err != nil {
			t.Fatal(err)
		}
		return c, string(first)
	}
	for _, row := range []struct {
		name, first string
		ok          bool
	}{
		{"as it should be", "r=abcdef" + salt + "i=4096", true},
		{"an extension that nobody knows", "r=abcdef" + salt + "i=4096,x=1", true},
		{"empty", "", false},
		{"another nonce", "r=xbcdef" + salt + "i=4096", false},
		{"the client's own nonce", "r=abc" + salt + "i=4096", false},
		{"nonce with a space", "r=abc def" + salt + "i=4096", false},
		{"too few rounds", "r=abcdef" + salt + "i=4095", false},
		{"no rounds", "r=abcdef" + salt + "i=0", false},
		{"more rounds than anybody needs", "r=abcdef" + salt + "i=2147483647", false},
		{"more rounds than there are numbers", "r=abcdef" + salt + "i=99999999999999999999", false},
		{"rounds with a sign", "r=abcdef" + salt + "i=+4096", false},
		{"rounds with a zero before", "r=abcdef" + salt + "i=04096", false},
		{"no salt", "r=abcdef,i=4096", false},
		{"empty salt", "r=abcdef,s=,i=4096", false},
		{"salt is no base64", "r=abcdef,s=*,i=4096", false},
		{"mandatory extension", "m=1,r=abcdef" + salt + "i=4096", false},
		{"mandatory extension at the end", "r=abcdef" + salt + "i=4096,m=1", false},
		{"a refusal in the wrong place", "e=unknown-user", false},
	} {
		c, _ := begin()
		answer, err := c.Next([]byte(row.first))
		if (err == nil) != row.ok || row.ok && !strings.HasPrefix(string(answer), "c=biws,r=abcdef,p=") {
			t.Errorf("%s: %q, %v", row.name, answer, err)
		}
	}
	challenge := "r=abcdef" + salt + "i=4096"
	keys, err := NewStoredKeys(SHA1, "secret", []byte("salt"), 4096)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name string
		keys StoredKeys
		last func(right string) string
		ok   bool
	}{
		{"as it should be", keys, func(right string) string { return right }, true},
		{"an extension that nobody knows", keys, func(right string) string { return right + ",x=1" }, true},
		{"of a server without the keys", testKeys(SHA1, "secret"), func(right string) string { return right }, false},
		{"empty", keys, func(string) string { return "" }, false},
		{"empty signature", keys, func(string) string { return "v=" }, false},
		{"a refusal", keys, func(string) string { return "e=invalid-proof" }, false},
		{"mandatory extension", keys, func(right string) string { return right + ",m=1" }, false},
		{"cut short", keys, func(right string) string { return right[:len(right)-4] }, false},
	} {
		c, first := begin()
		final, err := c.Next([]byte(challenge))
		if err != nil {
			t.Fatal(err)
		}
		without, _, _ := strings.Cut(string(final), ",p=")
		authMessage := strings.TrimPrefix(first, "n,,") + "," + challenge + "," + without
		answer, err := c.Next([]byte(row.last("v=" + serverSignature(row.keys, authMessage))))
		if (err == nil) != row.ok || row.ok && (answer == nil || len(answer) > 0) {
			t.Errorf("server-final-message %s: %q, %v", row.name, answer, err)
		}
		if _, err := c.Next([]byte{}); err == nil {
			t.Errorf("server-final-message %s: goes on after the end", row.name)
		}
	}
}
