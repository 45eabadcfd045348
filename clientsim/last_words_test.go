package clientsim_test

import (
	"slices"
	"testing"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/certs"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// TestLastWords: what a client says before it gives up, up to the first that
// the server refuses, and not before it has heard the greeting.
func TestLastWords(t *testing.T) {
	t.Parallel()
	elsewhere := certs.Leaf{Names: []string{"elsewhere.example.test"}}
	for _, tt := range []struct {
		name      string
		transport login.Transport
		shown     certs.Leaf
		script    []string
		outcome   login.Outcome
	}{
		{"refused", login.Plain, plainLeaf,
			[]string{"S +OK ready", "C USER <user>", "S -ERR no", "C RSET", "S -ERR not now"}, login.Refused},
		{"agreed", login.Plain, plainLeaf,
			[]string{"S +OK ready", "C USER <user>", "S -ERR no", "C RSET", "S +OK", "C QUIT", "S +OK bye"}, login.Refused},
		{"another name in the certificate", login.TLS, elsewhere,
			[]string{"S+ +OK ready", "* certificate for another name", "C+ RSET", "S+ -ERR not now"}, login.CertRejected},
		{"success has its own leave", login.Plain, plainLeaf,
			[]string{"S +OK ready", "C USER <user>", "S +OK", "C PASS <secret>", "S +OK",
				"C UIDL", "S +OK", "S .", "C LIST", "S +OK", "S .", "C UIDL", "S +OK", "S .", "C LIST", "S +OK", "S .", "C QUIT", "S +OK bye"}, login.LoggedIn},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newScripted(t, tt.script, login.UserPass, tt.shown)
			c := configFor(t, conversation{profile: "getmail6", protocol: login.POP3, transport: tt.transport, mechanism: login.Auto}, s)
			c.Whole, c.Trust = true, clientsim.TrustAuthority
			got := clientsim.Login(t.Context(), c)
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if said, want := verbs(got.Transcript), verbs(tt.script); !slices.Equal(said, want) {
				t.Errorf("said %q, want %q", said, want)
			}
			if o := got.Observation; o.Outcome != tt.outcome {
				t.Errorf("%s (%s), want %s", o.Outcome, o.Detail, tt.outcome)
			}
		})
	}
}
