package clientsim

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// Bare is one exchange on a connection that is already open, without any
// client's manner: no greeting, no discovery, no leave. It says what the
// mechanism demands, or what Alter makes of that.
type Bare struct {
	Conn      *wire.Conn
	Protocol  login.Protocol
	Mechanism login.Mechanism
	// Greeting is where APOP finds its timestamp.
	Greeting string
	// InCommand: the first message stands in the command where the mechanism
	// lets the client speak first (RFC 4954 4, RFC 5034 4).
	InCommand bool
	// Alter, where set, makes another message of the nth, counted from 0; nil
	// breaks the exchange off there with "*".
	Alter func(n int, message []byte) []byte

	mech.ClientConfig
}

// BareResult is what came of it.
type BareResult struct {
	// Reply is the answer that decided, its first line as it came; More are
	// SMTP's further lines.
	Reply string
	More  []string
	// Accepted: the server confirmed the login.
	Accepted bool
	// Messages are the client's, Challenges the server's, before any base64.
	Messages, Challenges [][]byte
	// Unproven is why the client half broke the exchange off: what the server
	// said is not what one must say that has the password. Nil where it had no
	// reason to.
	Unproven error
}

// Run runs the exchange. An error is that the connection broke.
func (b Bare) Run() (BareResult, error) {
	impl, ok := mech.Get(b.Mechanism)
	if !ok {
		return BareResult{}, fmt.Errorf("nobody has written %q", b.Mechanism)
	}
	b.ClientConfig.Protocol = b.Protocol
	if b.TLS == nil && b.Conn.Encrypted() {
		state := b.Conn.TLSState()
		b.TLS = &state
	}
	x := &bareExchange{Bare: b, impl: impl}
	half := impl.Client(b.ClientConfig)
	_, first, err := half.Start()
	if err != nil {
		return x.result, fmt.Errorf("%w: %w", errUnable, err)
	}
	next := half.Next
	switch b.Mechanism {
	case login.UserPass:
		err = x.userPass(first, next)
	case login.APOP:
		err = x.apop(next)
	default:
		err = x.sasl(first, next)
	}
	return x.result, err
}

type bareExchange struct {
	Bare
	impl   mech.Impl
	result BareResult
}

// message is the nth message as it is sent; ok is false where it is to be
// broken off.
func (x *bareExchange) message(m []byte) (_ []byte, ok bool) {
	if x.Alter != nil {
		if m = x.Alter(len(x.result.Messages), m); m == nil {
			return nil, false
		}
	}
	x.result.Messages = append(x.result.Messages, m)
	return m, true
}

// userPass says the half's first message, which is the name, behind USER.
func (x *bareExchange) userPass(name []byte, next func([]byte) ([]byte, error)) error {
	for _, verb := range []string{"USER", "PASS"} {
		m, err := name, error(nil)
		if verb == "PASS" {
			m, err = next(nil)
		}
		if err != nil {
			return err
		}
		m, ok := x.message(m)
		if !ok {
			return nil
		}
		shown := verb + " <user>"
		if verb == "PASS" {
			shown = verb + " <secret>"
		}
		kind, err := x.tell(verb+" "+string(m), shown)
		if err != nil || kind == wire.No {
			return err
		}
		x.result.Accepted = verb == "PASS"
	}
	return nil
}

func (x *bareExchange) apop(next func([]byte) ([]byte, error)) error {
	stamp := []byte(wire.Timestamp(x.Greeting))
	x.result.Challenges = append(x.result.Challenges, stamp)
	m, err := next(stamp)
	if err != nil {
		return err
	}
	m, _ = x.message(m)
	kind, err := x.tell("APOP "+string(m), "APOP <user> <proof>")
	x.result.Accepted = kind == wire.Yes
	return err
}

func (x *bareExchange) sasl(first []byte, next func([]byte) ([]byte, error)) error {
	line := "AUTH " + string(x.Mechanism)
	shown := line
	if x.InCommand && first != nil {
		m, ok := x.message(first)
		if !ok {
			return nil
		}
		line, shown, first = line+" "+initial(m), shown+" "+x.placeholder(), nil
	}
	kind, err := x.tell(line, shown)
	for steps := 0; err == nil && kind == wire.Undecided; steps++ {
		if steps == maxSteps {
			return errEndless
		}
		kind, err = x.respond(first, next)
		first = nil
	}
	x.result.Accepted = kind == wire.Yes
	return err
}

// maxSteps is more than any mechanism has: a server may answer "*" with another
// challenge, and the next one too.
const maxSteps = 20

var errEndless = errors.New("the server goes on although the exchange was broken off")

// respond answers the challenge read last. What the half makes of a challenge
// that it cannot take is "*" (RFC 4954 4, RFC 5034 4).
func (x *bareExchange) respond(first []byte, next func([]byte) ([]byte, error)) (wire.AnswerKind, error) {
	m, err := first, error(nil)
	if m == nil {
		var challenge []byte
		if challenge, err = x.challenge(); err == nil {
			x.result.Challenges = append(x.result.Challenges, bytes.Clone(challenge))
			m, err = next(challenge)
		}
	}
	if err != nil {
		x.result.Unproven = err
		return x.tell("*", "*")
	}
	m, ok := x.message(m)
	if !ok {
		return x.tell("*", "*")
	}
	return x.tell(base64.StdEncoding.EncodeToString(m), x.placeholder())
}

// challenge decodes the one read last. A prompt for the password itself is
// read by nobody.
func (x *bareExchange) challenge() ([]byte, error) {
	_, text, _ := strings.Cut(x.result.Reply, " ")
	challenge, err := base64.StdEncoding.DecodeString(text)
	if x.impl.Insecure() {
		return nil, nil
	}
	if text != "" {
		x.Conn.Reshow(strings.TrimSuffix(x.result.Reply, text) + "<challenge>")
	}
	if err != nil {
		return nil, errors.New("undecodable challenge")
	}
	return challenge, nil
}

func (x *bareExchange) placeholder() string {
	switch {
	case x.Mechanism == login.LOGIN && len(x.result.Messages) == 1:
		return "<user>"
	case x.impl.Class >= login.ShowsToken:
		return "<secret>"
	default:
		return "<proof>"
	}
}

// tell says a line; what is neither yes nor no asks for the next message, or
// is USER's +OK.
func (x *bareExchange) tell(line, shown string) (wire.AnswerKind, error) {
	if err := x.Conn.SendSecret(line, shown); err != nil {
		return wire.No, err
	}
	if x.Protocol == login.POP3 {
		reply, err := x.Conn.ReadPOP3()
		x.result.Reply = reply.Line
		switch reply.Status {
		case wire.POP3OK:
			return wire.Yes, err
		case wire.POP3Continue:
			return wire.Undecided, err
		default:
			return wire.No, err
		}
	}
	reply, err := x.Conn.ReadSMTP()
	x.result.Reply, x.result.More = reply.First, reply.Lines[min(1, len(reply.Lines)):]
	switch reply.Code {
	case 334:
		return wire.Undecided, err
	case 235:
		return wire.Yes, err
	default:
		return wire.No, err
	}
}
