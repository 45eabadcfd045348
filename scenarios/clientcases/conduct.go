package clientcases

import (
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// Conduct is what a client did in one situation, as the server saw it. The
// zero value is a client that never came.
type Conduct struct {
	// Said are its lines, and what became of TLS, in the order in which they came
	// on each connection.
	Said []Said
	// Tries are its attempts to log in.
	Tries []Try
	// Clear is what a listener could read, Inside what was given to whoever was
	// at the other end of TLS.
	Clear, Inside []login.Exposure
	// Connections are how many it made.
	Connections int
	// TimedOut: it had to be ended.
	TimedOut bool
	// Transcript is the conversation, fit to be shown; nil where nobody kept it.
	Transcript []string
}

// Said is a line of the client's without what may be secret in it, or that TLS
// came up or failed.
type Said struct {
	Kind       login.EventKind
	Connection int
	Encrypted  bool
	Verb       string // of a command; "" where it answers a challenge
}

// Try is one attempt to log in.
type Try struct {
	Mechanism  login.Mechanism
	Connection int
	Encrypted  bool
	// Answers are the messages that the client has sent, the first one in the
	// command among them; an empty line is none.
	Answers int
	// Cancelled: the client broke off by "*" (RFC 4954 4, RFC 5034 4).
	Cancelled bool
	// Accepted: the server confirmed the login. Reply is how it refused one, ""
	// where it did not answer.
	Accepted bool
	Reply    string

	line int // the index of its command in Said
}

// Watch makes a conduct of what a server's witness was told. What could be read
// is for somebody to add who knows the secrets.
func Watch(p login.Protocol, events []login.Event) Conduct {
	w := watcher{protocol: p, connections: map[int]*watched{}}
	for _, e := range events {
		w.take(e)
	}
	return w.conduct
}

type watcher struct {
	protocol    login.Protocol
	connections map[int]*watched
	conduct     Conduct
}

// watched is how far one connection has come.
type watched struct {
	try   int  // index of the attempt under way, from 1
	asked bool // the next line answers a challenge
}

func (w *watcher) take(e login.Event) {
	c := w.connections[e.Connection]
	if c == nil {
		c = &watched{}
		w.connections[e.Connection] = c
	}
	switch e.Kind {
	case login.EventOpened:
		w.conduct.Connections++
	case login.EventTLSUp, login.EventTLSFailed:
		w.conduct.Said = append(w.conduct.Said, Said{Kind: e.Kind, Connection: e.Connection, Encrypted: e.Encrypted})
	case login.EventLine:
		w.line(c, e)
	case login.EventReply:
		w.reply(c, e.Text)
	}
}

func (w *watcher) line(c *watched, e login.Event) {
	said := Said{Kind: e.Kind, Connection: e.Connection, Encrypted: e.Encrypted}
	parsed := wire.SaidBy(w.protocol, []byte(e.Text))
	if c.asked && !slices.Contains(commands, parsed.Command) {
		c.asked = false
		w.conduct.Said = append(w.conduct.Said, said)
		switch try := &w.conduct.Tries[c.try-1]; e.Text {
		case "*":
			try.Cancelled = true
		case "":
		default:
			try.Answers++
		}
		return
	}
	c.asked = false
	said.Verb = parsed.Command
	w.conduct.Said = append(w.conduct.Said, said)
	switch {
	case parsed.Command == "PASS":
		if c.try == 0 { // who sends it although USER was refused shows it all the same
			w.begin(c, login.UserPass, e)
		}
		w.conduct.Tries[c.try-1].Answers++
	case parsed.Starts != "":
		w.begin(c, parsed.Starts, e)
		if len(parsed.Message) > 0 {
			w.conduct.Tries[c.try-1].Answers++
		}
	default:
		c.try = 0
	}
}

// commands are what a client says that forgets that it was asked something; as
// base64 none of them means anything.
var commands = []string{"EHLO", "HELO", "STARTTLS", "AUTH", "MAIL", "RSET", "NOOP", "QUIT", "CAPA", "STLS", "USER", "PASS", "APOP", "STAT", "LIST", "UIDL"}

func (w *watcher) begin(c *watched, m login.Mechanism, e login.Event) {
	w.conduct.Tries = append(w.conduct.Tries, Try{Mechanism: m, Connection: e.Connection, Encrypted: e.Encrypted, line: len(w.conduct.Said) - 1})
	c.try = len(w.conduct.Tries)
}

// reply takes a line of the server's. Between attempts it means nothing.
func (w *watcher) reply(c *watched, line string) {
	if c.try == 0 {
		return
	}
	try := &w.conduct.Tries[c.try-1]
	smtp := w.protocol == login.SMTP
	switch {
	case smtp && strings.HasPrefix(line, "334"), !smtp && (line == "+" || strings.HasPrefix(line, "+ ")):
		c.asked = true
		return
	case !smtp && try.Mechanism == login.UserPass && try.Answers == 0 && strings.HasPrefix(line, "+OK"):
		return // PASS is to come
	case smtp && strings.HasPrefix(line, "235"), !smtp && strings.HasPrefix(line, "+OK"):
		try.Accepted = true
	case smtp:
		try.Reply = line[:min(3, len(line))]
	default:
		try.Reply = line
	}
	c.try = 0
}

// says reports whether the client said one of the verbs, on a link that is
// encrypted or not.
func (c Conduct) says(encrypted bool, verbs ...string) bool {
	return slices.ContainsFunc(c.Said, func(s Said) bool { return s.Encrypted == encrypted && slices.Contains(verbs, s.Verb) })
}

// tries reports whether it tried one of the mechanisms.
func (c Conduct) tries(mechanisms ...login.Mechanism) bool {
	return slices.ContainsFunc(c.Tries, func(t Try) bool { return slices.Contains(mechanisms, t.Mechanism) })
}

// encrypts reports whether TLS came up.
func (c Conduct) encrypts() bool {
	return slices.ContainsFunc(c.Said, func(s Said) bool { return s.Kind == login.EventTLSUp })
}

// strongest is the strongest of what was shown.
func strongest(shown []login.Exposure) login.Exposure {
	var most login.Exposure
	for _, x := range shown {
		if x.Class > most.Class {
			most = x
		}
	}
	return most
}

// used are the mechanisms that it tried, each once, in words.
func (c Conduct) used() string {
	var names []string
	for _, t := range c.Tries {
		if !slices.Contains(names, string(t.Mechanism)) {
			names = append(names, string(t.Mechanism))
		}
	}
	return strings.Join(names, ", ")
}

// usesLogin are the commands that somebody says who believes that he is in, or
// does not care.
var usesLogin = map[login.Protocol][]string{
	login.SMTP: {"MAIL"},
	login.POP3: {"STAT", "LIST", "UIDL", "RETR", "TOP", "DELE"},
}

// after are what the client said on the connection of a try, behind it.
func (c Conduct) after(t Try) []Said {
	var said []Said
	for _, s := range c.Said[min(t.line+1, len(c.Said)):] {
		if s.Connection == t.Connection && s.Verb != "" {
			said = append(said, s)
		}
	}
	return said
}
