package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// syncBuffer is written by the program and read by the test.
type syncBuffer struct {
	mu      sync.Mutex
	b       bytes.Buffer
	written chan struct{} // a token after each write
}

func newSyncBuffer() *syncBuffer { return &syncBuffer{written: make(chan struct{}, 1)} }

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.written <- struct{}{}:
	default:
	}
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// Somebody starts the server, logs in by what it prints, and ends it: nothing
// is left on disk, and no password was printed or logged.
func TestServe(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	ctx, cancel := context.WithCancel(context.Background())
	out, log := newSyncBuffer(), newSyncBuffer()
	ended := make(chan int)
	go func() {
		ended <- run(ctx, []string{"serve", "--identity", "mail.example.test"}, terminal{In: strings.NewReader(""), Out: out, Err: log})
	}()
	select {
	case <-out.written:
	case status := <-ended:
		t.Fatalf("ended with %d: %s", status, log)
	case <-time.After(time.Minute):
		t.Fatal("prints nothing")
	}
	screen := out.String()
	address := regexp.MustCompile(`pop3 +(127\.0\.0\.1:\d+)`).FindStringSubmatch(screen)
	folder := regexp.MustCompile(`password in (\S+)/password`).FindStringSubmatch(screen)
	if address == nil || folder == nil || !strings.Contains(screen, "curl -sS --ssl-reqd --cacert "+folder[1]) {
		t.Fatalf("the screen is\n%s", screen)
	}
	password := logIn(t, address[1], folder[1])

	cancel()
	if status := <-ended; status != 0 {
		t.Errorf("exit status %d, says %s", status, log)
	}
	if _, err := os.Stat(folder[1]); !os.IsNotExist(err) {
		t.Errorf("%s is left: %v", folder[1], err)
	}
	for name, text := range map[string]string{"screen": out.String(), "log": log.String()} {
		if strings.Contains(text, password) {
			t.Errorf("the %s shows the password", name)
		}
	}
	if !strings.Contains(log.String(), "USER/PASS") {
		t.Errorf("the log does not tell of the login:\n%s", log)
	}
}

// logIn does what a client does that was given the folder, and returns the
// password.
func logIn(t *testing.T, address, folder string) string {
	t.Helper()
	info, err := os.Stat(folder)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Fatalf("folder: %v, %v", info.Mode(), err)
	}
	for _, name := range []string{"password", "netrc", "ca.pem"} {
		if info, err := os.Stat(filepath.Join(folder, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	secret, err := os.ReadFile(filepath.Join(folder, "password"))
	if err != nil {
		t.Fatal(err)
	}
	ca, err := os.ReadFile(filepath.Join(folder, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)

	c := dial(t, address)
	must := func(line string) {
		t.Helper()
		if line != "" {
			if err := c.Send(line); err != nil {
				t.Fatal(err)
			}
		}
		if r, err := c.ReadPOP3(); err != nil || r.Status != wire.POP3OK {
			t.Fatalf("%q, %v", r.Line, err)
		}
	}
	password := strings.TrimSpace(string(secret))
	must("")
	must("STLS")
	if err := c.Upgrade(t.Context(), &tls.Config{ServerName: "mail.example.test", RootCAs: pool}); err != nil {
		t.Fatal(err)
	}
	must("USER alice")
	must("PASS " + password)
	must("RETR 1")
	if lines, err := c.ReadDotted(); err != nil || !strings.Contains(strings.Join(lines, "\n"), "it works") {
		t.Errorf("the mail that waits is %q, %v", lines, err)
	}
	must("QUIT")
	return password
}

func dial(t *testing.T, address string) *wire.Conn {
	t.Helper()
	var d net.Dialer
	raw, err := d.DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	c := wire.NewConn(t.Context(), raw, time.Minute)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestServeConfig(t *testing.T) {
	name := file(t, "serve.yaml", `
flavour: classic
database: nt
ports: {smtp: 2525}
policy: {NTLM: allow}
smtp: {PLAIN: secure}
`)
	config, err := serveConfig{Database: "wingate"}.over(name)
	if err != nil {
		t.Fatal(err)
	}
	setup, err := config.setup("")
	if err != nil {
		t.Fatal(err)
	}
	if got := policyText(setup.Policy); config.Flavour != "classic" || config.Database != "wingate" || config.Ports.SMTP != 2525 ||
		got != "NTLM allow; smtp: PLAIN secure" {
		t.Errorf("%+v, policy %q", config, got)
	}
}

// What serve permits when it is told nothing: nothing that shows a password or
// a token in clear, and neither DIGEST-MD5 nor ANONYMOUS, which have to be asked
// for by name.
func TestDefaultPolicy(t *testing.T) {
	p := defaultPolicy()
	for _, m := range mech.All() {
		want := login.Allow
		switch {
		case m.Name == login.DIGESTMD5, m.Name == login.ANONYMOUS:
			want = login.Deny
		case m.Class == login.ShowsPassword, m.Class == login.ShowsToken:
			want = login.Secure
		}
		if got := p.For(login.POP3, m.Name); got != want {
			t.Errorf("%s is %s, want %s", m.Name, got, want)
		}
	}
}
