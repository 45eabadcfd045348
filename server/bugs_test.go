package server

import (
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

var update = flag.Bool("update", false, "write docs/mutants.md")

// TestMutantsDocument: docs/mutants.md is made from Bugs.
func TestMutantsDocument(t *testing.T) {
	var b strings.Builder
	b.WriteString("<!-- Made by `go test ./server -run TestMutantsDocument -update`. -->\n\n# Mutants\n\n" +
		"Each breaks one rule of the reference server. `server.WithBug` makes one; a suite that notices none of it proves nothing.\n" +
		"A bare number is one of the server's own rules: 1 and 2 what each setting refuses and lists, 3 refusals on the wire,\n" +
		"4 databases, 5 the POP3 override password, 6 trust and relay, 7 TLS, 10 NTLM.\n\n| mutant | rule | what it does |\n|---|---|---|\n")
	for _, i := range Bugs() {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", i.Name, i.Rule, i.What)
	}
	name := filepath.Join("..", "docs", "mutants.md")
	if *update {
		if err := os.WriteFile(name, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != b.String() {
		t.Errorf("%s is stale: go test ./server -run TestMutantsDocument -update", name)
	}
}

// TestUnknownMutant: a name that nobody has is an error, not a healthy server.
func TestUnknownMutant(t *testing.T) {
	if _, err := New(open(), withStore(testStore), WithBug("no-such-bug")); err == nil {
		t.Error("taken")
	}
}

// That each mutant is one is shown by the matrix, which kills it:
// TestMutants in package harness.

// TestContentsInside: what is retrieved travels inside TLS.
func TestContentsInside(t *testing.T) {
	for _, flavour := range login.Flavours() {
		setup := with(open(), func(s *login.Setup) { s.Flavour = flavour })
		if firstOctet(start(t, setup)) == '+' {
			t.Errorf("%s retrieves in clear", flavour)
		}
	}
}

// firstOctet is what crosses the wire first when a message is retrieved
// inside TLS.
func firstOctet(s *site) byte {
	s.t.Helper()
	if err := s.Deliver("alice", []byte("Subject: x\r\n\r\nbody\r\n")); err != nil {
		s.t.Fatal(err)
	}
	c := s.pop3(login.StartTLS).enter(login.CRAMMD5, alice)
	c.send("RETR 1\r\n")
	octet := make([]byte, 1)
	if _, err := io.ReadFull(c.conn.(*tls.Conn).NetConn(), octet); err != nil {
		s.t.Fatal(err)
	}
	return octet[0]
}
