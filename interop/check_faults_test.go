package interop

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/certs"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/server"
)

// TestCheckFaults: whatever the network does, a check ends within its deadline,
// says of no server that was cut off that it passes, and says of a slow one
// what it says of a fast one.
func TestCheckFaults(t *testing.T) {
	t.Parallel()
	doors, authority := faultless(t)
	faults := []struct {
		name  string
		fault fault
		// same: nothing is lost, so that nothing may be said otherwise.
		same bool
		why  string
	}{
		{"none", fault{}, true, "the control"},
		{"200 ms for an answer", fault{late: 100 * time.Millisecond}, true, "a server on the other side of the earth"},
		{"an octet at a time", fault{piece: 1}, true, "TCP has no messages"},
		{"a greeting that is a little late", fault{greets: 300 * time.Millisecond}, true, "some look the client up first"},
		{"a greeting that is too late", fault{greets: time.Minute}, false, "a tarpit"},
		{"an octet a second", fault{piece: 1, every: time.Second}, false, "mox does so to who has failed: no read ever times out"},
		{"a black hole", fault{hole: true}, false, "a firewall that takes connections for a server that is down"},
		{"resets", fault{reset: true}, false, "a firewall that reads along"},
		{"an end in the midst of a handshake", fault{cut: true}, false, "another one, which has something against TLS"},
	}
	var all []inquiry
	for _, f := range faults {
		seen, _ := proxied(t, doors, fromDefault, f.fault)
		q := inquire(t, seen, fromDefault, authority.Pool())
		q.options.Probe = true
		q.options.Connect, q.options.Limit, q.options.Deadline = time.Second, 3*time.Second, 8*time.Second
		if f.same {
			q.options.Deadline = 40 * time.Second
		}
		all = append(all, q)
	}
	reports := runAll(t, all...)
	clean := reports[0]
	for i, tt := range faults {
		t.Run(tt.name, func(t *testing.T) {
			report, deadline := reports[i], all[i].options.Deadline
			t.Logf("exit status %d, %.1f s, complete: %t, %v", report.ExitStatus(), report.ElapsedMS/1000, report.Complete,
				*report.Targets[0].Effort)
			if limit := deadline + slack; report.ElapsedMS > float64(limit.Milliseconds()) {
				t.Errorf("it takes %.1f s, and its deadline is %v: %s", report.ElapsedMS/1000, deadline, tt.why)
			}
			switch {
			case tt.same != (report.ExitStatus() == 0):
				t.Errorf("exit status %d: %s\n%v", report.ExitStatus(), tt.why, troubles(report))
			case tt.same:
				if a, b := said(clean), said(report); !slices.Equal(a, b) {
					t.Errorf("it says otherwise: %s\n%v", tt.why, difference(a, b))
				}
			}
		})
	}
}

// slack is how late a check may be that had to end: it waits for its goroutines.
const slack = time.Second

// faultless is a server in which there is nothing to be found.
func faultless(t *testing.T) ([]door, *certs.Authority) {
	t.Helper()
	policy := login.Every([]login.Mechanism{login.PLAIN, login.UserPass, login.SCRAMSHA256}, login.Secure)
	a, err := certs.NewAuthority("authority of faults", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	pair, err := a.Issue(certs.Leaf{Names: []string{identity}})
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := pair.TLS()
	if err != nil {
		t.Fatal(err)
	}
	r := start(t, login.Setup{Policy: policy, Flavour: login.Modern, Database: login.Full}, server.WithCertificate(certificate))
	var doors []door
	for _, p := range login.Protocols() {
		role := map[login.Protocol]string{login.SMTP: "submission", login.POP3: "pop3"}[p]
		doors = append(doors, door{role: role, protocol: p, address: loopback + ":" + r.ports[p][login.Plain]},
			door{role: role + "s", protocol: p, implicit: true, address: loopback + ":" + r.ports[p][login.TLS]})
	}
	return doors, a
}

// said is what a report says of each door and requirement, in an order of its
// own: ports, which differ, are not in it.
func said(r login.Report) []string {
	all := []string{fmt.Sprintf("exit status %d", r.ExitStatus())}
	for i, d := range r.Targets[0].Doors {
		all = append(all, fmt.Sprintf("door %d %v", i, d.Stages))
		for _, tr := range d.Transports {
			for _, m := range tr.Mechanisms {
				all = append(all, fmt.Sprintf("door %d %s %s %s %s %s %s", i, tr.Transport, m.Mechanism, yesNo(m.Offered), yesNo(m.Starts),
					yesNo(m.Completes), m.Setting))
			}
		}
	}
	for _, s := range r.Scenarios {
		all = append(all, fmt.Sprintf("%s %s %s %s", s.Kind, s.Verdict, s.Why, s.Outcome))
	}
	for _, c := range r.Cases {
		all = append(all, fmt.Sprintf("%s %d %s %s", c.ID, c.Door, c.Verdict, c.Why))
	}
	slices.Sort(all)
	return all
}

// difference is what only one of two has.
func difference(a, b []string) (only []string) {
	for _, x := range a {
		if !slices.Contains(b, x) {
			only = append(only, "- "+x)
		}
	}
	for _, x := range b {
		if !slices.Contains(a, x) {
			only = append(only, "+ "+x)
		}
	}
	return only
}

// troubles are what a report finds wrong.
func troubles(r login.Report) (all []string) {
	for _, s := range r.Scenarios {
		if s.Verdict != login.Pass {
			all = append(all, fmt.Sprintf("%s %s: %s", s.Verdict, s.ID, s.Reason))
		}
	}
	for _, c := range r.Cases {
		if c.Verdict != login.Pass {
			all = append(all, fmt.Sprintf("%s %s: %s %s", c.Verdict, c.ID, c.Why, c.Reason))
		}
	}
	return all
}
