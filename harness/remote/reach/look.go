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
// takes one connection. What goes wrong is in the result. However a server drags
// it out, a look ends: once it is connected, a door that nobody has named is not
// waited for longer than a connection may take, a named one not longer than two
// answers may. Only a named door can show that the server has had enough:
// another may be no door of this server's.
func (c *Caller) Look(ctx context.Context, d Door, family string) Look {
	l := &looking{Caller: c, look: Look{Door: d, Stages: map[login.Stage]string{}, Explained: map[login.Stage]string{},
		Links: map[login.Transport]Link{}}}
	if !l.find(ctx, family) || !l.connect(ctx) {
		return l.look
	}
	limited, cancel := context.WithTimeoutCause(ctx, l.within(), errTooLong)
	defer cancel()
	l.talk = &scenarios.Talk{Conn: wire.NewConn(limited, l.meter, l.Limit), Protocol: d.Protocol}
	l.inside(limited)
	l.leave()
	return l.look
}

// errTooLong is why a look ends that the server drags out.
var errTooLong = errors.New("the look takes too long")

// inAll is how many answers' time a named door may take altogether, to be looked
// at or to be entered.
const inAll = 2

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

func (l *looking) named() bool { return l.look.Door.Found == login.FoundNamed }

// within is how long all behind the connection may take.
func (l *looking) within() time.Duration {
	if l.named() {
		return inAll * l.Limit
	}
	return l.Connect
}

func (l *looking) ok(s login.Stage) bool {
	l.look.Stages[s] = login.StageOK
	return true
}

func (l *looking) wrong(s login.Stage, status, detail string) bool {
	l.look.Explained[s] = explain(l.look.Door, s, status, detail)
	if status == endless {
		status = unfinished
	}
	l.look.Stages[s] = status
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
	if !l.named() {
		l.until = m.began.Add(l.Connect)
		m.guessed()
	}
	m.greets(l.until)
	if from, err := netip.ParseAddrPort(m.LocalAddr().String()); err == nil && l.Route.Proxy == nil {
		l.look.From = from.Addr().Unmap()
	}
	l.meter = m
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
	case wire.FailedAs(err, syscall.ECONNREFUSED):
		return refused, ""
	case wire.FailedAs(err, syscall.EHOSTUNREACH, syscall.ENETUNREACH):
		return unreachable, ""
	case timedOut(err), wire.FailedAs(err, syscall.ETIMEDOUT):
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
		status, detail := l.unanswered(ctx, err)
		if status == silent && l.beginsInTLS(ctx) {
			status = speaksTLS
		}
		return l.wrong(login.StageBanner, status, detail)
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
	if !l.named() || l.look.Door.Implicit {
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
		status, detail := l.unanswered(ctx, err)
		return l.wrong(s, status, detail)
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
		status, detail := l.unanswered(ctx, err)
		if status == closed {
			status = dropped
		}
		return l.wrong(login.StageStartTLS, status, detail)
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
		status, detail := l.late(ctx, err, l.meter.heardSince())
		if status == "" {
			status, detail = handshakeFailure(err)
		}
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

func handshakeFailure(err error) (status, detail string) {
	clear := tls.RecordHeaderError{}
	switch {
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
func (l *looking) unanswered(ctx context.Context, err error) (status, detail string) {
	l.answers = false
	if status, detail = l.late(ctx, err, l.begun()); status != "" {
		return status, detail
	}
	if l.welcome && l.named() && hungUp(err) {
		l.Budget.Stop(hasHungUp(l.look.Door))
	}
	return unanswered(err), ""
}

// begun: what we wait for has begun to come. Inside TLS octets show nothing, for
// session tickets come when they like (RFC 8446 4.6.1): only a line does.
func (l *looking) begun() bool {
	transcript := l.talk.Transcript()
	if n := len(transcript); n > 0 && strings.HasPrefix(transcript[n-1], "S") {
		return true
	}
	return !l.talk.Encrypted() && l.meter.heardSince()
}

// late is the status where time ran out; "" where it did not, or where it says
// no more than that nothing came. begun: something did.
func (l *looking) late(ctx context.Context, err error, begun bool) (status, detail string) {
	ended := context.Cause(ctx) // asked once, for it may end meanwhile
	tooLong := errors.Is(ended, errTooLong)
	waited := l.Limit
	if tooLong {
		waited = l.within()
	}
	detail = fmt.Sprintf("it did not come to an end within %s", waited)
	switch {
	case ended != nil && !tooLong: // we hung up ourselves
		return unfinished, ""
	case begun && (tooLong || timedOut(err)):
		return endless, detail
	case tooLong && l.welcome:
		return noAnswer, detail
	case tooLong:
		return silent, ""
	default:
		return "", ""
	}
}

// enough hears whether the server has had enough.
func (l *looking) enough(said scenarios.Said) {
	if !tooMuch(l.look.Door.Protocol, said) {
		return
	}
	l.answers = false // RFC 5321 3.8: it hangs up
	if l.named() {
		l.Budget.Stop(saidEnough(l.look.Door, said))
	}
}
