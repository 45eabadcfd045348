package render

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

var update = flag.Bool("update", false, "write the goldens anew")

// settings make a policy: a line for both protocols, and lines for one.
type settings map[login.Mechanism]login.Setting

// goldenPolicies are what people write.
var goldenPolicies = []struct {
	name, why string
	policy    login.Policy
}{
	{"cleartext-secure", "what most servers have: every server can say it, POP3's absence apart", login.Policy{Own: map[login.Protocol]map[login.Mechanism]login.Setting{
		login.SMTP: settings{login.PLAIN: login.Secure, login.LOGIN: login.Secure},
		login.POP3: settings{login.PLAIN: login.Secure, login.LOGIN: login.Secure, login.UserPass: login.Secure},
	}}},
	{"apart", "each server finds something that it cannot tell apart", login.Policy{
		Common: settings{login.PLAIN: login.Allow, login.UserPass: login.Allow, login.LOGIN: login.Secure, login.CRAMMD5: login.Secure,
			login.SCRAMSHA256: login.Allow, login.EXTERNAL: login.Allow, login.NTLM: login.Secure, login.APOP: login.Secure},
		Own: map[login.Protocol]map[login.Mechanism]login.Setting{login.POP3: settings{login.LOGIN: login.Deny}},
	}},
	{"smtp-only", "nobody is to fetch mail", login.Policy{Own: map[login.Protocol]map[login.Mechanism]login.Setting{
		login.SMTP: settings{login.PLAIN: login.Secure, login.SCRAMSHA256: login.Secure, login.CRAMMD5: login.Allow},
	}}},
	{"nothing", "everything is denied", login.Policy{Common: settings{login.PLAIN: login.Deny}}},
}

func TestGolden(t *testing.T) {
	for _, s := range All() {
		for _, p := range goldenPolicies {
			t.Run(s.Name+"/"+p.name, func(t *testing.T) {
				var b bytes.Buffer
				if err := Write(&b, s, p.name, s.Render(p.policy)); err != nil {
					t.Fatal(err)
				}
				for i, line := range strings.Split(b.String(), "\n") {
					if len(line) > width {
						t.Errorf("line %d is longer than %d: %s", i+1, width, line)
					}
				}
				file := filepath.Join("testdata", s.Name+"."+p.name+".txt")
				if *update {
					if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if b.String() != string(want) {
					t.Errorf("%s (%s)\ngot:\n%s\nwant:\n%s", file, p.why, b.String(), want)
				}
			})
		}
	}
}

// randomPolicy has a setting of its own for about every second mechanism.
func randomPolicy() *rapid.Generator[login.Policy] {
	one := func(p login.Protocol) *rapid.Generator[map[login.Mechanism]login.Setting] {
		return rapid.MapOf(rapid.SampledFrom(mech.In(p)), rapid.SampledFrom(login.Settings()))
	}
	return rapid.Custom(func(t *rapid.T) login.Policy {
		p := login.Policy{Common: one(login.POP3).Draw(t, "common"), Own: map[login.Protocol]map[login.Mechanism]login.Setting{}}
		for _, protocol := range login.Protocols() {
			if rapid.Bool().Draw(t, "own") {
				p.Own[protocol] = one(protocol).Draw(t, string(protocol))
			}
		}
		return p
	})
}

// TestNeverLooser: whatever is asked for, no server is configured to let in
// anybody whom the policy does not let in, and what it cannot express is listed,
// with a reason, and nothing else is; and what it comes to can be expressed.
func TestNeverLooser(t *testing.T) {
	for _, s := range All() {
		t.Run(s.Name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				p := randomPolicy().Draw(t, "policy")
				r := s.Render(p)
				if problems := check(p, r); len(problems) > 0 {
					t.Fatalf("%s", strings.Join(problems, "\n"))
				}
				for _, again := range s.Render(r.Effective).Cannot {
					if !again.InVain {
						t.Fatalf("what it does express, it cannot: %+v", again)
					}
				}
			})
		})
	}
}

// check says what is wrong with what was rendered.
func check(p login.Policy, r Rendered) []string {
	var problems []string
	wrong := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	for _, c := range cells() {
		want, got := p.For(c.Protocol, c.Mechanism), r.Effective.For(c.Protocol, c.Mechanism)
		for _, t := range login.Transports() {
			if got.Permits(t) && !want.Permits(t) {
				wrong("%s on %s: the policy is %s, and the server's %s is looser", c, t, want, got)
			}
		}
		i := slices.IndexFunc(r.Cannot, func(x Cannot) bool { return x.Cell == c })
		if vain := i >= 0 && r.Cannot[i].InVain; (i >= 0) != (got != want || vain) {
			wrong("%s: the policy is %s, the server's %s, and listed: %t", c, want, got, i >= 0)
		}
		if i < 0 {
			continue
		}
		x := r.Cannot[i]
		switch {
		case x.Wanted != want || x.Chosen != got || x.Stricter != got:
			wrong("%s: %+v does not say that %s was asked for, and is %s", c, x, want, got)
		case x.Why == "":
			wrong("%s: nothing is said of why", c)
		case x.Looser == x.Stricter:
			if x.Price != "" {
				wrong("%s: what is not looser has no price: %q", c, x.Price)
			}
		case x.Looser < want || x.Price == "":
			wrong("%s: the looser choice is %s, at the price of %q", c, x.Looser, x.Price)
		}
	}
	return problems
}

