package clientsim

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/emersion/go-sasl"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

// user is who is offered to the server.
type user struct {
	name, password string
	windows        bool // the user of the Windows session
}

// users are those whom the client offers, one after the other.
func (s *session) users(m login.Mechanism) []user {
	configured := user{name: s.loginName(), password: s.Secrets.Presented(s.Credential)}
	if m == login.NTLM && s.Profile.sheet.NTLM.WindowsUserFirst.Value {
		return []user{{s.Secrets.WindowsUser, s.Secrets.WindowsPassword, true}, configured}
	}
	return []user{configured}
}

// loginName is what of the account's name the client logs in with.
func (s *session) loginName() string {
	name := s.Secrets.Name
	if at := strings.LastIndexByte(name, '@'); at > 0 && s.Profile.sheet.LoginName.or(wholeName) == beforeAt {
		return name[:at]
	}
	return name
}

// attempt runs one exchange for one user. It is unable where the client lacks
// what the mechanism needs.
func (s *session) attempt(m login.Mechanism, u user) (unable bool, err error) {
	impl, ok := mech.Get(m)
	if !ok {
		return false, failure{fmt.Errorf("nobody has written %q", m)}
	}
	issued := s.Secrets.PresentedIssue(s.Credential)
	config := mech.ClientConfig{Protocol: s.Protocol, Host: s.Host, Authzid: s.Authzid, Username: u.name, Password: u.password,
		Token: issued.Token, Ticket: issued.Tickets[s.Protocol], Binding: s.binding(m),
		FewRounds: s.sheet.FewRounds.or(false), Workstation: s.workstation(), Rand: s.Rand, Now: s.Now}
	if slices.Contains(s.sheet.WrongProof.or(nil), m) {
		config.Password = mistaken
	}
	if m == login.PLAIN && s.sheet.ActsAs.or(false) {
		config.Authzid = cmp.Or(s.Authzid, u.name)
	}
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
		err = x.userPass()
	case login.APOP:
		err = x.apop()
	default:
		err = x.sasl()
	}
	if errors.Is(err, errUnable) {
		return true, nil
	}
	return false, err
}

// mistaken is what a client makes its proof of that gets it wrong: nobody's
// password.
const mistaken = "[object Promise]"

// errUnable: the client lacks what the mechanism needs.
var errUnable = errors.New("the client has nothing to log in with by this mechanism")

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
	m := x.attempt.Mechanism
	inCommand := slices.Contains(x.sheet.Initial.Value, m)
	if !x.hasMeans() {
		return x.withoutMeans(inCommand)
	}
	_, first, err := x.half.Start()
	if err != nil {
		return failure{err}
	}
	x.first = first
	line := x.command()
	shown := line
	if whole := line + " " + initial(first); first != nil && inCommand && x.fits(whole) {
		x.attempt.Initial = true
		shown += " " + x.placeholder()
		line = whole
		x.message()
	}
	a, err := x.tell(line, shown)
	for err == nil && a.kind == asked {
		x.attempt.Asked = true
		a, err = x.respond(a)
	}
	if err != nil {
		return err
	}
	if a.kind == accepted && x.unproven() {
		x.attempt.Cancelled = true
		x.result.Observation.Detail = "the server has not proved itself"
		return nil
	}
	x.attempt.Accepted = a.kind == accepted
	if a.kind == refused && slices.Contains(x.sheet.AfterRefusal.Value, m) {
		return x.carryOn()
	}
	return nil
}

// unproven: the login is confirmed, and the server still owes its own proof
// (RFC 5802 5: the client must not take it for a success). That is assumed of
// every client; the probe takes the server's word, which is what it is there to
// see.
func (x *exchange) unproven() bool {
	return !x.Profile.Probe() && strings.HasPrefix(string(x.attempt.Mechanism), "SCRAM-") && x.sent < scramMessages
}

