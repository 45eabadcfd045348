package reach

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
	"github.com/mailmatrix/mailmatrix/scenarios"
)

// ourName is how we introduce ourselves (RFC 2606 2: nobody's).
const ourName = "mailmatrix.invalid"

// helloed is what came of asking for the capabilities.
type helloed struct {
	// Said is the last refusal; the zero value where nothing was refused.
	scenarios.Said
	// in: the conversation can go on. list: there is a list.
	in, list bool
}

// hello asks for the capabilities. Where EHLO is refused, HELO lets us in
// (RFC 5321 3.2), and there is no list.
func hello(t *scenarios.Talk) (helloed, error) {
	t.Capabilities = nil
	if t.Protocol == login.POP3 {
		said, err := t.Say("CAPA")
		if err != nil || !said.Positive {
			return helloed{Said: said, in: true}, err
		}
		lines, err := t.ReadDotted()
		t.Capabilities = append([]string{}, lines...) // a list without a line is one
		return helloed{in: true, list: true}, err
	}
	if err := t.Send("EHLO " + ourName); err != nil {
		return helloed{}, err
	}
	reply, err := t.ReadSMTP()
	if err != nil {
		return helloed{}, err
	}
	said := scenarios.Said{Line: reply.First, Positive: reply.Positive()}
	switch {
	case said.Positive:
		t.Capabilities = reply.Lines
		return helloed{in: true, list: true}, nil
	case tooMuch(t.Protocol, said):
		return helloed{Said: said}, nil
	}
	again, err := t.Say("HELO " + ourName)
	if err == nil && !again.Positive {
		said = again
	}
	return helloed{Said: said, in: again.Positive}, err
}

// capabilities are without the server's own name, which EHLO's first line has;
// nil where there is no list.
func capabilities(t *scenarios.Talk) []string {
	if t.Protocol == login.SMTP && len(t.Capabilities) > 0 {
		return append([]string{}, t.Capabilities[1:]...)
	}
	return slices.Clone(t.Capabilities)
}

// unanswered is a word for why no answer came.
func unanswered(err error) string {
	switch {
	case errors.Is(err, wire.ErrNoReply), errors.Is(err, wire.ErrLineTooLong):
		return notMail
	case timedOut(err):
		return silent
	default:
		return closed
	}
}

// hungUp reports whether the peer ended the connection.
func hungUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		wire.FailedAs(err, syscall.ECONNRESET, syscall.EPIPE)
}

// enough is the code with which a server of SMTP ends a conversation that it has
// had enough of (RFC 5321 3.8 and 4.2.2). POP3 has none.
const enough = "421"

func tooMuch(p login.Protocol, said scenarios.Said) bool {
	return p == login.SMTP && strings.HasPrefix(said.Line, enough)
}

func saidEnough(d Door, said scenarios.Said) string {
	return d.Address() + " said " + quoted(said.Line)
}

func hasHungUp(d Door) string { return d.Address() + " hung up where an answer was due" }

func itSaid(said scenarios.Said) string { return "it said " + quoted(said.Line) }

// quoted shows what a server said on one line, and not without end.
func quoted(line string) string { return fmt.Sprintf("%.200q", line) }
