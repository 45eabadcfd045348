package script

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Guess presents wrong passwords of somebody who never was on the current
// connection, most of them at most, until the server does something about it: it
// ends the connection, says "not now", or lets three answers in a row wait for a
// second or more each. A server that does nothing fails. Before it has judged one
// of them nothing is known: it may be busy, or take nobody in.
func Guess(most int) Step { return guess(most) }

type guess int

const (
	slowly     = time.Second
	slowInARow = 3
)

func (g guess) run(_ context.Context, p *Play) error {
	t, err := p.talk()
	if err != nil {
		return err
	}
	began, slow := time.Now(), 0
	for i := range int(g) {
		sent := time.Now()
		a := answered(p.protocol, "", p.send(t, []any{"AUTH PLAIN ", B64("\x00", DecoyName, "\x00", DecoyPassword)}, false))
		if !a.gone {
			a = p.read(t, nil)
		}
		switch {
		case a.matches(In):
			return p.find(login.Ruling{Verdict: login.Fail, Reason: "a name that nobody has was logged in", WronglyAccepted: true})
		case i == 0 && (a.gone || a.notNow() || a.silent || a.unheard()):
			return skipping(login.WhyInconclusive, "the first wrong password was answered by %s", a)
		case a.gone, a.notNow(), a.silent: // it does not answer for as long as we wait
			return p.find(login.Ruling{Verdict: login.Pass})
		case !a.matches(Refused):
			return p.find(login.Ruling{Verdict: login.Fail, Reason: fmt.Sprintf("a wrong password was answered by %s", a)})
		case time.Since(sent) < slowly:
			slow = 0
			continue
		}
		if slow++; slow == slowInARow {
			return p.find(login.Ruling{Verdict: login.Pass})
		}
	}
	return p.find(login.Ruling{Verdict: login.Fail,
		Reason: fmt.Sprintf("%d wrong passwords were judged in %s on one connection", int(g), time.Since(began).Round(time.Second/10))})
}

// unheard: it was refused before anybody looked at the password.
func (a answer) unheard() bool { return slices.ContainsFunc([]string{"50", "530", "538"}, a.matches) }

func (g guess) bill(b *Bill) {
	b.Passwords += int(g)
	b.Seconds += slowInARow
}
