package script

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios"
)

// Enter opens a connection and logs in, and does so again as long as the
// mailbox is in use: a server may take a moment to see that the session before
// has gone.
func Enter(by *LoggingIn) Step { return entering{by} }

type entering struct{ by *LoggingIn }

// entered is the name of an exchange that has none.
const entered = "entered"

func (e entering) run(ctx context.Context, p *Play) error {
	attempt := *e.by
	attempt.keeps, attempt.expects = cmp.Or(e.by.keeps, entered), nil
	for pause := range pauses(p.patience()/30, p.Limit) {
		if err := p.pause(ctx, pause); err != nil {
			return err
		}
		if err := Group(Open(), &attempt).run(ctx, p); err != nil {
			return err
		}
		if !strings.HasPrefix(p.kept[attempt.keeps], "-ERR [IN-USE]") {
			break
		}
	}
	return p.judge("a login", answered(p.protocol, p.kept[attempt.keeps], nil), e.by.expects)
}

func (e entering) bill(b *Bill) {
	b.connect()
	b.judged()
}

// pauses yields none, then one of that length, and then always twice the one
// before, as long as all of them together stay below the limit.
func pauses(first, limit time.Duration) func(yield func(time.Duration) bool) {
	return func(yield func(time.Duration) bool) {
		if !yield(0) {
			return
		}
		for pause, all := first, first; all < limit; pause, all = 2*pause, all+2*pause {
			if !yield(pause) {
				return
			}
		}
	}
}

func (p *Play) pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// HandIn hands a message to the account in over SMTP, on the first link that is
// open, and as the account where that can be. The lines are its body.
func HandIn(lines ...string) Step { return handIn(lines) }

type handIn []string

// handing is the name of its connection.
const handing = "handing in"

// senders are what it logs in with.
var senders = []login.Mechanism{login.PLAIN, login.LOGIN, login.SCRAMSHA256, login.CRAMMD5}

func (h handIn) run(ctx context.Context, p *Play) error {
	protocol, transport, current := p.protocol, p.transport, p.current
	defer func() { p.protocol, p.transport, p.current = protocol, transport, current }()
	p.protocol, p.current = login.SMTP, handing
	talk, err := p.submission(ctx)
	if err != nil {
		return skipping(login.WhyNotApplicable, "no message can be handed in over SMTP: %s", err)
	}
	p.keep(talk)
	talk.Rewrite = nil // a sabotage is not for it
	defer p.hangUp(handing)
	offered := Offered(talk)
	at := slices.IndexFunc(senders, func(m login.Mechanism) bool { return slices.Contains(offered, m) })
	if at >= 0 && p.mayPresent() {
		if err := LogIn().By(senders[at]).Must(In).run(ctx, p); err != nil {
			return err
		}
	}
	return Group(
		Say("MAIL FROM:<", From, ">").Must("2"),
		Say("RCPT TO:<", Local, ">").Must("2"),
		Say("DATA").Must("354"),
		Bytes(h.message(p)).Must("2"),
		Say("QUIT").Must(OK, Gone),
	).run(ctx, p)
}

// submission opens the first link that there is, and leaves it in p.
func (p *Play) submission(ctx context.Context) (talk *scenarios.Talk, err error) {
	for _, p.transport = range transportsOf[AnyLink] {
		if talk, err = p.Session.Open(ctx, login.SMTP, p.transport); err == nil {
			return talk, nil
		}
	}
	return nil, err
}

// message is the whole message with a dot before each line that begins with one
// (RFC 5321 4.5.2), up to the dot that ends it.
func (h handIn) message(p *Play) string {
	lines := append([]string{
		"From: <" + p.local() + ">",
		"To: <" + p.local() + ">",
		"Date: " + p.Now().Format(time.RFC1123Z),
		"Message-ID: <" + p.mark() + "@mailmatrix.invalid>",
		"Subject: mailmatrix, may be deleted: " + p.mark(),
		"",
	}, h...)
	var b strings.Builder
	for _, line := range lines {
		if strings.HasPrefix(line, ".") {
			b.WriteByte('.')
		}
		b.WriteString(line + "\r\n")
	}
	return b.String() + ".\r\n"
}

// mark is the word that tells the case's message from all others.
func (p *Play) mark() string { return p.word("message") }

func (h handIn) bill(b *Bill) {
	b.Connections++
	b.Passwords++
	b.Messages++
}

// Message is the number of the case's message in the mailbox, as
// [LookForMessage] has found it; "" is that it is not there.
var Message Part = field{"<message>", (*Play).Message, false, false}

// messageNumber is where it is kept.
const messageNumber = "<message>"

// Message is the same for checks.
func (p *Play) Message() string { return p.kept[messageNumber] }

// LookForMessage looks for the case's message in the mailbox that is open.
func LookForMessage() Step { return lookForMessage{} }

type lookForMessage struct{}

// newestOnly is how many messages are looked at.
const newestOnly = 20

