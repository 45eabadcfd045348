package ledger

import (
	"fmt"
	"testing"

	"github.com/mailmatrix/mailmatrix/harness/remote/budget"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
	"github.com/mailmatrix/mailmatrix/server"
)

// In a laboratory every row is decided, and rightly, whatever the policy is.
func TestEverything(t *testing.T) {
	mixed := login.Every(mech.Names(), login.Secure)
	mixed.Common[login.CRAMMD5], mixed.Common[login.NTLM] = login.Allow, login.Deny
	mixed.Own = map[login.Protocol]map[login.Mechanism]login.Setting{login.POP3: {login.UserPass: login.Allow, login.PLAIN: login.Deny}}
	for _, row := range []struct {
		name, why string
		policy    login.Policy
		bug       server.Bug
	}{
		{"allow", "all in clear", login.Every(mech.Names(), login.Allow), ""},
		{"secure", "all inside TLS", login.Every(mech.Names(), login.Secure), ""},
		{"deny", "nothing anywhere", login.Policy{}, ""},
		{"mixed", "each door has its own", mixed, ""},
		{"hidden", "what is not listed is taken all the same", login.Every(mech.Names(), login.Allow), server.PermittedNotOffered},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := start(t, login.Setup{Flavour: login.Modern, Database: login.Full, Policy: row.policy}, budget.Limits{None: true}, server.WithBug(row.bug))
			c := s.config(t)
			c.Probe, c.Login, c.Everything, c.Cleartext = true, true, true, true
			l := fill(t, c)
			each(l.Doors, func(q question, r *login.MechanismResult) {
				p := l.Doors[q.door].Protocol
				impl, _ := mech.Get(q.mechanism)
				stampless := q.mechanism == login.APOP && row.bug == server.PermittedNotOffered
				takes := !stampless && row.policy.For(p, q.mechanism).Permits(q.link) && (!impl.NeedsTLS || q.link.Encrypted())
				id := fmt.Sprintf("%s %s %s", p, q.link, q.mechanism)
				if got := shownBool(r.Completes); got != fmt.Sprint(takes) {
					t.Errorf("%s completes %s, want %v: %q; %s", id, got, takes, r.Reply, row.why)
				}
				// EXTERNAL starts only for who shows a certificate; the probe does not,
				// and the login then shows that it does.
				if got := shownBool(r.Starts); q.mechanism != login.APOP && got != fmt.Sprint(takes) {
					t.Errorf("%s starts %s, want %v: %q; %s", id, got, takes, r.Reply, row.why)
				}
				if r.Offered == nil {
					t.Errorf("%s: the list is there, and not read", id)
				}
			})
			if len(l.NotTested) > 0 {
				t.Errorf("left: %v", l.NotTested)
			}
		})
	}
}

func shownBool(b *bool) string {
	if b == nil {
		return "null"
	}
	return fmt.Sprint(*b)
}
