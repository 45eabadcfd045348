package server

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

var _ TokenVerifier = (*tokenIssuer)(nil)

// tokenDay is when the tests of tokens and client certificates happen.
var tokenDay = time.Date(2026, time.June, 1, 12, 0, 0, 0, time.UTC)

func testTokenIssuer(t interface{ Fatal(...any) }) *tokenIssuer {
	i, err := newTokenIssuer("mail.example.test", func() time.Time { return tokenDay })
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// refusedFor demands the reason, and that the token is not shown.
func refusedFor(t *testing.T, i *tokenIssuer, token, reason string) {
	t.Helper()
	account, err := i.Verify(token)
	if account != "" || !errors.Is(err, mech.ErrCredentials) || !strings.HasSuffix(err.Error(), "token: "+reason) {
		t.Errorf("%q, %v; want %s", account, err, reason)
	}
	if len(token) > 10 && strings.Contains(err.Error(), token[:10]) {
		t.Errorf("the error shows the token: %v", err)
	}
}

func TestTokens(t *testing.T) {
	i := testTokenIssuer(t)
	for _, row := range []struct {
		flaw   login.Flaw
		reason string // "" is accepted
	}{
		{login.Flawless, ""},
		{login.Forged, "signature"},
		{login.Expired, "expired"},
		{login.Elsewhere, "audience"},
		{login.Narrow, "scope"},
	} {
		t.Run(string(row.flaw), func(t *testing.T) {
			token, err := i.issue("alice", row.flaw)
			if err != nil {
				t.Fatal(err)
			}
			if row.reason != "" {
				refusedFor(t, i, token, row.reason)
			} else if account, err := i.Verify(token); account != "alice" || err != nil {
				t.Errorf("%q, %v", account, err)
			}
		})
	}
	if _, err := i.issue("alice", "rusty"); err == nil {
		t.Error("a token was issued with a flaw that nobody knows")
	}
}

// TestTokenAtItsEnd: RFC 7519 4.1.4, to the second, and without a leeway.
func TestTokenAtItsEnd(t *testing.T) {
	now := tokenDay
	i, err := newTokenIssuer("mail.example.test", func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	token, err := i.issue("alice", login.Flawless)
	if err != nil {
		t.Fatal(err)
	}
	now = tokenDay.Add(10*time.Hour - time.Second)
	if _, err = i.Verify(token); err != nil {
		t.Errorf("a second before the end: %v", err)
	}
	now = tokenDay.Add(10 * time.Hour)
	refusedFor(t, i, token, "expired")
}

// TestTokenClaims: RFC 9068 2.2, and nothing that is a secret.
func TestTokenClaims(t *testing.T) {
	i := testTokenIssuer(t)
	seen := map[any]bool{}
	for range 2 {
		token, err := i.issue("alice", login.Flawless)
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(token, ".")
		header, claims := map[string]any{}, map[string]any{}
		for n, into := range []*map[string]any{&header, &claims} {
			text, err := base64.RawURLEncoding.DecodeString(parts[n])
			if err == nil {
				err = json.Unmarshal(text, into)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if header["typ"] != "at+jwt" || header["alg"] != "EdDSA" || header["kid"] == nil || len(header) != 3 {
			t.Errorf("header %v", header)
		}
		id := claims["jti"]
		if text, _ := id.(string); len(text) < 20 || seen[id] {
			t.Errorf("jti %v is short, or was there before", id)
		}
		seen[id] = true
		delete(claims, "jti")
		want := map[string]any{"iss": "https://mail.example.test", "sub": "alice", "aud": "mail.example.test", "scope": "mail",
			"client_id": "mailmatrix", "iat": float64(tokenDay.Unix()), "exp": float64(tokenDay.Add(10 * time.Hour).Unix())}
		for name, value := range want {
			if claims[name] != value {
				t.Errorf("%s is %v, want %v", name, claims[name], value)
			}
		}
		if len(claims) != len(want) {
			t.Errorf("claims %v", claims)
		}
	}
}

// TestTokenProperties: any account comes back as it was, and a token with a
// character changed or cut off belongs to nobody.
func TestTokenProperties(t *testing.T) {
	i := testTokenIssuer(t)
	rapid.Check(t, func(t *rapid.T) {
		account := rapid.StringN(1, 30, -1).Draw(t, "account")
		token, err := i.issue(account, login.Flawless)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := i.Verify(token); got != account || err != nil {
			t.Fatalf("%q, %v", got, err)
		}
		// The last character of 64 octets in base64 has bits to spare.
		at := rapid.IntRange(0, len(token)-2).Draw(t, "at")
		if _, err := i.Verify(token[:at]); !errors.Is(err, mech.ErrCredentials) {
			t.Fatalf("cut at %d: %v", at, err)
		}
		other := byte('A')
		if token[at] == other {
			other = 'B'
		}
		if _, err := i.Verify(token[:at] + string(other) + token[at+1:]); !errors.Is(err, mech.ErrCredentials) {
			t.Fatalf("changed at %d: %v", at, err)
		}
	})
}

// TestTokensAtOnce: connections share the issuer.
func TestTokensAtOnce(t *testing.T) {
	i := testTokenIssuer(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			token, err := i.issue("alice", login.Flawless)
			if err != nil {
				t.Error(err)
			}
			if _, err = i.Verify(token); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// TestTokensLogIn: the halves of both mechanisms with real tokens.
func TestTokensLogIn(t *testing.T) {
	i := testTokenIssuer(t)
	for _, impl := range []mech.Impl{mech.XOAUTH2, mech.OAUTHBEARER} {
		for _, flaw := range append(login.Flaws(), login.Flawless) {
			token, err := i.issue("alice", flaw)
			if err != nil {
				t.Fatal(err)
			}
			s := impl.Server(mech.ServerConfig{Token: i.Verify, Known: func(name string) bool { return name == "alice" }})
			c := impl.Client(mech.ClientConfig{Username: "alice", Token: token, Host: "mail.example.test"})
			_, message, err := c.Start()
			if err != nil {
				t.Fatal(err)
			}
			challenge, done, err := s.Next(message)
			if flaw == login.Flawless {
				if !done || err != nil {
					t.Errorf("%s: done %v, %v", impl.Name, done, err)
				}
				continue
			}
			if done || err != nil {
				t.Fatalf("%s, %s: done %v, %v", impl.Name, flaw, done, err)
			}
			if message, err = c.Next(challenge); err != nil {
				t.Fatal(err)
			}
			if _, done, err = s.Next(message); !done || !errors.Is(err, mech.ErrCredentials) {
				t.Errorf("%s, %s: done %v, %v", impl.Name, flaw, done, err)
			}
		}
	}
}

func FuzzToken(f *testing.F) {
	i := testTokenIssuer(f)
	for _, flaw := range append(login.Flaws(), login.Flawless) {
		token, err := i.issue("alice", flaw)
		if err != nil {
			f.Fatal(err)
		}
		if flaw == login.Flawless { // the key is another in every process
			token = token[:len(token)-1]
		}
		f.Add(token)
	}
	f.Add(segment(`{"alg":"none"}`) + "." + segment(`{"sub":"alice"}`) + ".")
	f.Fuzz(func(t *testing.T, token string) {
		if account, err := i.Verify(token); account != "" || !errors.Is(err, mech.ErrCredentials) {
			t.Fatalf("%q, %v", account, err)
		}
	})
}

func BenchmarkTokenVerify(b *testing.B) {
	i := testTokenIssuer(b)
	token, err := i.issue("alice", login.Flawless)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := i.Verify(token); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTokenIssue(b *testing.B) {
	i := testTokenIssuer(b)
	for b.Loop() {
		if _, err := i.issue("alice", login.Flawless); err != nil {
			b.Fatal(err)
		}
	}
}
