package server

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

// TokenVerifier says whose a bearer token is (RFC 6750). The error of a token
// that is no good wraps [mech.ErrCredentials] and says what is wrong with it,
// but does not show it; any other error is the verifier's own failure. Verify
// is called by several connections at once.
type TokenVerifier interface {
	Verify(token string) (account string, err error)
}

// tokenIssuer is the authorization server of a run: it signs access tokens
// (RFC 9068) and verifies them.
type tokenIssuer struct {
	name     string
	audience string
	now      func() time.Time
	public   ed25519.PublicKey
	signer   jose.Signer
	forger   jose.Signer // with a key of its own, and the same key's name
}

const (
	// tokenLife is longer than any run.
	tokenLife = 10 * time.Hour
	// tokenType keeps other JWTs from being taken for access tokens
	// (RFC 9068 2.1).
	tokenType = "at+jwt"
)

// tokenAlgorithms are those that a token may be signed with: one, chosen by
// the verifier and never by the token (RFC 8725 3.1).
var tokenAlgorithms = []jose.SignatureAlgorithm{jose.EdDSA}

// accessToken are the claims of RFC 9068 2.2.
type accessToken struct {
	jwt.Claims
	ClientID string `json:"client_id"`
	Scope    string `json:"scope"`
}

// newTokenIssuer makes an issuer of tokens for the server of that name.
func newTokenIssuer(identity string, now func() time.Time) (*tokenIssuer, error) {
	i := &tokenIssuer{name: "https://" + identity, audience: identity, now: now}
	var err error
	if i.public, i.signer, err = newTokenSigner(); err != nil {
		return nil, err
	}
	_, i.forger, err = newTokenSigner()
	return i, err
}

func newTokenSigner() (ed25519.PublicKey, jose.Signer, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.EdDSA, Key: jose.JSONWebKey{Key: private, KeyID: "mailmatrix"}},
		(&jose.SignerOptions{}).WithType(tokenType))
	return public, signer, err
}

// issue signs a token for the account. Its flaw is the only thing that is
// wrong with it.
func (i *tokenIssuer) issue(account string, flaw login.Flaw) (string, error) {
	begin, signer := i.now(), i.signer
	claims := accessToken{ClientID: "mailmatrix", Scope: mech.Scope}
	claims.Issuer, claims.Subject, claims.Audience, claims.ID = i.name, account, jwt.Audience{i.audience}, rand.Text()
	switch flaw {
	case login.Flawless:
	case login.Forged:
		signer = i.forger
	case login.Expired:
		begin = begin.Add(-2 * tokenLife)
	case login.Elsewhere:
		claims.Audience = jwt.Audience{"elsewhere.example.net"}
	case login.Narrow:
		claims.Scope = "calendar"
	default:
		return "", fmt.Errorf("a token cannot be %s", flaw)
	}
	claims.IssuedAt, claims.Expiry = jwt.NewNumericDate(begin), jwt.NewNumericDate(begin.Add(tokenLife))
	return jwt.Signed(signer).Claims(claims).Serialize()
}

// Verify is RFC 9068 4. There is no leeway: issuer and server share a clock.
func (i *tokenIssuer) Verify(token string) (account string, err error) {
	parsed, err := jwt.ParseSigned(token, tokenAlgorithms)
	var unexpected *jose.ErrUnexpectedSignatureAlgorithm
	switch {
	case errors.As(err, &unexpected):
		return "", badToken("algorithm")
	case err != nil:
		return "", badToken("not a token")
	}
	var claims accessToken
	switch err = parsed.Claims(i.public, &claims); {
	case errors.Is(err, jose.ErrCryptoFailure):
		return "", badToken("signature")
	case err != nil:
		return "", badToken("not a token")
	}
	if t, _ := parsed.Headers[0].ExtraHeaders[jose.HeaderType].(string); !isTokenType(t) {
		return "", badToken("type")
	}
	if err = i.judge(claims); err != nil {
		return "", err
	}
	return claims.Subject, nil
}

// isTokenType: media types have no letter case, and may be written in full
// (RFC 9068 4, RFC 7515 4.1.9).
func isTokenType(t string) bool {
	return strings.EqualFold(t, tokenType) || strings.EqualFold(t, "application/"+tokenType)
}

// judge is about what the token says, once it is known who says it.
func (i *tokenIssuer) judge(c accessToken) error {
	now := i.now()
	switch {
	case c.Issuer != i.name:
		return badToken("issuer")
	case !c.Audience.Contains(i.audience):
		return badToken("audience")
	case c.Subject == "":
		return badToken("subject")
	case c.Expiry == nil || !now.Before(c.Expiry.Time()): // RFC 7519 4.1.4: on the second, too
		return badToken("expired")
	case now.Before(c.NotBefore.Time()):
		return badToken("not valid yet")
	case !slices.Contains(strings.Fields(c.Scope), mech.Scope): // RFC 6749 3.3
		return badToken("scope")
	default:
		return nil
	}
}

// badToken says what is wrong with a token, in words of ours: a library's
// could quote it.
func badToken(reason string) error { return fmt.Errorf("%w: token: %s", mech.ErrCredentials, reason) }
