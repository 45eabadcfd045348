package server

import (
	"crypto/rand"
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"log/slog"
	"time"

	"github.com/xdg-go/stringprep"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

// attempt is one login under way.
type attempt struct {
	session   *session
	mechanism login.Mechanism
	half      mech.Server
	looked    bool   // the half has looked a name up
	account   string // the account that it found; "" is none
}

func (s *session) newAttempt(impl mech.Impl) *attempt {
	a := &attempt{session: s, mechanism: impl.Name}
	a.half = impl.Server(a.config())
	return a
}

func (a *attempt) unknown() bool { return a.looked && a.account == "" }

func (a *attempt) config() mech.ServerConfig {
	session, s := a.session, a.session.server
	c := mech.ServerConfig{
		Identity: s.identity, Protocol: session.protocol, Rand: rand.Reader, Now: s.clock.Now, MinimumNTLM: s.minimumNTLM(),
		Lookup: a.lookup, Check: a.check, Keys: a.keysFor, Known: a.known, Same: a.same, Token: s.tokens.Verify, Host: session.calledBy,
		PlusListed: session.listsPlus() && !s.bug(DowngradeIgnored),
		Shown:      session.shown, Certificate: session.certificate, Kerberos: s.kerberos,
	}
	if t, ok := session.conn.(*tls.Conn); ok {
		state := t.ConnectionState()
		c.TLS = &state
	}
	if s.bug(AuthzidIgnored) {
		c.Same = func(string, string) bool { return true }
	}
	if s.bug(ChallengeReused) {
		c.Rand, c.Now = zeros{}, func() time.Time { return time.Unix(0, 0) }
	}
	return a.rejecting(c)
}

// minimumNTLM is the weakest kind of response that is accepted (rule 10).
func (s *Server) minimumNTLM() login.NTLMKind {
	classic := s.setup.Flavour == login.Classic
	switch {
	case s.script.WeakestNTLM != "":
		return s.script.WeakestNTLM
	case classic, s.bug(NTLMv1InModern):
		return login.NTLMv1
	default:
		return login.NTLMv2
	}
}

// known reports whether there is an account of that name.
func (a *attempt) known(name string) bool {
	_, known := a.find(name)
	return known
}

// find looks a name up and keeps whose it is.
func (a *attempt) find(name string) (account login.Account, known bool) {
	account, known = a.session.server.accounts.find(prepared(name))
	if a.mechanism == login.GSSAPI && account.Name != name {
		// RFC 4120 6.2: principals that differ in letter case are two people.
		account, known = login.Account{}, false
	}
	a.looked, a.account = true, account.Name
	return account, known
}

// same reports whether both names are of one account.
func (a *attempt) same(one, other string) bool {
	return a.session.server.accounts.same(prepared(one), prepared(other))
}

// prepared is a name as it is compared in a login, by whatever mechanism (RFC
// 4954 4, RFC 5034 4: by SASLprep). What SASLprep forbids is "", nobody's.
func prepared(name string) string {
	name, err := stringprep.SASLprep.Prepare(name)
	if err != nil {
		return ""
	}
	return name
}

// lookup finds the password for a half. An unknown name gets one too, which
// verifies nothing, so that it takes the same steps as a wrong password.
func (a *attempt) lookup(name string) (password string, ok bool) {
	account, known := a.find(name)
	if !known {
		return "no account has this password", false
	}
	password = a.session.server.secret(a.session.protocol, a.mechanism, account)
	return password, password != ""
}

// check compares a password that was sent itself with what the database
// holds; for an unknown name in the same time.
func (a *attempt) check(name, password string) bool {
	s := a.session.server
	account, known := a.find(name)
	if s.bug(EmptyPassword) && password == "" {
		return known
	}
	if s.setup.Database == login.SCRAMKeys && !s.checksOverride(a.session.protocol, a.mechanism, account.Override != "") {
		keys, known := a.keysFor(name, mech.SHA256)
		return keys.Check(mech.SHA256, password) && known
	}
	right, known := a.lookup(name)
	same := subtle.ConstantTimeCompare([]byte(right), []byte(password)) == 1
	return same && known
}

// conclude records how an attempt ended and answers it. The record comes
// first: whoever has read the answer finds it.
func (s *session) conclude(a *attempt, err error) {
	if s.rejects(a, err) {
		return
	}
	rec := login.Record{Mechanism: a.mechanism}
	if s.forgives(a, err) {
		err = nil
	}
	switch {
	case err == nil:
		s.admit(a, rec)
	case errors.Is(err, errLost):
		// There is nobody to answer. Who was told that his token is no good has
		// failed all the same.
		if refused := a.refused(); refused != nil {
			rec.Refusal, rec.Reason = login.ByCredentials, a.reason(refused)
			s.write(rec)
		}
	case a.refused() != nil: // and whatever he says to that
		s.failed(a, rec, a.refused())
	case errors.Is(err, mech.ErrCredentials):
		s.failed(a, rec, err)
	default:
		end := endOf(err)
		rec.Refusal, rec.Reason = end.refusal, end.reason
		s.refuse(rec, end.phrase)
	}
}

// ending is how an exchange is answered that came to no verdict.
type ending struct {
	err     error
	refusal login.Refusal
	phrase  phrase
	reason  string
}

var endings = []ending{
	{errCancelled, login.BySyntax, sayCancelled, "cancelled by the client"},
	{errNotBase64, login.BySyntax, sayNotBase64, "not base64"},
	{errTooLong, login.BySyntax, sayAuthTooLong, "line too long"},
	{mech.ErrServerFirst, login.BySyntax, sayServerFirst, "an initial response where the server speaks first"},
	{mech.ErrMalformed, login.BySyntax, sayMalformed, "not a message of this mechanism"},
}

func endOf(err error) ending {
	for _, e := range endings {
		if errors.Is(err, e.err) {
			return e
		}
	}
	return ending{err, login.ByServerProblems, sayTrouble, err.Error()}
}

// refused is why the half has told the client already that the login fails,
// where a mechanism has a message for that; nil is that it has not.
func (a *attempt) refused() error {
	if half, ok := a.half.(interface{ Refused() error }); ok {
		return half.Refused()
	}
	return nil
}

// reason is what the record says of wrong credentials.
func (a *attempt) reason(err error) string {
	if a.unknown() {
		return "unknown name"
	}
	return err.Error()
}

// nobody is whom ANONYMOUS lets in.
const nobody = "(nobody)"

// admit opens what a login opens, and confirms it.
func (s *session) admit(a *attempt, rec login.Record) {
	account := a.account
	if s.anonymous = a.mechanism == login.ANONYMOUS; s.anonymous {
		account = nobody
	}
	switch err := s.dialect.admit(account); {
	case errors.Is(err, errMailboxInUse):
		rec.Refusal, rec.Reason = login.ByMailboxInUse, err.Error()
		s.refuse(rec, sayInUse)
		return
	case err != nil:
		rec.Refusal, rec.Reason = login.ByServerProblems, err.Error()
		s.refuse(rec, sayTrouble)
		return
	}
	s.account = account
	s.write(rec)
	s.losePipelined()
	if s.server.bug(SuccessCode) && s.protocol == login.SMTP {
		s.reply("250 2.7.0 you are logged in")
		return
	}
	s.tell(sayLoggedIn)
}

// failed answers wrong credentials; in the posture SlowDown it does so later
// and later, and ends the connection after a number of them (rule 11).
func (s *session) failed(a *attempt, rec login.Record, err error) {
	rec.Refusal, rec.Reason = login.ByCredentials, a.reason(err)
	if s.server.bug(FailureRemembered) && s.dialect.admit(nobody) == nil {
		s.account = nobody
	}
	answer := sayWrong
	switch {
	case s.server.bug(UnknownTold) && a.unknown():
		answer = sayNoSuchUser
	case s.server.bug(WrongAsUnavailable):
		answer = sayNotPermitted
	}
	if !s.server.setup.Posture.SlowDown {
		s.refuse(rec, answer)
		return
	}
	s.failures++
	delay := s.server.limits.FailureDelay << min(s.failures-1, 16)
	rec.DelayMS = delay.Milliseconds()
	s.flush() // pipelined commands before this one are not made to wait
	s.server.clock.Sleep(s.server.ctx, delay)
	if s.failures < s.server.limits.FailedLogins {
		s.refuse(rec, answer)
		return
	}
	rec.Refusal, rec.Reason = login.ByTooMany, rec.Reason+", once too often on this connection"
	s.write(rec)
	s.end(sayTooManyFailures)
}

// refuse records a refusal and answers it.
func (s *session) refuse(rec login.Record, answer phrase) {
	s.write(rec)
	s.tell(answer)
}

func (s *session) write(rec login.Record) {
	rec.Protocol, rec.Encrypted = s.protocol, s.encrypted
	s.server.record.add(rec)
	s.event("login", slog.String("mechanism", string(rec.Mechanism)), slog.String("refusal", string(rec.Refusal)),
		slog.String("reason", rec.Reason), slog.String("account", s.account))
}

// zeros is a source of chance without any, for a mutant.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}
