package clientsim

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"syscall"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// Config is one login to be made.
type Config struct {
	Profile   Profile
	Protocol  login.Protocol
	Transport login.Transport
	// Mechanism is what the user chose; [login.Auto] leaves it to the client
	// as it is installed.
	Mechanism login.Mechanism
	Door      wire.Door
	// Host is the name of the server as the user typed it: what the
	// certificate must be for.
	Host       string
	Secrets    login.Secrets
	Credential login.Credential
	// NTLM is the kind of response where an experiment imitates another
	// Windows; "" is the profile's own.
	NTLM login.NTLMKind
	// Authzid is whom the client asks to act as, where an experiment wants
	// somebody else; "" is as the client does it.
	Authzid string
	// Binding is how SCRAM binds to the connection where an experiment wants
	// another way; "" is the client's own.
	Binding login.Binding
	// BoundTo is the connection that SCRAM is bound to in place of this one:
	// that is what it comes to when somebody stands between client and server.
	BoundTo *tls.ConnectionState
	// NewestTLS is the highest version where an experiment wants an older one;
	// 0 is the client's own.
	NewestTLS uint16
	// Trust: the user has told the client to take whatever certificate it
	// is shown.
	Trust bool
	// Rand is the source of nonces; nil is the machine's.
	Rand io.Reader
	// Now is the clock that certificates are judged by; nil is [time.Now].
	Now func() time.Time
	// Limit is how long the server may take for one answer; 0 is 10 seconds.
	Limit time.Duration
}

// Result is what came of a login.
type Result struct {
	// Observation has everything but the exposures, which are measured on the
	// tap.
	Observation login.Observation
	Attempts    []Attempt
	Transcript  []string
	// Tap is nil where no connection came about.
	Tap *wire.Tap
}

// Attempt is one exchange: one mechanism, one user.
type Attempt struct {
	Mechanism login.Mechanism
	Initial   bool // the first message stood in the command
	Asked     bool // the server asked for the secret
	Cancelled bool // the client broke off
	Accepted  bool
	// WindowsUser: it was the user of the Windows session who was offered.
	WindowsUser bool
	// Reply is the answer that decided; "" where there was none.
	Reply string
}

// Login makes one login in the profile's manner and takes leave.
func Login(ctx context.Context, c Config) Result {
	s := &session{Config: c.withDefaults(), sheet: c.Profile.sheet.in(c.Protocol)}
	outcome, err := s.run(ctx)
	if err != nil {
		outcome = s.explain(ctx, err)
	}
	o := &s.result.Observation
	o.Outcome, o.Attempted = outcome, len(s.result.Attempts) > 0
	if o.Attempted {
		last := s.result.Attempts[len(s.result.Attempts)-1]
		o.Used = last.Mechanism
		o.Reply = last.Reply
	}
	return s.result
}

func (c Config) withDefaults() Config {
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Limit == 0 {
		c.Limit = 10 * time.Second
	}
	return c
}

// session is one login under way.
type session struct {
	Config
	sheet  *protocolSheet
	conn   *wire.Conn
	speaks dialect
	offer  offer
	hungUp bool // there is nobody to take leave of
	result Result
}

// dialect is what SMTP and POP3 do not share. An error is always that the
// conversation broke.
type dialect interface {
	// greet reads the server's greeting.
	greet() (answer, error)
	// discover asks what the server offers, as far as the client wants to
	// know where it looks for the mechanisms.
	discover([]login.Mechanism) error
	// startTLS asks for encryption.
	startTLS() (answer, error)
	// say sends a line of a login and shows another in its place.
	say(line, shown string) (answer, error)
	// hideChallenge takes the challenge just read out of the transcript.
	hideChallenge()
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

// end is a shorthand for an outcome that needs words.
func (s *session) end(o login.Outcome, detail string) (login.Outcome, error) {
	s.result.Observation.Detail = detail
	return o, nil
}

// run is the login from the first packet to the last.
func (s *session) run(ctx context.Context) (login.Outcome, error) {
	if err := s.check(); err != nil {
		return "", failure{err}
	}
	raw, err := s.dial(ctx)
	if err != nil {
		if s.Transport.Encrypted() && portClosed(err) {
			return s.end(login.NoTLS, err.Error())
		}
		return "", failure{err}
	}
	s.result.Tap = wire.NewTap(raw)
	s.conn = wire.NewConn(ctx, s.result.Tap, s.Limit)
	defer func() {
		s.result.Transcript = s.conn.Transcript()
		_ = s.conn.Close()
	}()
	s.speaks = s.dialect()
	outcome, err := s.converse(ctx)
	if err == nil && !s.hungUp {
		// The answer does not matter, but a server that has given it is done
		// with us.
		_, _ = s.speaks.say("QUIT", "QUIT")
	}
	return outcome, err
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
	case !p.can(s.Protocol, s.Transport):
		return fmt.Errorf("%s cannot do %s over %q", p, s.Protocol, s.Transport)
	case s.Mechanism == login.Auto && len(s.sheet.Choice.Value) == 0:
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
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET)
}

