package remote_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/harness/remote"
	"github.com/mailmatrix/mailmatrix/harness/remote/discover"
	"github.com/mailmatrix/mailmatrix/harness/remote/ledger"
	"github.com/mailmatrix/mailmatrix/harness/remote/reach"
	"github.com/mailmatrix/mailmatrix/internal/certs"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/server"
)

const (
	host     = "mail.example.test"
	elsewhen = 10 * time.Second
)

var alice = login.Account{Name: "alice.canary", Password: "Opensesame-7Q-canary"}

// authority and standIn are shared: making them costs more than a check.
var (
	authority = sync.OnceValues(func() (*certs.Authority, error) { return certs.NewAuthority("check test", time.Now()) })
	standIn   = sync.OnceValues(func() (*server.Reference, error) { return server.NewReference() })
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// site is a reference server on four ports, as a deployed one.
type site struct {
	doors []string
	heard *ear
	ca    *certs.Authority
}

// ear keeps what was said to the server, and whether inside TLS.
type ear struct {
	mu    sync.Mutex
	lines []login.Event
}

func (e *ear) Witness(event login.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if event.Kind == login.EventLine {
		e.lines = append(e.lines, event)
	}
}

// verbs counts the lines by their first word.
func (e *ear) verbs() map[string]int {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := map[string]int{}
	for _, line := range e.lines {
		verb, _, _ := strings.Cut(strings.ToUpper(line.Text), " ")
		n[verb]++
	}
	return n
}

func secure(ms ...login.Mechanism) login.Setup {
	return login.Setup{Flavour: login.Modern, Database: login.Full, Policy: login.Every(ms, login.Secure)}
}

// usual is what most servers have.
func usual() login.Setup { return secure(login.PLAIN, login.LOGIN, login.UserPass, login.SCRAMSHA256) }

func start(t testing.TB, setup login.Setup, opts ...server.Option) *site {
	t.Helper()
	a, err := authority()
	must(t, err)
	pair, err := a.Issue(certs.Leaf{Names: []string{host}})
	must(t, err)
	certificate, err := pair.TLS()
	must(t, err)
	setup.Accounts = []login.Account{alice}
	s := &site{heard: &ear{}, ca: a}
	srv, err := server.New(setup, append([]server.Option{server.WithCertificate(certificate), server.WithWitness(s.heard)}, opts...)...)
	must(t, err)
	served := make(chan error, 4)
	for scheme, d := range map[string]struct {
		p        login.Protocol
		implicit bool
	}{"smtp": {login.SMTP, false}, "smtps": {login.SMTP, true}, "pop3": {login.POP3, false}, "pop3s": {login.POP3, true}} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		s.doors = append(s.doors, fmt.Sprintf("%s://%s:%d", scheme, host, l.Addr().(*net.TCPAddr).Port))
		go func() { served <- srv.Serve(l, d.p, d.implicit) }()
	}
	slices.Sort(s.doors) // pop3, pop3s, smtp, smtps
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), elsewhen)
		defer cancel()
		if err := srv.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		for range 4 {
			if err := <-served; !errors.Is(err, server.ErrClosed) {
				t.Errorf("serve: %v", err)
			}
		}
	})
	return s
}

// noLaboratory hides that the clients' manners can be looked at, which takes
// longer than a check.
type noLaboratory struct{ harness.Target }

// options look at the site from another address than its own.
func (s *site) options(t testing.TB) remote.Options {
	t.Helper()
	r, err := standIn()
	must(t, err)
	return remote.Options{
		Route: reach.Route{Fixed: []reach.Fixed{{Host: host, Addr: netip.MustParseAddr("127.0.0.1")}}, Source: netip.MustParseAddr("127.0.0.2")},
		Trust: reach.Trust{Roots: s.ca.Pool()}, StandIn: noLaboratory{r}, Limit: elsewhen, Patience: 100 * time.Millisecond,
		Account: ledger.Account{Name: alice.Name, Secrets: func() (string, login.Issued, error) { return alice.Password, login.Issued{}, nil }},
	}
}

func check(t testing.TB, doors []string, o remote.Options) login.Report {
	t.Helper()
	asked, err := discover.Parse(doors)
	must(t, err)
	report, err := remote.Check(t.Context(), asked, o)
	must(t, err)
	return report
}

// said are the findings that do not pass, and the notes.
func said(r login.Report) string {
	var b strings.Builder
	for _, s := range r.Scenarios {
		if s.Verdict != login.Pass || s.Reason != "" {
			fmt.Fprintf(&b, "%s %s: %s\n", s.Verdict, s.ID, s.Reason)
		}
	}
	for _, c := range r.Cases {
		if c.Verdict != login.Pass || c.Reason != "" {
			fmt.Fprintf(&b, "%s %s %s: %s\n", c.Verdict, c.ID, c.Why, c.Reason)
		}
	}
	return b.String()
}
