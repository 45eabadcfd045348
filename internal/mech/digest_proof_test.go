package mech

import (
	"errors"
	"testing"
)

// Cyrus SASL's plug-in (2.1.28) made these. It converts name and password each
// on its own, which RFC 2831 2.1.2.1 leaves open and section 8 shows.
func TestDigestProofsOfCyrus(t *testing.T) {
	for _, row := range []struct{ name, username, password, nonce, cnonce, want string }{
		{"both in ISO 8859-1", "jürgen", "pässwörd", "a56bfd8b6c108f85222434c751d93d58",
			"S2UDDwcui2Xdu6C4KXycDr7u4ETdatWSV3W5+0AcTUI=", "0354765bd8ef2261b354c523392a0456"},
		{"the name alone", "jürgen", "€uro", "e17ef775e17e105500ef61ffe84de54d",
			"6B2UsNCUm5YFKDG+8OMd7QPUQdBGJlkWow50qaGpy7I=", "67eed0b81d1c49493ecb626658f227e7"},
		{"the password alone", "Ωmega", "pässwörd", "22972ffd3dbb50aaf49f26c7579e38bc",
			"aue+DBRbjSfNrfITwS6ntiMwhzNGEea2bM7T84nruK4=", "3107763dee6ed57270c0f3e954e479fa"},
	} {
		r := digestResponse{username: row.username, realm: "mail.example.test", nonce: row.nonce, cnonce: row.cnonce,
			nc: "00000001", qop: "auth", uri: "smtp/mail.example.test", utf8: true}
		if got := r.proof(digestOfClient, row.password); got != row.want {
			t.Errorf("%s: %s", row.name, got)
		}
	}
}

func TestDigestCracks(t *testing.T) {
	_, r := askedDigestServer(t)
	for _, row := range []struct {
		name, message, secret string
		want                  bool
	}{
		{"right", string(r.encode()), digestPassword, true},
		{"wrong", string(r.encode()), "wrong", false},
		{"acknowledgement", "", digestPassword, false},
		{"the secret itself", digestPassword, digestPassword, false},
	} {
		if got := DigestMD5.Cracks(nil, nil, []byte(row.message), row.secret); got != row.want {
			t.Errorf("%s: %v", row.name, got)
		}
	}
}

// A password outside ISO 8859-1 cannot be said without charset=utf-8, so its
// octets in UTF-8 are another password.
func TestDigestServerWantsCharset(t *testing.T) {
	for _, utf8 := range []bool{true, false} {
		server := DigestMD5.Server(testConfig("alice", "€"))
		challenge, _, _ := server.Next(nil)
		c, _ := parseDigestChallenge(challenge)
		r := digestResponse{username: "alice", realm: c.realms[0], nonce: c.nonce, cnonce: "fresh", nc: "00000001",
			qop: "auth", uri: "smtp/mail.example.test", utf8: utf8}
		r.response = r.proof(digestOfClient, "€")
		if _, _, err := server.Next(r.encode()); utf8 != (err == nil) || !utf8 && !errors.Is(err, ErrCredentials) {
			t.Errorf("charset %v: %v", utf8, err)
		}
	}
}
