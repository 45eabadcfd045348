package script

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
	"github.com/mailmatrix/mailmatrix/scenarios"
)

// Step is one step of a case.
type Step interface {
	run(context.Context, *Play) error
	// bill adds what the step costs a server that does right.
	bill(*Bill)
}

// Play is a case being played against a server. Its exported methods are for
// checks: what has been seen so far.
type Play struct {
	*Session
	Case Case

	protocol  login.Protocol
	transport login.Transport
	mechanism login.Mechanism
	survey    *Survey
	nonce     string

	talks   map[string]*scenarios.Talk
	current string
	kept    map[string]string
	lists   map[string][]string
	// said is what was sent last on each connection, in capitals.
	said map[string]string
	// heard collects the answers while two halves of a comparison run.
	heard *[]string

	// looks: nothing is said in the case that a server counts.
	looks bool

	worst login.Ruling
}

// Session is what a case is played in.
type Session struct {
	*scenarios.Session
	// Other is another account of the server; the zero value is none.
	Other login.Account
	// Domain is one that the server delivers to; "" is that of a run.
	Domain string
	// Policy is what the administrator says that the policy is; nil where
	// nobody has said it.
	Policy *login.Policy
	// Clear permits the account's password on a clear link.
	Clear bool
	// NoAccount: there is no account whose password is known.
	NoAccount bool
	// Known is what is known already of what the server offers; a protocol that
	// is not in it is asked.
	Known map[login.Protocol]*Survey
	// Patience is how long a server is listened to that should say nothing; 0
	// is 3 seconds.
	Patience time.Duration
	// Nonce makes the random words; it is another in each run.
	Nonce string
	// Sabotage makes the server wrong on the way; the zero value does not.
	Sabotage []Rewrite
}

// stop ends a play with a ruling.
type stop struct{ login.Ruling }

func (s *stop) Error() string { return s.Reason }

func skipping(why login.Why, format string, args ...any) error {
	return &stop{login.Ruling{Verdict: login.Skip, Why: why, Reason: fmt.Sprintf(format, args...)}}
}

// Run plays the case over one protocol and says what it came to. It never
// panics over what a server does.
func Run(ctx context.Context, s *Session, c Case, protocol login.Protocol) login.Ruling {
	p := &Play{Session: s, Case: c, protocol: protocol, nonce: s.Nonce + c.ID,
		looks: c.CostOver(protocol).Free(), talks: map[string]*scenarios.Talk{}, kept: map[string]string{}, lists: map[string][]string{}, said: map[string]string{}}
	err := p.prepare(ctx)
	if err == nil {
		err = p.rounds(ctx)
	}
	var end *stop
	switch {
	case ctx.Err() != nil:
		return login.Ruling{Verdict: login.Broken, Reason: "interrupted"}
	case errors.As(err, &end):
		return end.Ruling
	case err != nil:
		return login.Ruling{Verdict: login.Broken, Reason: err.Error()}
	case p.worst.Verdict == login.Unjudged:
		return login.Ruling{Verdict: login.Pass}
	default:
		return p.worst
	}
}

// rounds plays the case with each mechanism that it is about. What one
// of them ends with is the case's end only where it failed.
func (p *Play) rounds(ctx context.Context) error {
	choices, err := p.choose()
	if err != nil || len(choices) == 0 {
		if err == nil {
			err = p.steps(ctx, p.Case.Steps)
			p.leave()
		}
		return err
	}
	var skipped, undecided error
	played := 0
	for _, choice := range choices {
		p.mechanism, p.transport = choice.mechanism, choice.transport
		err := p.steps(ctx, p.Case.Steps)
		p.leave()
		var end *stop
		if errors.As(err, &end) && len(p.Case.Needs.Mechanisms) > 1 {
			end.Reason = string(p.mechanism) + ": " + end.Reason
		}
		switch {
		case end != nil && end.Verdict == login.Skip && end.Why == login.WhyInconclusive:
			undecided = err
		case end != nil && end.Verdict == login.Skip:
			skipped = err
		case err != nil:
			return err
		default:
			played++
		}
	}
	switch {
	case undecided != nil: // whatever the others came to: of one nothing is known
		return undecided
	case played == 0:
		return skipped
	default:
		return nil
	}
}

