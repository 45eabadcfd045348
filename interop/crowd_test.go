package interop

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// TestCrowd: two thousand connections that say nothing, and two hundred that
// hang in every state, keep nobody else waiting, and none of them is lost.
func TestCrowd(t *testing.T) {
	underLoad(t)
	const idle, hanging, asked, bound = 2000, 200, 500, 5.0
	r := start(t, login.Setup{Flavour: login.Modern, Database: login.WinGate,
		Policy: login.Every([]login.Mechanism{login.UserPass, login.PLAIN}, login.Allow)})

	alone := medianLogin(t, r, asked)
	var held []held
	for i := range idle {
		held = append(held, hold(t, r, quiet[i%len(quiet)]))
	}
	for i := range hanging * len(stuck) {
		held = append(held, hold(t, r, stuck[i%len(stuck)]))
	}
	crowded := medianLogin(t, r, asked)
	ratio := float64(crowded) / float64(alone)
	t.Logf("median login %v alone, %v beside %d connections, ratio %.2f", alone, crowded, len(held), ratio)
	if ratio > bound {
		t.Errorf("others wait: want at most %.0f times", bound)
	}
	for _, h := range held {
		if err := h.wake(); err != nil {
			t.Fatalf("a connection %s was lost: %v", h.name, err)
		}
	}
}

// stage is where a connection hangs.
type stage struct {
	name     string
	protocol login.Protocol
	// says are whole lines, each answered by the server.
	says []string
	// half is what is sent last, and never ended.
	half string
	// wakes ends what was begun, and answers is the first octet of what the
	// server has to say to that.
	wakes   string
	answers byte
}

// quiet are the stages in which a connection waits without having begun
// anything.
var quiet = []stage{
	{"smtp greeted", login.SMTP, nil, "", "QUIT\r\n", '2'},
	{"pop3 greeted", login.POP3, nil, "", "QUIT\r\n", '+'},
}

// stuck are the stages in which the server waits for the rest.
var stuck = []stage{
	{"smtp mid-line", login.SMTP, nil, "EHLO client.exam", "ple.test\r\n", '2'},
	{"smtp mid-AUTH", login.SMTP, []string{"EHLO client.example.test", "AUTH PLAIN"}, "", "*\r\n", '5'},
	{"smtp mid-handshake", login.SMTP, []string{"EHLO client.example.test", "STARTTLS"}, halfHello, restOfHello, tlsAlert},
	{"pop3 mid-line", login.POP3, nil, "CA", "PA\r\n", '+'},
	{"pop3 mid-AUTH", login.POP3, []string{"AUTH PLAIN"}, "", "*\r\n", '-'},
	{"pop3 between USER and PASS", login.POP3, []string{"USER alice"}, "", "PASS x\r\n", '-'},
	{"pop3 mid-handshake", login.POP3, []string{"STLS"}, halfHello, restOfHello, tlsAlert},
}

// A TLS record of 512 octets, cut in two (RFC 8446 5.1). What it holds is no
// good hello, so the answer is an alert.
const (
	halfHello = "\x16\x03\x01\x02\x00\x01"
	tlsAlert  = '\x15'
)

var restOfHello = strings.Repeat("\x00", 511)

// held is a connection that hangs.
type held struct {
	stage
	raw  net.Conn
	conn *wire.Conn
}

// hold opens a connection and leaves it hanging.
func hold(t *testing.T, r *reference, s stage) held {
	t.Helper()
	raw, err := (&net.Dialer{Timeout: patience}).DialContext(t.Context(), "tcp", "127.0.0.1:"+r.ports[s.protocol][login.Plain])
	if err != nil {
		t.Fatal(err)
	}
	h := held{s, raw, wire.NewConn(context.WithoutCancel(t.Context()), raw, patience)}
	t.Cleanup(func() { _ = h.conn.Close() })
	err = h.answer()
	for _, line := range s.says {
		if err == nil {
			err = h.conn.Send(line)
		}
		if err == nil {
			err = h.answer()
		}
	}
	if err == nil {
		_, err = raw.Write([]byte(s.half))
	}
	if err != nil {
		t.Fatalf("%s: %v", s.name, err)
	}
	return h
}

// answer reads one answer, whatever it is.
func (h held) answer() error {
	if h.protocol == login.SMTP {
		_, err := h.conn.ReadSMTP()
		return err
	}
	_, err := h.conn.ReadPOP3()
	return err
}

// wake goes on where the connection hangs: the server must have waited.
func (h held) wake() error {
	if err := h.raw.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := io.WriteString(h.raw, h.wakes); err != nil {
		return err
	}
	var first [1]byte
	if _, err := io.ReadFull(h.raw, first[:]); err != nil {
		return err
	}
	if first[0] != h.answers {
		return fmt.Errorf("want an answer that begins with %q, got %q", h.answers, first)
	}
	return nil
}

// medianLogin is how long a login takes that nobody hinders.
func medianLogin(t *testing.T, r *reference, n int) time.Duration {
	t.Helper()
	account := secrets.Account(login.NoOverride)
	took := make([]time.Duration, n)
	for i := range took {
		begin := time.Now()
		if err := loginPOP3(t.Context(), "127.0.0.1:"+r.ports[login.POP3][login.Plain], account); err != nil {
			t.Fatal(err)
		}
		took[i] = time.Since(begin)
	}
	return median(took)
}
