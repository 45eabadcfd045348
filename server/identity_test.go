package server

import (
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// TestIdentity: the server's own name stands in lines that it says, so what
// is no name of a machine is refused at the start (rule 9).
func TestIdentity(t *testing.T) {
	for _, tt := range []struct {
		name, identity string
		ok             bool
	}{
		{"the default", "", true},
		{"a host name", "Mail-1.Example.TEST", true},
		{"one label", "WorkPC1", true},
		{"an address", "192.0.2.1", true},
		{"a second line", "mail.example.test\r\n220 other.example.test", false},
		{"a line's end", "mail.example.test\n", false},
		{"a blank", "mail example", false},
		{"a timestamp's end", "mail.example.test>", false},
		{"a NUL", "mail\x00.example.test", false},
		{"not ASCII", "m\u00e4il.example.test", false},
		{"a wildcard", "*.example.test", false},
		{"an empty label", "mail..test", false},
		{"too long a label", strings.Repeat("m", 64) + ".test", false},
	} {
		t.Run(strings.ReplaceAll(tt.name, " ", "-"), func(t *testing.T) {
			for _, kind := range []login.CertificateKind{login.CertNone, login.CertValid} {
				setup := with(open(), func(s *login.Setup) { s.Identity, s.Certificate.Kind = tt.identity, kind })
				if _, err := New(setup, withStore(testStore)); (err == nil) != tt.ok {
					t.Errorf("certificate %q: %v", kind, err)
				}
			}
		})
	}
}
