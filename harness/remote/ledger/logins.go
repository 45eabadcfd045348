package ledger

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/harness/remote/budget"
	"github.com/mailmatrix/mailmatrix/harness/remote/reach"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// holder is the account with what was fetched for it. It lives as long as the
// logins do.
type holder struct {
	name, password string
	issued         login.Issued
	certificate    *tls.Certificate
	echoes         *echoes
}

func (holder) String() string     { return "an account" }
func (h holder) GoString() string { return h.String() }

// logins lets the account log in wherever it may and something may come of it.
func (f *filler) logins(ctx context.Context) error {
	f.leaveUnheard()
	all := candidates(f.Config, f.ledger.Doors)
	if len(all) == 0 {
		return nil
	}
	password, issued, err := f.Account.Secrets()
	if err != nil {
		return fmt.Errorf("the account's secrets: %w", err)
	}
	h := holder{name: f.Account.Name, password: password, issued: issued, echoes: echoesOf(f.Account.Name, password, issued)}
	if len(issued.Certificate) > 0 {
		pair, err := tls.X509KeyPair(issued.Certificate, issued.Key)
		if err != nil {
			return fmt.Errorf("the account's certificate: %w", err)
		}
		h.certificate = &pair
	}
	all = f.presentable(all, h)
	var working sync.WaitGroup
	for _, l := range f.lanes(all) {
		working.Go(func() { l.logins(ctx, h) })
	}
	working.Wait()
	f.leaveAll("let the account log in", func() int { return f.Budget.Effort().Auths + len(f.left) })
	return nil
}

func (l *lane) logins(ctx context.Context, h holder) {
	// What has let the account in once is right, and what was refused at first
	// may be wrong: each kind of what it presents apart.
	known, doubtful := map[login.Presents]bool{}, map[login.Presents]bool{}
	for _, q := range l.questions {
		impl, _ := mech.Get(q.mechanism)
		if ctx.Err() != nil {
			l.noTime(q)
			continue
		}
		if doubtful[impl.Presents] {
			l.keep(leftover{question: q, why: login.WhyInconclusive, reason: doubt})
			continue
		}
		switch l.whichever(ctx, q, h) {
		case accepted:
			known[impl.Presents] = true
		case rejected:
			if !known[impl.Presents] && !l.Everything {
				// Nothing is known of the mechanism if the password is wrong.
				doubtful[impl.Presents] = true
				l.row(q).Completes = nil
				l.keep(leftover{question: q, why: login.WhyInconclusive, reason: doubt})
			}
		case neither:
		}
		l.tell(q)
	}
}

// whichever logs in; with NTLM it tries the older kinds of response too, where
// that may cost something: Exim knows no other.
func (l *lane) whichever(ctx context.Context, q question, h holder) outcome {
	kinds := []login.NTLMKind{login.NTLMv2}
	if q.mechanism == login.NTLM && l.Everything {
		kinds = append(kinds, login.NTLMSession, login.NTLMv1, login.NTLMLM)
	}
	var came outcome
	for _, kind := range kinds {
		if came = l.login(ctx, q, h, kind); came != rejected {
			return came
		}
	}
	if q.mechanism == login.NTLM && !l.Everything {
		l.row(q).Completes = nil
		l.keep(leftover{question: q, why: login.WhyInconclusive, reason: "NTLMv2 was refused, and what is older was not tried"})
		return neither
	}
	return came
}

// doubt is about an account that has never been let in. Who goes on with a
// wrong password locks it.
const doubt = "the account's first login was refused: is what it presented right?"

// presentable are the questions for which the account holds what is needed. What
// it lacks is said where it would be of use.
func (f *filler) presentable(all []question, h holder) []question {
	return slices.DeleteFunc(all, func(q question) bool {
		if h.holds(q.mechanism, f.ledger.Doors[q.door].Protocol) {
			return false
		}
		if f.Everything || f.row(q).Starts != nil || offeredAt(f.ledger.Doors, q) {
			f.keep(leftover{question: q, why: login.WhyNoCredentials, flag: "--account-file", reason: "the account does not hold what that needs"})
		}
		return true
	})
}

func (h holder) holds(m login.Mechanism, p login.Protocol) bool {
	impl, _ := mech.Get(m)
	switch impl.Presents {
	case login.PresentsPassword:
		return h.password != ""
	case login.PresentsToken:
		return h.issued.Token != ""
	case login.PresentsCertificate:
		return h.certificate != nil
	case login.PresentsTicket:
		return len(h.issued.Tickets[p].Encoded) > 0
	default:
		return true
	}
}

// outcome is what a login says of the account.
type outcome uint8

const (
	neither outcome = iota
	accepted
	rejected // what it presented is said to be wrong
)

