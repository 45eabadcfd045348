package wire

import (
	"bytes"
	"net"
	"sync"
)

// Tap is a connection that keeps every octet that crosses it, in both
// directions: what a listener on the wire would have.
type Tap struct {
	net.Conn
	mu  sync.Mutex
	log []byte
	cut []cut // where in log the direction changes
}

type cut struct {
	at     int
	server bool // what follows came from the server
}

// NewTap listens on c.
func NewTap(c net.Conn) *Tap { return &Tap{Conn: c} }

func (t *Tap) Read(b []byte) (int, error) {
	n, err := t.Conn.Read(b)
	t.keep(b[:n], true)
	return n, err
}

func (t *Tap) Write(b []byte) (int, error) {
	// Kept before it is sent: the answer may come before Write returns.
	t.keep(b, false)
	return t.Conn.Write(b)
}

func (t *Tap) keep(b []byte, server bool) {
	if len(b) == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := len(t.cut); n == 0 || t.cut[n-1].server != server {
		t.cut = append(t.cut, cut{len(t.log), server})
	}
	t.log = append(t.log, b...)
}

// Heard is a line that crossed the wire. TLS records are cut at random into
// such lines, which does no harm to a search.
type Heard struct {
	Server bool
	Line   []byte
}

// Octets is everything that crossed in one direction, in order.
func (t *Tap) Octets(server bool) []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []byte
	for i, c := range t.cut {
		end := len(t.log)
		if i+1 < len(t.cut) {
			end = t.cut[i+1].at
		}
		if c.server == server {
			all = append(all, t.log[c.at:end]...)
		}
	}
	return all
}

// Lines is everything that crossed, in order, cut at line ends.
func (t *Tap) Lines() []Heard {
	t.mu.Lock()
	defer t.mu.Unlock()
	var lines []Heard
	for i, c := range t.cut {
		end := len(t.log)
		if i+1 < len(t.cut) {
			end = t.cut[i+1].at
		}
		for part := range bytes.Lines(t.log[c.at:end]) {
			lines = append(lines, Heard{c.server, bytes.TrimRight(part, "\r\n")})
		}
	}
	return lines
}
