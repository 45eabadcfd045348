package ledger

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/mailmatrix/mailmatrix/harness/remote/budget"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
	"github.com/mailmatrix/mailmatrix/internal/wire"
	"github.com/mailmatrix/mailmatrix/server"
)

// modes are the ways in which a ledger is filled.
var modes = map[string]func(*Config){
	"lists":       func(*Config) {},
	"probe":       func(c *Config) { c.Probe = true },
	"login":       func(c *Config) { c.Login = true },
	"probe+login": func(c *Config) { c.Probe, c.Login = true, true },
	"lab":         func(c *Config) { c.Probe, c.Login, c.Everything, c.Cleartext = true, true, true, true },
}

// The counting server: what each mode asks of it, over all doors.
func TestManners(t *testing.T) {
	cleartext := login.Every([]login.Mechanism{login.PLAIN, login.LOGIN, login.UserPass}, login.Secure)
	wrong := func(c *Config) {
		c.Account.Secrets = func() (string, login.Issued, error) { return "not-the-password", login.Issued{}, nil }
	}
	type counts struct{ auth, apop, user, pass, refused int }
	for _, row := range []struct {
		name, why string
		mode      string
		policy    login.Policy
		change    func(*Config)
		bug       server.Bug
		want      counts
	}{
		{"lists", "nothing is asked", "lists", cleartext, nil, "", counts{}},
		{
			"probe", "USER in clear, and on 587 a made-up one, PLAIN and LOGIN", "probe", cleartext, nil, "",
			counts{auth: 3, user: 1, refused: 4},
		},
		{
			"probe, hidden", "USER is taken, which costs nothing: in its place another exchange is paid for, that of a token", "probe", login.Policy{}, nil, server.DenyHidesOnly,
			counts{auth: 4, user: 1, refused: 4},
		},
		{
			"login", "PLAIN, LOGIN, and USER/PASS: at 4 doors, inside TLS, none refused", "login", cleartext, nil, "",
			counts{auth: 8, user: 2, pass: 2},
		},
		{
			"login, wrong", "one refused password, and no second", "login", cleartext, wrong, "",
			counts{auth: 1, refused: 1},
		},
		{
			"probe and login", "one refusal is kept for the logins: the probe has USER, a made-up one and LOGIN; then PLAIN and LOGIN at 4 doors and USER/PASS at 2 work, and a hidden one is refused", "probe+login", cleartext, nil, "",
			counts{auth: 2 + 8 + 1, user: 1 + 2, pass: 2, refused: 4},
		},
		{
			"probe and login, wrong", "the kept one is spent", "probe+login", cleartext, wrong, "",
			counts{auth: 2 + 1, user: 1, refused: 4},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := start(t, login.Setup{Policy: row.policy}, budget.Limits{}, server.WithBug(row.bug))
			c := s.config(t)
			modes[row.mode](&c)
			if row.change != nil {
				row.change(&c)
			}
			cost := Cost(c)
			before := c.Budget.Effort()
			fill(t, c)
			got := counts{s.count.count("AUTH"), s.count.count("APOP"), s.count.count("USER"), s.count.count("PASS"), s.count.refusals()}
			if got != row.want {
				t.Errorf("asked %+v, want %+v; %s", got, row.want, row.why)
			}
			spent := c.Budget.Effort()
			if spent.Auths != got.refused || got.refused > 4 {
				t.Errorf("counted %d refusals, the server %d", spent.Auths, got.refused)
			}
			if spent.Connections-before.Connections > cost.Connections || spent.Trips-before.Trips > cost.Trips ||
				spent.Passwords > cost.Passwords || spent.Auths > cost.Auths {
				t.Errorf("spent %+v after %+v, foretold at most %+v", spent, before, cost)
			}
			heard := s.count.hears(false, wire.Needle{Name: "name", Text: alice.Name}, wire.Needle{Name: "password", Text: alice.Password})
			if len(heard) > 0 {
				t.Errorf("in clear: %v", heard)
			}
		})
	}
}

// A decoy is never the account, and a probe says no name at all but a decoy's.
func TestDecoys(t *testing.T) {
	s := start(t, login.Setup{Policy: login.Every(mech.Names(), login.Allow)}, budget.Limits{None: true})
	c := s.config(t)
	c.Probe, c.Everything = true, true
	fill(t, c)
	if s.count.count("USER") == 0 || s.count.count("PASS") > 0 {
		t.Errorf("%d USER, %d PASS", s.count.count("USER"), s.count.count("PASS"))
	}
	for _, encrypted := range []bool{false, true} {
		if heard := s.count.hears(encrypted, wire.Needle{Name: "name", Text: alice.Name}); len(heard) > 0 {
			t.Errorf("encrypted %v: the account's name was said", encrypted)
		}
	}
}

// Whatever a server answers: nothing of the account is said in clear unless the
// user permits it, and no more is refused than may be.
func TestWhateverItAnswers(t *testing.T) {
	lines := []string{"334 ", "334 PDEuMkBtYWlsPg==", "235 in", "250 ok", "454 later", "421 enough", "500 no", "504 no", "530 TLS", "535 no", "nonsense",
		"+ ", "+ PDEuMkBtYWlsPg==", "+OK", "+OK <3.4@mail>", "-ERR no", "-ERR [AUTH] no", "-ERR [IN-USE] no", "-ERR [SYS/TEMP] no", hangUp}
	lists := map[login.Protocol][]string{
		login.SMTP: {"AUTH PLAIN LOGIN", "AUTH CRAM-MD5 SCRAM-SHA-256 NTLM", "AUTH", "SIZE"},
		login.POP3: {"", "USER", "SASL PLAIN\r\nUSER", "UIDL"},
	}
	rapid.Check(t, func(r *rapid.T) {
		p := rapid.SampledFrom(login.Protocols()).Draw(r, "protocol")
		replies := rapid.SliceOfN(rapid.SampledFrom(lines), 1, 8).Draw(r, "replies")
		s := script(t, p, rapid.SampledFrom(lists[p]).Draw(r, "list"), func(line string, before int) string {
			return replies[(before+len(line))%len(replies)]
		})
		limits := budget.Limits{Passwords: rapid.IntRange(1, 3).Draw(r, "passwords"), Auths: rapid.IntRange(1, 6).Draw(r, "auths")}
		c := s.config(t, limits)
		c.Probe, c.Login = rapid.Bool().Draw(r, "probe"), rapid.Bool().Draw(r, "login")
		c.Cleartext = rapid.Bool().Draw(r, "cleartext")
		l, err := Fill(t.Context(), c)
		if err != nil {
			r.Fatal(err)
		}
		let := 0 // logins that cost nothing
		each(l.Doors, func(_ question, row *login.MechanismResult) {
			if row.Completes != nil && *row.Completes {
				let++
			}
		})
		s.mu.Lock()
		defer s.mu.Unlock()
		secret := wire.NewSearcher(wire.Needle{Name: "name", Text: alice.Name}, wire.Needle{Name: "password", Text: alice.Password})
		for _, line := range s.said {
			if !c.Cleartext && len(secret.Find([]byte(line))) > 0 {
				r.Fatalf("in clear: %q", line)
			}
		}
		if e := c.Budget.Effort(); e.Passwords > let+limits.Passwords || e.Auths > limits.Auths {
			r.Fatalf("spent %+v of %+v", e, limits)
		}
		if heard := strings.Join(s.said, "\n"); !c.Login && strings.Contains(heard, "PASS ") {
			r.Fatalf("a probe said PASS: %s", heard)
		}
	})
}
