package interop

import (
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// TestHandshakeByOpenSSL: somebody else's TLS upgrades both protocols, finds
// the certificate good, and can reach back to TLS 1.0 in the classic flavour
// only.
func TestHandshakeByOpenSSL(t *testing.T) {
	program := need(t, "openssl", "openssl")
	t.Parallel()
	// What OpenSSL refuses by itself today: TLS 1.0 and its suites.
	old := []string{"-tls1", "-cipher", "DEFAULT@SECLEVEL=0"}
	tests := []struct {
		name    string
		flavour login.Flavour
		options []string
		version string // "" is a handshake that must fail
	}{
		{"today", login.Modern, nil, "TLSv1.3"},
		{"today, with an old server", login.Classic, nil, "TLSv1.3"},
		{"TLS 1.2", login.Modern, []string{"-tls1_2"}, "TLSv1.2"},
		{"TLS 1.2, RSA", login.Modern, []string{"-tls1_2", "-sigalgs", "RSA+SHA256"}, "TLSv1.2"},
		{"TLS 1.0", login.Classic, old, "TLSv1"},
		{"TLS 1.0, no elliptic curve", login.Classic, []string{"-tls1", "-cipher", "AES128-SHA@SECLEVEL=0"}, "TLSv1"},
		{"TLS 1.0 is too old", login.Modern, old, ""},
		{"a suite without forward secrecy", login.Modern, []string{"-tls1_2", "-cipher", "AES128-GCM-SHA256"}, ""},
	}
	for _, test := range tests {
		for _, protocol := range login.Protocols() {
			t.Run(test.name+"/"+string(protocol), func(t *testing.T) {
				t.Parallel()
				r := start(t, login.Setup{Flavour: test.flavour, Database: login.WinGate, Policy: login.Only(login.PLAIN, login.Secure)})
				args := append([]string{"s_client", "-starttls", string(protocol), "-brief", "-verify_return_error",
					"-connect", "127.0.0.1:" + r.ports[protocol][login.StartTLS],
					"-servername", identity, "-verify_hostname", identity, "-CAfile", r.ca}, test.options...)
				got := command{path: program, args: args, stdin: "QUIT\n", home: t.TempDir()}.run(t)
				version := negotiated(got.output)
				if version != test.version || (version != "") != (got.status == 0) {
					t.Errorf("want %q, got %q: %v", test.version, version, got)
				}
				if test.version != "" && !strings.Contains(got.output, "Verified peername: "+identity) {
					t.Errorf("the certificate was not found good: %v", got)
				}
			})
		}
	}
}

// negotiated is the version that openssl reports, or "" where there was no
// handshake.
func negotiated(output string) string {
	for line := range strings.Lines(output) {
		if version, ok := strings.CutPrefix(line, "Protocol version: "); ok {
			return strings.TrimSpace(version)
		}
	}
	return ""
}
