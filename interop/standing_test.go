package interop

import (
	"bufio"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/certs"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// standing is a server that nobody here wrote, started with a configuration
// that the tests generate, as a target of the suite: it stands as it stands.
type standing struct {
	name string
	// about are the protocols that it is the target for. It may have doors of
	// another, where mail can be fetched.
	about []login.Protocol
	// doors are addresses with ports.
	doors map[login.Protocol]map[login.Transport]string
	site  *site
	// policy is what its configuration means.
	policy login.Policy
	// issues gives out what is not a password; nil is nothing.
	issues func(login.Flaw) (login.Issued, error)
}

func (s *standing) Name() string { return s.name }

// Stands says what is known of the server. The account is there for the tests
// alone, so that its password may cross a clear link.
func (s *standing) Stands() harness.Stand {
	policy := s.policy
	return harness.Stand{Host: identity, Domain: login.DefaultDomain, Account: s.site.account, Other: s.site.other,
		Policy: &policy, Clear: true}
}

// Under takes no state but its own.
func (s *standing) Under(_ context.Context, setup login.Setup) (wire.Door, error) {
	if !reflect.DeepEqual(setup, login.Setup{}) {
		return nil, &login.CannotError{What: "be put into another state"}
	}
	return &standingDoor{standing: s}, nil
}

// Issue makes what the account can log in with besides. A run asks for an
// account that it has made up, and means ours; a stranger gets what is good
// for nothing.
func (s *standing) Issue(account string, flaw login.Flaw) (login.Issued, error) {
	switch {
	case s.issues == nil:
		return login.Issued{}, nil
	case account == "a-stranger":
		return s.issues(login.Forged)
	default:
		return s.issues(flaw)
	}
}

// handOut puts into the site's folder what is given out in place of a password.
func (s *standing) handOut(t *testing.T) {
	t.Helper()
	issued, err := s.Issue(s.site.account.Name, login.Flawless)
	if err != nil {
		t.Fatal(err)
	}
	s.site.write(t, "token", issued.Token)
	s.site.write(t, "client.pem", string(issued.Certificate))
	s.site.write(t, "client.key", string(issued.Key))
}

// standingDoor is a way in. The zero value is none.
type standingDoor struct {
	*standing
	open sync.WaitGroup
}

// Dial comes from 127.0.0.1, whatever address the server has: one that has the
// client's own would take it for a colleague.
func (d *standingDoor) Dial(ctx context.Context, p login.Protocol, tr login.Transport) (net.Conn, error) {
	address, ok := d.doors[p][tr]
	if !ok {
		return nil, &login.CannotError{What: fmt.Sprintf("speak %s on %s", p, tr)}
	}
	from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}}
	conn, err := from.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	d.open.Add(1)
	return &lettingGo{TCPConn: conn.(*net.TCPConn), done: sync.OnceFunc(d.open.Done)}, nil
}

func (d *standingDoor) Authority() *x509.CertPool { return d.site.pool }
func (d *standingDoor) Record() []login.Record    { return nil }

// Close waits until the server has hung up on every connection, so that the
// next case finds no mailbox locked.
func (d *standingDoor) Close() error {
	d.open.Wait()
	return nil
}

// lettingGo is a connection that is closed once the server has seen it end.
type lettingGo struct {
	*net.TCPConn
	done func()
}

// lettingGoLimit is how long a server may take to see that. Who takes longer is
// left.
const lettingGoLimit = time.Second

// Close does not wait itself.
func (c *lettingGo) Close() error {
	err := c.CloseWrite()
	go func() {
		defer c.done()
		_ = c.SetDeadline(time.Now().Add(lettingGoLimit))
		_, _ = io.Copy(io.Discard, c.TCPConn)
		_ = c.TCPConn.Close()
	}()
	if err != nil && !errors.Is(err, syscall.ENOTCONN) {
		return err
	}
	return nil
}

// twoDoors are those of a server with a port that begins in clear and one that
// begins inside TLS.
func twoDoors(clear, implicit string) map[login.Transport]string {
	return map[login.Transport]string{login.Plain: clear, login.StartTLS: clear, login.TLS: implicit}
}

// givenOut are the addresses that [freeAddress] has returned.
var givenOut sync.Map

// freeAddress is a port of the host that nobody listens on. It is below those
// that the system gives to clients, one of which would take it before the
// server does.
func freeAddress(t *testing.T, host string) string {
	t.Helper()
	for range 100 {
		address := net.JoinHostPort(host, strconv.Itoa(10_000+mathrand.IntN(20_000)))
		if _, given := givenOut.LoadOrStore(address, true); given {
			continue // to a server that may not have taken it yet
		}
		if l, err := net.Listen("tcp", address); err == nil {
			_ = l.Close()
			return address
		}
	}
	t.Fatal("no port is free")
	return ""
}

// portOf is an address without its host.
func portOf(address string) string { return address[strings.LastIndexByte(address, ':')+1:] }

