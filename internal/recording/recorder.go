package recording

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Recorder gathers what happens on the connections of one run of a client, and
// makes the record of it. It is the server's witness.
type Recorder struct {
	// Host is the client's machine, which it may name in EHLO; "" is none. In
	// the record it is called [Machine], as the recordings' was.
	Host string

	posture Case

	mu     sync.Mutex
	events []login.Event
}

// NewRecorder is for one run of one client against the posture.
func NewRecorder(posture Case) *Recorder { return &Recorder{posture: posture} }

// Witness takes an event in.
func (r *Recorder) Witness(e login.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

// Events are those so far, in the order in which they came.
func (r *Recorder) Events() []login.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.events)
}

// Record is what the client did. It is complete when the server has let go of
// every connection. Who the client is, the caller adds.
func (r *Recorder) Record() Record { return Transcribe(r.Events(), r.posture, r.Host) }

// Transcribe makes a record of the events of one run. host is as in
// [Recorder].
func Transcribe(events []login.Event, c Case, host string) Record {
	t := transcriber{
		host: host, conns: map[int]*connection{},
		record: Record{
			Case: c.Name, Proto: c.Protocol, ClientTLS: c.Mode, Trust: c.Trust, Offer: c.Spec,
			Commands: []string{}, Attempts: []Attempt{}, Names: []string{},
			ClearPassword: []string{}, ClearHash: []string{}, UnauthCommands: []string{},
		},
	}
	for _, e := range events {
		t.take(e)
	}
	for _, conn := range t.conns { // of those that are still open
		conn.abandon()
	}
	t.conclude()
	return t.record
}

// transcriber makes a record event by event.
type transcriber struct {
	record   Record
	host     string
	conns    map[int]*connection
	attempts []*attempt
}

// connection is how far one of the client's connections has come.
type connection struct {
	number int
	tried  *attempt // under way; nil between attempts
	logged bool     // in
}

func (t *transcriber) take(e login.Event) {
	conn := t.conns[e.Connection]
	if conn == nil {
		conn = &connection{number: e.Connection}
		t.conns[e.Connection] = conn
	}
	switch e.Kind {
	case login.EventOpened:
		t.record.Conns++
	case login.EventLine:
		t.line(conn, e)
	case login.EventReply:
		conn.reply(e)
	case login.EventTLSUp:
		t.record.TLSUp = true
		t.say(conn, "TLS-UP")
	case login.EventTLSFailed:
		if t.record.CertFail == nil {
			t.record.CertFail = &e.Text
		}
		t.say(conn, "TLS-FAIL")
	case login.EventClosed:
		conn.abandon()
	}
}

func (t *transcriber) say(conn *connection, what string) {
	t.record.Commands = append(t.record.Commands, fmt.Sprintf("c%d %s", conn.number, what))
}

func channel(e login.Event) string {
	if e.Encrypted {
		return Encrypted
	}
	return Clear
}

// line takes a line of the client's: an answer to a challenge, or a command.
func (t *transcriber) line(conn *connection, e login.Event) {
	normalised := Normalise(e.Text, t.host)
	t.say(conn, channel(e)+" "+normalised)
	if conn.tried.wantsResponse() {
		conn.tried.respond(e.Text)
		return
	}
	verb, arg, _ := strings.Cut(e.Text, " ")
	verb, arg = strings.ToUpper(verb), strings.TrimSpace(arg)
	if verb == "PASS" {
		conn.pass()
		return
	}
	conn.abandon()
	switch verb {
	case "EHLO", "HELO":
		t.record.Names = append(t.record.Names, normalised)
	case "CAPA":
		t.record.CAPA++
	case "STARTTLS", "STLS":
		t.record.StartTLSSent++
	case "QUIT":
		t.record.Quit = true
	}
	switch {
	case startsAttempt(e.Protocol, verb, arg):
		conn.tried = begin(verb, arg, conn.number, channel(e))
		t.attempts = append(t.attempts, conn.tried)
	case !conn.logged && needsLogin(e.Protocol, verb) && !slices.Contains(t.record.UnauthCommands, verb):
		t.record.UnauthCommands = append(t.record.UnauthCommands, verb)
	}
}

// startsAttempt: a bare AUTH is a question in POP3 (MS-OXPOP3 1.7), and a
// mistake in SMTP.
func startsAttempt(p login.Protocol, verb, arg string) bool {
	return verb == "AUTH" && arg != "" || p == login.POP3 && (verb == "APOP" || verb == "USER")
}

// needsLogin names what a client goes on to do. In the recordings it is MAIL
// only, without the RCPT and DATA that follow; that POP3's are counted too is
// assumed: none of its clients went on.
func needsLogin(p login.Protocol, verb string) bool {
	if p == login.POP3 {
		return slices.Contains([]string{"STAT", "LIST", "UIDL", "RETR", "TOP", "DELE"}, verb)
	}
	return verb == "MAIL"
}

// conclude adds what only the whole says.
func (t *transcriber) conclude() {
	r := &t.record
	for _, a := range t.attempts {
		r.OK = r.OK || a.Res == ResOK
		if a.Ch == Clear && a.showsPassword() {
			r.ClearPassword = append(r.ClearPassword, a.Mech)
		}
		if a.Ch == Clear && a.showsHash() {
			r.ClearHash = append(r.ClearHash, a.Mech)
		}
		a.judgeNTLM(r.Offer.Reject)
		r.Attempts = append(r.Attempts, a.Attempt)
	}
	r.ClearPassword, r.ClearHash = asSet(r.ClearPassword), asSet(r.ClearHash)
}

func asSet(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}
