package ledger

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/harness/remote/budget"
	"github.com/mailmatrix/mailmatrix/harness/remote/reach"
	"github.com/mailmatrix/mailmatrix/internal/certs"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
	"github.com/mailmatrix/mailmatrix/server"
)

const (
	host     = "mail.example.test"
	patience = 10 * time.Second
)

var alice = login.Account{Name: "alice", Password: "opensesame-7Q"}

// authority spares each test one of its own.
var authority = sync.OnceValues(func() (*certs.Authority, error) { return certs.NewAuthority("ledger test", time.Now()) })

// site is a reference server on four ports of loopback, which counts.
type site struct {
	doors  []reach.Door
	caller *reach.Caller
	count  *counter
	issued login.Issued
}

// start serves the setup until the test ends. The budget is the one that checks
// of it have.
func start(t testing.TB, setup login.Setup, limits budget.Limits, opts ...server.Option) *site {
	t.Helper()
	a, err := authority()
	must(t, err)
	pair, err := a.Issue(certs.Leaf{Names: []string{host}})
	must(t, err)
	certificate, err := pair.TLS()
	must(t, err)
	if setup.Accounts == nil {
		setup.Accounts = []login.Account{alice}
	}
	if setup.Flavour == "" {
		setup.Flavour, setup.Database = login.Modern, login.Full
	}
	s := &site{count: &counter{}}
	srv, err := server.New(setup, append([]server.Option{server.WithCertificate(certificate), server.WithWitness(s.count)}, opts...)...)
	must(t, err)
	s.issued, err = srv.Issue(alice.Name, login.Flawless)
	must(t, err)
	served := make(chan error, 4)
	for _, p := range login.Protocols() {
		for _, implicit := range []bool{false, true} {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			must(t, err)
			s.doors = append(s.doors, door(p, implicit, l))
			go func() { served <- srv.Serve(l, p, implicit) }()
		}
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := srv.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		for range 4 {
			if err := <-served; !errors.Is(err, server.ErrClosed) {
				t.Errorf("Serve: %v", err)
			}
		}
	})
	s.caller = caller(budget.New(limits, nil))
	s.caller.Trust.Roots = a.Pool()
	return s
}

// at is where a door listens.
func (s *site) at(door int) netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), s.doors[door].Port)
}

func door(p login.Protocol, implicit bool, l net.Listener) reach.Door {
	return reach.Door{Protocol: p, Implicit: implicit, Host: host, Port: uint16(l.Addr().(*net.TCPAddr).Port), Found: login.FoundNamed, Typed: true} //nolint:gosec // a port
}

func caller(b *budget.Budget) *reach.Caller {
	return &reach.Caller{
		Route:  reach.Route{Fixed: []reach.Fixed{{Host: host, Addr: netip.MustParseAddr("127.0.0.1")}}},
		Budget: b, Connect: patience, Limit: patience, Now: time.Now,
	}
}

// config is what a check of the site begins with. The looks are not counted.
func (s *site) config(t testing.TB) Config {
	t.Helper()
	c := Config{Caller: s.caller, Budget: s.caller.Budget, Rand: rand.Reader, Account: Account{
		Name: alice.Name, Secrets: func() (string, login.Issued, error) { return alice.Password, s.issued, nil },
	}}
	for _, d := range s.doors {
		c.Looks = append(c.Looks, s.caller.Look(t.Context(), d, "ip4"))
	}
	s.count.forget()
	return c
}

func fill(t testing.TB, c Config) Ledger {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	l, err := Fill(ctx, c)
	must(t, err)
	return l
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// at is a row.
func at(t testing.TB, l Ledger, door int, tr login.Transport, m login.Mechanism) login.MechanismResult {
	t.Helper()
	link, ok := l.Doors[door].Transport(tr)
	if !ok {
		t.Fatalf("door %d has no %s", door, tr)
	}
	return link.Of(m)
}

// The doors of a site, in its order.
const (
	submission = iota
	submissions
	pop
	pops
)

// said is a line of a client, with its place.
type said struct {
	connection int
	protocol   login.Protocol
	encrypted  bool
	line       string
}

// counter is a server's witness that keeps what it was asked to do.
type counter struct {
	mu      sync.Mutex
	said    []said
	replies []said
}

func (c *counter) Witness(e login.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := said{e.Connection, e.Protocol, e.Encrypted, e.Text}
	switch e.Kind {
	case login.EventLine:
		c.said = append(c.said, s)
	case login.EventReply:
		c.replies = append(c.replies, s)
	default:
	}
}

func (c *counter) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.said, c.replies = nil, nil
}

// count is how often clients said these verbs.
func (c *counter) count(verbs ...string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, s := range c.said {
		verb, _, _ := strings.Cut(strings.ToUpper(s.line), " ")
		if slices.Contains(verbs, verb) {
			n++
		}
	}
	return n
}

// refusals is how many lines a guard of the server would count: whatever was
// answered to a login by 5xx or -ERR. The first two commands of a connection,
// which ask what there is, are none.
func (c *counter) refusals() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, r := range c.replies {
		if strings.HasPrefix(r.line, "5") || strings.HasPrefix(r.line, "-ERR") {
			n++
		}
	}
	return n
}

// hears reports what of the account's crossed on links of this kind.
func (c *counter) hears(encrypted bool, needles ...wire.Needle) []wire.Needle {
	c.mu.Lock()
	defer c.mu.Unlock()
	search := wire.NewSearcher(needles...)
	var all []wire.Needle
	for _, s := range c.said {
		if s.encrypted == encrypted {
			all = append(all, search.Find([]byte(s.line))...)
		}
	}
	return all
}
