package server

import (
	"cmp"
	"net"
	"net/netip"
	"sync"
)

// meetings brings together the two ends of a connection: the accept loop,
// which knows the connection, and the client's Dial, which knows the server.
// Either may come first; the second starts the session.
type meetings struct {
	mu      sync.Mutex
	over    bool
	waiting map[meetingKey]meeting
}

// meetingKey is the client's port and ours: no two connections share them
// while both are open.
type meetingKey struct {
	client netip.AddrPort
	port   port
}

type meeting struct {
	conn   net.Conn // nil until accepted
	server *Server  // nil until dialled; a connection is reserved in it
}

// arrive is called with an accepted connection. One that nobody dialled waits
// until the end, or until its port is used again: on loopback that is somebody
// else's mistake.
func (m *meetings) arrive(conn net.Conn, p port) {
	m.meet(conn.RemoteAddr(), p, meeting{conn: conn})
}

// announce is called with the client's address once it is connected.
func (m *meetings) announce(client net.Addr, p port, s *Server) {
	m.meet(client, p, meeting{server: s})
}

func (m *meetings) meet(client net.Addr, p port, half meeting) {
	key := meetingKey{client.(*net.TCPAddr).AddrPort(), p}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.over {
		half.give()
		return
	}
	other := m.waiting[key] // nothing, if half is the first
	conn, server := cmp.Or(half.conn, other.conn), cmp.Or(half.server, other.server)
	if conn != nil && server != nil {
		delete(m.waiting, key)
		go server.serveReserved(conn, p.protocol, p.implicit, server.connections.Add(1))
		return
	}
	// Two of the same do not meet: the older was of a connection that has gone.
	other.give()
	m.waiting[key] = half
}

// give up one half.
func (h meeting) give() {
	if h.conn != nil {
		_ = h.conn.Close()
	}
	if h.server != nil {
		h.server.running.Done()
	}
}

func (m *meetings) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.over = true
	for _, half := range m.waiting {
		half.give()
	}
	clear(m.waiting)
}
