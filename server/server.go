package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/certs"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
	"github.com/mailmatrix/mailmatrix/internal/mech/kerberos"
)

// Server is one setup brought to life. Get one from [New].
type Server struct {
	setup    login.Setup
	identity string
	accounts *accounts
	trust    trust
	mail     *mailStore
	record   recorder
	epoch    int64 // when the server started, in its messages' identifiers

	clock       Clock
	log         *slog.Logger
	limits      Limits
	given       []tls.Certificate
	store       *certificates
	issuer      *issuer
	tokens      TokenVerifier
	kerberos    *kerberos.Service
	noKerberos  bool
	keys        map[keyOf]mech.StoredKeys
	mutant      Bug
	script      login.Script // of the posture
	witness     Witness
	connections atomic.Int64 // how many there were
	onHandshake func()

	tls map[login.Protocol]*tls.Config // empty without a certificate

	engine engine // go-smtp; idle until somebody sends mail

	closing atomic.Bool
	ctx     context.Context // ends when the server closes
	cancel  context.CancelFunc

	mu        sync.Mutex
	listeners map[net.Listener]struct{}
	sessions  map[*session]struct{}
	running   sync.WaitGroup // Add only under mu, and not once closing
}

// New makes a server for the setup. A certificate that a server must refuse
// when it starts is a [*login.StartupError]. Failed logins are slowed down
// where the setup's posture says so, by the server's clock.
func New(setup login.Setup, opts ...Option) (*Server, error) {
	s := &Server{
		setup:     setup,
		identity:  setup.Identity,
		clock:     wallClock{},
		listeners: map[net.Listener]struct{}{},
		sessions:  map[*session]struct{}{},
	}
	if setup.Posture.Script != nil {
		s.script = *setup.Posture.Script
	}
	for _, o := range opts {
		o(s)
	}
	if s.identity == "" {
		s.identity = login.DefaultIdentity
	}
	// RFC 5321 4.2, RFC 1939 7: it stands in greetings and challenges, where a
	// line's end or a blank would say something else.
	if err := certs.CheckHostName(s.identity); err != nil {
		return nil, fmt.Errorf("server identity: %w", err)
	}
	if setup.Flavour != login.Classic && setup.Flavour != login.Modern {
		return nil, fmt.Errorf("no flavour %q: a server is %s or %s", setup.Flavour, login.Classic, login.Modern)
	}
	if !knownBug(s.mutant) {
		return nil, fmt.Errorf("no mutant is called %q", s.mutant)
	}
	domains := setup.LocalDomains
	if domains == nil {
		domains = []string{login.DefaultDomain}
	}
	s.accounts = newAccounts(setup.Accounts, domains)
	s.limits = s.limits.strict()
	s.mail = newMailStore(s.limits.MailboxSize)
	s.epoch = s.clock.Now().Unix()
	s.ctx, s.cancel = context.WithCancel(context.Background())

	var err error
	if s.trust, err = newTrust(setup.Trust, setup.Accounts); err != nil {
		return nil, err
	}
	if err = s.loadIssuer(); err != nil {
		return nil, err
	}
	if err = s.loadTLS(); err != nil {
		return nil, err
	}
	s.makeKeys()
	return s, nil
}

// loadIssuer prepares what is checked besides passwords. What was given from
// outside stays.
func (s *Server) loadIssuer() (err error) {
	if s.issuer == nil {
		if s.issuer, err = newIssuer(s.identity, s.clock.Now); err != nil {
			return err
		}
	}
	if s.tokens == nil {
		s.tokens = s.issuer.tokens
	}
	if s.kerberos == nil && !s.noKerberos {
		s.kerberos = s.issuer.service
	}
	return nil
}

// Issue makes what the account can log in with in place of a password. With a
// flaw it is no good; what cannot have the flaw is left out.
func (s *Server) Issue(account string, flaw login.Flaw) (login.Issued, error) {
	return s.issuer.issue(account, flaw)
}

// loadTLS prepares the certificate that the setup asks for.
func (s *Server) loadTLS() error {
	kind := s.setup.Certificate.Kind
	s.tls = map[login.Protocol]*tls.Config{}
	if kind == login.CertNone {
		return nil
	}
	if len(s.given) > 0 {
		for _, p := range login.Protocols() {
			config := tlsConfig(s.setup.Flavour, p, s.mutant)
			config.Certificates = s.given
			s.tls[p] = s.askingForCertificate(config, p)
		}
		return nil
	}
	if s.store == nil {
		store, err := newCertificates(s.clock.Now())
		if err != nil {
			return err
		}
		s.store = store
	}
	if _, refused := refusedAtStart[kind]; refused {
		return s.store.refuseFiles(kind, s.identity)
	}
	shown := s.identity
	if s.bug(CertificateWrong) {
		kind, shown = wrongCertificate, "other.example.net"
	}
	for _, p := range login.Protocols() {
		config, err := s.store.config(configKey{s.setup.Flavour, kind, shown, p, s.mutant})
		if err != nil {
			return err
		}
		s.tls[p] = s.askingForCertificate(config, p)
	}
	return nil
}

