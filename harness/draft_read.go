package harness

import (
	"slices"
	"strconv"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/recording"
)

// conversation is a record, read again as what was said and what was tried.
type conversation struct {
	recording.Record
	said  []said
	tries []try
}

// said is one line of the client's, or what became of TLS.
type said struct {
	conn      int
	encrypted bool
	verb      string // in capitals; "TLS-UP" and "TLS-FAIL" are among them
	text      string
	begins    bool // an attempt
}

// try is one attempt to log in, its repetitions included.
type try struct {
	mechanism login.Mechanism
	initial   bool
	encrypted bool
	conn      int
	result    string
	// asked: the server asked for the secret. inResponse: what was refused is
	// what the initial response said, and not the mechanism (RFC 4954 6).
	asked, inResponse bool
	ntlm              string
	repeats           int
	next              int      // the first line behind it
	surplus           []string // lines that no challenge asked for
}

const (
	tlsUp     = "TLS-UP"
	tlsFailed = "TLS-FAIL"
)

// verbs are the commands of both protocols: what begins otherwise answers a
// challenge.
var verbs = strings.Fields(`EHLO HELO STARTTLS AUTH MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT
	CAPA STLS USER PASS APOP STAT LIST UIDL RETR TOP DELE LAST ` + tlsUp + " " + tlsFailed)

// converse reads a record.
func converse(r recording.Record) conversation {
	c := conversation{Record: r}
	for _, command := range r.Commands {
		number, rest, _ := strings.Cut(command, " ")
		l := said{}
		l.conn, _ = strconv.Atoi(strings.TrimPrefix(number, "c"))
		if rest == tlsUp || rest == tlsFailed {
			l.verb = rest
		} else {
			var channel string
			channel, l.text, _ = strings.Cut(rest, " ")
			l.encrypted = channel == recording.Encrypted
			l.verb, _, _ = strings.Cut(strings.ToUpper(l.text), " ")
		}
		c.said = append(c.said, l)
	}
	c.findTries()
	return c
}

// findTries brings the lines and the attempts together.
func (c *conversation) findTries() {
	at := 0
	for _, a := range c.Attempts {
		for at < len(c.said) && !c.said[at].attempts() {
			at++
		}
		if at == len(c.said) {
			return // a record that contradicts itself: what is clear stays
		}
		c.said[at].begins = true
		t := try{mechanism: mechanismOf(a.Mech), initial: a.IR, encrypted: a.Ch == recording.Encrypted, conn: a.Conn,
			result: a.Res, asked: a.Steps > 0 || a.Pass, ntlm: a.NTLM}
		t.inResponse = a.IR && isSASL(t.mechanism) && !t.asked && (c.Proto == login.POP3 || a.Res == "535")
		at++
		answers := 0
		for at < len(c.said) && c.said[at].conn == a.Conn && (!slices.Contains(verbs, c.said[at].verb) || c.said[at].verb == "PASS") {
			if answers++; answers > a.Steps && !a.Pass {
				t.surplus = append(t.surplus, c.said[at].text)
			}
			at++
		}
		t.next = at
		if last := len(c.tries) - 1; last >= 0 && c.tries[last].mechanism == t.mechanism && c.tries[last].conn == t.conn && c.tries[last].result != recording.ResOK {
			t.repeats = c.tries[last].repeats + 1
			c.tries[last] = t
			continue
		}
		c.tries = append(c.tries, t)
	}
}

func (l said) attempts() bool {
	_, arg, _ := strings.Cut(l.text, " ")
	return l.verb == "AUTH" && arg != "" || l.verb == "USER" || l.verb == "APOP"
}

func mechanismOf(recorded string) login.Mechanism {
	if recorded == recording.User {
		return login.UserPass
	}
	return login.Mechanism(recorded)
}

// isSASL: all but the two that POP3 had before.
func isSASL(m login.Mechanism) bool { return m != login.UserPass && m != login.APOP }

// index of the first line with the verb, from a line on; -1 is none.
func (c conversation) index(verb string, from int) int {
	for i := from; i < len(c.said); i++ {
		if c.said[i].verb == verb {
			return i
		}
	}
	return -1
}

// sequel is what a client does after something.
type sequel struct {
	quits, reconnects bool
	at                int // the next line that is no QUIT; -1 is none
}

