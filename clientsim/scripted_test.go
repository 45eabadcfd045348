package clientsim_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/certs"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

var secrets = login.Secrets{
	Name: "canaryname", Password: "canary-Pass-1", Override: "canary-Over-2", Wrong: "canary-Wrong-3",
	WindowsUser: "winuser", WindowsPassword: "canary-Win-4",
}

// stamp is the challenge of RFC 1939's example, and of every script.
const stamp = "<1896.697170952@mail.example.test>"

// scripted is a server that says the "S" lines of a transcript and keeps what
// it hears in the place of the others. TLS comes up where the marks say so.
type scripted struct {
	listener  net.Listener
	script    []string
	mechanism login.Mechanism
	config    *tls.Config
	pool      *x509.CertPool
	heard     []string
	done      chan error
}

func newScripted(t *testing.T, script []string, m login.Mechanism, shown certs.Leaf) *scripted {
	t.Helper()
	leaf, pool := certificate(t, shown)
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &scripted{listener: l, script: script, mechanism: m, pool: pool, done: make(chan error, 1), config: &tls.Config{
		Certificates: []tls.Certificate{leaf}, MinVersion: tls.VersionTLS10,
		CipherSuites: []uint16{tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256},
	}}
	go func() { s.done <- s.serve() }()
	t.Cleanup(func() { _ = l.Close() })
	return s
}

func (s *scripted) Dial(ctx context.Context, _ login.Protocol, _ login.Transport) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "tcp", s.listener.Addr().String())
}

func (s *scripted) Authority() *x509.CertPool { return s.pool }
func (s *scripted) Record() []login.Record    { return nil }

// Close waits for the end of the script.
func (s *scripted) Close() error {
	_ = s.listener.Close()
	return <-s.done
}

func (s *scripted) serve() error {
	conn, err := s.listener.Accept()
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	r := bufio.NewReader(conn)
	encrypted := false
	for _, line := range s.script {
		who, text, _ := strings.Cut(line, " ")
		if strings.HasSuffix(who, "+") && !encrypted {
			t := tls.Server(conn, s.config)
			conn, encrypted = t, true
			r.Reset(t)
		}
		switch who[0] {
		case 'S':
			if _, err := fmt.Fprintf(conn, "%s\r\n", s.say(text)); err != nil {
				return err
			}
		case 'C':
			heard, err := r.ReadString('\n')
			if err != nil {
				return fmt.Errorf("waiting for %q: %w", line, err)
			}
			s.heard = append(s.heard, strings.TrimRight(heard, "\r\n"))
		}
	}
	return nil
}

// say puts a challenge where the transcript hides one.
func (s *scripted) say(text string) string {
	challenge := base64.StdEncoding.EncodeToString([]byte(stamp))
	switch {
	case !strings.Contains(text, "<challenge>"):
		return text
	case strings.HasPrefix(text, "+OK"):
		challenge = stamp
	case s.mechanism == login.NTLM:
		challenge = s.ntlmChallenge()
	}
	return strings.Replace(text, "<challenge>", challenge, 1)
}

// ntlmChallenge answers the first message of NTLM that was heard last.
func (s *scripted) ntlmChallenge() string {
	first, err := base64.StdEncoding.DecodeString(s.heard[len(s.heard)-1])
	if err != nil {
		return err.Error()
	}
	impl, _ := mech.Get(login.NTLM)
	challenge, _, err := impl.Server(mech.ServerConfig{Identity: login.DefaultIdentity, Rand: zero{}, Now: time.Now,
		Lookup: func(string) (string, bool) { return "", false }}).Next(first)
	if err != nil {
		return err.Error()
	}
	return base64.StdEncoding.EncodeToString(challenge)
}

// zero is chance that can be repeated.
type zero struct{}

func (zero) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}
