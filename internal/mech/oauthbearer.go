package mech

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/emersion/go-sasl"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// OAUTHBEARER is the standard's way of sending a bearer token (RFC 7628).
var OAUTHBEARER = register(Impl{
	Traits: login.Traits{Name: login.OAUTHBEARER, Class: login.ShowsToken, Presents: login.PresentsToken, ClientFirst: true, Protocols: both,
		Refs: []string{"RFC 7628", "RFC 6750"},
		Compared: login.Comparison{
			Status:    "Proposed Standard",
			Malicious: "the token, and with it the account until the token expires",
			Stolen:    "nothing: it holds no more than the key that tokens are verified with",
		}},
	Client: func(c ClientConfig) sasl.Client {
		return &bearerClient{mechanism: login.OAUTHBEARER, message: oauthBearerMessage(c),
			last: []byte{1}} // RFC 7628 3.2.3
	},
	Server: func(c ServerConfig) Server {
		return &bearerServer{config: c, read: readOAUTHBEARER,
			result: `{"status":"invalid_token","scope":"` + Scope + `"}`} // RFC 7628 3.2.2
	},
})

// oauthBearerMessage is the first message. The port is optional, and left out
// since a half does not know it.
func oauthBearerMessage(c ClientConfig) []byte {
	var b strings.Builder
	b.WriteString("n,") // RFC 7628 binds to no channel
	if name := cmp.Or(c.Authzid, c.Username); name != "" {
		b.WriteString("a=" + escapeName.Replace(name))
	}
	b.WriteString(",\x01")
	if c.Host != "" {
		b.WriteString("host=" + c.Host + "\x01")
	}
	b.WriteString("auth=Bearer " + c.Token + "\x01\x01")
	return []byte(b.String())
}

// The name in a GS2 header has two characters escaped (RFC 5801 4).
var (
	escapeName   = strings.NewReplacer(",", "=2C", "=", "=3D")
	unescapeName = strings.NewReplacer("=2C", ",", "=2c", ",", "=3D", "=", "=3d", "=")
)

// clientResponse is RFC 7628 3.1, with the GS2 header of RFC 5801 4 but
// without "p=": the RFC binds to no channel. "y" is a client that could.
var clientResponse = regexp.MustCompile(
	`^[ny],(?:a=((?:[^\x00,=]|=2[Cc]|=3[Dd])+))?,\x01((?:[A-Za-z]+=[\t\n\r -~]*\x01)*)\x01$`)

func readOAUTHBEARER(message []byte) (bearerMessage, error) {
	parts := clientResponse.FindSubmatch(message)
	if parts == nil || !utf8.Valid(message) {
		return bearerMessage{}, ErrMalformed
	}
	values := map[string]string{}
	for pair := range strings.SplitSeq(string(parts[2]), "\x01") {
		key, value, _ := strings.Cut(pair, "=")
		switch key {
		case "auth", "host", "port":
			if _, twice := values[key]; twice {
				return bearerMessage{}, fmt.Errorf("%w: %s is there twice", ErrMalformed, key)
			}
			values[key] = value
		default: // RFC 7628 3.1: what is not known is ignored
		}
	}
	auth, ok := values["auth"]
	if !ok {
		return bearerMessage{}, fmt.Errorf("%w: auth is missing", ErrMalformed)
	}
	if port, ok := values["port"]; ok && !isPort(port) {
		return bearerMessage{}, fmt.Errorf("%w: port is no number", ErrMalformed)
	}
	token, err := bearerToken(auth)
	return bearerMessage{name: unescapeName.Replace(string(parts[1])), token: token, host: values["host"]}, err
}

// isPort: a positive number without leading zeros (RFC 7628 3.1).
func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0 && s[0] != '0'
}