// Authority is what a client of this server may trust; nil where the
// certificate was given from outside, or where there is none.
func (s *Server) Authority() *x509.CertPool {
	if s.store == nil {
		return nil
	}
	return s.store.pool()
}

// Implicit reports whether the server speaks TLS from the first octet, on
// ports of its own (rule 7).
func (s *Server) Implicit() bool {
	return len(s.tls) > 0 && (s.setup.Flavour == login.Modern) && !s.bug(NoTLS)
}

// Record lists the login attempts, oldest first; of very many, the newest.
func (s *Server) Record() []login.Record { return s.record.all() }

// Relayed lists the messages accepted for other domains. They go nowhere.
func (s *Server) Relayed() []Message { return s.mail.allRelayed() }

// Deliver puts a message into an account's mailbox.
func (s *Server) Deliver(account string, message []byte) error {
	a, ok := s.accounts.find(account)
	if !ok {
		return errors.New("no such account")
	}
	return s.mail.deliver([]string{a.Name}, s.epoch, canonical(message))
}

// ErrClosed is what Serve returns after Close or Shutdown.
var ErrClosed = errors.New("server closed")

// Serve takes connections from l until the server closes, and closes l. It
// returns [ErrClosed] then.
func (s *Server) Serve(l net.Listener, p login.Protocol, implicitTLS bool) error {
	defer func() {
		_ = l.Close()
		s.mu.Lock()
		delete(s.listeners, l)
		s.mu.Unlock()
	}()
	s.mu.Lock()
	if s.closing.Load() {
		s.mu.Unlock()
		return ErrClosed
	}
	s.listeners[l] = struct{}{}
	s.running.Add(1)
	s.mu.Unlock()
	defer s.running.Done()
	for pause := time.Duration(0); ; {
		conn, err := l.Accept()
		switch {
		case err == nil:
			pause = 0
			if s.reserve() {
				go s.serveReserved(conn, p, implicitTLS, s.connections.Add(1))
			} else {
				_ = conn.Close()
			}
		case s.closing.Load():
			return ErrClosed
		case errors.Is(err, net.ErrClosed):
			return err
		default:
			// Out of file descriptors, most likely: others will end soon.
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			s.event(slog.LevelError, "accept", slog.String("error", err.Error()))
			wallClock{}.Sleep(s.ctx, pause)
		}
	}
}

// ServeConn speaks protocol p on conn until the session ends, and closes it.
func (s *Server) ServeConn(conn net.Conn, p login.Protocol, implicitTLS bool) {
	if !s.reserve() {
		_ = conn.Close()
		return
	}
	s.serveReserved(conn, p, implicitTLS, s.connections.Add(1))
}

// reserve makes Close wait for a connection that is to be served.
func (s *Server) reserve() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing.Load() {
		return false
	}
	s.running.Add(1)
	return true
}

// serveReserved is ServeConn for a connection that Close waits for already, and
// that has been counted.
func (s *Server) serveReserved(conn net.Conn, p login.Protocol, implicitTLS bool, number int64) {
	defer s.running.Done()
	c := newSession(s, conn, p, int(number))
	s.mu.Lock()
	s.sessions[c] = struct{}{}
	s.mu.Unlock()
	c.serve(implicitTLS)
	s.mu.Lock()
	delete(s.sessions, c)
	s.mu.Unlock()
	c.recycle()
}

// Close stops accepting, tells every session so between two commands, and
// waits until all have ended. No goroutine is left.
func (s *Server) Close() error { return s.Shutdown(context.Background()) }

// Shutdown is Close that waits no longer than ctx: then connections are cut.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.closing.Store(true)
	for l := range s.listeners {
		_ = l.Close()
	}
	for c := range s.sessions {
		c.interrupt()
	}
	s.mu.Unlock()
	s.cancel()

	cut := context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for c := range s.sessions {
			_ = c.raw.Close()
		}
	})
	s.running.Wait()
	s.engine.close()
	if !cut() {
		return ctx.Err()
	}
	return nil
}

// greetedAs is the name in greetings (rule 9).
func (s *Server) greetedAs() string {
	return s.identity
}

// event writes to the log, if there is one.
func (s *Server) event(level slog.Level, what string, attrs ...slog.Attr) {
	if s.log != nil {
		s.log.LogAttrs(context.Background(), level, what, attrs...)
	}
}

// domain is the first local one: where "postmaster" lives.
func (s *Server) domain() string {
	if len(s.accounts.domains) == 0 {
		return strings.ToLower(s.identity)
	}
	return s.accounts.domains[0]
}
