package reach

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
	"github.com/mailmatrix/mailmatrix/scenarios"
)

// connect connects to the door where it was found, within the budget.
func (c *Caller) connect(ctx context.Context, at Look) (*meter, error) {
	to := at.Door.Address()
	if at.Address.IsValid() {
		to = at.Address.String()
	}
	done, err := c.Budget.Connect(ctx)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	limited, cancel := context.WithTimeout(ctx, c.Connect)
	defer cancel()
	conn, done, err := c.dial(ctx, limited, to, done)
	if err != nil {
		return nil, err
	}
	return newMeter(conn, began, c.Budget, done), nil
}

// unansweredFor is how long a place is kept for who does not answer: a port behind a
// firewall says nothing for ever, and is no connection.
const unansweredFor = 500 * time.Millisecond

// dial connects, at the latest until limited ends. Meanwhile others may have the
// place of a connection that does not come about.
func (c *Caller) dial(ctx, limited context.Context, to string, done func()) (net.Conn, func(), error) {
	type dialled struct {
		conn net.Conn
		err  error
	}
	came := make(chan dialled, 1)
	go func() {
		conn, err := c.Route.Dial(limited, to)
		came <- dialled{conn, err}
	}()
	give := time.NewTimer(unansweredFor)
	defer give.Stop()
	var got dialled
	select {
	case got = <-came:
	case <-give.C:
		done()
		if got = <-came; got.err == nil {
			var err error
			if done, err = c.Budget.Place(ctx); err != nil {
				_ = got.conn.Close()
				return nil, nil, err
			}
		}
	}
	if got.err != nil {
		done()
		return nil, nil, got.err
	}
	return got.conn, done, nil
}

// Knock reports whether a port takes connections. It says nothing there.
func (c *Caller) Knock(ctx context.Context, host string, port uint16) bool {
	limited, cancel := context.WithTimeout(ctx, c.Connect)
	defer cancel()
	at := Look{Door: Door{Host: host, Port: port}}
	if found, err := c.Route.Lookup(limited, host, port, "ip"); err == nil {
		at.Address = netip.AddrPortFrom(found[0], port)
	} else if c.Route.Proxy == nil {
		return false
	}
	m, err := c.connect(limited, at)
	if err != nil {
		return false
	}
	_ = m.Close()
	return true
}

// Open connects to the door where it was reached, greets, brings TLS up on an
// encrypted transport, and asks for the capabilities. Quit or Close ends it.
// A transport that the door cannot have is a *[login.CannotError]; a server that
// is left alone is a *[budget.StoppedError].
func (c *Caller) Open(ctx context.Context, at Look, t login.Transport) (*Talk, error) {
	d := at.Door
	if !slices.Contains(d.Transports(), t) {
		return nil, cannot(d.Protocol, t)
	}
	m, err := c.connect(ctx, at)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.Address(), err)
	}
	tap := wire.NewTap(m)
	talk := &Talk{Talk: &scenarios.Talk{Conn: wire.NewConn(ctx, tap, c.Limit), Protocol: d.Protocol}, Tap: tap}
	if err := c.enterInTime(ctx, talk, m, d, t); err != nil {
		_ = talk.Close()
		return nil, fmt.Errorf("%s: %w", d.Address(), err)
	}
	return talk, nil
}

// enterInTime is enter within the time of two answers, however long the server
// drags each of them out.
func (c *Caller) enterInTime(ctx context.Context, talk *Talk, m *meter, d Door, t login.Transport) error {
	limited, cancel := context.WithTimeoutCause(ctx, inAll*c.Limit, errTooLong)
	defer cancel()
	running := context.AfterFunc(limited, func() { _ = m.Close() })
	err := c.enter(limited, talk, m, d, t)
	if !running() && errors.Is(context.Cause(limited), errTooLong) {
		return fmt.Errorf("it did not let us in within %s", inAll*c.Limit)
	}
	return err
}

