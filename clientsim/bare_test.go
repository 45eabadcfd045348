package clientsim_test

import (
	"bufio"
	"io"
	"net"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// TestBareUserPass: the name goes behind USER and the password behind PASS, and
// the transcript shows neither.
func TestBareUserPass(t *testing.T) {
	ours, theirs := net.Pipe()
	defer func() { _, _ = ours.Close(), theirs.Close() }()
	heard := make(chan string, 2)
	go func() {
		r := bufio.NewReader(theirs)
		for range 2 {
			line, _ := r.ReadString('\n')
			heard <- line
			_, _ = io.WriteString(theirs, "+OK\r\n")
		}
	}()
	conn := wire.NewConn(t.Context(), ours, 5*time.Second)
	b := clientsim.Bare{Conn: conn, Protocol: login.POP3, Mechanism: login.UserPass}
	b.Username, b.Password = "somebody", "a secret"
	got, err := b.Run()
	if err != nil || !got.Accepted {
		t.Fatalf("%+v, %v", got, err)
	}
	for _, want := range []string{"USER somebody\r\n", "PASS a secret\r\n"} {
		if line := <-heard; line != want {
			t.Errorf("the server heard %q, not %q", line, want)
		}
	}
	for i, want := range []string{"C USER <user>", "S +OK", "C PASS <secret>", "S +OK"} {
		if line := conn.Transcript()[i]; line != want {
			t.Errorf("the transcript has %q, not %q", line, want)
		}
	}
}

// TestBareEndless: a server that answers everything with a challenge, "*" too,
// does not hold anybody for ever.
func TestBareEndless(t *testing.T) {
	ours, theirs := net.Pipe()
	defer func() { _, _ = ours.Close(), theirs.Close() }()
	go func() {
		for in := bufio.NewScanner(theirs); in.Scan(); {
			_, _ = io.WriteString(theirs, "334 \r\n")
		}
	}()
	b := clientsim.Bare{Conn: wire.NewConn(t.Context(), ours, 5*time.Second), Protocol: login.SMTP, Mechanism: login.LOGIN}
	b.Username, b.Password = "somebody", "a secret"
	if got, err := b.Run(); err == nil || got.Accepted {
		t.Errorf("%+v, %v", got, err)
	}
}
