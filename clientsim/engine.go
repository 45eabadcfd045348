package clientsim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"syscall"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// Login makes one login in the profile's manner and takes leave.
func Login(ctx context.Context, c Config) Result {
	s := &session{Config: c.withDefaults(), sheet: c.Profile.sheet.in(c.Protocol)}
	s.result.Observation.Outcome = s.run(ctx)
	o := &s.result.Observation
	o.Attempted = len(s.result.Attempts) > 0
	if o.Attempted {
		last := s.result.Attempts[len(s.result.Attempts)-1]
		o.Used = last.Mechanism
		o.Reply = last.Reply
	}
	return s.result
}

// session is one login under way, over as many connections as the client
// makes.
type session struct {
	Config
	sheet  *protocolSheet
	speaks dialect
	result Result

	// clear: the client has given up encryption.
	clear bool
	// candidates are the mechanisms that it has not tried yet, in its order.
	candidates []login.Mechanism
	tries      map[login.Mechanism]int
	noCAPA     bool // it was refused, and is not said again

	// What belongs to the connection.
	conn   *wire.Conn
	offer  offer
	hungUp bool // there is nobody to take leave of
	// greeted: the server's greeting has been read.
	greeted bool
	// withheld: a mechanism was offered that it does not use in clear.
	withheld bool
}

// dialect is what SMTP and POP3 do not share. An error is always that the
// conversation broke, or an [*ending].
type dialect interface {
	// greet reads the server's greeting.
	greet() (answer, error)
	// discover asks what the server offers, as far as the client wants to
	// know.
	discover() error
	// startTLS asks for encryption.
	startTLS() (answer, error)
	// say sends a line of a login and shows another in its place.
	say(line, shown string) (answer, error)
	// hideChallenge takes the challenge just read out of the transcript.
	hideChallenge()
	// use does what the client does when the login is behind it.
	use() error
}

// answer is what a server said, as far as a login goes.
type answer struct {
	kind answerKind
	text string // what follows the code: a challenge
	line string // its first line as it came
}

// answerKind is the class of an answer; the zero value refuses.
type answerKind uint8

const (
	refused  answerKind = iota
	asked               // for the next message: 334, "+", +OK to USER
	accepted            // 235, +OK
)

// failure marks an error as ours. What is not marked came of the conversation
// with the peer.
type failure struct{ error }

// ending is that the client is done with a connection: what came of it, and
// what it does now.
type ending struct {
	outcome login.Outcome
	detail  string
	then    reaction
}

func (e *ending) Error() string { return string(e.outcome) + ": " + e.detail }

// maxConnections is more than any client makes for one login.
const maxConnections = 12

// run is the login from the first packet to the last.
func (s *session) run(ctx context.Context) login.Outcome {
	if err := s.check(); err != nil {
		return s.explain(ctx, failure{err})
	}
	if e := s.sheet.Encryption; e != nil && e.Insists.or(false) {
		s.IfAvailable = false
	}
	s.speaks = s.dialect()
	s.candidates = s.willing()
	s.tries = map[login.Mechanism]int{}
	var outcome login.Outcome
	for range maxConnections {
		o, again, err := s.connection(ctx)
		if err != nil {
			return s.explain(ctx, err)
		}
		if outcome = o; !again {
			break
		}
	}
	return outcome
}

// explain is the outcome of a login that an error ended.
func (s *session) explain(ctx context.Context, err error) login.Outcome {
	var ours failure
	switch {
	case ctx.Err() != nil:
		s.result.Observation.Detail = "interrupted: " + context.Cause(ctx).Error()
		return login.Error
	case errors.As(err, &ours):
		s.result.Observation.Detail = err.Error()
		return login.Error
	default:
		s.result.Observation.Detail = err.Error()
		return login.Dropped
	}
}

