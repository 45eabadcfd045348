package server

import (
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// TestMeetings: a connection and a server meet, whoever comes first. Of two
// connections, or two servers, with one key the older is given up: neither is
// the other's half.
func TestMeetings(t *testing.T) {
	for _, tt := range []struct {
		name  string
		order string   // c is a connection, s a server
		heard []string // by each connection; servers are called by number
	}{
		{"connection first", "cs", []string{"220 0.example"}},
		{"server first", "sc", []string{"220 0.example"}},
		{"two connections", "ccs", []string{"EOF", "220 0.example"}},
		{"two servers", "ssc", []string{"220 1.example"}},
		{"three connections", "cccs", []string{"EOF", "EOF", "220 0.example"}},
		{"pair after pair", "cssc", []string{"220 0.example", "220 1.example"}},
		{"nobody comes", "cc", []string{"EOF", "EOF"}},
		{"nobody is there", "ss", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := &meetings{waiting: map[meetingKey]meeting{}}
			smtp := port{login.SMTP, false}
			arrive := func() *peer {
				near, far := net.Pipe()
				m.arrive(somewhere{far, "127.0.0.1", "127.0.0.1"}, smtp)
				return newPeer(t, near, login.SMTP)
			}
			var servers []*Server
			announce := func() {
				name := fmt.Sprintf("%d.example", len(servers))
				s, err := New(with(open(), func(s *login.Setup) { s.Identity = name }), withStore(testStore))
				if err != nil {
					t.Fatal(err)
				}
				servers = append(servers, s)
				if !s.reserve() {
					t.Fatal("a new server is closed")
				}
				m.announce(tcpAddr("127.0.0.1"), smtp, s)
			}
			var clients []*peer
			for _, half := range tt.order {
				if half == 'c' {
					clients = append(clients, arrive())
				} else {
					announce()
				}
			}
			m.close()
			clients = append(clients, arrive()) // too late
			for i, want := range append(tt.heard, "EOF") {
				clients[i].wantRead(want)
				_ = clients[i].conn.Close()
			}
			announce() // too late as well
			// A server that waits for a connection that never comes would never
			// close.
			closed := make(chan error, len(servers))
			for _, s := range servers {
				go func() { closed <- s.Close() }()
			}
			deadline := time.After(patience)
			for range servers {
				select {
				case err := <-closed:
					if err != nil {
						t.Error(err)
					}
				case <-deadline:
					t.Fatal("a server still waits for a connection")
				}
			}
		})
	}
}
