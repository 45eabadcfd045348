package script

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"strings"
)

// Token is the account's bearer token or, where none is given out, one that
// nobody has issued.
var Token Part = field{"<token>", func(p *Play) string {
	if p.Secrets.Issued.Token != "" {
		return p.Secrets.Issued.Token
	}
	return p.word("token")
}, true, true}

// HasJWT reports whether the account's token is a signed JWT (RFC 7515 3.1).
func (p *Play) HasJWT() bool {
	_, ok := splitJWT(p.Secrets.Issued.Token)
	return ok
}

// WithToken has the messages of a login present another token in place of the
// account's.
func WithToken(of func(token string) string) func(*Play, int, []byte) []byte {
	return func(p *Play, _ int, m []byte) []byte {
		token := p.Secrets.Issued.Token
		if token == "" {
			return m
		}
		return []byte(strings.ReplaceAll(string(m), token, of(token)))
	}
}

// jwt is a token in its compact form.
type jwt struct {
	header            map[string]any
	claims, signature string // as they stand
}

func splitJWT(token string) (j jwt, ok bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return j, false
	}
	header, err := base64.RawURLEncoding.DecodeString(parts[0])
	if err != nil || json.Unmarshal(header, &j.header) != nil {
		return j, false
	}
	j.claims, j.signature = parts[1], parts[2]
	return j, true
}

func (j jwt) signed() string {
	header, err := json.Marshal(j.header)
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(header) + "." + j.claims
}

// Unsigned is the JWT with the claim that it is signed by that algorithm, such
// as "none", and without a signature.
func Unsigned(algorithm string) func(token string) string {
	return func(token string) string {
		j, ok := splitJWT(token)
		if !ok {
			return token
		}
		j.header["alg"] = algorithm
		return j.signed() + "."
	}
}

// Stripped is the JWT as it is, without its signature.
func Stripped(token string) string { return token[:strings.LastIndexByte(token, '.')+1] }

// SignedByNobody is the JWT signed with an empty key; the key is said to be in
// that file, "" is none.
func SignedByNobody(file string) func(token string) string {
	return func(token string) string {
		j, ok := splitJWT(token)
		if !ok {
			return token
		}
		j.header["alg"] = "HS256"
		if file != "" {
			j.header["kid"] = file
		}
		m := hmac.New(sha256.New, nil)
		m.Write([]byte(j.signed()))
		return j.signed() + "." + base64.RawURLEncoding.EncodeToString(m.Sum(nil))
	}
}

// Amended is the JWT with one more claim, and the signature that it had.
func Amended(token string) string {
	j, ok := splitJWT(token)
	if !ok {
		return token
	}
	claims, err := base64.RawURLEncoding.DecodeString(j.claims)
	if err != nil || len(claims) == 0 {
		return token
	}
	j.claims = base64.RawURLEncoding.EncodeToString(append([]byte(`{"x":1,`), claims[1:]...))
	return j.signed() + "." + j.signature
}

// SecurityLayers reads what a server of GSSAPI offers: the layers, as bits, and
// how much it can take (RFC 4752 3.2). The message is wrapped without being
// encrypted (RFC 4121 4.2.4).
func SecurityLayers(token string) (bits byte, size uint32, ok bool) {
	const header = 16
	if len(token) < header || token[:2] != "\x05\x04" || token[2]&2 != 0 {
		return 0, 0, false
	}
	sum, rotated := int(binary.BigEndian.Uint16([]byte(token[4:]))), int(binary.BigEndian.Uint16([]byte(token[6:])))
	body := token[header:]
	if len(body) < 4 || len(body)-sum != 4 {
		return 0, 0, false
	}
	rotated %= len(body)
	body = body[rotated:] + body[:rotated]
	return body[0], binary.BigEndian.Uint32([]byte("\x00" + body[1:4])), true
}