// connection is one, from the first packet to the last; again is whether the
// client makes another.
func (s *session) connection(ctx context.Context) (outcome login.Outcome, again bool, err error) {
	raw, err := s.dial(ctx)
	if err != nil {
		if s.Transport.Encrypted() && portClosed(err) {
			s.result.Observation.Detail = err.Error()
			return login.NoTLS, false, nil
		}
		return "", false, failure{err}
	}
	tap := wire.NewTap(raw)
	s.result.Taps = append(s.result.Taps, tap)
	s.conn, s.offer, s.hungUp, s.withheld, s.greeted = wire.NewConn(ctx, tap, s.Limit), offer{}, false, false, false
	defer func() {
		s.result.Transcript = append(s.result.Transcript, s.conn.Transcript()...)
		_ = s.conn.Close()
	}()

	then := quitting
	var end *ending
	switch err := s.converse(ctx); {
	case errors.As(err, &end):
		s.result.Observation.Detail = end.detail
		outcome, then = end.outcome, end.then
	case err != nil:
		return "", false, err
	default:
		outcome = s.outcome()
		if s.Whole {
			then = s.sheet.Leaves.or(quitting)
		}
	}
	again, quits := then.reconnects()
	if !s.Whole && !again {
		quits = true
	}
	if !s.hungUp {
		s.giveUp(then)
	}
	if quits && !s.hungUp {
		// The answer does not matter, but a server that has given it is done
		// with us.
		quit := spell(s.sheet, "QUIT")
		_, _ = s.speaks.say(quit, quit)
	}
	return outcome, again, nil
}

// lastWords are what the client says before it closes a connection on which it
// has had no success.
func (s *session) lastWords(then reaction) []string {
	if !s.Whole || then != closing {
		return nil
	}
	return s.sheet.GivesUp.or(nil)
}

// giveUp says them, up to the first that the server refuses. A server that is
// gone meanwhile changes nothing.
func (s *session) giveUp(then reaction) {
	words := s.lastWords(then)
	if len(words) > 0 && !s.greeted { // who speaks has heard the greeting
		if _, err := s.speaks.greet(); err != nil {
			return
		}
	}
	for _, line := range words {
		line = spell(s.sheet, line)
		a, err := s.speaks.say(line, line)
		if err != nil || a.kind == refused && !strings.HasPrefix(a.line, "2") {
			return
		}
	}
}

func (s *session) dialect() dialect {
	if s.Protocol == login.POP3 {
		return pop3{s}
	}
	return smtp{s}
}

// check refuses what this client cannot be asked to do.
func (s *session) check() error {
	p := s.Profile
	switch {
	case s.Door == nil:
		return errors.New("no door to go through")
	case !p.can(s.Protocol, s.Transport) && !(s.IfAvailable && p.Opportunistic(s.Protocol)):
		return fmt.Errorf("%s cannot do %s over %q", p, s.Protocol, s.Transport)
	case s.IfAvailable && !p.Opportunistic(s.Protocol):
		return fmt.Errorf("%s has no setting for %s to encrypt if it can", p, s.Protocol)
	case s.Mechanism == login.Auto && p.Probe() && !s.Whole:
		return fmt.Errorf("%s has no choice of its own in %s", p, s.Protocol)
	case s.Mechanism != login.Auto && !p.knows(s.Protocol, s.Mechanism):
		return fmt.Errorf("%s does not know %q in %s", p, s.Mechanism, s.Protocol)
	}
	return nil
}

func (s *session) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, s.Limit)
	defer cancel()
	return s.Door.Dial(ctx, s.Protocol, s.Transport)
}

// portClosed reports whether nobody serves the port. Any other error of a
// dial says something of our machine and nothing of the server.
func portClosed(err error) bool {
	return wire.FailedAs(err, syscall.ECONNREFUSED, syscall.ECONNRESET)
}

