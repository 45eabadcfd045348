package remote_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/harness/remote"
	"github.com/mailmatrix/mailmatrix/harness/remote/discover"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/server"
)

// Whoever only looks costs a server nothing that it counts.
func TestLooksOnly(t *testing.T) {
	s := start(t, usual())
	report := check(t, s.doors, s.options(t))
	if status := report.ExitStatus(); status != 0 {
		t.Errorf("exit status %d of a server that does right:\n%s", status, said(report))
	}
	for _, verb := range []string{"AUTH", "USER", "PASS", "APOP", "MAIL", "RCPT", "RETR", "DELE", "STAT"} {
		if n := s.heard.verbs()[verb]; n > 0 {
			t.Errorf("it was sent %d %s", n, verb)
		}
	}
	for _, d := range report.Targets[0].Doors {
		if got := d.Policy[login.PLAIN]; got != login.Secure {
			t.Errorf("%s reads PLAIN as %s", d.Address, got)
		}
	}
	if len(report.Cells) < 200 || len(report.Cases) < 20 {
		t.Errorf("%d clients' logins were foretold, and %d requirements decided", len(report.Cells), len(report.Cases))
	}
	if effort := report.Targets[0].Effort; effort.Connections > 100 || effort.Connections == 0 {
		t.Errorf("it took %s", effort)
	}
}

func TestFindsWhatIsWrong(t *testing.T) {
	for _, row := range []struct {
		name, why string
		setup     func() login.Setup
		opts      []server.Option
		change    func(*remote.Options)
		status    int
		says      string
	}{
		{"in clear", "a password offered in clear is a fail", func() login.Setup {
			return login.Setup{Flavour: login.Modern, Database: login.Full, Policy: login.Every([]login.Mechanism{login.PLAIN, login.UserPass}, login.Allow)}
		}, nil, nil, 1, "fail scenario/door/cleartext/smtp"},
		{"hidden", "what is hidden and open is found by who asks", func() login.Setup { return secure(login.PLAIN, login.UserPass) },
			[]server.Option{server.WithBug(server.DenyHidesOnly)}, func(o *remote.Options) { o.Probe = true }, 1, "fail scenario/door/hidden-in-clear"},
		{"declared", "a declared policy is what counts", usual, nil, func(o *remote.Options) {
			p := login.Every([]login.Mechanism{login.PLAIN}, login.Secure)
			o.Policy = &p
		}, 1, "fail scenario/door/denied-offered"},
		{"declared and kept", "", usual, nil, func(o *remote.Options) {
			p := usual().Policy
			o.Policy = &p
		}, 0, ""},
		{"certificate", "nobody vouches for it", usual, nil, func(o *remote.Options) { o.Trust.Roots = nil }, 1, "fail scenario/door/certificate"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := start(t, row.setup(), row.opts...)
			o := s.options(t)
			if row.change != nil {
				row.change(&o)
			}
			report := check(t, s.doors, o)
			if report.ExitStatus() != row.status || !strings.Contains(said(report), row.says) {
				t.Errorf("%s: exit status %d, want %d and %q:\n%s", row.why, report.ExitStatus(), row.status, row.says, said(report))
			}
		})
	}
}

// With an account what works is known, clients log in, and the account is shown
// to nobody.
func TestLogsIn(t *testing.T) {
	s := start(t, usual())
	o := s.options(t)
	o.Login = true
	report := check(t, s.doors, o)
	if report.ExitStatus() != 0 {
		t.Errorf("exit status %d:\n%s", report.ExitStatus(), said(report))
	}
	for _, d := range report.Targets[0].Doors {
		link, ok := d.Transport(login.TLS)
		if !ok {
			link, _ = d.Transport(login.StartTLS)
		}
		if row := link.Of(login.PLAIN); row.Completes == nil || !*row.Completes {
			t.Errorf("%s: PLAIN does not complete: %q", d.Address, row.Reply)
		}
	}
	live := 0
	for _, c := range report.Cells {
		if c.Basis != "measured" {
			continue
		}
		live++
		if c.Outcome != login.LoggedIn || c.Verdict != login.Pass {
			t.Errorf("%s was foretold to log in: %s", c.ID, c.Reason)
		}
	}
	if live < 5 || live > 40 {
		t.Errorf("%d clients logged in", live)
	}
	artefact, err := json.Marshal(report)
	must(t, err)
	for _, secret := range []string{alice.Password, base64.StdEncoding.EncodeToString([]byte("\x00" + alice.Name + "\x00" + alice.Password)),
		base64.StdEncoding.EncodeToString([]byte(alice.Password))} {
		if strings.Contains(string(artefact), secret) {
			t.Errorf("the report holds %q", secret)
		}
	}
	s.heard.mu.Lock()
	defer s.heard.mu.Unlock()
	for _, line := range s.heard.lines {
		if !line.Encrypted && (strings.Contains(line.Text, alice.Password) || strings.HasPrefix(line.Text, "PASS")) {
			t.Errorf("said in clear: %q", line.Text)
		}
	}
}

