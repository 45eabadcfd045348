package interop

import (
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/harness/policy/render"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
	"github.com/mailmatrix/mailmatrix/internal/wire"
	"github.com/mailmatrix/mailmatrix/scenarios"
)

// randomPolicies are how many each server is configured for.
const randomPolicies = 20

// TestRendered: a real server that is configured by what was rendered lets in
// whom the rendering says that it lets in, on every transport and by every
// mechanism, and nobody else. So what is not on the list of what cannot be
// expressed is as the policy wants it, and what is on it is not.
func TestRendered(t *testing.T) {
	t.Parallel()
	tickets := newRealmOfTickets(t)
	for name, stand := range renderedOn {
		server, err := render.Get(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var kept atomic.Int32
			sideBySide(append(randomPoliciesFor(server), chosenFor[name]...), func(i int, p login.Policy) {
				t.Run(fmt.Sprint(i), func(t *testing.T) {
					r := server.Render(p)
					if expressible := i%2 == 0 || i >= randomPolicies; expressible && slices.ContainsFunc(r.Cannot, inEarnest) {
						t.Errorf("what the server can express was rendered as what it cannot: %+v", r.Cannot)
					}
					up := steady(t, func() *standing { return stand(t, r, tickets) })
					for _, wrong := range compare(t, up, r) {
						t.Error(wrong)
					}
					if len(r.Cannot) == 0 && byStart[name] == nil {
						kept.Add(1)
						up.keeps(t, r)
					}
					if t.Failed() {
						text, _ := os.ReadFile(up.site.path("log"))
						t.Logf("%v\n%+v\n%s", p, r, text)
					}
				})
			})
			t.Logf("%d of the policies could be expressed in full", kept.Load())
			if kept.Load() == 0 && byStart[name] == nil {
				t.Error("no check was made")
			}
		})
	}
}

// steady starts a server that answers more than once. On a machine with too much
// to do a Postfix was seen that greeted one client and then nobody for minutes; it
// is shown, and another one started.
func steady(t *testing.T, start func() *standing) *standing {
	t.Helper()
	up := start()
	for range 2 {
		for _, doors := range up.doors {
			if err := greets(t.Context(), doors[login.Plain]); err != nil {
				text, _ := os.ReadFile(up.site.path("log"))
				t.Logf("%s greets no more (%v), and is started once more; its log:\n%s", up.name, err, text)
				return start()
			}
		}
	}
	return up
}

// TestRenderedFindsFault: a server that is configured for another policy than it
// is said to be is found out, whether it is looser or stricter.
func TestRenderedFindsFault(t *testing.T) {
	t.Parallel()
	secure := login.Every([]login.Mechanism{login.PLAIN, login.UserPass, login.CRAMMD5}, login.Secure)
	allow := login.Every([]login.Mechanism{login.PLAIN, login.UserPass, login.CRAMMD5}, login.Allow)
	exim, err := render.Get("exim")
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string][2]login.Policy{"looser": {allow, secure}, "stricter": {secure, allow}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			is, said := exim.Render(p[0]), exim.Render(p[1])
			got := compare(t, renderedExim(t, is, nil), said)
			for _, m := range []login.Mechanism{login.PLAIN, login.CRAMMD5} {
				want := fmt.Sprintf("smtp %s on plain: want a login: %t", m, name == "stricter")
				if !slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, want) }) {
					t.Errorf("nobody says: %s: %v", want, got)
				}
			}
			if len(got) != 2 {
				t.Errorf("and nothing else is wrong: %v", got)
			}
		})
	}
}

// chosenFor are policies that chance seldom makes: without PLAIN, and with a
// protocol that is closed. They can be expressed.
var chosenFor = map[string][]login.Policy{
	"dovecot-2.3": {login.Every([]login.Mechanism{login.APOP, login.CRAMMD5, login.SCRAMSHA256}, login.Secure)},
	"postfix+dovecot": {
		login.Every([]login.Mechanism{login.APOP, login.CRAMMD5, login.SCRAMSHA256}, login.Secure),
		{Own: map[login.Protocol]map[login.Mechanism]login.Setting{login.SMTP: {login.PLAIN: login.Secure, login.CRAMMD5: login.Allow}}},
		{Own: map[login.Protocol]map[login.Mechanism]login.Setting{login.POP3: {login.LOGIN: login.Secure, login.APOP: login.Secure}}},
	},
	"exim": {{}},
}

