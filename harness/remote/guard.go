package remote

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/mailmatrix/mailmatrix/harness/remote/reach"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// guard is the way in for one login of a client with a real account. Clients are
// imitated with their faults: some go on in clear where they find no TLS, some
// take any certificate. So what may leave is decided below them: in clear nothing
// but a hello and the way to TLS, inside TLS nothing before the certificate is
// one that we take ourselves. It is used by one goroutine.
type guard struct {
	wire.Door
	trust reach.Trust
	host  string
	now   func() time.Time

	// what is why nothing more may be said; "" is that all was well.
	what string
	// unreached is why the last connection did not come about.
	unreached error
	// verified: the certificate of the connection that is open is one we take.
	verified bool
	// encrypts: a handshake was begun on some connection.
	encrypts bool
}

// What a guard stops at. The first look saw it otherwise, or no client would
// have gone.
const (
	stripped = "between the look and the login the way to TLS was gone, and the client was about to go on in clear: nothing secret was sent"
	swapped  = "between the look and the login the certificate changed, and the new one is not to be trusted: nothing secret was sent"
)

// errGuarded is what a client sees of it.
var errGuarded = errors.New("held back: what it was about to say is not for this connection")

// Dial opens a guarded connection, unless one was stopped before.
func (g *guard) Dial(ctx context.Context, p login.Protocol, t login.Transport) (net.Conn, error) {
	if g.what != "" {
		return nil, errGuarded
	}
	conn, err := g.Door.Dial(ctx, p, t)
	g.unreached, g.verified = err, false
	if err != nil {
		return nil, err
	}
	return &guarded{conn, g, p}, nil
}

// verify is asked of each TLS connection by [clientsim.Config.Verify].
func (g *guard) verify(state tls.ConnectionState) error {
	if !g.trust.Takes(state.PeerCertificates, g.host, g.now()) {
		g.what = swapped
		return errGuarded
	}
	g.verified = true
	return nil
}

// guarded is one of its connections, below TLS.
type guarded struct {
	net.Conn
	guard    *guard
	protocol login.Protocol
}

// Write lets through whole TLS records and lines that hold no secret. Clients
// write either in one piece.
func (c *guarded) Write(b []byte) (int, error) {
	isTLS, says := records(b)
	switch {
	case c.guard.what != "":
	case isTLS && says && !c.guard.verified: // an alert, where a handshake fails early; never a client
	case isTLS:
		c.guard.encrypts = true
		return c.Conn.Write(b)
	case harmless(c.protocol, b):
		return c.Conn.Write(b)
	default:
		c.guard.what = stripped
	}
	_ = c.Conn.Close()
	return 0, errGuarded
}

// records reports whether b is TLS records and nothing else (RFC 8446 5.1), and
// whether one of them may hold what a client says. No line of a mail client
// begins as a record does.
func records(b []byte) (all, says bool) {
	const header, data = 5, 23
	types := []byte{20, 21, 22, data}
	for rest := b; len(rest) > 0; {
		if len(rest) < header || !slices.Contains(types, rest[0]) || rest[1] != 3 {
			return false, false
		}
		end := header + int(rest[3])<<8 + int(rest[4])
		if len(rest) < end {
			return false, false
		}
		says = says || rest[0] == data
		rest = rest[end:]
	}
	return len(b) > 0, says
}

// quiet are the commands that hold no secret and begin no login.
var quiet = map[login.Protocol][]string{
	login.SMTP: {"EHLO", "HELO", "STARTTLS", "NOOP", "QUIT"},
	login.POP3: {"CAPA", "STLS", "NOOP", "QUIT"},
}

// harmless reports whether b is whole lines, each with such a command.
func harmless(p login.Protocol, b []byte) bool {
	lines, whole := bytes.CutSuffix(b, []byte("\r\n"))
	if !whole {
		return false
	}
	for line := range strings.SplitSeq(string(lines), "\r\n") {
		verb, argument, _ := strings.Cut(strings.ToUpper(line), " ")
		bareList := p == login.POP3 && verb == "AUTH" && argument == "" // MS-OXPOP3 1.7: a question
		if !slices.Contains(quiet[p], verb) && !bareList {
			return false
		}
	}
	return true
}