func (c *Caller) enter(ctx context.Context, talk *Talk, m *meter, d Door, t login.Transport) error {
	if t == login.TLS {
		if err := c.upgrade(ctx, talk, d); err != nil {
			return err
		}
		m.greets(time.Time{})
	}
	said, err := talk.Answer()
	if err != nil {
		return fmt.Errorf("greeting: %w", err)
	}
	if !said.Positive {
		return c.turnedAway(d, "greeting", said)
	}
	talk.Greeting = said.Line
	if stamp := wire.Timestamp(said.Line); stamp != "" && d.Protocol == login.POP3 {
		talk.Reshow(strings.Replace(said.Line, stamp, "<challenge>", 1))
	}
	if err := c.hello(ctx, talk, d); err != nil || t != login.StartTLS {
		return err
	}
	command := scenarios.StartCommand(d.Protocol)
	if said, err = talk.Say(command); err != nil {
		return c.noAnswer(ctx, d, command, err)
	}
	if !said.Positive {
		return c.turnedAway(d, command, said)
	}
	if err := c.upgrade(ctx, talk, d); err != nil {
		return err
	}
	return c.hello(ctx, talk, d)
}

func (c *Caller) hello(ctx context.Context, talk *Talk, d Door) error {
	said, err := hello(talk.Talk)
	switch {
	case err != nil:
		return c.noAnswer(ctx, d, "the question what is offered", err)
	case !said.in:
		return c.turnedAway(d, "the question what is offered", said.Said)
	}
	return nil
}

func (c *Caller) upgrade(ctx context.Context, talk *Talk, d Door) error {
	if err := talk.Upgrade(ctx, c.tlsFor(d.Host)); err != nil {
		return fmt.Errorf("TLS: %w", err)
	}
	talk.Verified = c.Trust.Takes(talk.TLSState().PeerCertificates, d.Host, c.Now())
	return nil
}

// turnedAway is a refusal; one by which the server has had enough stops all.
func (c *Caller) turnedAway(d Door, what string, said scenarios.Said) error {
	over := tooMuch(d.Protocol, said)
	if c.Hide != nil {
		said.Line = c.Hide(said.Line)
	}
	if over {
		c.Budget.Stop(saidEnough(d, said))
	}
	return fmt.Errorf("%s: %s", what, itSaid(said))
}

// noAnswer is a wait that ended without one; a server that hangs up on who it
// has let in has had enough.
func (c *Caller) noAnswer(ctx context.Context, d Door, to string, err error) error {
	if ctx.Err() == nil && hungUp(err) {
		c.Budget.Stop(hasHungUp(d))
	}
	return fmt.Errorf("no answer to %s: %w", to, err)
}

// Way makes a [wire.Door] of doors that were looked at, for clients and cases:
// a transport goes to the first that has it. What none of them has is a
// *[login.CannotError]. A 421 that is said there in clear stops all; inside TLS
// only who speaks can hear it.
func (c *Caller) Way(looks []Look) wire.Door { return &way{c, looks} }

type way struct {
	caller *Caller
	looks  []Look
}

func (w *way) Dial(ctx context.Context, p login.Protocol, t login.Transport) (net.Conn, error) {
	for _, l := range w.looks {
		if l.Door.Protocol == p && l.Links[t].Open {
			m, err := w.caller.connect(ctx, l)
			if err != nil {
				return nil, err
			}
			if p == login.SMTP {
				m.heeds(l.Door.Address())
			}
			return m, nil
		}
	}
	return nil, cannot(p, t)
}

func (w *way) Authority() *x509.CertPool { return w.caller.Trust.Roots }

// Record: nobody here can know.
func (w *way) Record() []login.Record { return nil }

// Close waits for nothing: when a server in service lets go of a connection is
// its own affair.
func (w *way) Close() error { return nil }

func cannot(p login.Protocol, t login.Transport) error {
	return &login.CannotError{What: fmt.Sprintf("speak %s on %s", p, t)}
}