// after looks at what follows on a connection, from a line on.
func (c conversation) after(from, conn int) sequel {
	s := sequel{at: -1}
	for i := from; i < len(c.said); i++ {
		switch {
		case c.said[i].conn != conn:
			s.reconnects, s.at = true, i
			return s
		case c.said[i].verb == "QUIT":
			s.quits = true
		default:
			s.at = i
			return s
		}
	}
	s.reconnects = c.Conns > conn // a connection without a word
	return s
}

// way is how the client goes where it makes another connection.
func (s sequel) way() string {
	if s.quits {
		return "quit-reconnect-"
	}
	return "reconnect-"
}

func (s sequel) leaves() string {
	if s.quits {
		return "quit"
	}
	return "close"
}

// goesOn: these come after a login, or instead of one.
func goesOn(verb string) bool {
	return slices.Contains([]string{"MAIL", "RSET", "STAT", "LIST", "UIDL", "RETR", "TOP"}, verb)
}

// afterTry is the client's reaction to an attempt that failed; "" is none that
// has a name.
func (c conversation) afterTry(i int) string {
	t := c.tries[i]
	s := c.after(t.next, t.conn)
	switch {
	case s.at < 0 && !s.reconnects:
		return s.leaves()
	case s.at >= 0 && !s.reconnects && c.said[s.at].begins:
		return "next"
	case s.at >= 0 && !s.reconnects && goesOn(c.said[s.at].verb):
		return "go-on"
	case s.reconnects && i+1 < len(c.tries) && c.tries[i+1].mechanism == t.mechanism:
		return s.way() + "retry"
	case s.reconnects && i+1 < len(c.tries):
		return s.way() + "next"
	default:
		return ""
	}
}

// afterTLS is the reaction to TLS that is not to be had.
func (c conversation) afterTLS(from, conn int) string {
	s := c.after(from, conn)
	switch {
	case s.at < 0 && !s.reconnects:
		return s.leaves()
	case !s.reconnects:
		return "clear"
	case c.index("STARTTLS", from) >= 0 || c.index("STLS", from) >= 0:
		return s.way() + "retry"
	default:
		return s.way() + "clear"
	}
}

// withoutTry is what a client does that finds nothing to log in with.
func (c conversation) withoutTry() string {
	switch {
	case len(c.UnauthCommands) > 0:
		return "go-on"
	case c.Quit:
		return "quit"
	default:
		return "close"
	}
}

// encryptedLogin: TLS was up where the client logged in, or would have.
func (c conversation) encryptedLogin() bool {
	return c.TLSUp && c.said[len(c.said)-1].verb != tlsFailed
}

// comes as far as the login: nothing about TLS can have stopped it.
func (c conversation) reachesLogin() bool {
	if c.ClientTLS == recording.Off {
		return c.Conns > 0
	}
	return c.TLSUp && (c.Trust == recording.TrustAnything || c.Trust == recording.TrustAuthority && good(c.Offer))
}

func good(s recording.Spec) bool { return s.Cert == "" || s.Cert == "good" }

// offers are the mechanisms that the server showed, in its order, where the
// client could see them.
func (c conversation) offers(encrypted bool) []login.Mechanism {
	names := c.Offer.Mechs
	if encrypted && c.Offer.MechsTLS != nil {
		names = c.Offer.MechsTLS
	}
	var list []login.Mechanism
	if !c.capaRefused() || c.Offer.AuthList != nil && *c.Offer.AuthList {
		for _, name := range names {
			list = append(list, login.Mechanism(strings.ToUpper(name)))
		}
	}
	if c.Proto == login.POP3 {
		if c.takesUser() && !c.capaRefused() {
			list = append(list, login.UserPass)
		}
		if c.Offer.APOP {
			list = append(list, login.APOP)
		}
	}
	return list
}

func (c conversation) capaRefused() bool { return c.Offer.CAPA != nil && !*c.Offer.CAPA }
func (c conversation) takesUser() bool   { return c.Offer.User == nil || *c.Offer.User }

// plainly: nothing about the list is out of the ordinary.
func (c conversation) plainly() bool {
	return !c.Offer.Lower && !c.Offer.AuthEqOnly && !c.Offer.EHLOReject && !c.capaRefused()
}
