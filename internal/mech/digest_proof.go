package mech

import (
	"crypto/md5" //nolint:gosec // the protocol demands it
	"encoding/hex"
	"strings"
)

// What A2 begins with (RFC 2831 2.1.2.1, 2.1.3).
const (
	digestOfClient = "AUTHENTICATE"
	digestOfServer = ""
)

// proof is the response-value over what r says, for qop "auth": the client's
// response, or the server's rspauth (RFC 2831 2.1.2.1, 2.1.3).
func (r digestResponse) proof(whose, password string) string {
	secret := md5.Sum([]byte(hashedOctets(r.username) + ":" + r.realm + ":" + hashedOctets(password)))
	a1 := string(secret[:]) + ":" + r.nonce + ":" + r.cnonce
	if r.authzid != "" {
		a1 += ":" + r.authzid
	}
	a2 := whose + ":" + r.uri
	return md5Hex(strings.Join([]string{md5Hex(a1), r.nonce, r.nc, r.cnonce, r.qop, md5Hex(a2)}, ":"))
}

// carries reports whether a name or password can be said in r's charset.
func (r digestResponse) carries(text string) bool {
	_, fits := latin1(text)
	return fits || r.utf8
}

// hashedOctets: what fits into ISO 8859-1 is hashed in it even if it travels in
// UTF-8, so that a database of hashes serves HTTP as well. RFC 2831 2.1.2.1
// says it of the name and the password, section 8 of each on its own; the realm
// stays as it was sent.
func hashedOctets(text string) string {
	if octets, fits := latin1(text); fits {
		return octets
	}
	return text
}

// latin1 is text in ISO 8859-1, if all of it fits.
func latin1(text string) (octets string, fits bool) {
	b := make([]byte, 0, len(text))
	for _, r := range text {
		if r > 0xff { // as is what stands for broken UTF-8
			return "", false
		}
		b = append(b, byte(r))
	}
	return string(b), true
}

func fromLatin1(octets string) string {
	runes := make([]rune, len(octets))
	for i := range len(octets) {
		runes[i] = rune(octets[i])
	}
	return string(runes)
}

func md5Hex(s string) string {
	sum := md5.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}
