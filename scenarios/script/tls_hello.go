package script

import (
	"context"
	"fmt"
	"net"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
	"github.com/mailmatrix/mailmatrix/scenarios"
)

// Hello opens a connection on the case's link, goes to where TLS begins and
// says that hello. There is no handshake behind it. The server is asked for by
// its name where the hello says none and can.
func Hello(name string, h wire.ClientHello) *Shaking {
	return &Shaking{name: name, anew: 1, odd: h.RecordSize > 0 || h.Padding > 0, see: func(ctx context.Context, p *Play) (string, error) {
		if h := h; h.Name == "" && net.ParseIP(p.Name()) == nil {
			h.Name = p.Name()
		}
		octets, err := h.Octets(p.Rand)
		if err != nil {
			return "", err
		}
		return p.offer(ctx, octets, "<"+name+">")
	}}
}

// Garbage opens a connection as [Hello] does and sends the octets in place of a
// hello.
func Garbage(name string, octets []byte) *Shaking {
	return &Shaking{name: name, anew: 1, odd: true, see: func(ctx context.Context, p *Play) (string, error) {
		return p.offer(ctx, octets, "<"+name+">")
	}}
}

// offer sends octets where TLS begins. Whether the server has hung up before it
// read them all says nothing: its answer may lie there.
func (p *Play) offer(ctx context.Context, octets []byte, shown string) (string, error) {
	if err := (approaching{}).run(ctx, p); err != nil {
		return "", err
	}
	t := p.Talk()
	_ = t.SendRaw(octets, shown)
	got, err := t.ReadHello()
	return got.String(), err
}

// Hear looks at what the server says on the current connection without TLS,
// to something that was said there: text in clear, an alert, or the end.
// Records of TLS are passed over.
func Hear(name string) *Shaking {
	return &Shaking{name: name, see: func(_ context.Context, p *Play) (string, error) {
		t, err := p.talk()
		if err != nil {
			return "", err
		}
		return hear(t)
	}}
}

// Listen is Hear to a server that should keep silent: it does not have the
// time that it has for an answer.
func Listen(name string) *Shaking {
	return &Shaking{name: name, listens: true, see: func(_ context.Context, p *Play) (string, error) {
		t, err := p.talk()
		if err != nil {
			return "", err
		}
		t.Wait(p.patience())
		defer t.Wait(p.Limit)
		return hear(t)
	}}
}

func hear(t *scenarios.Talk) (string, error) {
	for range mostRecords {
		got, err := t.ReadHello()
		if err != nil || got.Record == 0 {
			return got.String(), err
		}
	}
	return fmt.Sprintf("more than %d records", mostRecords), nil
}

// mostRecords are passed over before a server is thought not to end.
const mostRecords = 100

// Tickets does on the current connection, on which [Handshake] has brought TLS
// up [Resumable], what [Inside] does, and looks at what the server has given
// out: "no ticket", or what the most generous of them says.
func Tickets() *Shaking {
	return &Shaking{name: "what can be resumed", see: func(_ context.Context, p *Play) (string, error) {
		t, err := p.talk()
		if err != nil {
			return "", err
		}
		// A client that follows RFC 8446 4.6.1 ends here over some of them.
		_ = enter(t, p.transport)
		all, err := t.Tickets(p.kept[secretsOf(p.current)])
		if err != nil {
			return "", skipping(login.WhyInconclusive, "tickets: %s", err)
		}
		var most wire.Ticket
		for _, ticket := range all {
			most.Lifetime, most.EarlyData = max(most.Lifetime, ticket.Lifetime), max(most.EarlyData, ticket.EarlyData)
		}
		if all == nil {
			return "no ticket", nil
		}
		return most.String(), nil
	}}
}

// Ending looks at how the server ends the current connection, on which
// [Handshake] has brought TLS up: "close_notify", a bare end, which is
// [Gone], or a line that it says in place of both.
func Ending() *Shaking {
	return &Shaking{name: "the end", see: func(_ context.Context, p *Play) (string, error) {
		t, err := p.talk()
		if err != nil {
			return "", err
		}
		line, ended := t.ReadLine()
		if ended == nil {
			return line, nil
		}
		polite, err := t.Notified(p.kept[secretsOf(p.current)])
		switch {
		case err != nil:
			return "", skipping(login.WhyInconclusive, "the end: %s", err)
		case polite:
			return "close_notify", nil
		default:
			return "", ended
		}
	}}
}

// LeaveTLS ends TLS with a close_notify and keeps the connection, in clear.
func LeaveTLS() Step { return leaveTLS{} }

type leaveTLS struct{}

func (leaveTLS) run(_ context.Context, p *Play) error {
	t, err := p.talk()
	if err != nil {
		return err
	}
	if err := t.LeaveTLS(); err != nil {
		return skipping(login.WhyInconclusive, "TLS does not end: %s", err)
	}
	return nil
}
func (leaveTLS) bill(*Bill) {}
