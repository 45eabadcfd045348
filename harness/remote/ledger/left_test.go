package ledger

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/harness/remote/budget"
	"github.com/mailmatrix/mailmatrix/harness/remote/reach"
	"github.com/mailmatrix/mailmatrix/internal/certs"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
	"github.com/mailmatrix/mailmatrix/internal/wire"
	"github.com/mailmatrix/mailmatrix/server"
)

// find is the first line of what was not tested whose flag begins so; "" is that
// of none.
func find(l Ledger, flag string) (login.NotTested, bool) {
	for _, n := range l.NotTested {
		if strings.HasPrefix(n.Flag, flag) && (flag != "" || n.Flag == "") {
			return n, true
		}
	}
	return login.NotTested{}, false
}

// What is left out names the flag that decides it.
func TestListsAlone(t *testing.T) {
	s := start(t, login.Setup{Policy: login.Every(mech.Names(), login.Secure)}, budget.Limits{})
	l := fill(t, s.config(t))
	for _, flag := range []string{"--probe", "--login --authorized"} {
		if n, ok := find(l, flag); !ok || n.Why != login.WhyOperator {
			t.Errorf("%s: %v", flag, l.NotTested)
		}
	}
	r := at(t, l, submission, login.StartTLS, login.PLAIN)
	if shownBool(r.Offered) != "true" || r.Starts != nil || r.Completes != nil || r.Setting != login.Secure || !strings.HasPrefix(r.Evidence, "250-AUTH ") {
		t.Errorf("%+v", r)
	}
}

// The number that is named is the one that does.
func TestMaxFailures(t *testing.T) {
	probe := func(n int) (Ledger, Config) {
		s := start(t, login.Setup{Policy: login.Every([]login.Mechanism{login.PLAIN}, login.Secure)}, budget.Limits{Auths: n})
		c := s.config(t)
		c.Probe = true
		return fill(t, c), c
	}
	l, _ := probe(4)
	n, ok := find(l, "--max-failures ")
	if !ok || n.Why != login.WhyBudget {
		t.Fatalf("left: %v", l.NotTested)
	}
	var enough int
	_, err := fmt.Sscanf(n.Flag, "--max-failures %d", &enough)
	must(t, err)
	all, c := probe(enough)
	if n, ok := find(all, "--max-failures"); ok {
		t.Errorf("with %d: %v", enough, n)
	}
	if spent := c.Budget.Effort().Auths; spent > enough || spent < enough-2 {
		t.Errorf("%d were said to be enough, and %d were spent", enough, spent)
	}
}

// A hole is found with what a server in service is asked by default.
func TestHole(t *testing.T) {
	s := start(t, login.Setup{}, budget.Limits{}, server.WithBug(server.DenyHidesOnly))
	c := s.config(t)
	c.Probe = true
	l := fill(t, c)
	for _, q := range []question{{place{submission, login.Plain}, login.PLAIN}, {place{pop, login.Plain}, login.UserPass}} {
		r := at(t, l, q.door, q.link, q.mechanism)
		if shownBool(r.Offered) != "false" || shownBool(r.Starts) != "true" || r.Setting != login.Allow {
			t.Errorf("%v: %+v", q, r)
		}
	}
	lines := strings.Join(l.Lines[Key(submission, login.Plain, login.PLAIN)], "\n")
	if !strings.HasSuffix(lines, "C AUTH PLAIN\nS 334 \nC *\nS 501 5.0.0 cancelled") || !strings.HasPrefix(lines, "S 220 ") {
		t.Errorf("the conversation:\n%s", lines)
	}
}

// What is listed and refused is seen without a secret, and no login is wasted on
// it.
func TestOfferedRefused(t *testing.T) {
	s := start(t, login.Setup{Policy: login.Every([]login.Mechanism{login.PLAIN, login.CRAMMD5}, login.Allow), Posture: login.Posture{OfferedRefused: true}},
		budget.Limits{Auths: 200})
	c := s.config(t)
	c.Probe, c.Login = true, true
	l := fill(t, c)
	r := at(t, l, submissions, login.TLS, login.PLAIN)
	if shownBool(r.Offered) != "true" || shownBool(r.Starts) != "false" || shownBool(r.Completes) != "false" || r.Setting != login.Deny {
		t.Errorf("%+v", r)
	}
	if got := c.Budget.Effort().Passwords; got > 0 {
		t.Errorf("%d passwords", got)
	}
}

// Who has not proved to be the host that the user has named hears no secret.
func TestWhoHears(t *testing.T) {
	other, err := certs.NewAuthority("somebody else", time.Now())
	must(t, err)
	untrusting := func(c *Config) { c.Caller.Trust.Roots = other.Pool() }
	untyped := func(c *Config) {
		for i := range c.Looks {
			c.Looks[i].Door.Typed = false
		}
	}
	for _, row := range []struct {
		name, why string
		before    func(*site)
		after     func(*Config)
		flag      string
	}{
		{"another authority", "the door was seen to have a certificate that is not taken", func(s *site) { s.caller.Trust.Roots = other.Pool() }, nil, "--trust"},
		{"another certificate", "the door has changed since it was looked at", nil, untrusting, "--trust"},
		{"found", "DNS has named the host, not the user", nil, untyped, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := start(t, login.Setup{Policy: login.Every(mech.Names(), login.Allow)}, budget.Limits{})
			if row.before != nil {
				row.before(s)
			}
			c := s.config(t)
			c.Login = true
			if row.after != nil {
				row.after(&c)
			}
			l := fill(t, c)
			if s.count.count("AUTH", "APOP", "USER", "PASS") > 0 || c.Budget.Effort().Passwords > 0 {
				t.Errorf("%v; %s", s.count.said, row.why)
			}
			if n, ok := find(l, row.flag); !ok || n.Why != login.WhyRisk {
				t.Errorf("left: %v; %s", l.NotTested, row.why)
			}
		})
	}
}

