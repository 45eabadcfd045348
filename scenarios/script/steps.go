package script

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
	"github.com/mailmatrix/mailmatrix/scenarios"
)

// Saying is the step that sends something and looks at the answer.
type Saying struct {
	parts   []any
	raw     bool // no CR LF is added
	nothing bool // nothing is sent: the next answer is read
	unread  bool // no answer is read
	expects expects
	keeps   string
	lines   bool // the answer has lines up to a dot
}

// Say sends a line. Its parts are strings and [Part]s.
func Say(parts ...any) *Saying { return &Saying{parts: parts} }

// Bytes sends octets as they are, in one write.
func Bytes(parts ...any) *Saying { return &Saying{parts: parts, raw: true} }

// Answer reads one more answer.
func Answer() *Saying { return &Saying{nothing: true} }

// Unread has no answer read.
func (s *Saying) Unread() *Saying { s.unread = true; return s }

// Listing: an answer of +OK has lines behind it, up to a dot.
func (s *Saying) Listing() *Saying { s.lines = true; return s }

// Keep keeps the answer's first line under a name, for [Play.Value], and adds
// it to the list of that name.
func (s *Saying) Keep(name string) *Saying { s.keeps = name; return s }

// Pass, Warn and Fail say what an answer that matches a pattern means.
func (s *Saying) Pass(patterns ...string) *Saying { return s.expect(login.Pass, patterns) }
func (s *Saying) Warn(patterns ...string) *Saying { return s.expect(login.Warn, patterns) }
func (s *Saying) Fail(patterns ...string) *Saying { return s.expect(login.Fail, patterns) }

// Must is an answer without which the case cannot go on: nothing is known then.
func (s *Saying) Must(patterns ...string) *Saying { return s.expect(login.Unjudged, patterns) }

// NA is an answer after which the case does not apply.
func (s *Saying) NA(patterns ...string) *Saying { return s.expect(login.Skip, patterns) }

// Because says of the expectation before it what it would mean.
func (s *Saying) Because(why string) *Saying {
	s.expects[len(s.expects)-1].because = why
	return s
}

func (s *Saying) expect(v login.Verdict, patterns []string) *Saying {
	s.expects = append(s.expects, expected{patterns: patterns, verdict: v})
	return s
}

func (s *Saying) run(_ context.Context, p *Play) error {
	t, err := p.talk()
	if err != nil {
		return err
	}
	var unsent error
	if !s.nothing {
		if unsent = p.send(t, s.parts, s.raw); unsent != nil {
			var end *stop
			if asStop(unsent, &end) {
				return unsent
			}
		}
	}
	if s.unread {
		return nil
	}
	a := p.read(t, s.expects)
	if unsent != nil && a.line == "" { // who hangs up in the midst of a line may have said why
		a = answered(p.protocol, "", unsent)
	}
	if s.lines && strings.HasPrefix(a.line, "+OK") {
		lines, err := t.ReadDotted()
		if err != nil {
			a = answered(p.protocol, "", err)
		}
		p.lists[s.keeps+" lines"] = lines
	}
	if s.keeps != "" {
		p.kept[s.keeps] = a.line
		p.lists[s.keeps] = append(p.lists[s.keeps], a.line)
	}
	return p.judge(s.name(), a, s.expects)
}

// name is how a reason calls the step.
func (s *Saying) name() string {
	if s.nothing {
		return "what went before"
	}
	text := strings.TrimSuffix(literal(s.parts), "\r\n")
	if text == "" {
		return "an empty line"
	}
	if len(text) > 60 {
		text = text[:60] + "..."
	}
	return strings.Trim(fmt.Sprintf("%q", text), `"`)
}

// send sends the parts; what nobody may see is shown by its name.
func (p *Play) send(t *scenarios.Talk, parts []any, raw bool) error {
	text, hidden := render(p, parts)
	shown := text
	if hidden || len(text) > 200 {
		shown = literal(parts)
	}
	shown = strings.NewReplacer("\r", `\r`, "\n", `\n`, "\x00", `\0`).Replace(shown)
	if hidden {
		if err := p.mayCross(t); err != nil {
			return err
		}
	}
	p.said[p.current] = strings.ToUpper(text)
	if raw {
		return t.SendRaw([]byte(text), shown)
	}
	return t.SendSecret(text, shown)
}