func (lookForMessage) run(_ context.Context, p *Play) error {
	t, err := p.talk()
	if err != nil {
		return err
	}
	p.kept[messageNumber] = ""
	count, err := p.count(t)
	if err != nil {
		return err
	}
	for n := count; n > max(0, count-newestOnly); n-- {
		fetch := fmt.Sprintf("RETR %d", n)
		if t.Offers("TOP") {
			fetch = fmt.Sprintf("TOP %d 0", n)
		}
		lines, err := p.fetch(t, fetch, p.mark())
		if err != nil {
			return skipping(login.WhyInconclusive, "the mailbox cannot be read: %s", err)
		}
		if contains(lines, p.mark()) {
			p.kept[messageNumber] = fmt.Sprint(n)
			return nil
		}
	}
	return nil
}

func (lookForMessage) bill(*Bill) {}

// count is how many messages STAT says that there are.
func (p *Play) count(t *scenarios.Talk) (n int, err error) {
	p.said[p.current] = "STAT"
	got, err := t.Say("STAT")
	if err == nil {
		_, err = fmt.Sscanf(got.Line, "+OK %d", &n)
	}
	if err != nil {
		return 0, skipping(login.WhyInconclusive, "STAT was answered by %.80q: %s", got.Line, err)
	}
	return n, nil
}

// longestMessage is how many lines of one are read.
const longestMessage = 100_000

// fetch gives the lines of a message; none of one that has just gone. It may be
// somebody's letter, so the transcript shows only lines that have the mark.
func (p *Play) fetch(t *scenarios.Talk, command, mark string) (lines []string, err error) {
	p.said[p.current] = command
	got, err := t.Say(command)
	if err != nil || !got.Positive {
		return nil, err
	}
	for len(lines) < longestMessage {
		line, err := t.ReadLine()
		switch {
		case err != nil:
			return nil, err
		case line == ".":
			return lines, nil
		case !strings.Contains(line, mark):
			t.Reshow("<a line>")
		}
		lines = append(lines, strings.TrimPrefix(line, ".")) // RFC 1939 3
	}
	return nil, fmt.Errorf("a message of more than %d lines", longestMessage)
}

// Arrived enters until the message that was handed in is there, and stays: a
// server may take some seconds to deliver it.
func Arrived() Step { return arrived{} }

type arrived struct{}

func (arrived) run(ctx context.Context, p *Play) error {
	for pause := range pauses(p.patience()/3, p.Limit) {
		if err := p.pause(ctx, pause); err != nil {
			return err
		}
		if err := Group(Enter(LogIn().Must(In)), LookForMessage()).run(ctx, p); err != nil {
			return err
		}
		if p.Message() != "" {
			return nil
		}
		if err := Say("QUIT").Must(OK, Gone).run(ctx, p); err != nil {
			return err
		}
	}
	return skipping(login.WhyInconclusive, "the message has not arrived")
}

func (arrived) bill(b *Bill) { entering{}.bill(b) }

// SomeMail enters a mailbox that is not empty: where it is, a message is handed
// in before.
func SomeMail() Step { return someMail{} }

type someMail struct{}

func (someMail) run(ctx context.Context, p *Play) error {
	if err := Enter(LogIn().Must(In)).run(ctx, p); err != nil {
		return err
	}
	t, err := p.talk()
	if err != nil {
		return err
	}
	count, err := p.count(t)
	if err != nil || count > 0 {
		return err
	}
	return Group(Say("QUIT").Must(OK, Gone), HandIn("This mailbox was empty."), Arrived()).run(ctx, p)
}

func (someMail) bill(b *Bill) {
	entering{}.bill(b)
	handIn{}.bill(b)
	arrived{}.bill(b)
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

func (f fetch) run(ctx context.Context, p *Play) error {
	if p.NoAccount {
		return skipping(login.WhyNoCredentials, "it needs an account")
	}
	mark, _ := f.mark.render(p)
	for pause := range pauses(p.patience()/3, p.Limit) {
		if err := p.pause(ctx, pause); err != nil {
			return err
		}
		t, err := p.mailbox(ctx)
		if err != nil {
			return err
		}
		found, err := p.takeOut(t, mark)
		t.Quit()
		switch {
		case err != nil:
			return skipping(login.WhyInconclusive, "the mailbox cannot be read: %s", err)
		case len(found) > 0:
			p.lists[f.name+" lines"] = found[0]
			return nil
		}
	}
	return skipping(login.WhyInconclusive, "the message has not arrived")
}

func (fetch) bill(b *Bill) {
	b.Connections++
	b.Passwords++
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

// takeOut deletes those of the newest messages that have the mark, and returns
// their lines.
func (p *Play) takeOut(t *scenarios.Talk, mark string) (found [][]string, err error) {
	count, err := p.count(t)
	if err != nil {
		return nil, err
	}
	for n := count; n > max(0, count-newestOnly); n-- {
		lines, err := p.fetch(t, fmt.Sprintf("RETR %d", n), mark)
		if err != nil {
			return found, err
		}
		if contains(lines, mark) {
			found = append(found, lines)
			if _, err := t.Say(fmt.Sprintf("DELE %d", n)); err != nil {
				return found, err
			}
		}
	}
	return found, nil
}

func contains(lines []string, text string) bool {
	return slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, text) })
}
