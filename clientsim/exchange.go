package clientsim

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/emersion/go-sasl"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// user is who is offered to the server.
type user struct {
	name, password string
	windows        bool // the user of the Windows session
}

// logIn makes the attempts with one mechanism and says what came of the last.
func (s *session) logIn(m login.Mechanism) (login.Outcome, error) {
	var last Attempt
	for _, u := range s.users(m) {
		err := s.attempt(m, u)
		last = s.result.Attempts[len(s.result.Attempts)-1]
		if err != nil {
			return "", err
		}
		if last.Accepted {
			return login.LoggedIn, nil
		}
		if !last.Asked {
			break // no other user would be asked either
		}
	}
	// Who was asked for the secret and then refused is refused for it, unless
	// the server says that it is for something else.
	if last.Asked && !last.Cancelled && !wire.Temporary(s.Protocol, last.Reply) {
		return login.RefusedCredentials, nil
	}
	return login.Refused, nil
}

// users are those whom the client offers, one after the other.
func (s *session) users(m login.Mechanism) []user {
	configured := user{name: s.Secrets.Name, password: s.Secrets.Presented(s.Credential)}
	if m == login.NTLM && s.Profile.sheet.NTLM.WindowsUserFirst.Value {
		return []user{{s.Secrets.WindowsUser, s.Secrets.WindowsPassword, true}, configured}
	}
	return []user{configured}
}

// workstation is how the simulated machine is called. RFC 2606 keeps the
// domain free.
const (
	workstation       = "workstation1"
	workstationDomain = "office.example"
)

// attempt runs one exchange for one user.
func (s *session) attempt(m login.Mechanism, u user) error {
	impl, ok := mech.Get(m)
	if !ok {
		return failure{fmt.Errorf("nobody has written %q", m)}
	}
	issued := s.Secrets.PresentedIssue(s.Credential)
	config := mech.ClientConfig{Protocol: s.Protocol, Host: s.Host, Authzid: s.Authzid, Username: u.name, Password: u.password,
		Token: issued.Token, Ticket: issued.Tickets[s.Protocol], Binding: s.binding(m),
		Workstation: workstation, Rand: s.Rand, Now: s.Now}
	if config.TLS = s.BoundTo; config.TLS == nil && s.conn.Encrypted() {
		state := s.conn.TLSState()
		config.TLS = &state
	}
	if n := s.Profile.sheet.NTLM; n != nil {
		config.NTLM = cmp.Or(s.NTLM, n.Kind.Value)
	}
	s.result.Attempts = append(s.result.Attempts, Attempt{Mechanism: m, WindowsUser: u.windows})
	x := &exchange{session: s, impl: impl, half: impl.Client(config), user: u,
		attempt: &s.result.Attempts[len(s.result.Attempts)-1]}
	switch m {
	case login.UserPass:
		return x.userPass()
	case login.APOP:
		return x.apop()
	default:
		return x.sasl()
	}
}

// binding is how the client binds SCRAM to the connection. RFC 5802 6: who
// could bind, and sees the server not offer it, says so; a server that did
// offer it then knows that somebody stands between them.
func (s *session) binding(m login.Mechanism) login.Binding {
	binds := func(m login.Mechanism) bool { return strings.HasSuffix(string(m), "-PLUS") }
	if s.Binding == login.BindingDefault && s.conn.Encrypted() && s.Profile.knows(s.Protocol, m+"-PLUS") &&
		!slices.ContainsFunc(s.offer.mechanisms, binds) {
		return login.BindingUnused
	}
	return s.Binding
}

// exchange is one attempt under way.
type exchange struct {
	*session
	impl    mech.Impl
	half    sasl.Client
	user    user
	attempt *Attempt
	first   []byte // a first message that waits for its challenge; nil is none
	sent    int    // messages so far
}

// sasl is AUTH: RFC 4954 4 and RFC 5034 4 differ in the codes alone.
func (x *exchange) sasl() error {
	name, first, err := x.half.Start()
	if err != nil {
		return failure{err}
	}
	x.first = first
	line := "AUTH " + name
	shown := line
	if first != nil && slices.Contains(x.sheet.Initial.Value, x.attempt.Mechanism) {
		x.attempt.Initial = true
		shown += " " + x.placeholder()
		line += " " + initial(x.message())
	}
	a, err := x.tell(line, shown)
	for err == nil && a.kind == asked {
		x.attempt.Asked = true
		a, err = x.respond(a)
	}
	if err != nil {
		return err
	}
	x.attempt.Accepted = a.kind == accepted
	if a.kind == refused && slices.Contains(x.sheet.AfterRefusal.Value, x.attempt.Mechanism) {
		return x.carryOn()
	}
	return nil
}

// respond answers a challenge, or cancels where the client has no answer.
func (x *exchange) respond(a answer) (answer, error) {
	if x.first != nil {
		return x.send()
	}
	challenge, err := base64.StdEncoding.DecodeString(a.text)
	if !x.impl.Insecure() { // a prompt for the password itself is read by nobody
		if a.text != "" {
			x.speaks.hideChallenge()
		}
		if err != nil {
			return x.cancel("undecodable challenge")
		}
	}
	x.first, err = x.half.Next(challenge)
	if err != nil {
		return x.cancel(err.Error())
	}
	return x.send()
}

// cancel ends an exchange from our side (RFC 4954 4, RFC 5034 4).
func (x *exchange) cancel(why string) (answer, error) {
	x.attempt.Cancelled = true
	x.result.Observation.Detail = "cancelled by the client: " + why
	return x.tell("*", "*")
}

// send sends the message that waits.
func (x *exchange) send() (answer, error) {
	shown := x.placeholder()
	return x.tell(base64.StdEncoding.EncodeToString(x.message()), shown)
}

// tell sends a line and keeps the answer that decides.
func (x *exchange) tell(line, shown string) (answer, error) {
	a, err := x.speaks.say(line, shown)
	x.attempt.Reply = ""
	if err == nil && a.kind != asked {
		x.attempt.Reply = a.line
	}
	return a, err
}

// message takes the message that waits.
func (x *exchange) message() []byte {
	m := x.first
	x.first = nil
	x.sent++
	return m
}

// placeholder stands in the transcript for the message that waits.
func (x *exchange) placeholder() string {
	switch {
	case x.attempt.Mechanism == login.LOGIN && x.sent == 0:
		return "<user>"
	case x.impl.Class >= login.ShowsToken:
		return "<secret>"
	default:
		return "<proof>"
	}
}

// initial is a first message inside the command: an empty one is written "="
// (RFC 4954 4, RFC 5034 4).
func initial(message []byte) string {
	if len(message) == 0 {
		return "="
	}
	return base64.StdEncoding.EncodeToString(message)
}

// messages is how many a client sends, where no challenge changes them.
var messages = map[login.Mechanism]int{login.PLAIN: 1, login.LOGIN: 2}

// carryOn is what a client does that mistakes a refusal for the next
// challenge: it sends the rest, and only then takes in what it was told. The
// refusal stays what it was, whatever is answered now.
func (x *exchange) carryOn() error {
	for x.sent < messages[x.attempt.Mechanism] {
		if x.first == nil {
			var err error
			if x.first, err = x.half.Next(nil); err != nil {
				return failure{err}
			}
		}
		shown := x.placeholder()
		_, err := x.speaks.say(base64.StdEncoding.EncodeToString(x.message()), shown)
		if err != nil {
			x.hungUp = true
			return nil
		}
	}
	return nil
}
