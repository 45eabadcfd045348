package ledger

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/mailmatrix/mailmatrix/harness/remote/budget"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

// probe asks which mechanisms are taken up. No secret is at hand.
func (f *filler) probe(ctx context.Context) {
	if f.Login {
		// The logins come after the questions, because they are tried only where
		// something starts. One refusal is kept for them: a login that succeeds
		// costs none, so that one is enough to begin.
		kept, err := f.Budget.Reserve(budget.Auth, "")
		if err == nil {
			defer kept.Release()
		}
	}
	var working sync.WaitGroup
	for _, l := range f.lanes(questions(f.Config, f.ledger.Doors)) {
		working.Go(func() {
			defer l.hangUp()
			for _, q := range l.questions {
				if ctx.Err() != nil {
					l.noTime(q)
					continue
				}
				l.ask(ctx, q)
			}
		})
	}
	working.Wait()
	if !f.Login {
		f.leaveCertified()
	}
	f.leaveAll("start", f.enoughFor)
}

// leaveCertified says that nobody has a certificate to show: a login may.
func (f *filler) leaveCertified() {
	each(f.ledger.Doors, func(q question, row *login.MechanismResult) {
		if certified(q) && row.Starts == nil {
			f.keep(leftover{question: q, why: login.WhyNoCredentials, flag: "--login --authorized", reason: "it is for who shows a certificate"})
		}
	})
}

// ask asks one question, and decides its row if the answer does.
func (l *lane) ask(ctx context.Context, q question) {
	exchanges := 1
	if _, known := l.baselines[q.place]; !known && q.mechanism != login.UserPass {
		exchanges++
	}
	reserved, err := l.reserve(exchanges, budget.Auth, "")
	if err != nil {
		l.skip(q, err)
		return
	}
	defer func() {
		for _, r := range reserved {
			r.Release()
		}
	}()
	if exchanges == 2 {
		madeUp, err := l.exchange(ctx, q, l.madeUp, reserved[1])
		if err != nil || madeUp.kind == lost {
			l.undecided(q, madeUp, err)
			return
		}
		l.baselines[q.place] = madeUp
	}
	var got answer
	var decided *bool
	if q.mechanism == login.UserPass {
		got, err = l.user(ctx, q, reserved[0])
		decided = startsUser(got)
	} else {
		got, err = l.exchange(ctx, q, q.mechanism, reserved[0])
		decided = startsFor(q, starts(l.ledger.Doors[q.door].Protocol, l.baselines[q.place], got))
	}
	row := l.row(q)
	row.Starts, row.Reply = decided, got.reply
	l.tell(q)
	if decided == nil && !certified(q) {
		l.undecided(q, got, err)
	}
}

// certified: EXTERNAL inside TLS is for those who have shown a certificate, and
// may be offered and taken up for them alone (RFC 4422 A).
func certified(q question) bool { return q.mechanism == login.EXTERNAL && q.link.Encrypted() }

// startsFor is what an answer proves for a client that holds what the mechanism
// is for: the probe shows no certificate, so a refusal of EXTERNAL proves
// nothing.
func startsFor(q question, decided *bool) *bool {
	if certified(q) && decided != nil && !*decided {
		return nil
	}
	return decided
}

// startsUser: what is taken is open to all; see [refusesUser] for the rest.
func startsUser(got answer) *bool {
	switch {
	case got.kind == let:
		return new(true)
	case got.kind == refused && refusesUser(got.reply):
		return new(false)
	default:
		return nil
	}
}

// exchange says AUTH and a mechanism, and nothing more: what is taken up is
// broken off. Where a target to be thrown away has closed a connection that was used
// before, it is asked again on a new one.
func (l *lane) exchange(ctx context.Context, q question, m login.Mechanism, r *budget.Reservation) (answer, error) {
	for {
		if err := l.connect(ctx, q.place); err != nil {
			return answer{}, err
		}
		used := l.served > 0
		got := l.auth(ctx, q, m)
		if got.kind == let {
			r.Accepted()
		} else {
			r.Commit()
		}
		again := used && l.Everything && (got.kind == lost || got.kind == later) && ctx.Err() == nil
		if !again {
			return got, nil
		}
		l.drop()
	}
}

func (l *lane) auth(ctx context.Context, q question, m login.Mechanism) answer {
	l.served++
	from := len(l.talk.Transcript())
	said, err := l.talk.Say("AUTH " + string(m))
	got := l.heard(ctx, said.Line, err)
	last := got
	if got.kind == started {
		got.reply = l.veil(m, said.Line)
		// RFC 4954 4, RFC 5034 4: "*" breaks off.
		over, err := l.talk.Say("*")
		last = l.heard(ctx, over.Line, err)
	}
	if m == q.mechanism {
		l.said(q, l.since(from))
	}
	switch last.kind {
	case refused, later:
	case let:
		l.hangUp()
	default: // there is no answer, or no end
		l.drop()
	}
	return got
}

// user says USER and a name that nobody has, never the account's: the first
// half of a login, which ends there.
func (l *lane) user(ctx context.Context, q question, r *budget.Reservation) (answer, error) {
	if err := l.connect(ctx, q.place); err != nil {
		return answer{}, err
	}
	defer l.hangUp()
	from := len(l.talk.Transcript())
	said, err := l.talk.SaySecret("USER "+l.decoy, "USER <made-up name>")
	if shown := strings.ReplaceAll(said.Line, l.decoy, "<made-up name>"); shown != said.Line {
		l.talk.Reshow(shown)
		said.Line = shown
	}
	got := l.heard(ctx, said.Line, err)
	if got.kind == let {
		r.Release()
	} else {
		r.Commit()
	}
	l.said(q, l.since(from))
	if got.kind == lost {
		l.drop()
	}
	return got, nil
}

// heard classes what was read, and sees whether the server has had enough.
func (l *lane) heard(ctx context.Context, line string, err error) answer {
	p := l.talk.Protocol
	l.enough(ctx, p, line, err)
	if err != nil {
		return answer{kind: lost, reply: line}
	}
	return answer{kind: answerTo(p, line), reply: line}
}

// veil replaces a challenge, which is another each time; the prompts of those
// mechanisms that show the password are not.
func (l *lane) veil(m login.Mechanism, line string) string {
	impl, _ := mech.Get(m)
	head, text, _ := strings.Cut(line, " ")
	if impl.Insecure() || text == "" {
		return line
	}
	shown := head + " <challenge>"
	l.talk.Reshow(shown)
	return shown
}

// madeUpNames are of a mechanism, in the form that RFC 4422 3.1 has, and of a
// user who is not the account's. Nobody has them, save by chance.
func madeUpNames(random io.Reader, account string) (login.Mechanism, string, error) {
	b := make([]byte, 18)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", "", fmt.Errorf("making up a name: %w", err)
	}
	for i := range b {
		b[i] = 'a' + b[i]%26
	}
	user := string(b[6:])
	if strings.EqualFold(user, account) {
		user += "x"
	}
	return login.Mechanism(strings.ToUpper(string(b[:6])) + "-SHA-384"), user, nil
}
