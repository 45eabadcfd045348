package script

import (
	"context"
	"strings"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// LoggingIn is the step that goes through a whole exchange.
type LoggingIn struct {
	by             login.Mechanism // "" is the case's
	name, password Part
	flaw           *login.Flaw
	authzid        Part
	binding        login.Binding
	boundTo        string
	ntlm           login.NTLMKind
	layer          byte
	inCommand      bool
	alter          func(p *Play, n int, message []byte) []byte
	keeps          string
	expects        expects
	unproven       bool
}

// LogIn goes through the exchange of the mechanism that the case is being
// played with, as the account and with its password.
func LogIn() *LoggingIn { return &LoggingIn{name: User, password: Password} }

// By takes another mechanism.
func (l *LoggingIn) By(m login.Mechanism) *LoggingIn { l.by = m; return l }

// As presents another name and password.
func (l *LoggingIn) As(name, password Part) *LoggingIn { l.name, l.password = name, password; return l }

// Flawed presents what was issued with a flaw.
func (l *LoggingIn) Flawed(f login.Flaw) *LoggingIn { l.flaw = &f; return l }

// ActingAs asks to act as somebody.
func (l *LoggingIn) ActingAs(authzid Part) *LoggingIn { l.authzid = authzid; return l }

// Binding binds SCRAM to the connection in that way.
func (l *LoggingIn) Binding(b login.Binding) *LoggingIn { l.binding = b; return l }

// BoundTo binds it to the connection of that name in place of this one.
func (l *LoggingIn) BoundTo(connection string) *LoggingIn { l.boundTo = connection; return l }

// NTLM answers with that kind of response.
func (l *LoggingIn) NTLM(kind login.NTLMKind) *LoggingIn { l.ntlm = kind; return l }

// Layer chooses a security layer of GSSAPI, offered or not (RFC 4752 3.3).
func (l *LoggingIn) Layer(layer byte) *LoggingIn { l.layer = layer; return l }

// InCommand has the first message in the command.
func (l *LoggingIn) InCommand() *LoggingIn { l.inCommand = true; return l }

// Alter makes another message of the nth, counted from 0; nil breaks off.
func (l *LoggingIn) Alter(f func(p *Play, n int, message []byte) []byte) *LoggingIn {
	l.alter = f
	return l
}

// Keep keeps the exchange under a name: the client's messages as the list
// "NAME messages", the server's challenges as "NAME challenges", and the answer
// that decided as the value.
func (l *LoggingIn) Keep(name string) *LoggingIn { l.keeps = name; return l }

// Unproven lets the server's proof be wrong: the case is not about it.
func (l *LoggingIn) Unproven() *LoggingIn { l.unproven = true; return l }

// Pass, Warn, Fail, Must and NA are about the answer that decides the
// exchange, as in [Saying].
func (l *LoggingIn) Pass(patterns ...string) *LoggingIn { return l.expect(login.Pass, patterns) }
func (l *LoggingIn) Warn(patterns ...string) *LoggingIn { return l.expect(login.Warn, patterns) }
func (l *LoggingIn) Fail(patterns ...string) *LoggingIn { return l.expect(login.Fail, patterns) }
func (l *LoggingIn) Must(patterns ...string) *LoggingIn { return l.expect(login.Unjudged, patterns) }
func (l *LoggingIn) NA(patterns ...string) *LoggingIn   { return l.expect(login.Skip, patterns) }

// Because says of the expectation before it what it would mean.
func (l *LoggingIn) Because(why string) *LoggingIn {
	l.expects[len(l.expects)-1].because = why
	return l
}

func (l *LoggingIn) expect(v login.Verdict, patterns []string) *LoggingIn {
	l.expects = append(l.expects, expected{patterns: patterns, verdict: v})
	return l
}

func (l *LoggingIn) run(_ context.Context, p *Play) error {
	t, err := p.talk()
	if err != nil {
		return err
	}
	name, hiddenName := l.name.render(p)
	password, hidden := l.password.render(p)
	if hidden || hiddenName {
		if err := p.mayCross(t); err != nil {
			return err
		}
	}
	b := clientsim.Bare{Conn: t.Conn, Protocol: p.protocol, Mechanism: l.by, Greeting: t.Greeting, InCommand: l.inCommand}
	if b.Mechanism == "" {
		b.Mechanism = p.mechanism
	}
	b.Username, b.Password, b.Host, b.Rand, b.Now, b.NTLM, b.Binding = name, password, p.Name(), p.Rand, p.Now, l.ntlm, l.binding
	b.Workstation, b.Layer = "WORKSTATION1", l.layer
	if l.authzid != nil {
		b.Authzid, _ = l.authzid.render(p)
	}
	if other := p.talks[l.boundTo]; l.boundTo != "" && other != nil {
		state := other.TLSState()
		b.TLS = &state
	}
	if err := l.issue(p, &b); err != nil {
		return err
	}
	if l.alter != nil {
		b.Alter = func(n int, m []byte) []byte { return l.alter(p, n, m) }
	}
	p.said[p.current] = "AUTH " + string(b.Mechanism)
	got, err := b.Run()
	if l.keeps != "" {
		p.lists[l.keeps+" messages"], p.lists[l.keeps+" challenges"] = texts(got.Messages), texts(got.Challenges)
		p.kept[l.keeps] = got.Reply
	}
	if p.heard != nil {
		for range got.Messages { // after a USER that is refused there is one less
			*p.heard = append(*p.heard, "<answered>")
		}
		for range got.Challenges {
			*p.heard = append(*p.heard, "<challenge>")
		}
		*p.heard = append(*p.heard, p.normalised(strings.Join(append([]string{got.Reply}, got.More...), " / ")))
	}
	a := answered(p.protocol, got.Reply, err)
	if err == nil && got.Unproven != nil && !l.unproven {
		if len(l.expects) == 0 || l.expects.onlyGoesOn() {
			return skipping(login.WhyInconclusive, "%s: the exchange was broken off: %s", b.Mechanism, got.Unproven)
		}
		if x, ok := l.expects.find(a); !ok || x.verdict == login.Pass && sense(x.patterns[0]) == In {
			return p.find(login.Ruling{Verdict: login.Fail, Reason: string(b.Mechanism) + ": what the server says is not what one says that has the password: " + got.Unproven.Error()})
		}
	}
	return p.judge("a login by "+string(b.Mechanism), a, l.expects)
}

// issue fills in what is presented in place of a password.
func (l *LoggingIn) issue(p *Play, b *clientsim.Bare) error {
	issued := p.Secrets.Issued
	if l.flaw != nil {
		var err error
		if issued, err = p.issued(*l.flaw); err != nil {
			return err
		}
	}
	b.Token, b.Ticket = issued.Token, issued.Tickets[p.protocol]
	return nil
}

func texts(messages [][]byte) []string {
	all := make([]string, len(messages))
	for i, m := range messages {
		all[i] = string(m)
	}
	return all
}

func (l *LoggingIn) bill(b *Bill) { b.judged() }
