package script

import (
	"encoding/base64"
	"strings"
	"testing"
)

func b64url(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// Every forgery is another token of the same shape, and of what is no JWT
// nothing is made.
func TestForgeries(t *testing.T) {
	token := b64url(`{"alg":"EdDSA","kid":"a"}`) + "." + b64url(`{"sub":"alice"}`) + ".c2ln"
	for name, of := range map[string]func(string) string{
		"unsigned": Unsigned("none"), "stripped": Stripped, "amended": Amended,
		"empty key": SignedByNobody(""), "empty file": SignedByNobody("../x"),
	} {
		got := of(token)
		j, ok := splitJWT(got)
		if !ok || got == token || j.header["alg"] == nil {
			t.Errorf("%s: %q", name, got)
		}
		if unsigned := name == "unsigned" || name == "stripped"; unsigned != (j.signature == "") {
			t.Errorf("%s: the signature is %q", name, j.signature)
		}
		if name == "amended" == strings.Contains(got, "."+b64url(`{"sub":"alice"}`)+".") {
			t.Errorf("%s: the claims are %q", name, j.claims)
		}
		if name != "stripped" && of("opaque") != "opaque" {
			t.Errorf("%s: something is made of an opaque token", name)
		}
	}
	for _, opaque := range []string{"", "opaque", "a.b", "a.b.c.d", "%.b.c"} {
		if _, ok := splitJWT(opaque); ok {
			t.Errorf("%q is taken for a JWT", opaque)
		}
	}
}

func TestSecurityLayers(t *testing.T) {
	const header = "\x05\x04\x01\xff\x00\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"
	for _, row := range []struct {
		name, token string
		bits        byte
		size        uint32
		ok          bool
	}{
		{"no layer", header + "\x01\x00\x00\x00sum", 1, 0, true},
		{"all of them, and a size", header + "\x07\x00\xff\xffsum", 7, 0xffff, true},
		{"rotated", header[:7] + "\x03" + header[8:] + "sum\x07\x00\xff\xff", 7, 0xffff, true},
		{"encrypted", header[:2] + "\x03" + header[3:] + "\x01\x00\x00\x00sum", 0, 0, false},
		{"short", header + "\x01\x00\x00", 0, 0, false},
		{"long", header + "\x01\x00\x00\x00\x00sum", 0, 0, false},
		{"no Wrap token", "\x60\x04" + header[2:] + "\x01\x00\x00\x00sum", 0, 0, false},
		{"nothing", "", 0, 0, false},
	} {
		bits, size, ok := SecurityLayers(row.token)
		if bits != row.bits || size != row.size || ok != row.ok {
			t.Errorf("%s: %d, %d, %v", row.name, bits, size, ok)
		}
	}
}
