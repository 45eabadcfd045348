package mech

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// What is there only for a security layer (maxbuf, cipher) or for subsequent
// authentication (stale) is not looked at: we have neither.

// digestChallenge is a digest-challenge (RFC 2831 2.1.1) that offers
// authentication alone.
type digestChallenge struct {
	realms []string
	nonce  string
	utf8   bool // charset=utf-8
}

func (c digestChallenge) encode() []byte {
	var b []byte
	for _, realm := range c.realms {
		b = fmt.Appendf(b, "realm=%s,", digestQuote(realm))
	}
	b = fmt.Appendf(b, `nonce=%s,qop="auth",algorithm=md5-sess`, digestQuote(c.nonce))
	if c.utf8 {
		b = append(b, ",charset=utf-8"...)
	}
	return b
}

// parseDigestChallenge wants a challenge that can be answered.
func parseDigestChallenge(message []byte) (c digestChallenge, err error) {
	list, err := challengeForm.parse(message)
	if err != nil {
		return c, err
	}
	c = digestChallenge{realms: list["realm"], nonce: list.value("nonce", "")}
	if c.nonce == "" {
		return c, fmt.Errorf("%w: no nonce", ErrMalformed)
	}
	if !strings.EqualFold(list.value("algorithm", ""), "md5-sess") { // required, though there is but one
		return c, fmt.Errorf("%w: algorithm is not md5-sess", ErrMalformed)
	}
	if c.utf8, err = list.utf8(); err != nil {
		return c, err
	}
	offered := strings.Split(list.value("qop", "auth"), ",") // RFC 2831 2.1.1: what it is taken for
	if !slices.ContainsFunc(offered, func(qop string) bool { return strings.EqualFold(strings.Trim(qop, " \t"), "auth") }) {
		return c, errors.New("the server does not offer authentication alone")
	}
	return c, nil
}

// digestResponse is a digest-response (RFC 2831 2.1.2).
type digestResponse struct {
	username string // in UTF-8, however it travels
	realm    string
	nonce    string
	cnonce   string
	nc       string
	qop      string // in the letter case that the client wrote
	uri      string
	response string
	authzid  string // "" is none: gsasl sends an empty one and leaves it out of the proof
	utf8     bool   // charset=utf-8
}

func (r digestResponse) encode() []byte {
	var b []byte
	username, _ := latin1(r.username)
	if r.utf8 {
		b = append(b, "charset=utf-8,"...)
		username = r.username
	}
	b = fmt.Appendf(b, "username=%s,realm=%s,nonce=%s,nc=%s,cnonce=%s,digest-uri=%s,response=%s,qop=%s",
		digestQuote(username), digestQuote(r.realm), digestQuote(r.nonce), r.nc, digestQuote(r.cnonce),
		digestQuote(r.uri), r.response, r.qop)
	if r.authzid != "" {
		b = fmt.Appendf(b, ",authzid=%s", digestQuote(r.authzid))
	}
	return b
}

// parseDigestResponse wants what a proof is computed over, each in its form.
// Whether the values are the right ones is not asked here.
func parseDigestResponse(message []byte) (r digestResponse, err error) {
	list, err := responseForm.parse(message)
	if err != nil {
		return r, err
	}
	for _, name := range []string{"username", "nonce", "cnonce", "nc", "digest-uri", "response"} {
		if list.value(name, "") == "" {
			return r, fmt.Errorf("%w: no %s", ErrMalformed, name)
		}
	}
	r = digestResponse{
		username: list.value("username", ""), nonce: list.value("nonce", ""), cnonce: list.value("cnonce", ""),
		nc: list.value("nc", ""), uri: list.value("digest-uri", ""), response: list.value("response", ""),
		authzid: list.value("authzid", ""),
		realm:   list.value("realm", ""),   // RFC 2831 2.1.2: what it is taken for
		qop:     list.value("qop", "auth"), // RFC 2831 2.1.2: what it is taken for
	}
	if r.utf8, err = list.utf8(); err != nil {
		return r, err
	}
	if !r.utf8 {
		r.username = fromLatin1(r.username)
	}
	switch {
	case !utf8.ValidString(r.username), !utf8.ValidString(r.authzid): // authzid is in UTF-8 always
		return r, fmt.Errorf("%w: a name is not in UTF-8", ErrMalformed)
	case !isLowerHex(r.nc, 8):
		return r, fmt.Errorf("%w: nc is not 8 hex digits", ErrMalformed)
	case !isLowerHex(r.response, 32): // RFC 2831 2.1.2, LHEX: capitals are wrong
		return r, fmt.Errorf("%w: response is not 32 hex digits", ErrMalformed)
	case !isDigestURI(r.uri):
		return r, fmt.Errorf("%w: digest-uri is not a service and a host", ErrMalformed)
	}
	return r, nil
}

// utf8 reports whether names and passwords are in UTF-8; without the directive
// they are in ISO 8859-1 (RFC 2831 2.1.1, 2.1.2).
func (d directives) utf8() (bool, error) {
	charset := d["charset"]
	if charset != nil && !strings.EqualFold(charset[0], "utf-8") {
		return false, fmt.Errorf("%w: charset is not utf-8", ErrMalformed)
	}
	return charset != nil, nil
}

// isDigestURI: serv-type "/" host [ "/" serv-name ]. Of a host we want only
// that there is one: by the letter of the grammar it could not be an IPv6
// address.
func isDigestURI(uri string) bool {
	parts := strings.Split(uri, "/")
	return (len(parts) == 2 || len(parts) == 3) && !slices.Contains(parts, "")
}

func isLowerHex(s string, n int) bool {
	return len(s) == n && strings.Trim(s, "0123456789abcdef") == ""
}
