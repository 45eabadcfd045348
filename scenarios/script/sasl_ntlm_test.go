package script

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"
)

// corp is a challenge of CORP\DC01 with the build of its system.
const corp = "TlRMTVNTUAACAAAACAAIADgAAAAFgoECESIzRFVmd4gAAAAAAAAAABwAHABAAAAACgB8TwAAAA9DAE8AUgBQAAIACABDAE8AUgBQAAEACABEAEMAMAAxAAAAAAA="

func TestParseNTLMChallenge(t *testing.T) {
	for _, prefix := range []string{"334 ", "+ "} {
		c, ok := ParseNTLMChallenge(prefix + corp)
		if !ok || c.Nonce != "\x11\x22\x33\x44\x55\x66\x77\x88" || !slices.Equal(c.Names, []string{"CORP", "DC01"}) || !c.Version {
			t.Errorf("%+v, %v", c, ok)
		}
	}
	whole, err := base64.StdEncoding.DecodeString(corp)
	if err != nil {
		t.Fatal(err)
	}
	for n := range whole { // however it is cut, nothing falls over
		if _, ok := ParseNTLMChallenge("334 " + base64.StdEncoding.EncodeToString(whole[:n])); ok != (n >= 32) {
			t.Errorf("%d octets of it: %v", n, ok)
		}
	}
	for _, bad := range []string{"", "334", "334 ", "334 *", "334 bm8=", "334 " + strings.Replace(corp, "UAAC", "UAAD", 1)} {
		if _, ok := ParseNTLMChallenge(bad); ok {
			t.Errorf("%q is taken for a challenge", bad)
		}
	}
}

func TestNTLMMessages(t *testing.T) {
	for n, m := range [][]byte{NTLMNegotiate(), nil, NTLMAnonymous()} {
		if m != nil && (!strings.HasPrefix(string(m), ntlmSignature) || int(m[8]) != n+1) {
			t.Errorf("message %d is %q", n+1, m)
		}
	}
	third := NTLMPointing(NTLMAnonymous(), 0x1234, 0x56789abc)
	if got := ntlmField(third, ntlmResponseNT); got != "" {
		t.Errorf("a field outside of the message is %q", got)
	}
	if got := ntlmField(NTLMAnonymous(), ntlmResponseLM); got != "\x00" {
		t.Errorf("nobody's response is %q", got)
	}
	if got := NTLMPointing([]byte("short"), 1, 1); string(got) != "short" {
		t.Errorf("%q", got)
	}
}
