package script

import (
	"context"
	"fmt"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Resend sends the client's messages of the exchange that was kept under that
// name once more, octet by octet the same, whatever the server's challenges are
// now. The mechanism is the one that the case is being played with.
func Resend(name string) *Resending { return &Resending{name: name} }

// Resending is the step of [Resend].
type Resending struct {
	name    string
	expects expects
}

// Pass, Warn and Fail are about the answer that decides, as in [Saying].
func (r *Resending) Pass(patterns ...string) *Resending { return r.expect(login.Pass, patterns) }
func (r *Resending) Warn(patterns ...string) *Resending { return r.expect(login.Warn, patterns) }
func (r *Resending) Fail(patterns ...string) *Resending { return r.expect(login.Fail, patterns) }

// Because says of the expectation before it what it would mean.
func (r *Resending) Because(why string) *Resending {
	r.expects[len(r.expects)-1].because = why
	return r
}

func (r *Resending) expect(v login.Verdict, patterns []string) *Resending {
	r.expects = append(r.expects, expected{patterns: patterns, verdict: v})
	return r
}

func (r *Resending) run(_ context.Context, p *Play) error {
	t, err := p.talk()
	if err != nil {
		return err
	}
	kept := p.lists[r.name+" messages"]
	if len(kept) == 0 {
		return fmt.Errorf("%s: nothing is kept as %q", p.Case.ID, r.name)
	}
	if err := p.mayCross(t); err != nil {
		return err
	}
	start := "AUTH " + string(p.mechanism)
	p.said[p.current] = start
	const again = "<the same message>"
	if p.mechanism == login.APOP {
		return p.judge("what was good once", p.ask(t, "APOP "+kept[0], "APOP "+again, r.expects), r.expects)
	}
	a := p.ask(t, start, start, r.expects)
	for _, message := range kept {
		if !a.matches(Asked) {
			break
		}
		a = p.ask(t, b64([]byte(message)), again, r.expects)
	}
	if a.matches(Asked) { // it wants more than there was
		a = p.ask(t, "*", "*", r.expects)
	}
	return p.judge("what was good once", a, r.expects)
}

func (r *Resending) bill(b *Bill) { b.judged() }