// mayCross refuses to send what says who the account's owner is, or proves it,
// over a clear link that nobody has permitted for it.
func (p *Play) mayCross(t *scenarios.Talk) error {
	if t.Encrypted() || p.Clear {
		return nil
	}
	return skipping(login.WhyRisk, "the account's name or password, or a proof of it, would cross a clear link")
}

// ask sends a line, which the transcript shows as shown, and reads the answer.
func (p *Play) ask(t *scenarios.Talk, line, shown string, e expects) answer {
	if err := t.SendSecret(line, shown); err != nil {
		return answered(p.protocol, "", err)
	}
	return p.read(t, e)
}

// challengeOf is what an answer asks with, decoded. Nobody shall read it in a
// transcript: it is what a password can be looked for with.
func challengeOf(t *scenarios.Talk, a answer) (string, error) {
	prefix, text, _ := strings.Cut(a.line, " ")
	if text != "" {
		t.Reshow(prefix + " <challenge>")
	}
	decoded, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return "", errors.New("a challenge that is no base64")
	}
	return string(decoded), nil
}

// Begin starts the mechanism that the case is being played with and sends no
// secret: AUTH without initial response, USER with a name that nobody has, APOP
// with a digest of nothing.
func Begin() *Beginning { return &Beginning{} }

// Beginning is the step of [Begin].
type Beginning struct{ Saying }

// Pass, Warn, Fail and Must are those of [Saying].
func (s *Beginning) Pass(patterns ...string) *Beginning { s.Saying.Pass(patterns...); return s }
func (s *Beginning) Warn(patterns ...string) *Beginning { s.Saying.Warn(patterns...); return s }
func (s *Beginning) Fail(patterns ...string) *Beginning { s.Saying.Fail(patterns...); return s }
func (s *Beginning) Must(patterns ...string) *Beginning { s.Saying.Must(patterns...); return s }

// Because is that of [Saying].
func (s *Beginning) Because(why string) *Beginning { s.Saying.Because(why); return s }

func (s *Beginning) run(ctx context.Context, p *Play) error {
	say := s.Saying
	switch p.mechanism {
	case login.UserPass:
		say.parts = []any{"USER ", DecoyName}
	case login.APOP:
		say.parts = []any{"APOP ", DecoyName, " ", Times(32, "0")}
	default:
		say.parts = []any{"AUTH ", string(p.mechanism)}
	}
	return say.run(ctx, p)
}

func (s *Beginning) bill(b *Bill) { b.say("AUTH ", s.expects.best(), false) }

// Solicited reports whether an answer to [Begin] asks for the secret: 334, "+",
// or +OK to USER. APOP is never asked for.
const Solicited = "~^(334|\\+( |$|OK))"

// SayHello asks for the capabilities again.
func SayHello() Step { return hello{} }

type hello struct{}

func (hello) run(_ context.Context, p *Play) error {
	t, err := p.talk()
	if err != nil {
		return err
	}
	p.said[p.current] = "EHLO"
	if err := t.Hello(); err != nil {
		return skipping(login.WhyInconclusive, "the capabilities were asked for again: %s", err)
	}
	return nil
}
func (hello) bill(*Bill) {}

// HangUp ends the connection without a word.
func HangUp() Step { return hangUp{} }

type hangUp struct{}

func (hangUp) run(_ context.Context, p *Play) error { p.hangUp(p.current); return nil }
func (hangUp) bill(*Bill)                           {}

// Check looks at what has been seen and sends nothing. Its verdict is Pass,
// Warn, Fail, or Skip where the case does not apply; the reason is in words.
func Check(look func(*Play) (login.Verdict, string)) Step { return check{look} }

type check struct {
	look func(*Play) (login.Verdict, string)
}

func (c check) run(_ context.Context, p *Play) error {
	v, reason := c.look(p)
	r := login.Ruling{Verdict: v, Reason: reason}
	if v == login.Skip {
		r.Why = login.WhyNotApplicable
	}
	if v == login.Pass {
		r.Reason = ""
	}
	return p.find(r)
}
func (check) bill(*Bill) {}

// Timestamp is the challenge of the current connection's greeting, "" for none.
func (p *Play) Timestamp() string { return wire.Timestamp(p.Talk().Greeting) }
