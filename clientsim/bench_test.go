package clientsim_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// agreeable is a POP3 server that says +OK to everything, over and over.
type agreeable struct {
	net.Listener
	pool *x509.CertPool
}

func (a agreeable) Dial(ctx context.Context, _ login.Protocol, _ login.Transport) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "tcp", a.Addr().String())
}

func (a agreeable) Authority() *x509.CertPool { return a.pool }
func (agreeable) Record() []login.Record      { return nil }

func (a agreeable) serve(upgrade func(net.Conn) net.Conn) {
	for {
		raw, err := a.Accept()
		if err != nil {
			return
		}
		go func() {
			conn := upgrade(raw)
			defer func() { _ = conn.Close() }()
			r := bufio.NewReader(conn)
			for {
				if _, err := conn.Write([]byte("+OK\r\n")); err != nil {
					return
				}
				if line, err := r.ReadString('\n'); err != nil || strings.HasPrefix(line, "QUIT") {
					_, _ = conn.Write([]byte("+OK\r\n"))
					return
				}
			}
		}()
	}
}

// BenchmarkLogin is whole logins, both ends in this process.
func BenchmarkLogin(b *testing.B) {
	leaf, pool := certificate(b, plainLeaf)
	config := &tls.Config{Certificates: []tls.Certificate{leaf}, MinVersion: tls.VersionTLS12}
	for _, bb := range []struct {
		transport login.Transport
		upgrade   func(net.Conn) net.Conn
	}{
		{login.Plain, func(c net.Conn) net.Conn { return c }},
		{login.TLS, func(c net.Conn) net.Conn { return tls.Server(c, config) }},
	} {
		b.Run(string(bb.transport), func(b *testing.B) {
			l, err := new(net.ListenConfig).Listen(b.Context(), "tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			door := agreeable{l, pool}
			var server sync.WaitGroup
			server.Go(func() { door.serve(bb.upgrade) })
			c := clientsim.Config{Profile: profile(b, "outlook"), Protocol: login.POP3, Transport: bb.transport,
				Mechanism: login.Auto, Door: door, Host: login.DefaultIdentity, Secrets: secrets, Credential: login.WithAccount}
			b.ReportAllocs()
			b.SetParallelism(4)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if o := clientsim.Login(b.Context(), c).Observation; o.Outcome != login.LoggedIn {
						b.Fatalf("%s (%s)", o.Outcome, o.Detail)
					}
				}
			})
			_ = l.Close()
			server.Wait()
		})
	}
}