// sideBySide does something with some policies at a time: servers mostly take
// their time to start and to end.
func sideBySide(all []login.Policy, do func(int, login.Policy)) {
	free := make(chan struct{}, 4)
	var running sync.WaitGroup
	for i, p := range all {
		free <- struct{}{}
		running.Go(func() {
			defer func() { <-free }()
			do(i, p)
		})
	}
	running.Wait()
}

// randomPoliciesFor are policies for a server, always the same ones. Every other
// one is what it made of such a policy before, and so one that it can express.
// Each protocol lets somebody in: USER and PASS are PLAIN to Dovecot.
func randomPoliciesFor(server render.Server) []login.Policy {
	chance := mathrand.New(mathrand.NewPCG(6, uint64(len(server.Name)))) //nolint:gosec // it is to be the same every time
	any := func() login.Setting { return login.Settings()[chance.IntN(3)] }
	var all []login.Policy
	for i := range randomPolicies {
		p := login.Policy{Own: map[login.Protocol]map[login.Mechanism]login.Setting{login.SMTP: {}, login.POP3: {}}}
		for _, m := range mech.All() {
			common, apart := any(), chance.IntN(4) == 0
			for _, protocol := range m.Protocols {
				switch {
				case m.Name == login.GSSAPI && server.Name == "postfix+cyrus": // its module is of another package
				case apart:
					p.Own[protocol][m.Name] = any()
				default:
					p.Own[protocol][m.Name] = common
				}
			}
		}
		for _, protocol := range login.Protocols() {
			p.Own[protocol][login.PLAIN] = max(login.Secure, any())
		}
		p.Own[login.POP3][login.UserPass] = p.Own[login.POP3][login.PLAIN]
		if i%2 == 0 {
			p = server.Render(p).Effective
		}
		all = append(all, p)
	}
	return all
}

// compare logs in on every transport by every mechanism, and says where the
// server is not as it was rendered.
func compare(t *testing.T, s *standing, r render.Rendered) []string {
	t.Helper()
	issued, err := s.Issue(s.site.account.Name, login.Flawless)
	if err != nil {
		t.Fatal(err)
	}
	var wrong []string
	var lock sync.Mutex
	var running sync.WaitGroup
	free := make(chan struct{}, 8)
	for _, m := range mech.All() {
		for _, p := range s.about {
			if !m.In(p) {
				continue
			}
			for tr := range s.doors[p] {
				free <- struct{}{}
				running.Go(func() {
					defer func() { <-free }()
					cell := render.Cell{Protocol: p, Mechanism: m.Name}
					got, err := s.try(t, cell, tr, issued)
					want := r.Effective.For(p, m.Name).Permits(tr) && (!m.NeedsTLS || tr.Encrypted())
					if slices.Contains(byStart[s.name], m.Name) {
						got.accepted = got.started
					}
					lock.Lock()
					defer lock.Unlock()
					switch {
					case err != nil:
						wrong = append(wrong, fmt.Sprintf("%s on %s: %v", cell, tr, err))
					case got.accepted != want:
						wrong = append(wrong, fmt.Sprintf("%s on %s: want a login: %t, got %+v", cell, tr, want, got))
					case got.started && !want && !inVain(r, cell):
						wrong = append(wrong, fmt.Sprintf("%s on %s: it is refused only at its end: %+v", cell, tr, got))
					}
				})
			}
		}
	}
	running.Wait()
	return wrong
}

// inEarnest: the cell is not as the policy has it.
func inEarnest(c render.Cannot) bool { return !c.InVain }

// inVain: it is said of the cell that it is refused too late.
func inVain(r render.Rendered, c render.Cell) bool {
	return slices.ContainsFunc(r.Cannot, func(x render.Cannot) bool { return x.Cell == c })
}

