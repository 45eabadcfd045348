package reach_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/mailmatrix/mailmatrix/harness/remote/budget"
	"github.com/mailmatrix/mailmatrix/harness/remote/reach"
	"github.com/mailmatrix/mailmatrix/internal/certs"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// patience is how long a test waits for what must come.
const patience = 10 * time.Second

const host = "mail.example.test"

// authority vouches for every certificate of these tests that is good.
var authority = sync.OnceValues(func() (*certs.Authority, error) { return certs.NewAuthority("reach tests", time.Now()) })

func roots(t testing.TB) *x509.CertPool {
	t.Helper()
	a, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	return a.Pool()
}

func certificate(t testing.TB, l certs.Leaf) *tls.Config {
	t.Helper()
	a, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	pair, err := a.Issue(l)
	if err != nil {
		t.Fatal(err)
	}
	c, err := pair.TLS()
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{c}}
}

func good(t testing.TB) *tls.Config { return certificate(t, certs.Leaf{Names: []string{host}}) }

// peer is a server's end of a connection that follows a script.
type peer struct {
	net.Conn
	r *bufio.Reader
}

// says sends lines.
func (p *peer) says(lines ...string) {
	for _, line := range lines {
		_, _ = io.WriteString(p, line+"\r\n")
	}
}

// hears reads a line; "" once the client has gone.
func (p *peer) hears() string {
	line, _ := p.r.ReadString('\n')
	return strings.TrimRight(line, "\r\n")
}

// answers hears lines and gives each the answer for its first word, until the
// client goes. One without an answer ends the conversation.
func (p *peer) answers(by map[string]string) {
	for {
		line := p.hears()
		word, _, _ := strings.Cut(line, " ")
		answer, ok := by[word]
		if line == "" || !ok {
			return
		}
		p.says(strings.Split(answer, "\n")...)
	}
}

// inside goes on inside TLS.
func (p *peer) inside(config *tls.Config) *peer {
	secured := tls.Server(p.Conn, config)
	return &peer{secured, bufio.NewReader(secured)}
}

// upgrades answers STARTTLS or STLS, and what comes before it, and shakes hands.
func (p *peer) upgrades(by map[string]string, ready string, config *tls.Config) *peer {
	p.answers(by)
	p.says(ready)
	return p.inside(config)
}

// stays keeps the connection open until the client ends it.
func (p *peer) stays() { _, _ = io.Copy(io.Discard, p.r) }

// serve plays a script to each client, until the test ends.
func serve(t testing.TB, script func(*peer)) netip.AddrPort {
	t.Helper()
	return serveOn(t, "127.0.0.1:0", script)
}

func serveOn(t testing.TB, address string, script func(*peer)) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Skipf("nothing can listen on %s here: %v", address, err)
	}
	var playing sync.WaitGroup
	playing.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			playing.Go(func() {
				defer func() { _ = conn.Close() }()
				_ = conn.SetDeadline(time.Now().Add(patience))
				script(&peer{conn, bufio.NewReader(conn)})
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		playing.Wait()
	})
	return netip.MustParseAddrPort(l.Addr().String())
}

// caller reaches what listens on loopback under the name host.
func caller(t testing.TB) *reach.Caller {
	t.Helper()
	return &reach.Caller{
		Route:  reach.Route{Fixed: []reach.Fixed{{Host: host, Addr: netip.MustParseAddr("127.0.0.1")}}},
		Trust:  reach.Trust{Roots: roots(t)},
		Budget: budget.New(budget.Limits{}, nil), Connect: patience, Limit: patience, Now: time.Now,
	}
}

func door(p login.Protocol, implicit bool, at netip.AddrPort) reach.Door {
	return reach.Door{Protocol: p, Implicit: implicit, Host: host, Port: at.Port(), Found: login.FoundNamed, Typed: true}
}

// resolver asks a DNS server of the test's own.
func resolver(t testing.TB, handle dns.HandlerFunc) *net.Resolver {
	t.Helper()
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &dns.Server{PacketConn: socket, Handler: handle}
	started, ended := make(chan struct{}), make(chan error, 1)
	s.NotifyStartedFunc = func() { close(started) }
	go func() { ended <- s.ActivateAndServe() }()
	<-started
	t.Cleanup(func() {
		_ = s.Shutdown()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", socket.LocalAddr().String())
	}}
}

// socks is a SOCKS5 server (RFC 1928) that connects to one place, whatever it is
// asked for, or answers with a reply code.
type socks struct {
	to       string
	reply    byte
	user     string // "user:password"; "" asks for none
	mu       sync.Mutex
	askedFor []string
	at       netip.AddrPort
}

func newSocks(t testing.TB, s *socks) *socks {
	s.at = serve(t, func(p *peer) { _ = s.serve(p) })
	return s
}

func (s *socks) asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.askedFor
}

func (s *socks) serve(p *peer) error {
	if err := s.admit(p); err != nil {
		return err
	}
	var head [4]byte
	if _, err := io.ReadFull(p.r, head[:]); err != nil {
		return err
	}
	size := map[byte]int{1: 4, 4: 16}[head[3]]
	if head[3] == 3 {
		n, err := p.r.ReadByte()
		if err != nil {
			return err
		}
		size = int(n)
	}
	rest := make([]byte, size+2)
	if _, err := io.ReadFull(p.r, rest); err != nil {
		return err
	}
	name := string(rest[:size])
	if ip, ok := netip.AddrFromSlice(rest[:size]); ok && head[3] != 3 {
		name = ip.String()
	}
	s.mu.Lock()
	s.askedFor = append(s.askedFor, net.JoinHostPort(name, strconv.Itoa(int(binary.BigEndian.Uint16(rest[size:])))))
	s.mu.Unlock()
	if s.reply == silence {
		p.stays()
		return nil
	}
	if _, err := p.Write([]byte{5, s.reply, 0, 1, 0, 0, 0, 0, 0, 0}); err != nil || s.reply != 0 {
		return err
	}
	server, err := net.Dial("tcp", s.to)
	if err != nil {
		return err
	}
	var copying sync.WaitGroup
	copying.Go(func() { _, _ = io.Copy(p, server); _ = p.Close() })
	_, _ = io.Copy(server, p.r)
	_ = server.Close()
	copying.Wait()
	return nil
}

// silence is no reply at all.
const silence = 255

func (s *socks) admit(p *peer) error {
	var head [2]byte
	if _, err := io.ReadFull(p.r, head[:]); err != nil {
		return err
	}
	if _, err := p.r.Discard(int(head[1])); err != nil {
		return err
	}
	if s.user == "" {
		_, err := p.Write([]byte{5, 0})
		return err
	}
	if _, err := p.Write([]byte{5, 2}); err != nil {
		return err
	}
	read := func() string {
		n, _ := p.r.ReadByte()
		text := make([]byte, n)
		_, _ = io.ReadFull(p.r, text)
		return string(text)
	}
	_, _ = p.r.Discard(1)
	if name := read(); name+":"+read() != s.user {
		_, _ = p.Write([]byte{1, 1})
		return errors.New("wrong password")
	}
	_, err := p.Write([]byte{1, 0})
	return err
}