func (p *Play) steps(ctx context.Context, steps []Step) error {
	for _, s := range steps {
		if err := s.run(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// find notes what a step found. A failure ends the play: no connection is used
// after one.
func (p *Play) find(r login.Ruling) error {
	if r.Verdict == login.Fail || r.Verdict == login.Skip {
		return &stop{r}
	}
	if r.Verdict > p.worst.Verdict {
		p.worst = r
	}
	return nil
}

// talk is the connection that the steps are about.
func (p *Play) talk() (*scenarios.Talk, error) {
	t := p.talks[p.current]
	if t == nil {
		return nil, fmt.Errorf("%s: no connection %q is open", p.Case.ID, p.current)
	}
	return t, nil
}

// connect opens a connection in the place of the current one, which is ended
// first: some servers count how many one has at a time.
func (p *Play) connect(ctx context.Context, protocol login.Protocol, t login.Transport) (*scenarios.Talk, error) {
	p.hangUp(p.current)
	return p.Session.Connect(ctx, protocol, t)
}

// keep puts a new connection in the place of the current one. What it says from
// now on is sabotaged.
func (p *Play) keep(t *scenarios.Talk) {
	p.hangUp(p.current)
	p.talks[p.current] = t
	p.said[p.current] = "greeting"
	t.Rewrite = p.sabotaged(p.current)
}

// hangUp ends a connection. A case that only looks says so first where nothing is
// under way: to a server in service a connection that is lost is worth a line in
// its log. The answer is waited for by nobody.
func (p *Play) hangUp(name string) {
	if t := p.talks[name]; t != nil {
		if p.looks && (t.Encrypted() || t.Greeting != "" && idle(p.said[name])) {
			_ = t.Send("QUIT")
		}
		_ = t.Close()
		delete(p.talks, name)
	}
}

// idle: after what was sent last, in capitals, the server waits for a command.
func idle(said string) bool {
	verb, _, _ := strings.Cut(said, " ")
	return slices.Contains([]string{"greeting", "EHLO", "CAPA", "NOOP"}, verb)
}

// leave hangs up on everybody.
func (p *Play) leave() {
	for name := range p.talks {
		p.hangUp(name)
	}
	p.current = ""
}

// sabotaged rewrites the lines of a server as the case's sabotage says.
func (p *Play) sabotaged(name string) func(string) string {
	if len(p.Sabotage) == 0 {
		return nil
	}
	return func(line string) string {
		for _, r := range p.Sabotage {
			if strings.HasPrefix(p.said[name], r.After) && strings.HasPrefix(line, r.From) {
				return r.To
			}
		}
		return line
	}
}

// read reads one whole answer; of a listing, its first line.
func (p *Play) read(t *scenarios.Talk, e expects) answer {
	limit := p.Limit
	for _, x := range e {
		for _, pattern := range x.patterns {
			if pattern == Silent {
				limit = p.patience()
			}
		}
	}
	t.Wait(limit)
	defer t.Wait(p.Limit)
	var line string
	var more []string // SMTP's further lines
	var err error
	if p.protocol == login.SMTP {
		var reply wire.SMTPReply
		reply, err = t.ReadSMTP()
		line = reply.First
		more = reply.Lines[min(1, len(reply.Lines)):]
	} else {
		var reply wire.POP3Reply
		reply, err = t.ReadPOP3()
		line = reply.Line
	}
	if p.heard != nil {
		*p.heard = append(*p.heard, p.normalised(strings.Join(append([]string{line}, more...), " / ")))
	}
	return answered(p.protocol, line, err)
}

// judge decides by the first expectation that the answer meets.
func (p *Play) judge(step string, a answer, e expects) error {
	if len(e) == 0 {
		if a.gone || a.garbled != nil {
			return skipping(login.WhyInconclusive, "%s was answered by %s", step, a)
		}
		return nil
	}
	x, found := e.find(a)
	reason := fmt.Sprintf("%s was answered by %s, not by %s", step, a, e.good())
	if x.because != "" {
		reason = x.because + ": " + reason
	}
	switch {
	case found && x.verdict == login.Unjudged:
		return nil
	case found && x.verdict == login.Pass:
		return p.find(login.Ruling{Verdict: login.Pass})
	case found && x.verdict == login.Skip:
		return p.find(login.Ruling{Verdict: login.Skip, Why: login.WhyNotApplicable, Reason: fmt.Sprintf("%s was answered by %s", step, a)})
	case found:
		return p.find(e.accuse(login.Ruling{Verdict: x.verdict, Reason: reason}, a))
	case a.notNow(), e.onlyGoesOn():
		return p.find(login.Ruling{Verdict: login.Skip, Why: login.WhyInconclusive, Reason: reason})
	default:
		return p.find(e.accuse(login.Ruling{Verdict: login.Fail, Reason: reason}, a))
	}
}

// accuse says of a failure whether somebody was let in who should not have been,
// or kept out who should have got in.
func (e expects) accuse(r login.Ruling, a answer) login.Ruling {
	if r.Verdict == login.Fail {
		r.WronglyAccepted = a.matches(In) && e.best() != In
		r.WronglyRefused = a.matches(Refused) && e.best() == In
	}
	return r
}

// onlyGoesOn: the step decides nothing, it makes ready for those that do.
func (e expects) onlyGoesOn() bool {
	for _, x := range e {
		if x.verdict != login.Unjudged && x.verdict != login.Skip {
			return false
		}
	}
	return true
}