// converse greets, encrypts, looks and logs in.
func (s *session) converse(ctx context.Context) (login.Outcome, error) {
	if s.Transport == login.TLS {
		if outcome, err := s.encrypt(ctx); outcome != "" || err != nil {
			return outcome, err
		}
	}
	greeting, err := s.speaks.greet()
	if err != nil {
		return "", err
	}
	if greeting.kind != accepted {
		s.result.Observation.Reply = greeting.line
		return s.end(login.Refused, "refused at the greeting")
	}
	candidates := s.candidates()
	if err := s.speaks.discover(candidates); err != nil {
		return "", err
	}
	if s.Transport == login.StartTLS {
		if outcome, err := s.upgrade(ctx, candidates); outcome != "" || err != nil {
			return outcome, err
		}
	}
	m, ok := s.choose(candidates)
	if !ok {
		return login.NotOffered, nil
	}
	return s.logIn(m)
}

// upgrade asks for encryption and, once it is there, looks again: what was
// learnt in clear does not count (RFC 3207 4.2, RFC 2595 4). Only the greeting
// is not said twice.
func (s *session) upgrade(ctx context.Context, candidates []login.Mechanism) (login.Outcome, error) {
	if !s.offer.startTLS {
		return s.end(login.NoTLS, "encryption is not offered")
	}
	a, err := s.speaks.startTLS()
	if err != nil {
		return "", err
	}
	if a.kind != accepted {
		return s.end(login.NoTLS, "encryption is refused: "+a.line)
	}
	if outcome, err := s.encrypt(ctx); outcome != "" || err != nil {
		return outcome, err
	}
	s.offer = offer{timestamp: s.offer.timestamp}
	return "", s.speaks.discover(candidates)
}

// encrypt runs the handshake.
func (s *session) encrypt(ctx context.Context) (login.Outcome, error) {
	config := s.Profile.sheet.TLS.config(s.Host, s.Trust, s.Door.Authority(), s.Now)
	if s.NewestTLS != 0 {
		config.MaxVersion = min(config.MaxVersion, s.NewestTLS)
	}
	if err := s.showCertificate(config); err != nil {
		return "", failure{err}
	}
	err := s.conn.Upgrade(ctx, config)
	if err == nil {
		return "", nil
	}
	s.hungUp = true
	var rejected *certificateError
	switch {
	case ctx.Err() != nil:
		return "", err
	case errors.As(err, &rejected):
		s.conn.Note(rejected.why)
		return s.end(login.CertRejected, err.Error())
	default:
		s.conn.Note("no TLS")
		return s.end(login.NoTLS, "handshake: "+err.Error())
	}
}

// showCertificate gives the client its own certificate to show, where it may
// log in with one (RFC 4422 A).
func (s *session) showCertificate(config *tls.Config) error {
	issued := s.Secrets.PresentedIssue(s.Credential)
	if !slices.Contains(s.candidates(), login.EXTERNAL) || !issued.Has(login.PresentsCertificate) {
		return nil
	}
	pair, err := tls.X509KeyPair(issued.Certificate, issued.Key)
	if err != nil {
		return fmt.Errorf("the client's certificate: %w", err)
	}
	// Shown whoever the server trusts: a client that has one certificate does
	// not choose.
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	return nil
}

// candidates are the mechanisms that the client may use, in its order.
func (s *session) candidates() []login.Mechanism {
	if s.Mechanism == login.Auto {
		return s.sheet.Choice.Value
	}
	return []login.Mechanism{s.Mechanism}
}

// choose takes the first candidate that the client need not see or sees; the
// probe takes what it is told to.
func (s *session) choose(candidates []login.Mechanism) (login.Mechanism, bool) {
	for _, m := range candidates {
		where := s.sheet.Mechanisms[m].Looks
		if where == nowhere {
			s.result.Observation.Offered = nil
			return m, true
		}
		offered := s.offer.shows(where, m)
		s.result.Observation.Offered = &offered
		if offered || s.Profile.Probe() {
			return m, true
		}
	}
	return "", false
}
