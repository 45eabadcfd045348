package server

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

// TestTokensSignedOtherwise: the issuer's own key, and something wrong that
// the issuer never makes.
func TestTokensSignedOtherwise(t *testing.T) {
	i := testTokenIssuer(t)
	in := func(d time.Duration) *jwt.NumericDate { return jwt.NewNumericDate(tokenDay.Add(d)) }
	for _, row := range []struct {
		name   string
		change func(*accessToken)
		reason string // "" is accepted
	}{
		{"nothing", func(*accessToken) {}, ""},
		{"audience among others", func(c *accessToken) { c.Audience = jwt.Audience{"a.test", "mail.example.test"} }, ""},
		{"scope among others", func(c *accessToken) { c.Scope = "calendar mail" }, ""},
		{"valid since now", func(c *accessToken) { c.NotBefore = in(0) }, ""},
		{"another issuer", func(c *accessToken) { c.Issuer = "https://elsewhere.example.net" }, "issuer"},
		{"no issuer", func(c *accessToken) { c.Issuer = "" }, "issuer"},
		{"no audience", func(c *accessToken) { c.Audience = nil }, "audience"},
		{"audience in another case", func(c *accessToken) { c.Audience = jwt.Audience{"MAIL.example.test"} }, "audience"},
		{"no subject", func(c *accessToken) { c.Subject = "" }, "subject"},
		{"no end", func(c *accessToken) { c.Expiry = nil }, "expired"},
		{"not valid yet", func(c *accessToken) { c.NotBefore = in(time.Hour) }, "not valid yet"},
		{"no scope", func(c *accessToken) { c.Scope = "" }, "scope"},
		{"scope in another word", func(c *accessToken) { c.Scope = "email mail.read" }, "scope"},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := accessToken{ClientID: "mailmatrix", Scope: mech.Scope}
			c.Issuer, c.Subject, c.Audience, c.Expiry = i.name, "alice", jwt.Audience{i.audience}, in(time.Hour)
			row.change(&c)
			token, err := jwt.Signed(i.signer).Claims(c).Serialize()
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
}

// segment is a part of a token.
func segment(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// TestTokenTampering: what a thief without the key may try.
func TestTokenTampering(t *testing.T) {
	i := testTokenIssuer(t)
	token, err := i.issue("alice", login.Flawless)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(token, ".")
	claims, signature := parts[1], parts[2]

	// sign makes the same claims anew.
	sign := func(key any, algorithm jose.SignatureAlgorithm, options jose.SignerOptions) string {
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, options.WithType(tokenType))
		if err != nil {
			t.Fatal(err)
		}
		payload, err := base64.RawURLEncoding.DecodeString(claims)
		if err != nil {
			t.Fatal(err)
		}
		object, err := signer.Sign(payload)
		if err != nil {
			t.Fatal(err)
		}
		compact, err := object.CompactSerialize()
		if err != nil {
			t.Fatal(err)
		}
		return compact
	}
	_, own, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := base64.RawURLEncoding.DecodeString(claims)
	if err != nil {
		t.Fatal(err)
	}
	mallory := segment(strings.Replace(string(payload), "alice", "mallory", 1))

	for _, row := range []struct{ name, token, reason string }{
		{"empty", "", "not a token"},
		{"text", "swordfish", "not a token"},
		{"two dots", "..", "algorithm"},
		{"four parts", token + "." + signature, "not a token"},
		{"no JSON", segment("x") + "." + claims + "." + signature, "not a token"},
		{"JWS in JSON", `{"payload":"` + claims + `","protected":"` + parts[0] + `","signature":"` + signature + `"}`, "not a token"},
		{"other claims", parts[0] + "." + mallory + "." + signature, "signature"},
		{"no signature", parts[0] + "." + claims + ".", "signature"},
		{"key in the header", sign(own, jose.EdDSA, jose.SignerOptions{EmbedJWK: true}), "signature"},
		// Algorithm confusion (RFC 8725 2.1).
		{"alg none", segment(`{"alg":"none","typ":"at+jwt"}`) + "." + mallory + ".", "algorithm"},
		{"alg None with the old signature", segment(`{"alg":"None","typ":"at+jwt"}`) + "." + claims + "." + signature, "algorithm"},
		{"no alg", segment(`{"typ":"at+jwt"}`) + "." + claims + "." + signature, "algorithm"},
		{"HS256 with the public key as secret", sign([]byte(i.public), jose.HS256, jose.SignerOptions{}), "algorithm"},
		{"another header", segment(`{"alg":"EdDSA","typ":"at+jwt"}`) + "." + claims + "." + signature, "signature"},
	} {
		t.Run(row.name, func(t *testing.T) { refusedFor(t, i, row.token, row.reason) })
	}
}

// TestTokenTypes: RFC 9068 4. Another JWT of the same issuer, such as an ID
// token, is no access token.
func TestTokenTypes(t *testing.T) {
	i := testTokenIssuer(t)
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	i.public, _ = key.Public().(ed25519.PublicKey)
	for _, row := range []struct {
		typ    jose.ContentType
		reason string
	}{
		{"at+jwt", ""}, {"AT+JWT", ""}, {"application/at+jwt", ""}, {"JWT", "type"}, {"", "type"},
	} {
		t.Run(string(row.typ), func(t *testing.T) {
			options := &jose.SignerOptions{}
			if row.typ != "" {
				options = options.WithType(row.typ)
			}
			i.signer, err = jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: crypto.Signer(key)}, options)
			if err != nil {
				t.Fatal(err)
			}
			token, err := i.issue("alice", login.Flawless)
			if err != nil {
				t.Fatal(err)
			}
			if row.reason != "" {
				refusedFor(t, i, token, row.reason)
			} else if _, err = i.Verify(token); err != nil {
				t.Error(err)
			}
		})
	}
}
