package remote

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/harness/remote/budget"
	"github.com/mailmatrix/mailmatrix/harness/remote/reach"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// live lets clients log in to the server itself: those whose foretold exchange
// holds no refusal and no secret outside verified TLS, who present what the
// ledger has seen to be right, and of those that do the very same one of them.
type live struct {
	*check
	// over is why nobody else is tried; "" while it goes well.
	over string
	// flag would permit more; "" where none would.
	flag string
	// told are the notes that were made.
	told map[string]bool
}

// logins are what came of them, by index.
func (l *live) logins(ctx context.Context, g group, foretold []harness.Foretold) map[int]harness.Foretold {
	done := map[int]harness.Foretold{}
	right := l.right(g)
	if !l.Login || l.Account.Secrets == nil || len(right) == 0 {
		return done
	}
	password, issued, err := l.Account.Secrets()
	if err != nil {
		return done // the ledger has said so
	}
	secrets := login.Secrets{Name: l.Account.Name, Password: password, Issued: issued}
	alike := map[string]bool{}
	for i, f := range foretold {
		at := l.first(g, f.Protocol, f.Transport)
		if at < 0 || !l.harmless(at, f, right) || alike[exchange(f)] {
			continue
		}
		host := l.looks[at].Door.Host
		if l.pinned(at) {
			l.note(fmt.Sprintf("do the foretold clients really log in at %s? its certificate is pinned, which no client can be told", host),
				login.WhyCannot, "--trust FILE")
			continue
		}
		if l.over == "" && ctx.Err() == nil {
			alike[exchange(f)] = true
			if got, tried := l.one(ctx, at, f, secrets); tried {
				done[i] = got
				continue
			}
		}
		if ctx.Err() != nil {
			break
		}
		why := login.WhyInconclusive
		if l.flag != "" {
			why = login.WhyBudget
		}
		l.note("do the other foretold clients really log in? "+l.over, why, l.flag)
	}
	return done
}

// right are the kinds of what an account presents by which it was let in at the
// group's doors. What has not been seen to be right is not tried with a client:
// it may be wrong everywhere, and the account would be locked.
func (l *live) right(g group) map[login.Presents]bool {
	all := map[login.Presents]bool{}
	for _, i := range g.doors {
		for _, t := range l.doors[i].Transports {
			for _, row := range t.Mechanisms {
				if impl, ok := mech.Get(row.Mechanism); ok && row.Completes != nil && *row.Completes {
					all[impl.Presents] = true
				}
			}
		}
	}
	return all
}

func (l *live) harmless(at int, f harness.Foretold, right map[login.Presents]bool) bool {
	impl, ok := mech.Get(f.Used)
	return ok && right[impl.Presents] && f.Outcome == login.LoggedIn && f.Refused == 0 && f.Exposure == login.ShowsNothing &&
		f.Transport.Encrypted() && l.looks[at].Door.Typed && l.looks[at].Links[f.Transport].Verified
}

// pinned: the door's certificate is relied on because the user has named it.
func (l *live) pinned(at int) bool {
	shown := l.looks[at].Certificate
	return shown != nil && slices.ContainsFunc(l.Trust.Pins, func(pin [32]byte) bool { return hex.EncodeToString(pin[:]) == shown.SHA256 })
}

func (l *live) note(what string, why login.Why, flag string) {
	if l.told == nil {
		l.told = map[string]bool{}
	}
	if !l.told[what] {
		l.told[what] = true
		l.leave(what, why, flag)
	}
}

// exchange is what a client says, but for names: who says the same is answered
// the same.
func exchange(f harness.Foretold) string {
	said := []string{string(f.Protocol), string(f.Transport)}
	for _, line := range f.Lines {
		if !strings.HasPrefix(line, "C") {
			continue
		}
		_, text, _ := strings.Cut(strings.ToUpper(line), " ")
		if verb, _, _ := strings.Cut(text, " "); verb != "AUTH" { // whose argument is no name
			text = verb
		}
		said = append(said, text)
	}
	return strings.Join(said, "\n")
}

// one is a client's login to the server. It was not tried where the server is
// left alone already.
func (l *live) one(ctx context.Context, at int, f harness.Foretold, secrets login.Secrets) (got harness.Foretold, tried bool) {
	paid, err := l.budget.Reserve(budget.Password, l.Account.Name)
	if err != nil {
		l.over = err.Error()
		if spent := (*budget.ExhaustedError)(nil); errors.As(err, &spent) {
			l.flag = fmt.Sprintf("--max-failures %d", l.budget.Limits().Auths+1) // one refusal in reserve is enough
		}
		return f, false
	}
	defer paid.Release()
	look := l.looks[at]
	way := &guard{Door: l.caller.Way([]reach.Look{look}), trust: l.Trust, host: look.Door.Host, now: l.Now}
	seen := clientsim.Login(ctx, clientsim.Config{
		Profile: f.Profile, Protocol: f.Protocol, Transport: f.Transport, Mechanism: login.Auto, Door: way, Host: look.Door.Host,
		Secrets: secrets, Credential: login.WithAccount, Verify: way.verify, Once: true, Rand: l.Rand, Now: l.Now, Limit: l.Limit,
	})
	pay(paid, seen.Attempts)
	if stopped := (*budget.StoppedError)(nil); ctx.Err() != nil || errors.As(way.unreached, &stopped) {
		l.over = cmp.Or(l.budget.Stopped(), l.over)
		return f, false
	}
	hidden := searcher(secrets)
	o := seen.Observation
	f.Basis, f.Expected = login.Measured, []login.Outcome{login.LoggedIn}
	f.Offered, f.Attempted, f.Used, f.Outcome, f.Reason = o.Offered, o.Attempted, o.Used, o.Outcome, ""
	f.Lines = hidden.VeilAll(seen.Transcript)
	l.rule(&f, look.Door, way, hidden.Veil(o.Reply), hidden.Veil(o.Detail))
	return f, true
}

