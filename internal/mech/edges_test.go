package mech

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// The edges of what is permitted: mutants that move a boundary by one live
// where nobody stands on it.

// RFC 5802 7: printable = %x21-2B / %x2D-7E.
func TestNonceEdges(t *testing.T) {
	for c, want := range map[string]bool{"!": true, "~": true, "+": true, "-": true, " ": false, "\x7f": false, "\x1f": false} {
		if err := printable("abc" + c); (err == nil) != want {
			t.Errorf("a nonce with %q: %v", c, err)
		}
	}
}

// RFC 5802 7: cb-name = 1*(ALPHA / DIGIT / "." / "-").
func TestBindingNameEdges(t *testing.T) {
	for _, c := range "azAZ09.-" {
		if m, err := parseScramFirst("p=x" + string(c) + ",,n=user,r=nonce"); err != nil || m.binding != login.Binding("x"+string(c)) {
			t.Errorf("a channel binding named x%c: %v", c, err)
		}
	}
	for _, c := range "/:@[`{_~\x7f\u0141" { // U+0141 ends in the octet of "A"
		if _, err := parseScramFirst("p=x" + string(c) + ",,n=user,r=nonce"); err == nil {
			t.Errorf("a channel binding named x%c is taken", c)
		}
	}
	// The name's first letter counts like the others.
	if _, err := parseScramFirst("p=_,,n=user,r=nonce"); err == nil {
		t.Error("a channel binding named _ is taken")
	}
}

// RFC 5802 7: posit-number = %x31-39 *DIGIT.
func TestRoundsEdges(t *testing.T) {
	for rounds, want := range map[string]bool{"1": true, "9": true, "4096": true, "0": false, "04096": false, "+9": false, "5000000": true, "5000001": false} {
		if _, err := parseScramChallenge("r=nonce,s=QSXCR+Q6sek8bf92,i=" + rounds); (err == nil) != want {
			t.Errorf("%s rounds: %v", rounds, err)
		}
	}
	if _, err := NewStoredKeys(SHA256, "password", []byte("salt"), 1); err != nil {
		t.Errorf("one round: %v", err)
	}
	if _, err := NewStoredKeys(SHA256, "password", []byte("salt"), 0); err == nil {
		t.Error("no round makes keys")
	}
}

// RFC 2195 2: the name is what stands before the last blank, be it one letter.
func TestCRAMNameEdges(t *testing.T) {
	for message, want := range map[string]error{"a 0": ErrCredentials, " 0": ErrMalformed, "a": ErrMalformed} {
		half := serverHalf(t, login.CRAMMD5)
		if _, _, err := half.Next(nil); err != nil {
			t.Fatal(err)
		}
		if _, _, err := half.Next([]byte(message)); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", message, err, want)
		}
	}
}

// RFC 1939 7: APOP has a name and a digest.
func TestAPOPArgumentEdges(t *testing.T) {
	for arguments, want := range map[string]error{"a " + strings.Repeat("0", 32): ErrCredentials, " " + strings.Repeat("0", 32): ErrMalformed, "a": ErrMalformed, "": ErrMalformed} {
		half := serverHalf(t, login.APOP)
		if _, _, err := half.Next(nil); err != nil {
			t.Fatal(err)
		}
		if _, _, err := half.Next([]byte(arguments)); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", arguments, err, want)
		}
	}
}

// RFC 4422 A.1: no NUL in the identity, not as its first octet either.
func TestExternalNULEdges(t *testing.T) {
	half := serverHalf(t, login.EXTERNAL)
	if _, _, err := half.Next([]byte("\x00a")); !errors.Is(err, ErrMalformed) {
		t.Errorf("an identity that begins with NUL: %v", err)
	}
}

// RFC 7628 3.1: a port is a positive number.
func TestPortEdges(t *testing.T) {
	for port, want := range map[string]bool{"1": true, "65535": true, "0": false, "": false, "01": false, "65536": false} {
		if isPort(port) != want {
			t.Errorf("port %q: %v", port, !want)
		}
	}
}

// serverHalf is a mechanism's server half that knows nobody.
func serverHalf(t *testing.T, m login.Mechanism) Server {
	t.Helper()
	impl, ok := Get(m)
	if !ok {
		t.Fatalf("no %s", m)
	}
	return impl.Server(ServerConfig{Identity: "mail.example.test", Protocol: login.POP3, Rand: strings.NewReader(strings.Repeat("x", 64)),
		Now: func() time.Time { return time.Unix(0, 0) }, Lookup: func(string) (string, bool) { return "", false }, Known: func(string) bool { return false },
		Check: func(string, string) bool { return false }})
}
