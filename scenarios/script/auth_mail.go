package script

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios"
)

// Mailing opens a connection on which MAIL is taken: a stranger's where the
// server lets strangers begin, else one that the account has logged in on with
// the case's mechanism. Where there is neither, the case does not apply.
func Mailing() Step { return mailing{} }

type mailing struct{}

func (mailing) run(ctx context.Context, p *Play) error {
	stranger := Group(Open(), Say("MAIL FROM:<", From, ">").Keep("mailing").Must("2", "4", "5"))
	if err := stranger.run(ctx, p); err != nil {
		return err
	}
	switch {
	case strings.HasPrefix(p.kept["mailing"], "2"):
		return Say("RSET").Must(OK).run(ctx, p)
	case !p.mayPresent():
		return skipping(login.WhyNoCredentials, "MAIL is not for strangers here, and it needs an account")
	default:
		return Group(Open(), LogIn().Must(In)).run(ctx, p)
	}
}

func (mailing) bill(b *Bill) {
	b.connect()
	b.connect()
	b.judged()
	b.Commands++
}

// Fetch fetches the message that has the mark in it from the account's mailbox
// over POP3 and deletes it there. Its lines are the list "NAME lines". A server
// may take some seconds to deliver it.
func Fetch(name string, mark Part) Step { return fetch{name, mark} }

type fetch struct {
	name string
	mark Part
}

// fetching is the name of its connection.
const fetching = "fetching"

// How often a mailbox is looked into, and how long after each other.
const (
	looks        = 5
	betweenLooks = 2 * time.Second
)

func (f fetch) run(ctx context.Context, p *Play) error {
	if p.NoAccount {
		return skipping(login.WhyNoCredentials, "it needs an account")
	}
	mark, _ := f.mark.render(p)
	for look := range looks {
		if look > 0 {
			timer := time.NewTimer(betweenLooks)
			select {
			case <-timer.C:
			case <-ctx.Done():
				timer.Stop()
				return ctx.Err()
			}
		}
		t, err := p.mailbox(ctx)
		if err != nil {
			return err
		}
		lines, err := newest(t, mark)
		t.Quit()
		switch {
		case err != nil:
			return skipping(login.WhyInconclusive, "the mailbox cannot be read: %s", err)
		case lines != nil:
			p.lists[f.name+" lines"] = lines
			return nil
		}
	}
	return skipping(login.WhyInconclusive, "the message has not arrived")
}

// mailbox opens the account's mailbox on the first link that the password may
// cross and that takes it.
func (p *Play) mailbox(ctx context.Context) (*scenarios.Talk, error) {
	reason := "no link"
	for _, t := range transportsOf[AnyLink] {
		if !t.Encrypted() && !p.Clear {
			continue
		}
		talk, err := p.Session.Open(ctx, login.POP3, t)
		if err != nil {
			reason = err.Error()
			continue
		}
		p.said[fetching] = "RETR"
		talk.Rewrite = p.sabotaged(fetching)
		got, err := talk.LogIn(p.Secrets.Name, p.Secrets.Password)
		if err == nil && got.Positive {
			return talk, nil
		}
		reason = fmt.Sprintf("%.80q", got.Line)
		talk.Quit()
	}
	return nil, skipping(login.WhyNotApplicable, "the mailbox is not open over POP3: %s", reason)
}

// mostLooked is how many messages are looked at: ours is the newest.
const mostLooked = 10

// newest fetches the newest message that has the mark and deletes it; nil is
// that there is none.
func newest(t *scenarios.Talk, mark string) ([]string, error) {
	got, err := t.Say("STAT")
	if err != nil {
		return nil, err
	}
	var count int
	if _, err := fmt.Sscanf(got.Line, "+OK %d", &count); err != nil {
		return nil, fmt.Errorf("STAT answered %.80q", got.Line)
	}
	for n := count; n > max(0, count-mostLooked); n-- {
		got, err := t.Say(fmt.Sprintf("RETR %d", n))
		if err != nil {
			return nil, err
		}
		if !got.Positive {
			return nil, fmt.Errorf("RETR answered %.80q", got.Line)
		}
		lines, err := t.ReadDotted()
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, mark) }) {
			_, err := t.Say(fmt.Sprintf("DELE %d", n))
			return lines, err
		}
	}
	return nil, nil
}

func (fetch) bill(b *Bill) {
	b.Connections++
	b.Passwords++
}