// With the user's word, the clear link is tried too.
func TestCleartext(t *testing.T) {
	s := start(t, login.Setup{Policy: login.Every([]login.Mechanism{login.PLAIN}, login.Allow)}, budget.Limits{})
	c := s.config(t)
	c.Login = true
	l := fill(t, c)
	if n, ok := find(l, "--allow-cleartext"); !ok || n.Why != login.WhyRisk {
		t.Errorf("left: %v", l.NotTested)
	}
	if r := at(t, l, submission, login.Plain, login.PLAIN); r.Completes != nil {
		t.Errorf("%+v", r)
	}
	if r := at(t, l, submission, login.StartTLS, login.PLAIN); shownBool(r.Completes) != "true" || shownBool(r.Starts) != "true" {
		t.Errorf("%+v", r)
	}
	c.Cleartext = true
	l = fill(t, c)
	if r := at(t, l, submission, login.Plain, login.PLAIN); shownBool(r.Completes) != "true" {
		t.Errorf("%+v", r)
	}
}

// What the account has not is not tried, and said.
func TestNoCredentials(t *testing.T) {
	s := start(t, login.Setup{Policy: login.Every(mech.Names(), login.Secure)}, budget.Limits{})
	c := s.config(t)
	c.Login = true
	c.Account.Secrets = func() (string, login.Issued, error) { return alice.Password, login.Issued{}, nil }
	l := fill(t, c)
	n, ok := find(l, "--account-file")
	if !ok || n.Why != login.WhyNoCredentials {
		t.Fatalf("left: %v", l.NotTested)
	}
	for m, want := range map[login.Mechanism]string{login.GSSAPI: "null", login.XOAUTH2: "null", login.SCRAMSHA256PLUS: "true", login.NTLM: "true", login.DIGESTMD5: "true"} {
		if r := at(t, l, submissions, login.TLS, m); shownBool(r.Completes) != want {
			t.Errorf("%+v", r)
		}
	}
	if got := c.Budget.Effort().Auths; got > 0 {
		t.Errorf("%d refusals", got)
	}
}

// When the time is over, what is known is kept and the rest is named.
func TestTimeOver(t *testing.T) {
	s := start(t, login.Setup{Policy: login.Every(mech.Names(), login.Secure)}, budget.Limits{})
	c := s.config(t)
	c.Probe, c.Login = true, true
	over, cancel := context.WithCancel(t.Context())
	cancel()
	l, err := Fill(over, c)
	must(t, err)
	if n, ok := find(l, "--deadline"); !ok || n.Why != login.WhyBudget {
		t.Errorf("left: %v", l.NotTested)
	}
	if r := at(t, l, submission, login.StartTLS, login.PLAIN); shownBool(r.Offered) != "true" {
		t.Errorf("%+v", r)
	}
	if c.Budget.Stopped() != "" {
		t.Errorf("the server is not at fault: %s", c.Budget.Stopped())
	}
}

// Told hears every row, the last time as it stands in the ledger; calls do not
// overlap.
func TestTold(t *testing.T) {
	s := start(t, login.Setup{Policy: login.Every(mech.Names(), login.Secure)}, budget.Limits{None: true})
	c := s.config(t)
	modes["lab"](&c)
	var inside atomic.Bool
	last := map[string]login.MechanismResult{}
	c.Told = func(door int, tr login.Transport, row login.MechanismResult) {
		if !inside.CompareAndSwap(false, true) {
			t.Error("two calls at once")
		}
		last[Key(door, tr, row.Mechanism)] = row
		inside.Store(false)
	}
	l := fill(t, c)
	each(l.Doors, func(q question, r *login.MechanismResult) {
		told := last[Key(q.door, q.link, q.mechanism)]
		if shownBool(told.Completes) != shownBool(r.Completes) || told.Reply != r.Reply {
			t.Errorf("%v: told %+v, is %+v", q, told, *r)
		}
	})
	search := wire.NewSearcher(wire.Needle{Name: "password", Text: alice.Password}, wire.Needle{Name: "token", Text: s.issued.Token})
	for key, lines := range l.Lines {
		if found := search.Find([]byte(strings.Join(lines, "\n"))); len(found) > 0 {
			t.Errorf("%s shows a secret: %v", key, found)
		}
	}
}

func TestErrors(t *testing.T) {
	c := Config{Budget: budget.New(budget.Limits{}, nil), Login: true, Caller: &reach.Caller{}}
	if _, err := Fill(t.Context(), c); err == nil {
		t.Error("a login of nobody")
	}
	s := start(t, login.Setup{Policy: login.Every(mech.Names(), login.Secure)}, budget.Limits{})
	c = s.config(t)
	c.Login = true
	c.Account.Secrets = func() (string, login.Issued, error) { return "", login.Issued{}, context.DeadlineExceeded }
	if _, err := Fill(t.Context(), c); err == nil || !strings.Contains(err.Error(), "secrets") {
		t.Errorf("%v", err)
	}
}