// policyCases are those of the compliance cases that hold a server against its
// own policy; 011 and 012 are about what a policy ought to be.
var policyCases = []string{"both/policy/001", "both/policy/002", "both/policy/003", "both/policy/005", "both/policy/006", "both/policy/007",
	"both/policy/008", "both/policy/009", "both/policy/013"}

// keeps checks the server as mailmatrix check --lab --policy does. It must
// end with 0.
func (s *standing) keeps(t *testing.T, r render.Rendered) {
	t.Helper()
	q := inquire(t, s.checkedDoors(), fromLab, s.site.pool)
	q.options.Policy, q.options.Lab, q.options.Only = &r.Effective, true, policyCases
	q.options.Account = holds(s.site.account, func() (login.Issued, error) {
		issued, err := s.Issue(s.site.account.Name, login.Flawless)
		issued.Tickets = nil // they are somebody else's, whom the realm knows
		return issued, err
	})
	q.options.Patience = time.Second
	report := q.run(t)
	if status := report.ExitStatus(); status != 0 {
		t.Errorf("a check of the server against what it was rendered to keep ends with %d", status)
		tell(t, report)
	}
}

// tried is what came of an attempt.
type tried struct {
	// started: the command was taken up; accepted: it ended in a login.
	started, accepted bool
	reply             string
}

// try logs the account in.
func (s *standing) try(t *testing.T, c render.Cell, tr login.Transport, issued login.Issued) (tried, error) {
	door, err := s.Under(t.Context(), login.Setup{})
	if err != nil {
		return tried{}, err
	}
	session := &scenarios.Session{Door: door, Limit: patience, Rand: rand.Reader, Now: time.Now, Host: identity}
	talk, err := session.Connect(t.Context(), c.Protocol, tr)
	if err != nil {
		return tried{}, err
	}
	defer func() { _ = talk.Close() }()
	config := session.Trusting()
	if c.Mechanism == login.EXTERNAL {
		own, err := tls.X509KeyPair(issued.Certificate, issued.Key)
		if err != nil {
			return tried{}, err
		}
		config.Certificates = []tls.Certificate{own}
	}
	if err := session.GreetBy(t.Context(), talk, tr, config); err != nil {
		return tried{}, err
	}
	switch {
	case c.Mechanism == login.APOP && wire.Timestamp(talk.Greeting) == "":
		said, err := talk.Say("APOP nobody " + strings.Repeat("0", 32))
		return tried{accepted: said.Positive, reply: said.Line}, err
	case c.Mechanism == login.GSSAPI && issued.Tickets == nil, traits(c.Mechanism).NeedsTLS && !tr.Encrypted():
		return begin(talk, c.Mechanism)
	}
	b := clientsim.Bare{Conn: talk.Conn, Protocol: c.Protocol, Mechanism: c.Mechanism, Greeting: talk.Greeting}
	b.NTLM = login.NTLMv1 // Exim's spa knows nothing later
	b.Host, b.Username, b.Password, b.Token, b.Rand, b.Now = identity, s.site.account.Name, s.site.account.Password, issued.Token, rand.Reader, time.Now
	if c.Mechanism == login.GSSAPI {
		b.Ticket, b.Username = issued.Tickets[c.Protocol], ""
	}
	got, err := b.Run()
	if err != nil {
		return tried{}, fmt.Errorf("%w: %s", err, got.Reply)
	}
	started := len(got.Messages) + len(got.Challenges)
	switch c.Mechanism {
	case login.UserPass: // a name is no secret
		started--
	case login.APOP:
		started = 0
	}
	return tried{started: started > 0, accepted: got.Accepted, reply: got.Reply}, nil
}

// begin sends AUTH alone, for want of anything to send after it.
func begin(talk *scenarios.Talk, m login.Mechanism) (tried, error) {
	said, err := talk.Say("AUTH " + string(m))
	if err != nil {
		return tried{}, err
	}
	got := tried{started: strings.HasPrefix(said.Line, "334") || strings.HasPrefix(said.Line, "+ "), reply: said.Line}
	if got.started {
		_, err = talk.Say("*")
	}
	if strings.HasPrefix(said.Line, "235") || strings.HasPrefix(said.Line, "+OK") {
		err = errors.New("logged in by nothing: " + said.Line)
	}
	return got, err
}
