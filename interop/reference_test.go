package interop

import (
	"crypto/rand"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/certs"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/server"
)

// secrets are the account that every peer uses. The passwords are new in each
// run, and found in no file of the project.
var secrets = login.Secrets{Name: "alice", Password: rand.Text(), Wrong: rand.Text()}

// identity is the server's name, which peers verify.
const identity = login.DefaultIdentity

// loopback is what peers verify that know no other name for where they connect.
const loopback = "127.0.0.1"

// authority issues what the reference server shows: an elliptic curve for
// most, RSA for clients that know nothing else. Keys take long to make, so
// all tests share them.
var authority = sync.OnceValues(func() (*shown, error) {
	a, err := certs.NewAuthority("interop authority", time.Now())
	if err != nil {
		return nil, err
	}
	s := &shown{pem: string(a.PEM())}
	for _, kind := range []certs.KeyKind{certs.ECDSA, certs.RSA} {
		pair, err := a.Issue(certs.Leaf{Names: []string{identity, loopback}, Key: kind})
		if err != nil {
			return nil, err
		}
		certificate, err := pair.TLS()
		if err != nil {
			return nil, err
		}
		s.leaves = append(s.leaves, certificate)
	}
	return s, nil
})

// shown is the certificates of the reference server and the authority that
// peers are told to trust.
type shown struct {
	pem    string
	leaves []tls.Certificate
}

// reference is the reference server on ports of loopback.
type reference struct {
	*server.Server
	ca    string // the authority's certificate, in a file
	ports map[login.Protocol]map[login.Transport]string
	// accepted counts connections: a peer that was refused without a record
	// must have been there.
	accepted atomic.Int32
}

// start serves the setup until the test ends. Failed logins are answered at
// once. Where the setup has no accounts, it gets the one of all peers.
func start(t testing.TB, setup login.Setup, more ...server.Option) *reference {
	t.Helper()
	shown, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	if setup.Accounts == nil {
		setup.Accounts = []login.Account{secrets.Account(login.NoOverride)}
	}
	options := []server.Option{server.WithCertificate(shown.leaves...)}
	s, err := server.New(setup, append(options, more...)...)
	if err != nil {
		t.Fatal(err)
	}
	r := &reference{Server: s, ca: write(t, t.TempDir(), "ca.pem", shown.pem), ports: map[login.Protocol]map[login.Transport]string{}}
	var running sync.WaitGroup
	for _, p := range login.Protocols() {
		clear := r.serve(t, &running, p, false)
		r.ports[p] = map[login.Transport]string{login.Plain: clear, login.StartTLS: clear}
		if s.Implicit() {
			r.ports[p][login.TLS] = r.serve(t, &running, p, true)
		}
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		running.Wait()
	})
	return r
}

// record is the server's, complete: who hangs up in the midst of a login is in
// it only once the server has noticed, which is before Close returns.
func (r *reference) record(t testing.TB) []login.Record {
	t.Helper()
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	return r.Record()
}

// serve opens one port of loopback and returns its number.
func (r *reference) serve(t testing.TB, running *sync.WaitGroup, p login.Protocol, implicit bool) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	running.Go(func() {
		if err := r.Serve(counting{l, &r.accepted}, p, implicit); !errors.Is(err, server.ErrClosed) {
			t.Errorf("serve %s: %v", p, err)
		}
	})
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// counting is a listener that counts the connections it accepts.
type counting struct {
	net.Listener
	accepted *atomic.Int32
}

func (c counting) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err == nil {
		c.accepted.Add(1)
	}
	return conn, err
}
