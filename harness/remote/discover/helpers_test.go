package discover_test

import (
	"context"
	"io"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/mailmatrix/mailmatrix/harness/remote/reach"
)

const patience = 10 * time.Second

// zone is a DNS server's answers, by name and type, as a zone file has them.
type zone []string

// route asks a DNS server of the test's own: of what the zone does not have
// there is nothing. A name of the zone without a record is silent, or broken,
// as its line says.
func (z zone) route(t testing.TB) reach.Route {
	t.Helper()
	var records []dns.RR
	silent, broken := map[string]bool{}, map[string]bool{}
	for _, line := range z {
		name, what, _ := strings.Cut(line, " ")
		switch what {
		case "SILENT":
			silent[name] = true
			continue
		case "BROKEN":
			broken[name] = true
			continue
		}
		r, err := dns.NewRR(line)
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, r)
	}
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	started, ended := make(chan struct{}), make(chan error, 1)
	s := &dns.Server{PacketConn: socket, NotifyStartedFunc: func() { close(started) }}
	s.Handler = dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		m.Rcode, m.RecursionAvailable = dns.RcodeNameError, true
		asked := q.Question[0]
		name := strings.ToLower(asked.Name)
		if silent[name] || silent["*"] {
			return
		}
		for _, r := range records {
			if r.Header().Name == name {
				m.Rcode = dns.RcodeSuccess
				if r.Header().Rrtype == asked.Qtype {
					m.Answer = append(m.Answer, r)
				}
			}
		}
		if broken[name] {
			m.Rcode = dns.RcodeServerFailure
		}
		_ = w.WriteMsg(m)
	})
	go func() { ended <- s.ActivateAndServe() }()
	<-started
	t.Cleanup(func() {
		_ = s.Shutdown()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return reach.Route{Resolver: &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", socket.LocalAddr().String())
	}}}
}

// through has every connection end at one place: a SOCKS5 server (RFC 1928)
// that asks for no password and goes nowhere else.
func through(t testing.TB, to string) *url.URL {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { carry(conn, to) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		serving.Wait()
	})
	return &url.URL{Scheme: "socks5", Host: l.Addr().String()}
}

func carry(conn net.Conn, to string) {
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(patience))
	head := make([]byte, 3+4) // its greeting with one method, and the request up to the kind of address
	if _, err := io.ReadFull(conn, head[:3]); err != nil {
		return
	}
	_, _ = conn.Write([]byte{5, 0})
	if _, err := io.ReadFull(conn, head[3:]); err != nil {
		return
	}
	size := map[byte]int{1: 4, 4: 16}[head[6]]
	if head[6] == 3 {
		var n [1]byte
		if _, err := io.ReadFull(conn, n[:]); err != nil {
			return
		}
		size = int(n[0])
	}
	if _, err := io.CopyN(io.Discard, conn, int64(size)+2); err != nil {
		return
	}
	server, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	_, _ = conn.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	var copying sync.WaitGroup
	copying.Go(func() {
		_, _ = io.Copy(conn, server)
		_ = conn.Close()
	})
	_, _ = io.Copy(server, conn)
	_ = server.Close()
	copying.Wait()
}

var loopback = netip.MustParseAddr("127.0.0.1")
