package clientsim_test

import (
	"slices"
	"testing"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/certs"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// TestStepsByCAPA: what is asked of the mailbox may depend on CAPA.
func TestStepsByCAPA(t *testing.T) {
	t.Parallel()
	in := []string{"C USER <user>", "S +OK", "C PASS <secret>", "S +OK"}
	for name, script := range map[string][]string{
		"answered": slices.Concat([]string{"S +OK ready", "C CAPA", "S +OK", "S USER", "S ."}, in,
			[]string{"C CAPA", "S +OK", "S UIDL", "S .", "C LIST", "S +OK", "S .", "C UIDL", "S +OK", "S .", "C QUIT", "S +OK bye"}),
		"refused": slices.Concat([]string{"S +OK ready", "C CAPA", "S -ERR what?"}, in,
			[]string{"C CAPA", "S -ERR what?", "C UIDL 1", "S -ERR none", "C LIST", "S +OK", "S .", "C QUIT", "S +OK bye"}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := conversation{profile: "evolution-camel", protocol: login.POP3, transport: login.Plain, mechanism: login.Auto, script: script}
			s := newScripted(t, script, c.mechanism, certs.Leaf{Names: []string{login.DefaultIdentity}, Key: certs.RSA})
			config := configFor(t, c, s)
			config.Whole = true
			got := clientsim.Login(t.Context(), config)
			if err := s.Close(); err != nil || !slices.Equal(got.Transcript, script) {
				t.Errorf("%q (%v), want %q", got.Transcript, err, script)
			}
		})
	}
}

// TestPassAfterRefusedUser: a client that has PASS ready sends it though USER
// was refused. The refusal stays one.
func TestPassAfterRefusedUser(t *testing.T) {
	t.Parallel()
	script := []string{"S +OK ready", "C CAPA", "S -ERR what?", "C USER <user>", "S -ERR no", "C PASS <secret>", "S +OK how so?"}
	c := conversation{profile: "evolution-camel", protocol: login.POP3, transport: login.Plain, mechanism: login.Auto, script: script}
	s := newScripted(t, script, c.mechanism, certs.Leaf{Names: []string{login.DefaultIdentity}, Key: certs.RSA})
	config := configFor(t, c, s)
	config.Whole = true
	got := clientsim.Login(t.Context(), config)
	if err := s.Close(); err != nil || !slices.Equal(got.Transcript, script) || got.Attempts[0].Accepted {
		t.Errorf("%q (%v), want %q and no login", got.Transcript, err, script)
	}
}
