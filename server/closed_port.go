package server

import "net"

// closedPort is a port of ours on which nobody listens and nobody else can: it
// is our own end of a connection that we hold. Connecting to it is refused by
// the operating system, as with any closed port.
type closedPort struct {
	listener net.Listener
	held     net.Conn
	far      net.Conn
}

func newClosedPort() (*closedPort, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &closedPort{listener: l}
	if p.held, err = net.Dial("tcp", l.Addr().String()); err == nil {
		p.far, err = l.Accept()
	}
	if err != nil {
		_ = p.close()
		return nil, err
	}
	return p, nil
}

func (p *closedPort) address() string { return p.held.LocalAddr().String() }

func (p *closedPort) close() error {
	for _, c := range []net.Conn{p.held, p.far} {
		if c != nil {
			_ = c.Close()
		}
	}
	return p.listener.Close()
}
