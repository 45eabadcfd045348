package kerberos

import (
	"bytes"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

// The frame is that of RFC 2743 3.1 around RFC 4121 4.1, octet by octet.
func TestFrame(t *testing.T) {
	token, err := frame(idReply, []byte("message"))
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(token); got != "6014"+"06092a864886f712010202"+"0200"+hex.EncodeToString([]byte("message")) {
		t.Errorf("%s", got)
	}
	if message, err := unframe(idReply, token); err != nil || string(message) != "message" {
		t.Errorf("%q, %v", message, err)
	}
}

func TestUnframe(t *testing.T) {
	good, err := frame(idRequest, []byte("message"))
	if err != nil {
		t.Fatal(err)
	}
	// SPNEGO's token has the same frame.
	spnego, err := asn1.Marshal(asn1.RawValue{Class: asn1.ClassApplication, IsCompound: true, Bytes: []byte("\x06\x06\x2b\x06\x01\x05\x05\x02\x01\x00message")})
	if err != nil {
		t.Fatal(err)
	}
	with := func(at int, b byte) []byte {
		other := bytes.Clone(good)
		other[at] = b
		return other
	}
	for _, row := range []struct {
		name  string
		token []byte
		says  string
	}{
		{"nothing", nil, "no token"},
		{"something behind it", append(bytes.Clone(good), 0), "no token"},
		{"something missing", good[:len(good)-1], "no token"},
		{"another class", with(0, 0x30), "no token"},
		{"another number", with(0, 0x61), "no token"},
		{"a simple value", with(0, 0x40), "no token"},
		{"another mechanism", spnego, "another mechanism"},
		{"another message", with(13, 3), "another token"},
	} {
		if _, err := unframe(idRequest, row.token); !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v, want %q", row.name, err, row.says)
		}
	}
}
