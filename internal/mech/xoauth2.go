package mech

import (
	"regexp"
	"unicode/utf8"

	"github.com/emersion/go-sasl"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// XOAUTH2 is Google's way of sending a bearer token, older than the standard's
// and more common (https://developers.google.com/gmail/imap/xoauth2-protocol).
var XOAUTH2 = register(Impl{
	Traits: login.Traits{Name: login.XOAUTH2, Class: login.ShowsToken, Presents: login.PresentsToken, ClientFirst: true, Protocols: both,
		Refs: []string{"Google XOAUTH2", "RFC 6750"},
		Compared: login.Comparison{
			Status:    "no standard: Google's own document",
			Malicious: "the token, and with it the account until the token expires",
			Stolen:    "nothing: it holds no more than the key that tokens are verified with",
		}},
	Client: func(c ClientConfig) sasl.Client {
		message := "user=" + c.Username + "\x01auth=Bearer " + c.Token + "\x01\x01"
		return &bearerClient{mechanism: login.XOAUTH2, message: []byte(message), last: []byte{}}
	},
	Server: func(c ServerConfig) Server {
		return &bearerServer{config: c, read: readXOAUTH2,
			result: `{"status":"401","schemes":"bearer","scope":"` + Scope + `"}`}
	},
})

// xoauth2Message is "Initial Client Response" in Google's document.
var xoauth2Message = regexp.MustCompile(`^user=([^\x00\x01]+)\x01auth=([^\x00\x01]*)\x01\x01$`)

func readXOAUTH2(message []byte) (bearerMessage, error) {
	parts := xoauth2Message.FindSubmatch(message)
	if parts == nil || !utf8.Valid(message) {
		return bearerMessage{}, ErrMalformed
	}
	token, err := bearerToken(string(parts[2]))
	return bearerMessage{name: string(parts[1]), token: token}, err
}
