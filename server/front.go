package server

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// session is one connection, whichever protocol it speaks: lines in, replies
// out, the upgrade to TLS and the login.
type session struct {
	server   *Server
	protocol login.Protocol
	dialect  dialect
	say      *phrasebook
	number   int // of the connection, from 1

	raw       net.Conn
	conn      net.Conn // raw, or TLS over it
	in        *bufio.Reader
	out       []byte // replies that wait to be written together
	witnessed int    // how much of out a witness has been told
	encrypted bool
	octets    int64 // how many have been read, in lines
	over      bool  // nothing more is read

	// certificate is the client's, if it showed one that was verified.
	certificate *x509.Certificate
	// shown is the server's own, as the client saw it.
	shown *x509.Certificate

	account   string // who is logged in; "" is nobody
	anonymous bool   // by ANONYMOUS, as nobody
	failures  int    // failed logins
	errors    int    // commands that nobody understood
}

// dialect is what SMTP and POP3 do each in their own way.
type dialect interface {
	// greet says the first words.
	greet()
	// command obeys one line.
	command(verb, arg string)
	// longest is how many octets a line with that verb may have.
	longest(verb string) int
	// admit opens what the login of an account opens, before it is confirmed.
	admit(account string) error
	// forget drops what was said before TLS.
	forget()
	// leave gives back what the session holds.
	leave()
}

// Buffers are small, so that thousands of idle connections cost little;
// longer lines are put together elsewhere.
const (
	inBuffer  = 2 << 10
	outBuffer = 32 << 10 // replies are written when there are more than this
)

var (
	readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, inBuffer) }}
	outputs = sync.Pool{New: func() any { b := make([]byte, 0, 512); return &b }}
)

func newSession(s *Server, conn net.Conn, p login.Protocol, number int) *session {
	c := &session{server: s, protocol: p, number: number, say: s.manner().phrases[p], raw: conn, conn: conn}
	c.in = readers.Get().(*bufio.Reader)
	c.in.Reset(conn)
	c.out = *outputs.Get().(*[]byte)
	if p == login.POP3 {
		c.dialect = &pop3{session: c}
	} else {
		c.dialect = &smtpFront{session: c}
	}
	return c
}

// recycle gives the buffers back once nobody uses the session.
func (s *session) recycle() {
	s.in.Reset(nil)
	readers.Put(s.in)
	if cap(s.out) <= 2*outBuffer {
		out := s.out[:0]
		outputs.Put(&out)
	}
}

// serve is the life of a session.
func (s *session) serve(implicitTLS bool) {
	defer func() { _ = s.conn.Close() }()
	defer s.dialect.leave()
	s.event("connect", slog.Bool("implicit_tls", implicitTLS))
	s.witness(login.EventOpened, "")
	defer s.event("disconnect")
	defer s.witness(login.EventClosed, "")
	if implicitTLS && s.server.encryptsPort() {
		// RFC 8314 3: nothing is said in clear on such a port.
		if !s.server.bug(ImplicitClear) && (!s.server.Implicit() || s.handshake() != nil) {
			return
		}
	}
	s.dialect.greet()
	for !s.over {
		if s.hearsTLS() {
			continue
		}
		line, err := s.hear(longestAuth)
		verb, arg := splitCommand(line)
		if s.server.bug(MechanismInUpperCase) {
			verb, _, _ = strings.Cut(string(line), " ")
		}
		switch {
		case errors.Is(err, errTooLong), err == nil && !s.within(line, verb):
			s.misspelt(verb, arg, sayTooLong)
		case errors.Is(err, errControl):
			s.misspelt(verb, arg, sayBadLine)
		case err != nil:
			s.lost(err)
		case s.answersOtherwise(verb):
		default:
			s.dialect.command(verb, arg)
		}
	}
	s.flush()
}

