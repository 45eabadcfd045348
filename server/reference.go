package server

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// Reference is the reference server as a target of experiments: it owns the
// listeners of a whole run, and puts a new [Server] behind them for each
// experiment. It may be used by many experiments at once.
//
// All experiments share the ports. Which server a connection belongs to is
// agreed by the client's own port: see [meetings].
type Reference struct {
	opts       []Option
	store      *certificates
	issuer     *issuer
	pool       *x509.CertPool
	listeners  map[port]net.Listener
	closed     *closedPort
	meetings   meetings
	accepting  sync.WaitGroup
	accepts    atomic.Int64
	handshakes atomic.Int64
}

// port is one of the four that a mail server listens on.
type port struct {
	protocol login.Protocol
	implicit bool // TLS from the first octet
}

// Counts is what the reference server has seen in its life.
type Counts struct {
	Accepts    int64 // connections accepted
	Handshakes int64 // full TLS handshakes completed
}

// NewReference opens the listeners on loopback. The options hold for every
// server. The clock is a virtual one where the posture asks for a slow-down:
// nobody waits for it.
func NewReference(opts ...Option) (*Reference, error) {
	r := &Reference{listeners: map[port]net.Listener{}}
	r.meetings.waiting = map[meetingKey]meeting{}
	// An option may bring a clock, which the certificates go by.
	probe := &Server{clock: wallClock{}}
	for _, o := range opts {
		o(probe)
	}
	var err error
	if r.store, err = newCertificates(probe.clock.Now()); err != nil {
		return nil, err
	}
	r.pool = r.store.pool()
	if r.closed, err = newClosedPort(); err != nil {
		return nil, err
	}
	if r.issuer, err = newIssuer(login.DefaultIdentity, probe.clock.Now); err != nil {
		return nil, err
	}
	r.opts = append([]Option{withStore(r.store), withIssuer(r.issuer), withHandshakes(func() { r.handshakes.Add(1) })}, opts...)
	for _, p := range login.Protocols() {
		for _, implicit := range []bool{false, true} {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				_ = r.Close()
				return nil, err
			}
			r.listeners[port{p, implicit}] = l
			r.accepting.Go(func() { r.accept(l, port{p, implicit}) })
		}
	}
	return r, nil
}

// Name is what reports call this target.
func (r *Reference) Name() string { return "reference" }

// Issue makes what an account of any server of this run can log in with in
// place of a password. With a flaw it is no good; what cannot have the flaw is
// left out.
func (r *Reference) Issue(account string, flaw login.Flaw) (login.Issued, error) {
	return r.issuer.issue(account, flaw)
}

// Counts is safe to call at any time.
func (r *Reference) Counts() Counts {
	return Counts{Accepts: r.accepts.Load(), Handshakes: r.handshakes.Load()}
}

// Close stops listening and waits until nothing of the reference server runs.
// Doors are closed by those who opened them, before.
func (r *Reference) Close() error {
	for _, l := range r.listeners {
		_ = l.Close()
	}
	r.accepting.Wait()
	r.meetings.close()
	return r.closed.close()
}

// Under puts a server into the state of an experiment. A certificate that the
// server must refuse is a [*login.StartupError].
func (r *Reference) Under(ctx context.Context, setup login.Setup) (wire.Door, error) {
	return r.UnderWitness(ctx, setup, nil)
}

// UnderWitness is Under for a server that tells w of everything; of what the
// options say of a witness, if w is nil. When the door has been closed, w has
// been told everything.
func (r *Reference) UnderWitness(_ context.Context, setup login.Setup, w Witness) (wire.Door, error) {
	opts := r.opts
	if w != nil {
		opts = append(slices.Clip(opts), WithWitness(w))
	}
	if setup.Posture.SlowDown {
		opts = append(slices.Clip(opts), func(s *Server) { s.clock = NewVirtualClock(s.clock.Now()) })
	}
	s, err := New(setup, opts...)
	if err != nil {
		return nil, err
	}
	return &door{reference: r, server: s, watched: w != nil}, nil
}

func (r *Reference) accept(l net.Listener, p port) {
	for {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // out of file descriptors, most likely: others will end soon
			wallClock{}.Sleep(context.Background(), 5*time.Millisecond)
			continue
		}
		r.accepts.Add(1)
		r.meetings.arrive(conn, p)
	}
}

// door is the way into one server behind the shared listeners.
type door struct {
	reference *Reference
	server    *Server
	// watched: the witness is to be told the end of every connection.
	watched bool
}

// Dial connects to the port of protocol and transport. Where the server has
// no TLS from the first octet, that port is closed, and the connection is
// refused by the operating system.
func (d *door) Dial(ctx context.Context, p login.Protocol, t login.Transport) (net.Conn, error) {
	var dialer net.Dialer
	if t == login.TLS && !d.server.Implicit() {
		return dialer.DialContext(ctx, "tcp", d.reference.closed.address())
	}
	to := port{p, t == login.TLS}
	l := d.reference.listeners[to]
	if l == nil {
		return nil, fmt.Errorf("no port for %s", p)
	}
	if !d.server.reserve() {
		return nil, ErrClosed
	}
	conn, err := dialer.DialContext(ctx, "tcp", l.Addr().String())
	if err != nil {
		d.server.running.Done()
		return nil, err
	}
	d.reference.meetings.announce(conn.LocalAddr(), to, d.server)
	return conn, nil
}

func (d *door) Authority() *x509.CertPool { return d.reference.pool }
func (d *door) Record() []login.Record    { return d.server.Record() }

// Relayed is what scenarios ask of a door that can tell.
func (d *door) Relayed() []login.Relay {
	var all []login.Relay
	for _, m := range d.server.Relayed() {
		all = append(all, login.Relay{Account: m.Account, Encrypted: m.Encrypted, To: m.To})
	}
	return all
}

// Close ends the server. A watched one is not cut short: what its clients, who
// have gone, left to be read is read.
func (d *door) Close() error {
	if d.watched {
		d.server.running.Wait()
	}
	return d.server.Close()
}