// A laboratory is asked everything, and every row is known that the account has
// something for.
func TestLab(t *testing.T) {
	s := start(t, usual())
	o := s.options(t)
	o.Lab, o.Route.Source, o.Only = true, netip.Addr{}, []string{"both/policy"}
	report := check(t, s.doors, o)
	if report.ExitStatus() != 0 {
		t.Errorf("exit status %d:\n%s", report.ExitStatus(), said(report))
	}
	for _, d := range report.Targets[0].Doors {
		if d.Policy[login.CRAMMD5] != login.Deny || d.Policy[login.PLAIN] != login.Secure {
			t.Errorf("%s: %v", d.Address, d.Policy)
		}
	}
}

func TestLabIsPrivate(t *testing.T) {
	asked, err := discover.Parse([]string{"smtp://192.0.2.1:25"})
	must(t, err)
	_, err = remote.Check(t.Context(), asked, remote.Options{Lab: true, Connect: 50 * time.Millisecond})
	if err == nil || !strings.Contains(err.Error(), "--lab is for a server that may be thrown away") {
		t.Errorf("a laboratory on the Internet: %v", err)
	}
}

// From the server's own address nothing is said of clear links.
func TestVantage(t *testing.T) {
	setup := usual()
	setup.Policy.Common[login.PLAIN] = login.Allow
	s := start(t, setup)
	o := s.options(t)
	o.Route.Source = netip.Addr{}
	report := check(t, s.doors, o)
	if report.ExitStatus() == 1 {
		t.Errorf("a verdict about a clear link was given from the server's own address:\n%s", said(report))
	}
	if !strings.Contains(said(report), "skip scenario/door/cleartext/smtp") || report.Vantage != "127.0.0.1" {
		t.Errorf("vantage %s:\n%s", report.Vantage, said(report))
	}
}

// A door that was named and says nothing leaves the question open.
func TestSilentDoor(t *testing.T) {
	s := start(t, usual())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer func() { _ = l.Close() }()
	o := s.options(t)
	o.Limit = 300 * time.Millisecond
	report := check(t, append(s.doors, "smtp://"+host+":"+l.Addr().String()[len("127.0.0.1:"):]), o)
	if report.ExitStatus() != 2 || report.SilentDoor() == "" {
		t.Errorf("exit status %d, silent door %q", report.ExitStatus(), report.SilentDoor())
	}
}

// What is known when it is cut off is kept, and is no verdict.
func TestDeadline(t *testing.T) {
	s := start(t, usual())
	o := s.options(t)
	o.Deadline = 30 * time.Millisecond
	began := time.Now()
	report := check(t, s.doors, o)
	if report.Complete || report.ExitStatus() != 2 {
		t.Errorf("complete %v, exit status %d", report.Complete, report.ExitStatus())
	}
	if took := time.Since(began); took > elsewhen {
		t.Errorf("it took %s", took)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	asked, err := discover.Parse(s.doors)
	must(t, err)
	if report, err = remote.Check(ctx, asked, s.options(t)); err != nil || report.ExitStatus() != 2 {
		t.Errorf("interrupted: %v, exit status %d", err, report.ExitStatus())
	}
}

// Every fact is told that the report holds.
func TestTold(t *testing.T) {
	s := start(t, usual())
	o := s.options(t)
	var doors, scenarios, cases, cells int
	o.Told = func(f remote.Fact) {
		switch {
		case f.Door != nil:
			doors++
		case f.Scenario != nil:
			scenarios++
		case f.Case != nil:
			cases++
		case f.Cell != nil:
			cells++
		}
	}
	r := check(t, s.doors, o)
	if doors != 4 || scenarios != len(r.Scenarios) || cases != len(r.Cases) || cells != len(r.Cells) {
		t.Errorf("told %d doors, %d scenarios, %d cases, %d cells; the report has %d, %d and %d", doors, scenarios, cases, cells,
			len(r.Scenarios), len(r.Cases), len(r.Cells))
	}
}

// The plan promises at least what a check then spends.
func TestPlanHolds(t *testing.T) {
	s := start(t, usual())
	for name, change := range map[string]func(*remote.Options){
		"looking": func(*remote.Options) {}, "probing": func(o *remote.Options) { o.Probe = true },
		"in depth": func(o *remote.Options) { o.TLS = true },
	} {
		o := s.options(t)
		change(&o)
		asked, err := discover.Parse(s.doors)
		must(t, err)
		plan, err := remote.Plan(asked, o)
		must(t, err)
		spent := *check(t, s.doors, o).Targets[0].Effort
		if spent.Connections > plan.Most.Connections || spent.Auths > plan.Most.Auths || spent.Passwords > plan.Most.Passwords {
			t.Errorf("%s: planned %s, spent %s", name, plan.Most, spent)
		}
	}
}
