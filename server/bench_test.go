package server

import (
	"bufio"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// BenchmarkLogin is a session on loopback that logs in and leaves, both ends
// in one process; the client does as little as it can.
func BenchmarkLogin(b *testing.B) {
	for _, bb := range []struct {
		name     string
		protocol login.Protocol
		lines    []string
	}{
		{"POP3", login.POP3, []string{"USER alice\r\n", "PASS wonderland\r\n", "QUIT\r\n"}},
		{"SMTP", login.SMTP, []string{"EHLO x\r\n", "AUTH PLAIN " + b64("\x00alice\x00wonderland") + "\r\n", "QUIT\r\n"}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			r, err := NewReference()
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = r.Close() }()
			door, err := r.Under(b.Context(), open())
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = door.Close() }()
			b.ReportAllocs()
			in := bufio.NewReader(nil)
			for b.Loop() {
				conn, err := door.Dial(b.Context(), bb.protocol, login.Plain)
				if err != nil {
					b.Fatal(err)
				}
				runLines(b, conn, in, bb.lines)
				_ = conn.Close()
			}
		})
	}
}

func runLines(b *testing.B, conn net.Conn, in *bufio.Reader, lines []string) {
	in.Reset(conn)
	for i := 0; ; i++ {
		for {
			line, err := in.ReadSlice('\n')
			if err != nil || line[0] == '-' || line[0] == '5' {
				b.Fatalf("%q %v", line, err)
			}
			if line[3] != '-' {
				break
			}
		}
		if i == len(lines) {
			return
		}
		if _, err := conn.Write([]byte(lines[i])); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSession is the server's side alone, over a connection in memory.
func BenchmarkSession(b *testing.B) {
	s, err := New(open(), withStore(testStore))
	if err != nil {
		b.Fatal(err)
	}
	script := "USER alice\r\nPASS wonderland\r\nQUIT\r\n"
	b.ReportAllocs()
	for b.Loop() {
		s.ServeConn(&scripted{in: strings.NewReader(script)}, login.POP3, false)
	}
	if all := s.Record(); all[len(all)-1].Refusal != login.NotRefused {
		b.Fatal(all[len(all)-1])
	}
}

// scripted is a connection whose other end has said everything already.
type scripted struct {
	net.Conn
	in *strings.Reader
}

func (c *scripted) Read(b []byte) (int, error)       { return c.in.Read(b) }
func (c *scripted) Write(b []byte) (int, error)      { return len(b), nil }
func (c *scripted) Close() error                     { return nil }
func (c *scripted) SetDeadline(time.Time) error      { return nil }
func (c *scripted) SetReadDeadline(time.Time) error  { return nil }
func (c *scripted) SetWriteDeadline(time.Time) error { return nil }

// BenchmarkNew is what an experiment costs before anybody connects.
func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := New(open(), withStore(testStore)); err != nil {
			b.Fatal(err)
		}
	}
}
