package script

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Cost is what a case costs a server that does right, at most. It is computed
// from the script.
type Cost struct {
	// Passwords that the server judges, right ones or wrong.
	Passwords int `json:"passwords"`
	// Auths are exchanges that are refused or cancelled.
	Auths int `json:"auths"`
	// Recipients that are refused.
	Recipients int `json:"recipients"`
	// Commands that are refused besides, or are counted for being so many.
	Commands int `json:"commands"`
	// Messages that are handed in.
	Messages int `json:"messages"`
	// Connections are those of the steps; a look at what is offered comes
	// before them.
	Connections int `json:"connections"`
	// Seconds are spent waiting.
	Seconds int `json:"seconds"`
}

// Free reports that nothing of it is counted against who runs the case: a few
// connections are made and time passes, and that is all.
func (c Cost) Free() bool {
	if c.Connections > fewConnections {
		return false
	}
	c.Connections, c.Seconds = 0, 0
	return c == Cost{}
}

// fewConnections one after the other are nothing to a server that limits how
// many may come in a minute.
const fewConnections = 10

func (c Cost) max(d Cost) Cost {
	return Cost{
		Passwords: max(c.Passwords, d.Passwords), Auths: max(c.Auths, d.Auths), Recipients: max(c.Recipients, d.Recipients),
		Commands: max(c.Commands, d.Commands), Messages: max(c.Messages, d.Messages), Connections: max(c.Connections, d.Connections),
		Seconds: max(c.Seconds, d.Seconds),
	}
}

func (c Cost) String() string {
	var parts []string
	for _, x := range []struct {
		n    int
		what string
	}{{c.Passwords, "password"}, {c.Auths, "AUTH"}, {c.Recipients, "RCPT"}, {c.Commands, "command"}, {c.Messages, "message"},
		{c.Connections, "connection"}, {c.Seconds, "second"}} {
		if x.n == 0 {
			continue
		}
		plural := "s"
		if x.n == 1 {
			plural = ""
		}
		parts = append(parts, fmt.Sprintf("%d %s%s", x.n, x.what, plural))
	}
	return strings.Join(parts, ", ")
}

// Cost is what the case costs over that of its protocols which is dearer.
func (c Case) Cost() Cost {
	var dearest Cost
	for _, p := range c.Protocols() {
		dearest = dearest.max(c.CostOver(p))
	}
	return dearest
}

// CostOver is what the case costs over one protocol.
func (c Case) CostOver(p login.Protocol) Cost {
	b := &Bill{protocol: p}
	rounds := c.Needs.Mechanisms
	if len(rounds) == 0 || c.Needs.AnyMechanism {
		rounds = []login.Mechanism{""} // which one is not known
	}
	for _, b.mechanism = range rounds {
		group(c.Steps).bill(b)
	}
	return b.Cost
}

// Bill is a cost being added up.
type Bill struct {
	Cost
	protocol login.Protocol
	// mechanism is the one of the round; "" is none, or any.
	mechanism login.Mechanism
	current   string
	asked     map[string]bool // an exchange is open on that connection
	claimed   map[string]bool // and something has been claimed in it
	mailing   map[string]bool // the message is being sent
}

func (b *Bill) connect() {
	b.Connections++
	b.in(false)
	b.mailing[b.current] = false
}

func (b *Bill) in(exchange bool) {
	if b.asked == nil {
		b.asked, b.claimed, b.mailing = map[string]bool{}, map[string]bool{}, map[string]bool{}
	}
	b.asked[b.current] = exchange
	b.claimed[b.current] = b.claimed[b.current] && exchange
}

func (s *Saying) bill(b *Bill) {
	if slices.Contains(allPatterns(s.expects), Silent) {
		b.Seconds += int(usualPatience / time.Second)
	}
	if s.nothing {
		return
	}
	lines := strings.Split(strings.TrimSuffix(literal(s.parts), "\r\n"), "\r\n")
	for i, line := range lines {
		sense := OK
		if i == 0 && !s.unread {
			sense = s.expects.best()
		}
		verb, _, _ := strings.Cut(strings.ToUpper(line), " ")
		switch {
		case i > 0 && verb == "RCPT":
			sense = Refused // what is answered to it is read elsewhere
		case verb == "USER" && sense == OK && slices.Contains(allPatterns(s.expects), "-ERR"):
			b.Auths++ // either will do
		}
		b.say(line, sense, claims(s.parts))
	}
}

func allPatterns(e expects) []string {
	var all []string
	for _, x := range e {
		all = append(all, x.patterns...)
	}
	return all
}

// say adds what a line costs that is answered in that sense. claim is whether
// it says who somebody is.
func (b *Bill) say(line, sense string, claim bool) {
	verb, arg, _ := strings.Cut(strings.ToUpper(line), " ")
	// A certificate is a claim already.
	claim = claim || verb == "AUTH" && strings.HasPrefix(arg, string(login.EXTERNAL))
	refused := sense == Refused || sense == early || sense == Gone
	switch {
	case b.mailing[b.current]:
		if line != "." {
			return // of the message
		}
		b.Messages++
		b.mailing[b.current] = false
	case b.asked[b.current]:
		switch {
		case sense == Asked:
			b.claimed[b.current] = b.claimed[b.current] || claim
			return
		case sense == In, sense == Refused && (claim || b.claimed[b.current]) && line != "*":
			b.Passwords++
		default:
			b.Auths++
		}
		b.in(false)
	case verb == "AUTH" || verb == "APOP" || verb == "USER" || verb == "PASS":
		switch {
		case sense == Asked, verb == "USER" && !refused:
			b.in(sense == Asked)
			b.claimed[b.current] = claim && sense == Asked
		case sense == In, sense == OK && verb != "AUTH", sense != early && (claim || verb == "PASS"):
			b.Passwords++
		default:
			b.Auths++
		}
	case verb == "DATA" && !refused:
		b.in(false)
		b.mailing[b.current] = true
	case refused && strings.HasPrefix(verb, "RCPT"):
		b.Recipients++
	case refused:
		b.Commands++
	}
}

// judged adds passwords that an exchange has judged.
func (b *Bill) judged() {
	b.Passwords++
	b.in(false)
}

// Compare puts what is dearer later: wrong passwords last.
func (c Cost) Compare(d Cost) int {
	return cmp.Or(cmp.Compare(c.Passwords, d.Passwords), cmp.Compare(c.Auths, d.Auths),
		cmp.Compare(c.Recipients, d.Recipients), cmp.Compare(c.Commands, d.Commands))
}
