package mech

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestANONYMOUS(t *testing.T) {
	for _, row := range []struct {
		name, trace string
		want        error
	}{
		{"none", "", nil},
		{"RFC 4505 4", "sirhc", nil},
		{"text", "a word or two", nil},
		{"outside ASCII", "Grüße, 世界", nil},
		{"255 characters", strings.Repeat("ü", 255), nil},
		{"address", "alice@example.test", nil},
		{"address outside ASCII", "älice@example.test", nil},
		{"quoted address", `"al ice"@example.test`, nil},
		{"long address", strings.Repeat("a.", 130) + "a@example.test", nil},
		{"right to left", "שלום", nil},

		{"256 characters", strings.Repeat("ü", 256), ErrMalformed},
		{"not UTF-8", "al\xffice", ErrMalformed},
		{"surrogate", "\xed\xa0\x80", ErrMalformed},
		{"NUL", "al\x00ice", ErrMalformed},
		{"line end", "alice\r\n", ErrMalformed},
		{"delete", "\x7f", ErrMalformed},
		{"control outside ASCII", "\u0085", ErrMalformed},
		{"private use", "\ue000", ErrMalformed},
		{"no character", "\ufffe", ErrMalformed},
		{"not for plain text", "\ufffd", ErrMalformed},
		{"changes the direction", "a\u202eb", ErrMalformed},
		{"tag", "\U000e0041", ErrMalformed},
		{"both directions", "aשלום", ErrMalformed},
		{"@ alone", "@", ErrMalformed},
		{"no domain", "alice@", ErrMalformed},
		{"two addresses", "a@example.test, b@example.test", ErrMalformed},
		{"address with a name", "Alice <alice@example.test>", ErrMalformed},
		{"address in brackets", "<alice@example.test>", ErrMalformed},
		{"a bracket too many", "a@example.test>, <b@example.test", ErrMalformed},
		{"text with an @", "a word @ two", ErrMalformed},
	} {
		for _, initial := range []bool{true, false} {
			s := ANONYMOUS.Server(ServerConfig{})
			if !initial {
				if challenge, done, err := s.Next(nil); err != nil || done || challenge == nil || len(challenge) > 0 {
					t.Errorf("%s: asks with %q, done %v, %v", row.name, challenge, done, err)
				}
			}
			if _, done, err := s.Next([]byte(row.trace)); !done || !errors.Is(err, row.want) || s.Username() != "" {
				t.Errorf("%s: done %v, %v, name %q", row.name, done, err, s.Username())
			}
		}
	}
}

// The client tells nothing of what it knows.
func TestANONYMOUSClientIsSilent(t *testing.T) {
	client := ClientConfig{Username: "alice", Authzid: "alice", Password: "pass", Token: "token"}
	name, message, err := ANONYMOUS.Client(client).Start()
	if name != "ANONYMOUS" || message == nil || len(message) > 0 || err != nil {
		t.Errorf("%q %q, %v", name, message, err)
	}
}

func FuzzANONYMOUS(f *testing.F) {
	f.Add([]byte("sirhc"))
	f.Add([]byte("alice@example.test"))
	f.Add([]byte("a\u202eb"))
	f.Fuzz(func(t *testing.T, message []byte) {
		_, done, err := ANONYMOUS.Server(ServerConfig{}).Next(message)
		switch {
		case !done || err != nil && !errors.Is(err, ErrMalformed):
			t.Fatalf("done %v, %v", done, err)
		case err == nil && (!utf8.Valid(message) || strings.ContainsAny(string(message), "\x00\r\n")):
			t.Fatalf("accepted")
		case err == nil && utf8.RuneCount(message) > 255 && !strings.Contains(string(message), "@"):
			t.Fatalf("accepted")
		}
	})
}
