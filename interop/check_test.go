package interop

import (
	"context"
	"crypto/x509"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/harness/remote"
	"github.com/mailmatrix/mailmatrix/harness/remote/discover"
	"github.com/mailmatrix/mailmatrix/harness/remote/ledger"
	"github.com/mailmatrix/mailmatrix/harness/remote/reach"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Addresses that checks come from. A server's log tells them apart.
const (
	fromDefault = "127.0.0.7"
	fromLists   = "127.0.0.8"
	fromQuery   = "127.0.0.9"
	fromHand    = "127.0.0.3"
	fromProbe   = "127.0.0.4"
	fromLogin   = "127.0.0.5"
	fromLab     = "127.0.0.6"
)

// inquiry is a check of some doors.
type inquiry struct {
	doors   []door
	options remote.Options
}

// inquire prepares one that comes from an address and trusts an authority.
func inquire(t *testing.T, doors []door, from string, pool *x509.CertPool) inquiry {
	t.Helper()
	q := inquiry{doors: doors, options: remote.Options{Tool: "mailmatrix test", Deadline: 30 * time.Second}}
	q.options.Route.Source = address(t, from)
	q.options.Trust.Roots = pool
	for _, d := range doors {
		at := netip.MustParseAddrPort(d.address)
		q.options.Route.Fixed = append(q.options.Route.Fixed, reach.Fixed{Host: identity, Port: at.Port(), Addr: at.Addr()})
	}
	return q
}

func address(t *testing.T, text string) netip.Addr {
	t.Helper()
	a, err := netip.ParseAddr(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// holds is an account, and what it logs in with.
func holds(account login.Account, issue func() (login.Issued, error)) ledger.Account {
	return ledger.Account{Name: account.Name, Secrets: func() (string, login.Issued, error) {
		if issue == nil {
			return account.Password, login.Issued{}, nil
		}
		issued, err := issue()
		return account.Password, issued, err
	}}
}

// holds is what the server's account has: where the server gives out nothing, a
// certificate that is none of its business.
func (s *standing) holds() ledger.Account {
	return holds(s.site.account, func() (login.Issued, error) {
		if s.issues != nil {
			return s.Issue(s.site.account.Name, login.Flawless)
		}
		pair, err := s.site.clientCertificate(login.Flawless)
		return login.Issued{Certificate: pair.CertPEM, Key: pair.KeyPEM}, err
	})
}

// run checks.
func (q inquiry) run(t *testing.T) login.Report {
	t.Helper()
	report, err := q.check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func (q inquiry) check(ctx context.Context) (login.Report, error) {
	var urls []string
	for _, d := range q.doors {
		urls = append(urls, d.url())
	}
	asked, err := discover.Parse(urls)
	if err != nil {
		return login.Report{}, err
	}
	return remote.Check(ctx, asked, q.options)
}

// runAll runs checks beside each other: most of their time they wait.
func runAll(t *testing.T, all ...inquiry) []login.Report {
	t.Helper()
	reports, errs := make([]login.Report, len(all)), make([]error, len(all))
	var running sync.WaitGroup
	for i, q := range all {
		running.Go(func() { reports[i], errs[i] = q.check(t.Context()) })
	}
	running.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	return reports
}

// ledgerAlone asks about logins, and ends there: the requirements on a session
// are put to these servers by TestSuite.
func (q inquiry) ledgerAlone(t *testing.T) login.Report {
	t.Helper()
	q.options.LooksOnly = true
	return q.run(t)
}

// isAs compares the ledger with the server's table.
func isAs(t *testing.T, name string, doors []door, report login.Report) {
	t.Helper()
	file, text := tableOf(t, name)
	table, err := readTable(file, text, doors)
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range disagreements(table, doors, report.Targets[0].Doors) {
		t.Error(wrong)
	}
	t.Logf("%s: %d rows compared, %v", name, len(table), *report.Targets[0].Effort)
}

// TestCheck: on nine servers that nobody here wrote the ledger is right in every
// row, by tables that were written from their configuration before the first
// run; and nothing that a check does unasked is counted by fail2ban's filters.
func TestCheck(t *testing.T) {
	t.Parallel()
	for _, server := range checkedServers {
		t.Run(server.name, func(t *testing.T) {
			t.Parallel()
			s := server.stand(t)
			doors := s.checkedDoors()

			// What crosses is kept by proxies. They call from an address of the check's.
			through, proxies := proxied(t, doors, fromLogin, fault{})
			far, _ := proxied(t, doors, fromDefault, fault{late: 25 * time.Millisecond})
			probe, logs := inquire(t, doors, fromProbe, s.site.pool), inquire(t, through, fromDefault, s.site.pool)
			probe.options.Probe = true
			logs.options.Probe, logs.options.Login, logs.options.Account = true, true, s.holds()
			reports := runAll(t, inquire(t, doors, fromDefault, s.site.pool), inquire(t, far, fromDefault, s.site.pool), probe, logs)

			t.Run("default", func(t *testing.T) { asksNothing(t, reports[0]) })
			t.Run("50 ms for an answer", func(t *testing.T) { asksNothing(t, reports[1]) })
			t.Run("probe", func(t *testing.T) { isModest(t, reports[2]) })
			t.Run("login", func(t *testing.T) {
				isModest(t, reports[3])
				showsNothing(t, s, reports[3], proxies)
			})
			t.Run("lab", func(t *testing.T) {
				q := inquire(t, doors, fromLab, s.site.pool)
				q.options.Lab, q.options.Account = true, s.holds()
				isAs(t, server.name, doors, q.ledgerAlone(t))
			})
			t.Run("alone", func(t *testing.T) {
				inquire(t, doors, fromLists, s.site.pool).ledgerAlone(t)
				q := inquire(t, doors, fromQuery, s.site.pool)
				q.options.Probe = true
				q.ledgerAlone(t)
			})
			t.Run("fail2ban", func(t *testing.T) { bansNobody(t, s) })
			if server.name == "dovecot-b" {
				t.Run("loopback", func(t *testing.T) { liesOnLoopback(t, s, doors) })
			}
		})
	}
}

// TestCheckScripted: the ledger is right about servers that Debian has no
// configuration for.
func TestCheckScripted(t *testing.T) {
	t.Parallel()
	for _, server := range scriptedServers {
		t.Run(server.name, func(t *testing.T) {
			account := newStandingAccount("erin")
			doors := []door{server.door(server.start(t, account))}
			asksNothing(t, inquire(t, doors, fromDefault, nil).run(t))
			q := inquire(t, doors, fromLab, nil)
			q.options.Lab, q.options.Account = true, holds(account, nil)
			isAs(t, server.name, doors, q.ledgerAlone(t))
		})
	}
}

// asksNothing: what a check does unasked is counted by nobody, and it does come
// to know every list.
func asksNothing(t *testing.T, report login.Report) {
	t.Helper()
	tell(t, report)
	if e := report.Targets[0].Effort; e.Passwords != 0 || e.Auths != 0 || e.Recipients != 0 || e.Stopped != "" {
		t.Errorf("a check costs %v, stopped: %q", *e, e.Stopped)
	}
	if !report.Complete {
		t.Error("it does not come to its end")
	}
	for _, d := range report.Targets[0].Doors {
		for _, tr := range d.Transports {
			for _, m := range tr.Mechanisms {
				if (m.Starts != nil || m.Completes != nil) && m.Evidence != login.EvidenceInferred {
					t.Errorf("%s %s %s was tried: %+v", d.Address, tr.Transport, m.Mechanism, m)
				}
			}
		}
	}
}

// isModest: a probe costs no password, and fewer refusals than an address is
// banned for.
func isModest(t *testing.T, report login.Report) {
	t.Helper()
	tell(t, report)
	refused := 0
	for _, d := range report.Targets[0].Doors {
		for _, tr := range d.Transports {
			for _, m := range tr.Mechanisms {
				if m.Completes != nil && !*m.Completes && m.Evidence != login.EvidenceInferred {
					refused++
				}
			}
		}
	}
	if e := report.Targets[0].Effort; e.Auths+e.Recipients > 4 || refused > 3 || e.Stopped != "" {
		t.Errorf("%d logins were refused, %v, stopped: %q", refused, *e, e.Stopped)
	}
	if !report.Complete {
		t.Error("it does not come to its end")
	}
}

// tell logs what a check has cost and found.
func tell(t *testing.T, report login.Report) {
	t.Helper()
	t.Logf("exit status %d, %.1f s, %v", report.ExitStatus(), report.ElapsedMS/1000, *report.Targets[0].Effort)
	for _, s := range report.Scenarios {
		if s.Verdict != login.Pass {
			t.Logf("  %s %s: %s", s.Verdict, s.ID, s.Reason)
		}
	}
	for _, n := range report.NotTested {
		t.Logf("  not tested: %s %s %s", n.What, n.Why, n.Flag)
	}
	for _, c := range report.Cases {
		if c.Verdict != login.Pass && c.Verdict != login.Skip {
			t.Logf("  %s %s: %s", c.Verdict, c.ID, c.Reason)
		}
	}
}

// liesOnLoopback: the same server says something else to who asks from its own
// address.
func liesOnLoopback(t *testing.T, s checked, doors []door) {
	t.Helper()
	var near []door
	for _, d := range doors {
		d.address = strings.Replace(d.address, apart, loopback, 1)
		near = append(near, d)
	}
	q := inquire(t, near, loopback, s.site.pool)
	q.options.Lab, q.options.Account = true, s.holds()
	isAs(t, "dovecot-b-loopback", near, q.ledgerAlone(t))
}