// splitCommand divides a line at its first blank. Verbs are known in any
// letter case (RFC 5321 2.4, RFC 1939 3).
func splitCommand(line []byte) (verb, arg string) {
	verb, arg, _ = strings.Cut(string(line), " ")
	return strings.ToUpper(verb), arg
}

// reply adds a line to what is written next.
func (s *session) reply(line string) {
	if s.server.bug(CodesMissing) && s.protocol == login.SMTP {
		line = enhancedCode.ReplaceAllString(line, "$1")
	}
	s.out = append(append(s.out, line...), '\r', '\n')
	if len(s.out) > outBuffer {
		s.flush()
	}
}

// tell replies with a phrase.
func (s *session) tell(p phrase) {
	if text := s.say[p]; text != "" {
		s.reply(text)
	}
}

// end tells why and reads nothing more.
func (s *session) end(p phrase) {
	s.tell(p)
	s.over = true
}

// mistake answers a line that is no command of ours, and ends the session
// after many.
func (s *session) mistake(p phrase) {
	s.errors++
	if s.errors > s.server.limits.BadCommands {
		s.end(sayTooManyErrors)
		return
	}
	s.tell(p)
}

// unknown answers a verb that is none. A browser that was led here is cut
// off before its next lines can be taken for mail.
func (s *session) unknown(verb string) {
	switch verb {
	case "GET", "POST", "PUT", "HEAD", "OPTIONS", "CONNECT":
		s.end(sayUnknown)
	default:
		s.losePipelined()
		if s.server.bug(UnknownTaken) {
			s.tell(sayTaken)
			return
		}
		s.mistake(sayUnknown)
	}
}

// readLine writes what waits and reads a line of at most limit octets. What
// waits is kept while further commands have come already, so that pipelined
// commands are answered in one go.
func (s *session) readLine(limit int) ([]byte, error) {
	if buffered, _ := s.in.Peek(s.in.Buffered()); bytes.IndexByte(buffered, '\n') < 0 {
		s.flush()
	}
	if s.server.closing.Load() {
		return nil, os.ErrDeadlineExceeded
	}
	read := readLine
	switch {
	case s.server.bug(LongLineSplit):
		read = readSplitLine
	case s.server.bug(OctetsForgiven):
		read = readForgivenLine
	}
	line, octets, err := read(s.in, limit)
	s.octets += int64(octets)
	return line, err
}

// lost ends a session whose peer has gone, is late or sends no lines.
func (s *session) lost(err error) {
	switch {
	case s.server.closing.Load():
		s.end(sayShutdown)
	case errors.Is(err, os.ErrDeadlineExceeded):
		s.end(sayIdle)
	case errors.Is(err, errBareLF):
		s.end(sayBareLF)
	case errors.Is(err, errEndless):
		s.end(sayTooLong)
	default:
		s.over = true
	}
}

// flush writes the replies, and gives the peer time until the next line.
func (s *session) flush() {
	s.allow(s.idle())
	if len(s.out) == 0 {
		return
	}
	s.witnessReplies()
	if _, err := s.conn.Write(s.out); err != nil {
		s.over = true
	}
	s.out, s.witnessed = s.out[:0], 0
}

func (s *session) idle() time.Duration {
	if s.protocol == login.POP3 {
		return s.server.limits.POP3Idle
	}
	return s.server.limits.SMTPIdle
}

// farewell is how long the last words may take.
const farewell = 5 * time.Second

// allow sets the deadline of what comes next.
func (s *session) allow(d time.Duration) {
	_ = s.raw.SetDeadline(time.Now().Add(d))
	// Close may have interrupted us just before: it must not be undone.
	if s.server.closing.Load() {
		s.interrupt()
	}
}

// interrupt ends a read that is under way; there is time for a last word.
func (s *session) interrupt() {
	_ = s.raw.SetReadDeadline(time.Unix(1, 0))
	_ = s.raw.SetWriteDeadline(time.Now().Add(farewell))
}

// transport is the session's link as a policy sees it.
func (s *session) transport() login.Transport {
	if s.encrypted {
		return login.TLS
	}
	return login.Plain
}

