package main

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/certs"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/recording"
	"github.com/mailmatrix/mailmatrix/server"
)

// stage is the laboratory of observe: for each posture a reference server on a
// loopback port, with certificates for the name that clients are told.
type stage struct {
	leaves    map[login.CertificateKind]tls.Certificate
	authority []byte // in PEM
	// keep has one port serve all postures of a kind, for a person who would
	// have to type another each time.
	keep bool

	mu    sync.Mutex
	ports map[stagePort]string
}

type stagePort struct {
	protocol login.Protocol
	implicit bool
}

// loopback is where clients reach the stage: it is for this machine alone.
const loopback = "127.0.0.1"

// newStage makes the certificates of the postures. The names are all that a
// client on this machine can be told; the greeting's is among them.
func newStage(host string, keep bool) (*stage, error) {
	now := time.Now()
	authority, err := certs.NewAuthority("mailmatrix observe", now)
	if err != nil {
		return nil, err
	}
	s := &stage{leaves: map[login.CertificateKind]tls.Certificate{}, authority: authority.PEM(), keep: keep, ports: map[stagePort]string{}}
	names := []string{host, recording.Host, "localhost", loopback}
	for kind, leaf := range map[login.CertificateKind]certs.Leaf{
		login.CertValid:      {Names: names},
		login.CertSelfSigned: {Names: names, SelfSigned: true},
		login.CertOtherName:  {Names: []string{"other.example.net"}},
		login.CertExpired:    {Names: names, NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(0, 0, -1)},
	} {
		pair, err := authority.Issue(leaf)
		if err != nil {
			return nil, err
		}
		if s.leaves[kind], err = pair.TLS(); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Open is harness.Stage.
func (s *stage) Open(setup login.Setup, w login.Witness, p login.Protocol, implicit bool) (harness.StageDoor, error) {
	options := []server.Option{server.WithWitness(w)}
	if leaf, ok := s.leaves[setup.Certificate.Kind]; ok {
		options = append(options, server.WithCertificate(leaf))
	}
	of, err := server.New(setup, options...)
	if err != nil {
		return nil, err
	}
	l, err := s.listen(stagePort{p, implicit})
	if err != nil {
		return nil, errors.Join(err, of.Close())
	}
	d := &stageDoor{server: of, listener: l}
	d.accepting.Go(func() { d.accept(p, implicit) })
	return d, nil
}

func (s *stage) listen(p stagePort) (net.Listener, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keep && s.ports[p] != "" {
		if l, err := net.Listen("tcp", s.ports[p]); err == nil {
			return l, nil
		}
	}
	l, err := net.Listen("tcp", net.JoinHostPort(loopback, "0"))
	if err == nil {
		s.ports[p] = l.Addr().String()
	}
	return l, err
}

// stageDoor is one posture's port.
type stageDoor struct {
	server    *server.Server
	listener  net.Listener
	accepting sync.WaitGroup
	sessions  sync.WaitGroup
}

func (d *stageDoor) Port() int { return d.listener.Addr().(*net.TCPAddr).Port }

func (d *stageDoor) accept(p login.Protocol, implicit bool) {
	for {
		conn, err := d.listener.Accept()
		if err != nil { // closed, or of no use any more
			return
		}
		d.sessions.Go(func() { d.server.ServeConn(conn, p, implicit) })
	}
}

// lastWord is how long a client that is done may keep its connection; one that
// is still there then is shown out.
const lastWord = time.Second

// Close reads what the client has left to be read, and ends the server.
func (d *stageDoor) Close() error {
	_ = d.listener.Close()
	d.accepting.Wait()
	ended := make(chan struct{})
	go func() { d.sessions.Wait(); close(ended) }()
	patience := time.NewTimer(lastWord)
	defer patience.Stop()
	select {
	case <-ended:
	case <-patience.C:
	}
	hurry, cancel := context.WithTimeout(context.Background(), lastWord)
	defer cancel()
	err := d.server.Shutdown(hurry)
	<-ended
	if errors.Is(err, context.DeadlineExceeded) { // it did not want to go
		err = nil
	}
	return err
}

// thisMachine is what a client may call the machine that it runs on.
func thisMachine(ctx context.Context) harness.Machine {
	var m harness.Machine
	if name, err := os.Hostname(); err == nil && name != "" {
		short, _, _ := strings.Cut(name, ".")
		m.Names = append(m.Names, name, short)
		ctx, cancel := context.WithTimeout(ctx, lastWord)
		defer cancel()
		if full, err := net.DefaultResolver.LookupCNAME(ctx, name); err == nil {
			m.Names = append(m.Names, strings.TrimSuffix(full, "."))
		}
	}
	if addresses, err := net.InterfaceAddrs(); err == nil {
		for _, a := range addresses {
			if ip, _, err := net.ParseCIDR(a.String()); err == nil {
				m.Addresses = append(m.Addresses, ip.String())
			}
		}
	}
	return m
}
