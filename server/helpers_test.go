package server

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

// patience is how long a test waits for a server that owes an answer.
const patience = 10 * time.Second

var alice = login.Account{Name: "alice", Password: "wonderland"}

// aliceWithOverride has a POP3 override password too.
var aliceWithOverride = login.Account{Name: "alice", Password: "wonderland", Override: "lookingglass"}

var bob = login.Account{Name: "bob", Password: "builder"}

// everything is a policy that gives each mechanism the same setting.
func everything(s login.Setting) login.Policy { return login.Every(mech.Names(), s) }

// open is a setup in which most things are permitted.
func open() login.Setup {
	return login.Setup{Flavour: login.Modern, Database: login.WinGate, Policy: everything(login.Allow),
		Accounts: []login.Account{alice, bob}}
}

// with changes a setup.
func with(s login.Setup, change func(*login.Setup)) login.Setup {
	change(&s)
	return s
}

// slow is open with failed logins slowed down.
func slow() login.Setup {
	return with(open(), func(s *login.Setup) { s.Posture.SlowDown = true })
}

// site is a server on loopback.
type site struct {
	*Server
	t     testing.TB
	ports map[port]string
	// issued is what alice has beside her password.
	issued login.Issued
}

// start serves a setup on all four ports until the test ends.
func start(t testing.TB, setup login.Setup, opts ...Option) *site {
	t.Helper()
	s, err := New(setup, append([]Option{withStore(testStore), withIssuer(testIssuer)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	site := &site{Server: s, t: t, ports: map[port]string{}}
	if setup.Database == login.Full {
		if site.issued, err = s.Issue("alice", login.Flawless); err != nil {
			t.Fatal(err)
		}
	}
	served := make(chan error, 4)
	for _, p := range login.Protocols() {
		for _, implicit := range []bool{false, true} {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			site.ports[port{p, implicit}] = l.Addr().String()
			go func() { served <- s.Serve(l, p, implicit) }()
		}
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		for range 4 {
			if err := <-served; err != ErrClosed {
				t.Errorf("Serve returned %v", err)
			}
		}
	})
	return site
}

// testStore spares each test an authority of its own.
var testStore = func() *certificates {
	c, err := newCertificates(time.Now())
	if err != nil {
		panic(err)
	}
	return c
}()

// testIssuer spares each test keys of its own.
var testIssuer = func() *issuer {
	i, err := newIssuer(login.DefaultIdentity, time.Now)
	if err != nil {
		panic(err)
	}
	return i
}()

// last is the newest record.
func (s *site) last() login.Record {
	s.t.Helper()
	all := s.Record()
	if len(all) == 0 {
		s.t.Fatal("nothing was recorded")
	}
	return all[len(all)-1]
}
