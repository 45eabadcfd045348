package interop

import (
	"bytes"
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// fault is what is wrong with a network. The zero value is nothing.
type fault struct {
	// late is how long every octet is on its way, in each direction, and greets
	// how much longer the server's first are.
	late, greets time.Duration
	// piece is how many octets go at once; 0 is what comes.
	piece int
	// every is the time between two pieces of the server's.
	every time.Duration
	// hole: connections are taken, and nothing comes of them.
	hole bool
	// reset: the connection is reset at the client's first octet, cut: it ends in
	// the midst of a handshake.
	reset, cut bool
}

// proxy stands in front of a door.
type proxy struct {
	net.Listener
	behind string
	from   net.IP // the address that it calls from
	fault  fault

	mutex sync.Mutex
	taken []*taken
}

// taken is what crossed one connection, below any TLS.
type taken struct {
	mutex    sync.Mutex
	up, down bytes.Buffer
}

// before puts a proxy in front of an address until the test ends. It calls from
// another.
func before(t *testing.T, behind, from string, f fault) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{Listener: l, behind: behind, from: net.ParseIP(from), fault: f}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { p.carry(ctx, conn.(*net.TCPConn)) })
		}
	})
	t.Cleanup(func() {
		stop()
		_ = l.Close()
		running.Wait()
	})
	return p
}

// proxied puts one in front of each door, and returns the doors as they are seen
// from before it.
func proxied(t *testing.T, doors []door, from string, f fault) (seen []door, proxies []*proxy) {
	t.Helper()
	for _, d := range doors {
		p := before(t, d.address, from, f)
		d.address = p.Addr().String()
		seen, proxies = append(seen, d), append(proxies, p)
	}
	return seen, proxies
}

// carry carries one connection, until one of its ends is closed or the test is
// over.
func (p *proxy) carry(ctx context.Context, client *net.TCPConn) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer func() { _ = client.Close() }()
	f := p.fault
	if f.hole {
		context.AfterFunc(ctx, func() { _ = client.SetReadDeadline(time.Now()) })
		for b := make([]byte, 1024); ; {
			if _, err := client.Read(b); err != nil {
				return
			}
		}
	}
	conn, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: p.from}}).DialContext(ctx, "tcp", p.behind)
	if err != nil {
		return
	}
	server := conn.(*net.TCPConn)
	context.AfterFunc(ctx, func() {
		_ = client.Close()
		_ = server.Close()
	})
	kept := &taken{}
	p.mutex.Lock()
	p.taken = append(p.taken, kept)
	p.mutex.Unlock()
	shaking := &atomic.Bool{}
	up := direction{fault: f, kept: kept, into: &kept.up, seen: func(b []byte) bool {
		if f.reset {
			_ = client.SetLinger(0)
			return false
		}
		// RFC 8446 5.1: 22 is a handshake's record, 3 its version.
		if len(b) > 1 && b[0] == 22 && b[1] == 3 {
			shaking.Store(true)
		}
		return true
	}}
	down := direction{fault: f, kept: kept, into: &kept.down, first: f.greets, every: f.every, most: func() int {
		if f.cut && shaking.Load() {
			return inTheMidst
		}
		return 0
	}}
	var both sync.WaitGroup
	both.Go(func() { up.carry(ctx, cancel, client, server) })
	both.Go(func() { down.carry(ctx, cancel, server, client) })
	both.Wait()
}

// inTheMidst is how many octets of a server's handshake are let through.
const inTheMidst = 60

// direction is one of a connection.
type direction struct {
	fault
	kept         *taken
	into         *bytes.Buffer
	first, every time.Duration
	// seen, where set, is shown what comes, and says whether to go on.
	seen func([]byte) bool
	// most, where set, is how many octets are let through before it ends; 0 is
	// all.
	most func() int
}

// carry carries until from ends, and then lets the other side know.
func (d direction) carry(ctx context.Context, stop func(), from, to *net.TCPConn) {
	type chunk struct {
		octets []byte
		due    time.Time
	}
	under := make(chan chunk, 1024)
	var writing sync.WaitGroup
	writing.Go(func() {
		for c := range under {
			if !waitUntil(ctx, c.due) {
				continue
			}
			d.write(ctx, to, c.octets)
		}
		_ = to.CloseWrite()
	})
	extra := d.first
	for b := make([]byte, 32<<10); ; {
		n, err := from.Read(b)
		octets := bytes.Clone(b[:n])
		if n > 0 {
			d.keep(octets)
		}
		if n > 0 && d.seen != nil && !d.seen(octets) {
			stop()
			break
		}
		if d.most != nil && d.most() > 0 && n > 0 {
			under <- chunk{octets[:min(n, d.most())], time.Now().Add(d.late)}
			defer stop() // once it is written
			break
		}
		if n > 0 {
			under <- chunk{octets, time.Now().Add(d.late + extra)}
			extra = 0
		}
		if err != nil {
			break
		}
	}
	close(under)
	writing.Wait()
}

func (d direction) keep(octets []byte) {
	d.kept.mutex.Lock()
	defer d.kept.mutex.Unlock()
	d.into.Write(octets)
}

// write writes in pieces.
func (d direction) write(ctx context.Context, to *net.TCPConn, octets []byte) {
	for len(octets) > 0 {
		n := len(octets)
		if d.piece > 0 {
			n = min(n, d.piece)
		}
		if d.every > 0 && !waitUntil(ctx, time.Now().Add(d.every)) {
			return
		}
		if _, err := to.Write(octets[:n]); err != nil {
			return
		}
		octets = octets[n:]
	}
}

// waitUntil reports false where the context ended first.
func waitUntil(ctx context.Context, due time.Time) bool {
	timer := time.NewTimer(time.Until(due))
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// TestProxy: each fault is one, and without any everything passes.
func TestProxy(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer func() { _ = conn.Close() }()
				_, _ = io.Copy(conn, conn)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		running.Wait()
	})
	said := []byte{22, 3, 1}
	said = append(said, bytes.Repeat([]byte("x"), 97)...)
	for _, tt := range []struct {
		name string
		fault
		comes   int
		atLeast time.Duration
		why     string
	}{
		{"none", fault{}, 100, 0, "the control"},
		{"late", fault{late: 20 * time.Millisecond}, 100, 40 * time.Millisecond, "once in each direction"},
		{"late greeting", fault{greets: 30 * time.Millisecond}, 100, 30 * time.Millisecond, "the server's first octets"},
		{"pieces", fault{piece: 1}, 100, 0, "all come"},
		{"slow", fault{piece: 10, every: 5 * time.Millisecond}, 100, 50 * time.Millisecond, "ten of them"},
		{"hole", fault{hole: true}, 0, 100 * time.Millisecond, "until the client gives up"},
		{"reset", fault{reset: true}, 0, 0, "nothing has come back"},
		{"cut", fault{cut: true}, inTheMidst, 0, "the client has sent a handshake"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := before(t, l.Addr().String(), fromDefault, tt.fault)
			began := time.Now()
			conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", p.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			limit := 5 * time.Second
			if tt.hole {
				limit = tt.atLeast
			}
			if err := conn.SetDeadline(began.Add(limit)); err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Write(said); err != nil {
				t.Fatal(err)
			}
			got := make([]byte, len(said))
			n, _ := io.ReadFull(conn, got)
			if n != tt.comes || !bytes.Equal(got[:n], said[:n]) || time.Since(began) < tt.atLeast {
				t.Errorf("%d octets after %v: %s", n, time.Since(began), tt.why)
			}
		})
	}
}