// converse greets, encrypts, looks, logs in and uses the login.
func (s *session) converse(ctx context.Context) error {
	if s.Transport == login.TLS {
		if err := s.encrypt(ctx); err != nil {
			return err
		}
	}
	greeting, err := s.speaks.greet()
	if err != nil {
		return err
	}
	s.greeted = true
	if greeting.kind != accepted {
		s.result.Observation.Reply = greeting.line
		return &ending{login.Refused, "refused at the greeting", closing}
	}
	if !s.encryptsFirst() {
		if err := s.speaks.discover(); err != nil {
			return err
		}
	}
	if s.Transport == login.StartTLS && !s.clear {
		if err := s.upgrade(ctx); err != nil {
			return err
		}
	}
	if err := s.logIn(ctx); err != nil {
		return err
	}
	if !s.Whole {
		return nil
	}
	return s.speaks.use()
}

// willing are the mechanisms that the client may use, in its order.
func (s *session) willing() []login.Mechanism {
	if s.Mechanism == login.Auto {
		return s.sheet.Choice.Value
	}
	return append([]login.Mechanism{s.Mechanism}, s.sheet.FallsTo.or(nil)...)
}

// outcome is what the attempts came to.
func (s *session) outcome() login.Outcome {
	if len(s.result.Attempts) == 0 {
		return login.NotOffered
	}
	last := s.result.Attempts[len(s.result.Attempts)-1]
	switch {
	case last.Accepted:
		return login.LoggedIn
	case last.Asked && !last.Cancelled && !wire.Temporary(s.Protocol, last.Reply):
		// Who was asked for the secret and then refused is refused for it, unless
		// the server says that it is for something else.
		return login.RefusedCredentials
	default:
		return login.Refused
	}
}

// choose takes the first candidate that the client need not see or sees; the
// probe takes what it is told to.
func (s *session) choose() (login.Mechanism, bool) {
	tried := s.result.Observation.Offered
	for _, m := range s.inOrder() {
		if s.passesOver(m) {
			continue
		}
		known := s.sheet.Mechanisms[m]
		if known.EncryptedOnly && !s.conn.Encrypted() {
			offered := s.offer.shows(known.Looks, m)
			s.looked(offered)
			s.withheld = s.withheld || offered
			continue
		}
		if s.offer.blind(known.Looks) {
			s.result.Observation.Offered = nil
			return m, true
		}
		offered := s.offer.shows(known.Looks, m)
		s.looked(offered && (known.Looks != lookAnyAUTH || slices.Contains(s.offer.mechanisms, m)))
		if offered || s.Profile.Probe() {
			return m, true
		}
	}
	if m := s.sheet.Unlisted.or(""); m != "" && s.Mechanism == login.Auto && s.offer.listed && s.tries[m] == 0 {
		return m, true
	}
	if len(s.result.Attempts) > 0 { // what it looked for in vain says nothing of the one that it tried
		s.result.Observation.Offered = tried
	}
	return "", false
}

// passesOver reports whether a client that chooses for itself sees something
// beside which it does not use m.
func (s *session) passesOver(m login.Mechanism) bool {
	return s.Mechanism == login.Auto && slices.ContainsFunc(s.sheet.PassesOver.or(nil)[m], func(other login.Mechanism) bool {
		return s.offer.shows(s.sheet.Mechanisms[other].Looks, other)
	})
}

func (s *session) looked(offered bool) { s.result.Observation.Offered = &offered }

// inOrder are the candidates that count on this connection, in the order that
// decides.
func (s *session) inOrder() []login.Mechanism {
	candidates := s.candidates
	if inClear := s.sheet.ChoiceInClear; inClear != nil && s.Mechanism == login.Auto && !s.conn.Encrypted() {
		candidates = slices.DeleteFunc(slices.Clone(inClear.Value), func(m login.Mechanism) bool {
			return !slices.Contains(s.candidates, m)
		})
	}
	if s.sheet.Order.or(ownOrder) == ownOrder {
		return candidates
	}
	var ordered []login.Mechanism
	for _, m := range s.offer.mechanisms {
		if slices.Contains(candidates, m) && !slices.Contains(ordered, m) {
			ordered = append(ordered, m)
		}
	}
	for _, m := range candidates {
		if !slices.Contains(ordered, m) {
			ordered = append(ordered, m)
		}
	}
	return ordered
}
