package clientsim_test

import (
	"crypto/md5" //nolint:gosec // the protocol demands it
	"encoding/hex"
	"slices"
	"testing"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/certs"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// TestAPOPOverNothing: who sends APOP without a timestamp shows a digest of
// the password alone.
func TestAPOPOverNothing(t *testing.T) {
	t.Parallel()
	c := conversation{profile: "emacs-pop3+apop", protocol: login.POP3, transport: login.Plain, mechanism: login.Auto,
		script: []string{"S +OK ready", "C", "S -ERR no CAPA", "C", "S -ERR no APOP", "C", "S +OK bye"}}
	s := newScripted(t, c.script, c.mechanism, certs.Leaf{Names: []string{login.DefaultIdentity}, Key: certs.RSA})
	clientsim.Login(t.Context(), configFor(t, c, s))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	sum := md5.Sum([]byte(secrets.Password)) //nolint:gosec // the protocol demands it
	want := "APOP " + secrets.Name + " " + hex.EncodeToString(sum[:])
	if !slices.Contains(s.heard, want) {
		t.Errorf("heard %q, want %q", s.heard, want)
	}
}