// TestCheckFindsFault: the property above can fail.
func TestCheckFindsFault(t *testing.T) {
	p := login.Every([]login.Mechanism{login.PLAIN, login.CRAMMD5}, login.Secure)
	for name, spoil := range map[string]func(*Rendered){
		"looser":    func(r *Rendered) { r.Effective.Own[login.SMTP][login.PLAIN] = login.Allow },
		"kept back": func(r *Rendered) { r.Effective.Own[login.SMTP][login.PLAIN] = login.Deny },
		"made up": func(r *Rendered) {
			r.Cannot = append(r.Cannot, Cannot{Cell: Cell{login.SMTP, login.PLAIN}, Why: "because"})
		},
	} {
		r := renderExim(p)
		spoil(&r)
		if len(check(p, r)) == 0 {
			t.Errorf("%s: nobody noticed", name)
		}
	}
}

// TestExpressible: a policy that a server can have is not made stricter.
func TestExpressible(t *testing.T) {
	both := func(smtp, pop3 settings) login.Policy {
		return login.Policy{Own: map[login.Protocol]map[login.Mechanism]login.Setting{login.SMTP: smtp, login.POP3: pop3}}
	}
	for _, test := range []struct {
		server, why string
		policy      login.Policy
		vain        []Cell // refused as it is wanted, but too late
	}{
		{"dovecot-2.3", "cleartext mechanisms go together, and each protocol has its own mind about TLS",
			both(settings{login.PLAIN: login.Allow, login.CRAMMD5: login.Allow}, settings{login.PLAIN: login.Secure, login.UserPass: login.Secure, login.CRAMMD5: login.Allow}), nil},
		{"dovecot-2.3", "ssl = required binds challenges too", login.Policy{Common: settings{login.PLAIN: login.Secure, login.UserPass: login.Secure, login.CRAMMD5: login.Secure, login.APOP: login.Secure}}, nil},
		{"dovecot-2.3", "a protocol without a mechanism is closed, so its list is nobody's business", both(nil, settings{login.LOGIN: login.Secure}), cellsOf(login.POP3, login.UserPass)},
		{"dovecot-2.3", "ANONYMOUS is denied in submission by itself", both(settings{login.PLAIN: login.Secure}, settings{login.PLAIN: login.Secure, login.UserPass: login.Secure, login.ANONYMOUS: login.Allow}), nil},
		{"dovecot-2.3", "EXTERNAL needs no binding", login.Policy{Common: settings{login.PLAIN: login.Secure, login.UserPass: login.Secure, login.CRAMMD5: login.Allow, login.EXTERNAL: login.Secure}},
			append(cellsOf(login.SMTP, login.EXTERNAL), cellsOf(login.POP3, login.EXTERNAL)...)},
		{"postfix+dovecot", "Postfix can deny a class that Dovecot has", both(settings{login.SCRAMSHA256: login.Allow}, settings{login.PLAIN: login.Secure, login.UserPass: login.Secure, login.SCRAMSHA256: login.Allow}), nil},
		{"postfix+dovecot", "Postfix can bind CRAM-MD5 to TLS without SCRAM", both(settings{login.CRAMMD5: login.Secure, login.SCRAMSHA256: login.Allow}, settings{login.CRAMMD5: login.Allow, login.SCRAMSHA256: login.Allow}), cellsOf(login.POP3, login.UserPass)},
		{"postfix+cyrus", "mech_list and the class of cleartext", both(settings{login.PLAIN: login.Secure, login.DIGESTMD5: login.Allow}, nil), nil},
		{"exim", "each mechanism by itself", both(settings{login.PLAIN: login.Allow, login.LOGIN: login.Secure, login.CRAMMD5: login.Secure, login.NTLM: login.Allow, login.EXTERNAL: login.Secure}, nil), nil},
	} {
		s, err := Get(test.server)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range s.Render(test.policy).Cannot {
			if !slices.Contains(test.vain, c.Cell) || !c.InVain {
				t.Errorf("%s: %s: %+v", test.server, test.why, c)
			}
		}
	}
}

func TestGet(t *testing.T) {
	if s, err := Get("Dovecot-2.3"); err != nil || s.Name != "dovecot-2.3" {
		t.Errorf("any letter case must do: %v, %v", s.Name, err)
	}
	if _, err := Get("dovecot"); err == nil || !strings.Contains(err.Error(), "dovecot-2.3") {
		t.Errorf("the error names no server: %v", err)
	}
}