// link is what a decision knows of the session's connection.
func (s *session) link() link { return link{s.transport(), s.certificate != nil} }

// listedLink is the one that the lists are made for.
func (s *session) listedLink() link {
	if s.server.bug(ListKeptAfterTLS) {
		return link{transport: login.Plain}
	}
	return s.link()
}

// offersTLS reports whether STARTTLS or STLS would start TLS now.
func (s *session) offersTLS() bool {
	return (!s.encrypted && s.account == "" || s.server.bug(TLSAgain)) && len(s.server.tls) > 0 &&
		s.server.setup.Posture.StartTLS != login.TLSStripped && !s.server.bug(NoTLS)
}

// startTLS obeys STARTTLS (RFC 3207 4) and STLS (RFC 2595 4).
func (s *session) startTLS(arg string) {
	posture := s.server.setup.Posture.StartTLS
	switch {
	case posture == login.TLSStripped || s.server.bug(NoTLS):
		s.mistake(sayUnknown)
	case arg != "":
		s.tell(sayTLSNoArgument)
	case s.encrypted && !s.server.bug(TLSAgain):
		s.tell(sayTLSAlready)
	case s.account != "" && !s.server.bug(TLSAgain) && !s.server.bug(HelloKeptOverTLS):
		// Who logged in before TLS must not be taken for who comes after it.
		s.tell(sayOutOfOrder)
	case len(s.server.tls) == 0:
		s.tell(sayTLSNone)
	case posture == login.TLSRefused:
		s.tell(sayTLSRefused)
	case s.in.Buffered() > 0 && !s.server.bug(InjectionTrusted):
		// RFC 3207 6: what came in clear must not be taken as if it had come
		// over TLS. Somebody put it there.
		s.event("injection")
		s.end(sayTLSInjection)
	default:
		s.tell(sayTLSReady)
		s.inject()
		s.flush()
		if posture == login.TLSBroken {
			s.breakHandshake()
			return
		}
		s.upgrade()
	}
}

// upgrade makes TLS of the connection and forgets what was said before.
func (s *session) upgrade() {
	if err := s.handshake(); err != nil {
		if s.server.bug(ClearAfterFailure) {
			s.tell(sayTLSFailed)
			return
		}
		// RFC 3207 4.1: after a failed handshake nothing is said in clear.
		s.over = true
		return
	}
	if !s.server.bug(HelloKeptOverTLS) {
		s.dialect.forget()
	}
}

func (s *session) handshake() error {
	trusted := io.Reader(nil)
	if n := s.in.Buffered(); n > 0 {
		early, _ := s.in.Peek(n)
		trusted = bytes.NewReader(bytes.Clone(early))
	}
	s.allow(s.server.limits.Handshake)
	t := tls.Server(s.raw, s.tlsConfig())
	if err := t.Handshake(); err != nil {
		s.tlsFailed(err.Error())
		return err
	}
	if s.server.onHandshake != nil {
		s.server.onHandshake()
	}
	s.conn, s.encrypted = t, true
	s.certificate = s.server.verified(t.ConnectionState().PeerCertificates)
	if trusted != nil { // only the mutant comes here with anything
		s.in.Reset(io.MultiReader(trusted, t))
	} else {
		s.in.Reset(t)
	}
	s.event("tls", slog.String("version", tls.VersionName(t.ConnectionState().Version)))
	s.witness(login.EventTLSUp, "")
	return nil
}

// event writes to the log, if there is one.
func (s *session) event(what string, attrs ...slog.Attr) {
	if s.server.log == nil {
		return
	}
	peer := ""
	if addr := s.raw.RemoteAddr(); addr != nil {
		peer = addr.String()
	}
	s.server.event(slog.LevelInfo, what,
		append(attrs, slog.String("protocol", string(s.protocol)), slog.String("peer", peer), slog.Bool("tls", s.encrypted))...)
}