// site is a folder with what a server of our own needs: two accounts, and
// certificates.
type site struct {
	folder         string
	account, other login.Account
	pool           *x509.CertPool
	clients        *certs.Authority
}

// newSite makes one. It is none of t.TempDir, because its path may be closed to
// processes that are other users.
func newSite(t *testing.T, name string) *site {
	t.Helper()
	folder, err := os.MkdirTemp("", "mailmatrix-"+name+"-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if os.Getenv("MAILMATRIX_KEEP") != "" {
			t.Logf("kept: %s", folder)
			return
		}
		if err := os.RemoveAll(folder); err != nil {
			t.Error(err)
		}
	})
	// They pass through it, and cannot list it.
	if err := os.Chmod(folder, 0o711); err != nil {
		t.Fatal(err)
	}
	s := &site{folder: folder, account: newStandingAccount("carol"), other: newStandingAccount("dave")}
	servers, err := certs.NewAuthority("interop authority", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if s.clients, err = certs.NewAuthority("interop authority of clients", time.Now()); err != nil {
		t.Fatal(err)
	}
	s.pool = servers.Pool()
	own, err := servers.Issue(certs.Leaf{Names: []string{identity}})
	if err != nil {
		t.Fatal(err)
	}
	s.write(t, "ca.pem", string(servers.PEM()))
	s.write(t, "clients.pem", string(s.clients.PEM()))
	s.write(t, "server.pem", string(own.CertPEM))
	s.write(t, "server.key", string(own.KeyPEM))
	return s
}

// accounts are both.
func (s *site) accounts() []login.Account { return []login.Account{s.account, s.other} }

// newStandingAccount has a password with letters of both cases, so that one who
// folds it is found out, and of a length that NTLM can take.
func newStandingAccount(name string) login.Account {
	return login.Account{Name: name + strings.ToLower(rand.Text()[:4]), Password: "aB" + rand.Text()[:12]}
}

func (s *site) path(name string) string { return filepath.Join(s.folder, name) }

func (s *site) write(t *testing.T, name, text string) string {
	t.Helper()
	return write(t, s.folder, name, text)
}

// makeFolder makes one inside it that belongs to the owner.
func (s *site) makeFolder(t *testing.T, name, owner string) string {
	t.Helper()
	path := s.path(name)
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	s.give(t, name, owner)
	return path
}

// give gives a file or folder to its reader.
func (s *site) give(t *testing.T, name, owner string) {
	t.Helper()
	if err := chown(s.path(name), owner); err != nil {
		t.Fatal(err)
	}
}

// clientCertificate is for the account; with a flaw it is no good.
func (s *site) clientCertificate(flaw login.Flaw) (certs.Pair, error) {
	leaf := certs.Leaf{CommonName: s.account.Name, CNOnly: true, Client: true}
	switch flaw {
	case login.Flawless:
	case login.Forged:
		leaf.SelfSigned = true
	case login.Expired:
		leaf.NotAfter = time.Now().Add(-time.Minute)
	case login.Elsewhere:
		leaf.Client = false
	default:
		return certs.Pair{}, nil
	}
	return s.clients.Issue(leaf)
}

// unavailable skips the test, or fails it where every peer is required.
func unavailable(t *testing.T, reason string) {
	t.Helper()
	if os.Getenv("MAILMATRIX_INTEROP") == "required" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}

// launch runs a server in the foreground until the test ends, which ends it by
// its process id: it ends its children.
func launch(t *testing.T, program string, args ...string) {
	t.Helper()
	if os.Geteuid() != 0 {
		unavailable(t, "the server wants to be started by root, to give its rights away")
	}
	cmd := exec.Command(program, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // what Postfix would do itself
	// Dovecot calls itself what the machine is called, which is another name everywhere.
	cmd.Env = append(os.Environ(), "DOVECOT_HOSTNAME="+identity)
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if t.Failed() && said.Len() > 0 {
			t.Logf("%s said: %s", program, said.String())
		}
	})
}

// awaits waits until the server greets on every clear port of its own.
func (s *standing) awaits(t *testing.T, log string) {
	t.Helper()
	for p, doors := range s.doors {
		if err := greets(t.Context(), doors[login.Plain]); err != nil {
			text, _ := os.ReadFile(log)
			t.Fatalf("%s does not come up over %s: %v\n%s", s.name, p, err, text)
		}
	}
}

// greets waits for a greeting.
func greets(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	retry := time.NewTicker(50 * time.Millisecond)
	defer retry.Stop()
	for {
		line, err := firstLine(ctx, address)
		if strings.HasPrefix(line, "+OK") || strings.HasPrefix(line, "220") {
			return nil
		}
		select {
		case <-retry.C:
		case <-ctx.Done():
			return cmp.Or(err, fmt.Errorf("it greets with %q", line))
		}
	}
}

func firstLine(ctx context.Context, address string) (string, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	late, _ := ctx.Deadline()
	if err := conn.SetDeadline(late); err != nil {
		return "", err
	}
	return bufio.NewReader(conn).ReadString('\n')
}