// login logs in once, on a connection of its own, and takes leave: POP3's
// mailbox is unlocked then. Nothing is read there and nothing deleted.
func (l *lane) login(ctx context.Context, q question, h holder, kind login.NTLMKind) outcome {
	r, err := l.Budget.Reserve(budget.Password, h.name)
	if err != nil {
		l.skip(q, err)
		return neither
	}
	defer r.Release()
	caller := *l.Caller
	caller.Hide = h.echoes.hide
	if q.mechanism == login.EXTERNAL {
		caller.Certificate = h.certificate
	}
	talk, err := caller.Open(ctx, l.Looks[q.door], q.link)
	switch {
	case errors.Is(err, reach.ErrUnverified):
		l.keep(leftover{question: q, why: login.WhyRisk, flag: "--trust", reason: err.Error()})
		return neither
	case err != nil:
		l.skip(q, clean(err))
		return neither
	case !permits(l.Config, q.link, talk.Encrypted() && talk.Verified):
		// The certificate was another one when the door was looked at.
		talk.Quit()
		l.keep(leftover{question: q, why: login.WhyRisk, flag: "--trust", reason: reach.ErrUnverified.Error()})
		return neither
	}
	spoken := len(talk.Transcript())
	got, err := clientsim.Bare{
		Conn: talk.Conn, Protocol: talk.Protocol, Mechanism: q.mechanism, Greeting: talk.Greeting,
		ClientConfig: mech.ClientConfig{
			Host: l.Looks[q.door].Door.Host, Username: h.name, Password: h.password, Token: h.issued.Token,
			Ticket: h.issued.Tickets[talk.Protocol], NTLM: kind, Rand: l.Rand, Now: l.Caller.Now,
		},
	}.Run()
	silent := len(talk.Transcript()) == spoken
	h.echoes.sent(got.Messages)
	l.said(q, h.echoes.hideAll(talk.Transcript()))
	if err != nil {
		_ = talk.Close()
	} else {
		talk.Quit()
	}
	if silent { // it could not even begin
		l.undecided(q, answer{}, err)
		return neither
	}
	l.enough(ctx, talk.Protocol, h.echoes.hide(got.Reply), err)
	judged := len(got.Messages) > 0 && (q.mechanism != login.UserPass || len(got.Messages) > 1)
	switch {
	case got.Accepted:
		r.Accepted()
	case judged:
		r.Commit()
	default:
		r.CommitAuth()
	}
	return l.settle(q, h, got, judged, err)
}

// settle reads from a login what it says of the row, and of the account.
func (l *lane) settle(q question, h holder, got clientsim.BareResult, judged bool, err error) outcome {
	p := l.ledger.Doors[q.door].Protocol
	row := l.row(q)
	row.Reply = shown(h.echoes.hide(got.Reply), q.mechanism)
	switch {
	case got.Accepted:
		row.Starts, row.Completes = began(q.mechanism, row.Starts), new(true)
		return accepted
	case err != nil:
		l.undecided(q, answer{kind: lost}, nil)
	case got.Unproven != nil:
		l.keep(leftover{question: q, why: login.WhyInconclusive, reason: "we broke off: " + h.echoes.hide(got.Unproven.Error())})
	case wire.Temporary(p, got.Reply):
		l.undecided(q, answer{kind: later, reply: row.Reply}, nil)
	case !judged && (p == login.POP3 && q.mechanism == login.UserPass || refusesMechanism(p, got.Reply)):
		// The name is the account's own: there is nothing else it was refused for.
		row.Starts, row.Completes = new(false), new(false)
	case !judged:
		l.undecided(q, answer{kind: refused, reply: row.Reply}, nil)
	default:
		row.Starts, row.Completes = began(q.mechanism, row.Starts), new(false)
		return rejected
	}
	return neither
}

// began: an exchange that came as far as the password has started. APOP has no
// start.
func began(m login.Mechanism, before *bool) *bool {
	if m == login.APOP {
		return before
	}
	return new(true)
}

// shown is a reply without the challenge that it may hold.
func shown(reply string, m login.Mechanism) string {
	impl, _ := mech.Get(m)
	head, text, _ := strings.Cut(reply, " ")
	if (head == "334" || head == "+") && text != "" && !impl.Insecure() {
		return head + " <challenge>"
	}
	return reply
}

// leaveUnheard says at which doors nothing secret may be said, and what would
// permit it.
func (f *filler) leaveUnheard() {
	var untyped, unverified, clear []int
	for i, look := range f.Looks {
		for _, t := range f.ledger.Doors[i].Transports {
			switch {
			case mayHear(f.Config, question{place: place{i, t.Transport}}):
			case !look.Door.Typed:
				untyped = appendOnce(untyped, i)
			case t.Transport.Encrypted():
				unverified = appendOnce(unverified, i)
			default:
				clear = appendOnce(clear, i)
			}
		}
	}
	for _, u := range []struct {
		doors []int
		what  string
		flag  string
	}{
		{untyped, "does a login work at %s? a name that was found, and not given by you, hears no secret", ""},
		{unverified, "does a login work at %s? its certificate cannot be trusted", "--trust"},
		{clear, "does a login work in clear at %s?", "--allow-cleartext"},
	} {
		if len(u.doors) > 0 {
			f.leave(login.NotTested{What: fmt.Sprintf(u.what, f.at(u.doors)), Why: login.WhyRisk, Flag: u.flag})
		}
	}
}