// scramMessages are the client's: the first, the final, and the empty one that
// answers the server's proof.
const scramMessages = 3

// longestPOP3 is RFC 2449 4: a command of 255 octets, CR LF among them.
const longestPOP3 = 253

// fits: a first message that would make a POP3 command too long waits for its
// challenge (RFC 5034 4).
func (x *exchange) fits(line string) bool {
	return x.Protocol != login.POP3 || x.AnyLength || len(line) <= longestPOP3
}

// command is the line that begins the exchange.
func (x *exchange) command() string {
	return spell(x.sheet, "AUTH "+string(x.attempt.Mechanism))
}

// hasMeans: the client has been given what the mechanism needs besides name
// and password. The probe tries without.
func (x *exchange) hasMeans() bool {
	if x.Whole && x.sheet.Mechanisms[x.attempt.Mechanism].Interactive {
		return false
	}
	return x.Profile.Probe() || x.Secrets.PresentedIssue(x.Credential).Has(x.impl.Presents)
}

// withoutMeans is an exchange that the client cannot go through: with an
// initial response, or where it looks first, it never begins; otherwise it
// finds out when it is asked.
func (x *exchange) withoutMeans(inCommand bool) error {
	if inCommand || x.sheet.MeansFirst.or(false) {
		x.result.Attempts = x.result.Attempts[:len(x.result.Attempts)-1]
		return errUnable
	}
	a, err := x.tell(x.command(), x.command())
	if err != nil || a.kind != asked {
		return err
	}
	x.attempt.Asked = true
	if x.sheet.UnableCancels.or(cancelNot) != cancelNot {
		if _, err := x.breakOff(x.sheet.UnableCancels.Value, errUnable.Error()); err != nil {
			return err
		}
	}
	x.attempt.Cancelled = true
	return errUnable
}

// respond answers a challenge, or cancels where the client has no answer.
func (x *exchange) respond(a answer) (answer, error) {
	if x.attempt.Mechanism == login.LOGIN && !x.promptedRight(a.text) {
		return x.cancel("a prompt that it does not know")
	}
	if x.first != nil {
		return x.send()
	}
	if x.sent > 0 && slices.Contains(x.sheet.SpeaksOnce.or(nil), x.attempt.Mechanism) {
		return x.cancel("asked for more than it has")
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
	if x.attempt.Mechanism == login.CRAMMD5 && !x.sheet.Challenges.or(stampMsgID).takes(string(challenge)) {
		return x.cancel("a challenge that is no message-id")
	}
	x.first, err = x.half.Next(challenge)
	if err != nil {
		return x.cancel(err.Error())
	}
	return x.send()
}

// prompts are those of LOGIN, as they must be for a client that compares them.
var prompts = []string{"Username:", "Password:"}

// promptedRight: a client may demand to be asked in those words.
func (x *exchange) promptedRight(text string) bool {
	wanted := prompts[min(x.sent, len(prompts)-1)]
	switch x.sheet.Prompts.or(promptsUnread) {
	case promptsExact:
		return text == base64.StdEncoding.EncodeToString([]byte(wanted))
	case promptsDecoded:
		said, err := base64.StdEncoding.DecodeString(text)
		return err == nil && strings.EqualFold(string(said), wanted)
	default:
		return true
	}
}

// cancel ends an exchange from our side (RFC 4954 4, RFC 5034 4).
func (x *exchange) cancel(why string) (answer, error) {
	return x.breakOff(x.sheet.Cancel.or(cancelStar), why)
}

func (x *exchange) breakOff(manner cancelling, why string) (answer, error) {
	x.attempt.Cancelled = true
	x.result.Observation.Detail = "cancelled by the client: " + why
	switch manner {
	case cancelStar:
		return x.tell("*", "*")
	case cancelUnread:
		return answer{}, x.conn.Send("*")
	case cancelEmpty:
		return x.tell("", "")
	default:
		return answer{}, nil
	}
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
