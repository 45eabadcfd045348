package clientsim_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// RFC 5034 4: what would make POP3's command too long waits for the challenge.
func TestInitialThatDoesNotFit(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		why    string
		length int
		script []string
	}{
		{"251 octets, and the end of the line", 168, []string{"C AUTH PLAIN <secret>", "S +OK"}},
		{"four more", 171, []string{"C AUTH PLAIN", "S + ", "C <secret>", "S +OK"}},
	} {
		script := slices.Concat([]string{"S +OK ready", "C CAPA", "S +OK", "S SASL PLAIN", "S ."}, tt.script, []string{"C QUIT", "S +OK"})
		s := newScripted(t, script, login.Auto, plainLeaf)
		c := configFor(t, conversation{profile: "alpine", protocol: login.POP3, transport: login.Plain, mechanism: login.Auto}, s)
		c.Secrets.Password = strings.Repeat("x", tt.length)
		if got := clientsim.Login(t.Context(), c); !slices.Equal(got.Transcript, script) {
			t.Errorf("%s: got %q", tt.why, got.Transcript)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
