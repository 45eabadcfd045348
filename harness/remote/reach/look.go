package reach

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/mailmatrix/mailmatrix/harness/remote/budget"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
	"github.com/mailmatrix/mailmatrix/scenarios"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

// Look looks at the door, at its address in this family: "ip4" or "ip6". It
// takes one connection. What goes wrong is in the result. A door that nobody has
// named is not waited for longer than a connection may take.
func (c *Caller) Look(ctx context.Context, d Door, family string) Look {
	l := &looking{Caller: c, look: Look{Door: d, Stages: map[login.Stage]string{}, Explained: map[login.Stage]string{},
		Links: map[login.Transport]Link{}}}
	if l.find(ctx, family) && l.connect(ctx) {
		l.inside(ctx)
		l.leave()
	}
	return l.look
}

// looking is a Look that is under way.
type looking struct {
	*Caller
	look  Look
	meter *meter
	talk  *scenarios.Talk
	// until is when a greeting must have begun; the zero value is any time.
	until time.Time
	// welcome: the server has greeted us. answers: it can still be spoken to.
	welcome, answers bool
	verified         bool
}

func (l *looking) ok(s login.Stage) bool {
	l.look.Stages[s] = login.StageOK
	return true
}

func (l *looking) wrong(s login.Stage, status, detail string) bool {
	l.look.Stages[s], l.look.Explained[s] = status, explain(l.look.Door, s, status, detail)
	return false
}

// find finds the address.
func (l *looking) find(ctx context.Context, family string) bool {
	limited, cancel := context.WithTimeout(ctx, l.Connect)
	defer cancel()
	found, err := l.Route.Lookup(limited, l.look.Door.Host, l.look.Door.Port, family)
	dns := (*net.DNSError)(nil)
	switch {
	case err == nil:
		l.look.Address = netip.AddrPortFrom(found[0], l.look.Door.Port)
		return l.ok(login.StageDNS)
	case ctx.Err() != nil:
		return l.wrong(login.StageDNS, unfinished, "")
	case l.Route.Proxy != nil && family == "ip4" && !literal(l.look.Door.Host):
		// The proxy is asked once, and chooses the family itself.
		return l.ok(login.StageDNS)
	case errors.As(err, &dns) && dns.IsNotFound:
		return l.wrong(login.StageDNS, noAddress, "")
	case timedOut(err):
		return l.wrong(login.StageDNS, noAnswer, "")
	default:
		return l.wrong(login.StageDNS, failed, err.Error())
	}
}