// pay settles a login: with [clientsim.Config.Once] no attempt follows one that
// came to nothing.
func pay(paid *budget.Reservation, attempts []clientsim.Attempt) {
	if len(attempts) == 0 {
		return // nothing was judged, so it is released
	}
	switch last := attempts[len(attempts)-1]; {
	case last.Accepted:
		paid.Accepted()
	case last.Asked || last.Initial || last.Mechanism == login.APOP:
		paid.Commit()
	default:
		paid.CommitAuth()
	}
}

// rule says what to think of it, and whether anybody else is to be tried.
func (l *live) rule(f *harness.Foretold, d reach.Door, way *guard, reply, detail string) {
	in := entryOf(f.Protocol, f.Lines)
	// Without a handshake it had no TLS, and in the look there was.
	inClear := f.Transport == login.StartTLS && !way.encrypts && !f.Attempted && f.Outcome != login.Dropped && f.Outcome != login.Error
	unclear := func(why string) {
		f.Rule(login.Ruling{Verdict: login.Skip, Why: login.WhyInconclusive, Reason: why})
	}
	switch {
	case f.Outcome == login.LoggedIn:
		f.Verdict = login.Pass
	case in.enough != "":
		l.stop(d.Address() + " said " + in.enough)
		unclear("not now: " + in.enough)
	case way.unreached != nil && way.what == "":
		l.stop(d.Address() + " takes no connection any more")
		unclear("it takes no connection any more: " + way.unreached.Error())
	case wire.Temporary(f.Protocol, in.startTLS):
		l.over = "TLS was refused for now"
		unclear("no TLS now: " + in.startTLS)
	case way.what != "" || inClear && (in.startTLS != "" || in.hello == ""):
		l.over = "between the look and the login something changed: see the client that failed"
		f.Rule(login.Ruling{Verdict: login.Fail, Reason: cmp.Or(way.what, bare)})
	case f.Outcome == login.Dropped:
		l.stop(d.Address() + " hung up on a client's login, or did not answer")
		unclear("the connection ended without an answer: " + detail)
	case f.Outcome == login.Error:
		l.over = "one of them could not be tried: " + detail
		f.Rule(login.Ruling{Verdict: login.Broken, Reason: detail})
	case wire.Temporary(f.Protocol, reply):
		l.over = "a login was refused for now"
		unclear("not now: " + reply)
	default:
		if f.Attempted || f.Outcome == login.Refused {
			l.over = "a login was refused, and who goes on locks the account"
		}
		f.Rule(login.Ruling{Verdict: login.Warn, WronglyRefused: true,
			Reason: fmt.Sprintf("foretold that it logs in, saw %s: %s", f.Outcome, strings.TrimSpace(reply+" "+detail))})
	}
}

// bare is a connection that stayed in clear, where the client gave up.
const bare = "between the look and the login the way to TLS was gone, and the client gave up: nothing secret was sent"

// stop: the server has had enough.
func (l *live) stop(reason string) {
	l.budget.Stop(reason)
	l.over = reason
}

// entry is what a server refused of the way in; "" is nothing.
type entry struct{ startTLS, hello, enough string }

// refusals are the octets with which they begin (RFC 5321 4.2.1, RFC 1939 3).
var refusals = map[login.Protocol]string{login.SMTP: "45", login.POP3: "-"}

// entryOf reads a transcript. A 421 ends the conversation wherever it is said
// (RFC 5321 3.8).
func entryOf(p login.Protocol, lines []string) entry {
	var e entry
	verb := ""
	for _, line := range lines {
		mark, said, _ := strings.Cut(line, " ")
		head, _, _ := strings.Cut(said, " ")
		switch refused := said != "" && strings.ContainsAny(said[:1], refusals[p]); {
		case strings.HasPrefix(mark, "C"):
			verb = strings.ToUpper(head)
		case p == login.SMTP && strings.HasPrefix(said, "421"):
			e.enough = said
		case !refused:
		case verb == "STARTTLS" || verb == "STLS":
			e.startTLS = said
		case slices.Contains([]string{"", "EHLO", "HELO", "CAPA"}, verb): // or the greeting
			e.hello = said
		}
	}
	return e
}

// searcher finds what the account holds, in every form.
func searcher(secrets login.Secrets) *wire.Searcher {
	var needles []wire.Needle
	for _, text := range []string{secrets.Password, secrets.Issued.Token, string(secrets.Issued.Key)} {
		needles = append(needles, wire.Forms(text)...)
	}
	return wire.NewSearcher(needles...)
}