func literal(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

func (l *looking) connect(ctx context.Context) bool {
	m, err := l.Caller.connect(ctx, l.look)
	if err != nil {
		status, detail := connectFailure(ctx, err)
		return l.wrong(login.StageConnect, status, detail)
	}
	if l.look.Door.Found != login.FoundNamed {
		l.until = m.began.Add(l.Connect)
	}
	m.greets(l.until)
	if from, err := netip.ParseAddrPort(m.LocalAddr().String()); err == nil && l.Route.Proxy == nil {
		l.look.From = from.Addr().Unmap()
	}
	l.meter = m
	l.talk = &scenarios.Talk{Conn: wire.NewConn(ctx, m, l.Limit), Protocol: l.look.Door.Protocol}
	return l.ok(login.StageConnect)
}

func connectFailure(ctx context.Context, err error) (status, detail string) {
	over, source, between := (*budget.StoppedError)(nil), (*SourceError)(nil), (*ProxyError)(nil)
	switch {
	case errors.As(err, &over):
		return stopped, over.Reason
	case errors.As(err, &source):
		return badSource, source.Error()
	case errors.As(err, &between):
		return badProxy, between.Error()
	case ctx.Err() != nil:
		return unfinished, ""
	case errors.Is(err, syscall.ECONNREFUSED):
		return refused, ""
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return unreachable, ""
	case timedOut(err), errors.Is(err, syscall.ETIMEDOUT):
		return noAnswer, ""
	default:
		return failed, err.Error()
	}
}

// inside takes the stages behind the connection.
func (l *looking) inside(ctx context.Context) {
	if l.look.Door.Implicit {
		if l.handshake(ctx) && l.greeted(ctx) && l.hello(ctx, login.StageHelloTLS, login.TLS) {
			l.auth()
		}
		return
	}
	if !l.greeted(ctx) || !l.hello(ctx, login.StageHello, login.Plain) {
		return
	}
	if l.startTLS(ctx) && l.handshake(ctx) {
		l.hello(ctx, login.StageHelloTLS, login.StartTLS)
	} else if clear := l.look.Links[login.Plain]; clear.Open {
		clear.Transcript = slices.Clone(l.talk.Transcript()) // it shows what went wrong
		l.look.Links[login.Plain] = clear
	}
	l.auth()
}

// leave takes leave, where there is still somebody to hear it.
func (l *looking) leave() {
	if l.answers {
		l.talk.Quit()
		return
	}
	_ = l.talk.Close()
}

func (l *looking) greeted(ctx context.Context) bool {
	first := login.Plain
	if l.look.Door.Implicit {
		first = login.TLS
		l.meter.greets(l.until)
	}
	said, err := l.talk.Answer()
	l.look.Links[first] = Link{Transcript: slices.Clone(l.talk.Transcript())}
	if err != nil {
		status := l.unanswered(ctx, err)
		if status == silent && l.beginsInTLS(ctx) {
			status = speaksTLS
		}
		return l.wrong(login.StageBanner, status, "")
	}
	l.answers = true
	if !said.Positive {
		l.enough(said)
		return l.wrong(login.StageBanner, turnedAway, itSaid(said))
	}
	l.welcome = true
	l.talk.Greeting, l.look.Greeting = said.Line, said.Line
	if stamp := wire.Timestamp(said.Line); stamp != "" && l.look.Door.Protocol == login.POP3 {
		l.look.Greeting = strings.Replace(said.Line, stamp, "<challenge>", 1)
		l.talk.Reshow(l.look.Greeting)
	}
	return l.ok(login.StageBanner)
}

// secondLook is how long a silent server may take to show that it was waiting
// for a TLS hello.
const secondLook = 2 * time.Second

// beginsInTLS tries TLS on a connection on which the server has said nothing,
// where the user will want to know.
func (l *looking) beginsInTLS(ctx context.Context) bool {
	if l.look.Door.Found != login.FoundNamed || l.look.Door.Implicit {
		return false
	}
	l.talk.Wait(min(secondLook, l.Limit))
	err := l.talk.Upgrade(ctx, l.tlsFor(l.look.Door.Host))
	alert := (*net.OpError)(nil)
	return err == nil || errors.As(err, &alert) && alert.Op == "remote error"
}

// hello asks what is offered on this link. It is false where nothing more can
// be asked.
func (l *looking) hello(ctx context.Context, s login.Stage, t login.Transport) bool {
	said, err := hello(l.talk)
	if err != nil {
		return l.wrong(s, l.unanswered(ctx, err), "")
	}
	if !said.in {
		l.enough(said.Said)
		return l.wrong(s, turnedAway, itSaid(said.Said))
	}
	l.look.Links[t] = Link{Open: true, Verified: l.verified, Capabilities: capabilities(l.talk), Mechanisms: script.Offered(l.talk),
		Transcript: slices.Clone(l.talk.Transcript())}
	if !said.list && l.look.Door.Protocol == login.SMTP {
		l.wrong(s, refused, itSaid(said.Said))
		return true
	}
	return l.ok(s) // a POP3 server need not have CAPA (RFC 2449 5)
}

func (l *looking) startTLS(ctx context.Context) bool {
	command := scenarios.StartCommand(l.look.Door.Protocol)
	list := l.talk.Capabilities != nil
	if list && !l.talk.Offers(command) {
		return l.wrong(login.StageStartTLS, notOffered, "")
	}
	said, err := l.talk.Say(command)
	switch {
	case err != nil:
		status := l.unanswered(ctx, err)
		if status == closed {
			status = dropped
		}
		return l.wrong(login.StageStartTLS, status, "")
	case !said.Positive && list:
		l.enough(said)
		return l.wrong(login.StageStartTLS, refused, itSaid(said))
	case !said.Positive:
		l.enough(said)
		return l.wrong(login.StageStartTLS, notOffered, itSaid(said))
	case l.talk.Pending():
		l.answers = false // whoever answers now, it is not the server alone
		return l.wrong(login.StageStartTLS, injected, "")
	}
	return l.ok(login.StageStartTLS)
}

func (l *looking) handshake(ctx context.Context) bool {
	l.answers = false
	if err := l.talk.Upgrade(ctx, l.tlsFor(l.look.Door.Host)); err != nil {
		status, detail := handshakeFailure(ctx, err)
		return l.wrong(login.StageHandshake, status, detail)
	}
	l.ok(login.StageHandshake)
	l.answers = l.welcome
	state := l.talk.TLSState()
	now := l.Now()
	l.look.Certificate = described(state, now)
	l.verified = l.Trust.Takes(state.PeerCertificates, l.look.Door.Host, now)
	if status, detail := l.Trust.judge(state.PeerCertificates, l.look.Door.Host, now); status != login.StageOK {
		l.wrong(login.StageCertificate, status, detail)
		return true // nothing secret is said, so that the rest can be looked at
	}
	return l.ok(login.StageCertificate)
}

func handshakeFailure(ctx context.Context, err error) (status, detail string) {
	clear := tls.RecordHeaderError{}
	switch {
	case ctx.Err() != nil:
		return unfinished, ""
	case errors.As(err, &clear):
		return speaksClear, fmt.Sprintf("it said %q", clear.RecordHeader[:])
	case timedOut(err):
		return silent, ""
	case hungUp(err):
		return closed, ""
	default:
		return failed, err.Error()
	}
}

// auth: there is a way to log in, or none. Where no link has a list, nobody
// knows.
func (l *looking) auth() {
	lists := false
	for _, link := range l.look.Links {
		if len(link.Mechanisms) > 0 {
			l.ok(login.StageAuth)
			return
		}
		lists = lists || link.Capabilities != nil
	}
	if lists {
		l.wrong(login.StageAuth, none, "")
	}
}

// unanswered is the status where no answer came. A server that has let us in
// and then hangs up has had enough of us.
func (l *looking) unanswered(ctx context.Context, err error) string {
	l.answers = false
	if l.welcome && ctx.Err() == nil && hungUp(err) {
		l.Budget.Stop(hasHungUp(l.look.Door))
	}
	return unanswered(ctx, err)
}

// enough hears whether the server has had enough.
func (l *looking) enough(said scenarios.Said) {
	if tooMuch(l.look.Door.Protocol, said) {
		l.Budget.Stop(saidEnough(l.look.Door, said))
		l.answers = false // RFC 5321 3.8: it hangs up
	}
}
