package ledger

import (
	"bufio"
	"crypto/rand"
	"encoding/base64"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/harness/remote/budget"
	"github.com/mailmatrix/mailmatrix/harness/remote/reach"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// scripted is a server in clear that answers what a table says.
type scripted struct {
	door reach.Door
	mu   sync.Mutex
	said []string
	// connections that were opened.
	connections int
}

// hangUp, as an answer, ends the connection without one.
const hangUp = "hang up"

// script serves until the test ends: greeting and lists are as usual, and the
// rest is answered by a function of the line and of how many a connection has
// said before.
func script(t testing.TB, p login.Protocol, list string, answer func(line string, before int) string) *scripted {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	s := &scripted{door: door(p, false, l)}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { s.serve(c, p, list, answer) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		running.Wait()
	})
	return s
}

func (s *scripted) serve(c net.Conn, p login.Protocol, list string, answer func(string, int) string) {
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(patience))
	s.mu.Lock()
	s.connections++
	s.mu.Unlock()
	greeting := "220 mail\r\n"
	if p == login.POP3 {
		greeting = "+OK ready <1.2@mail>\r\n"
	}
	_, _ = c.Write([]byte(greeting))
	before := 0
	for in := bufio.NewScanner(c); in.Scan(); {
		line := in.Text()
		var reply string
		switch verb, _, _ := strings.Cut(line, " "); verb {
		case "EHLO":
			reply = "250-mail\r\n250 " + list
		case "CAPA":
			reply = "+OK\r\n" + list + "\r\n."
			if list == "" {
				reply = "-ERR what?"
			}
		case "QUIT":
			reply = "221 bye"
			if p == login.POP3 {
				reply = "+OK bye"
			}
		default:
			s.mu.Lock()
			s.said = append(s.said, line)
			s.mu.Unlock()
			reply = answer(line, before)
			before++
		}
		if reply == hangUp {
			return
		}
		_, _ = c.Write([]byte(reply + "\r\n"))
		if strings.HasPrefix(line, "QUIT") || strings.HasPrefix(reply, "421") {
			return
		}
	}
}

func (s *scripted) config(t testing.TB, limits budget.Limits) Config {
	t.Helper()
	b := budget.New(limits, nil)
	k := caller(b)
	look := k.Look(t.Context(), s.door, "ip4")
	s.mu.Lock()
	s.said, s.connections = nil, 0
	s.mu.Unlock()
	return Config{Caller: k, Budget: b, Rand: rand.Reader, Looks: []reach.Look{look}, Account: Account{
		Name: alice.Name, Secrets: func() (string, login.Issued, error) { return alice.Password, login.Issued{}, nil },
	}}
}

// answers is a script of fixed replies: to AUTH and a mechanism, to PASS, to
// USER; "*" stands for everything else.
func answers(p login.Protocol, replies map[string]string) func(string, int) string {
	return func(line string, _ int) string {
		for _, key := range []string{line, strings.SplitN(line, " ", 2)[0], "*"} {
			if reply, ok := replies[key]; ok {
				return reply
			}
		}
		if p == login.POP3 {
			return "-ERR no"
		}
		return "500 no"
	}
}

// at is where it listens.
func (s *scripted) at() netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), s.door.Port)
}

// last is what was said last to the server.
func (s *scripted) last() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.said[len(s.said)-1]
}

func TestAnswers(t *testing.T) {
	for _, row := range []struct {
		name, why string
		protocol  login.Protocol
		mechanism login.Mechanism
		list      string
		replies   map[string]string
		starts    string
		stops     bool
		undecided bool
	}{
		{
			"hidden", "what is taken up is a hole, listed or not", login.SMTP, login.PLAIN, "AUTH CRAM-MD5",
			map[string]string{"AUTH PLAIN": "334 ", "*": "501 cancelled", "AUTH": "504 unknown"}, "true", false, false,
		},
		{
			"like the made-up one", "a denial", login.SMTP, login.PLAIN, "AUTH CRAM-MD5",
			map[string]string{"AUTH": "504 unknown"}, "false", false, false,
		},
		{
			"Postfix", "535 for what does not exist, in the same words", login.SMTP, login.PLAIN, "AUTH CRAM-MD5",
			map[string]string{"AUTH": "535 5.7.8 Error: authentication failed: Invalid authentication mechanism"}, "false", false, false,
		},
		{
			"530 before TLS", "refused before any secret", login.SMTP, login.PLAIN, "AUTH PLAIN",
			map[string]string{"AUTH PLAIN": "530 5.7.0 Must issue a STARTTLS command first", "AUTH": "504 unknown"}, "false", false, false,
		},
		{
			"454", "a back end that is down says nothing of the policy, and says it of everything", login.SMTP, login.PLAIN, "AUTH PLAIN",
			map[string]string{"AUTH": "454 4.7.0 Temporary authentication failure"}, "null", false, true,
		},
		{
			"421", "the server has had enough", login.SMTP, login.PLAIN, "AUTH PLAIN",
			map[string]string{"AUTH PLAIN": "421 4.7.0 too many errors", "AUTH": "504 unknown"}, "null", true, true,
		},
		{
			"closed", "an answer was due", login.SMTP, login.PLAIN, "AUTH PLAIN",
			map[string]string{"AUTH PLAIN": hangUp, "AUTH": "504 unknown"}, "null", true, true,
		},
		{
			"closed at once", "the made-up mechanism was too much already", login.SMTP, login.PLAIN, "AUTH PLAIN",
			map[string]string{"AUTH": hangUp}, "null", true, true,
		},
		{
			"takes anything", "who takes up what does not exist has not said that it has this one", login.SMTP, login.PLAIN, "AUTH PLAIN",
			map[string]string{"AUTH": "334 ", "*": "501 cancelled"}, "null", false, true,
		},
		{
			"501", "it is about the line: perhaps it wants an initial response", login.SMTP, login.PLAIN, "AUTH PLAIN",
			map[string]string{"AUTH PLAIN": "501 5.5.2 syntax", "AUTH": "504 unknown"}, "null", false, true,
		},
		{
			"goes on after *", "the connection is no good any more, and the row is decided", login.SMTP, login.PLAIN, "AUTH CRAM-MD5",
			map[string]string{"AUTH PLAIN": "334 ", "*": "334 ", "AUTH": "504 unknown"}, "true", false, false,
		},
		{
			"POP3", "a challenge", login.POP3, login.CRAMMD5, "SASL PLAIN",
			map[string]string{"AUTH CRAM-MD5": "+ PDEuMkBtYWlsPg==", "*": "-ERR cancelled", "AUTH": "-ERR no"}, "true", false, false,
		},
		{
			"POP3, names in the words", "the same words but for the name", login.POP3, login.PLAIN, "SASL CRAM-MD5",
			map[string]string{"AUTH PLAIN": "-ERR no PLAIN here, try later", "AUTH": "-ERR no SCRAM-X here, try later"}, "false", false, false,
		},
		{
			"POP3 in trouble", "RFC 3206: it may be otherwise later", login.POP3, login.PLAIN, "SASL CRAM-MD5",
			map[string]string{"AUTH PLAIN": "-ERR [SYS/TEMP] no", "AUTH": "-ERR no"}, "null", false, true,
		},
		{
			"USER", "the name is taken", login.POP3, login.UserPass, "SASL CRAM-MD5",
			map[string]string{"USER": "+OK", "AUTH": "-ERR no"}, "true", false, false,
		},
		{
			"USER needs TLS", "Dovecot's words", login.POP3, login.UserPass, "USER",
			map[string]string{"USER": "-ERR [AUTH] Plaintext authentication disallowed on non-secure (SSL/TLS) connections.", "AUTH": "-ERR no"}, "false", false, false,
		},
		{
			"USER of nobody", "a made-up name proves acceptance, never denial", login.POP3, login.UserPass, "USER",
			map[string]string{"USER": "-ERR no such user", "AUTH": "-ERR no"}, "null", false, true,
		},
		{
			"USER unknown", "the command itself", login.POP3, login.UserPass, "",
			map[string]string{"USER": "-ERR unknown command", "AUTH": "-ERR unknown command"}, "false", false, false,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := script(t, row.protocol, row.list, answers(row.protocol, row.replies))
			c := s.config(t, budget.Limits{Auths: 100})
			c.Probe = true
			l := fill(t, c)
			r := at(t, l, 0, login.Plain, row.mechanism)
			if got := shownBool(r.Starts); got != row.starts {
				t.Errorf("starts %s, want %s: %+v; %s", got, row.starts, r, row.why)
			}
			if row.starts == "false" && (r.Completes == nil || *r.Completes || r.Evidence != login.EvidenceInferred) {
				t.Errorf("what does not start does not complete: %+v", r)
			}
			if got := c.Budget.Stopped(); (got != "") != row.stops {
				t.Errorf("stopped %q; %s", got, row.why)
			}
			named := false
			for _, n := range l.NotTested {
				named = named || n.Why == login.WhyInconclusive || n.Why == login.WhyBudget
			}
			if row.undecided && !named {
				t.Errorf("nothing is said to be open: %v", l.NotTested)
			}
			if len(l.Lines[Key(0, login.Plain, row.mechanism)]) == 0 && row.name != "closed at once" {
				t.Error("the conversation is lost")
			}
		})
	}
}

// An answer that is put off stops what comes after it. Nobody waits here: the
// server tells the budget what the connection would have.
func TestSlowedDown(t *testing.T) {
	var slow atomic.Pointer[budget.Budget]
	s := script(t, login.SMTP, "AUTH CRAM-MD5", func(line string, _ int) string {
		if line == "AUTH PLAIN" {
			slow.Load().Heard(time.Minute)
		}
		return "504 unknown"
	})
	c := s.config(t, budget.Limits{Auths: 100})
	slow.Store(c.Budget)
	c.Probe = true
	l := fill(t, c)
	if c.Budget.Stopped() == "" {
		t.Error("nothing stops")
	}
	if s.last() != "AUTH PLAIN" {
		t.Errorf("%q was said after that", s.last())
	}
	if n := l.NotTested[0]; n.Why != login.WhyBudget || !strings.Contains(n.What, "slow") {
		t.Errorf("left: %v", l.NotTested)
	}
}

func TestLoginAnswers(t *testing.T) {
	for _, row := range []struct {
		name, why         string
		protocol          login.Protocol
		mechanism         login.Mechanism
		list              string
		replies           map[string]string
		starts, completes string
		effort            login.Effort
	}{
		{
			"in", "235", login.SMTP, login.PLAIN, "AUTH PLAIN",
			map[string]string{"AUTH": "334 ", "*": "235 2.7.0 in"}, "true", "true", login.Effort{Passwords: 1},
		},
		{
			"wrong", "nothing was let in yet: perhaps the password is wrong", login.SMTP, login.PLAIN, "AUTH PLAIN",
			map[string]string{"AUTH": "334 ", "*": "535 5.7.8 no"}, "true", "null", login.Effort{Passwords: 1, Auths: 1},
		},
		{
			"refused at the command", "no password was judged", login.SMTP, login.PLAIN, "AUTH PLAIN",
			map[string]string{"AUTH": "538 5.7.11 encryption required", "*": "500 no"}, "false", "false", login.Effort{Auths: 1},
		},
		{
			"454", "the password was said, and whether it was judged nobody knows", login.SMTP, login.PLAIN, "AUTH PLAIN",
			map[string]string{"AUTH": "334 ", "*": "454 4.7.0 try later"}, "null", "null", login.Effort{Passwords: 1, Auths: 1},
		},
		{
			"in use", "the password was right, and the row stays open", login.POP3, login.UserPass, "USER",
			map[string]string{"USER": "+OK", "PASS": "-ERR [IN-USE] locked"}, "null", "null", login.Effort{Passwords: 1, Auths: 1},
		},
		{
			"login delay", "RFC 2449 8.1.1", login.POP3, login.UserPass, "USER",
			map[string]string{"USER": "+OK", "PASS": "-ERR [LOGIN-DELAY] wait"}, "null", "null", login.Effort{Passwords: 1, Auths: 1},
		},
		{
			"USER refused", "the name is the account's: the password is not said", login.POP3, login.UserPass, "USER",
			map[string]string{"USER": "-ERR no"}, "false", "false", login.Effort{Auths: 1},
		},
		{
			"closed", "no answer is no refusal", login.POP3, login.UserPass, "USER",
			map[string]string{"USER": "+OK", "PASS": hangUp}, "null", "null",
			login.Effort{Passwords: 1, Auths: 1, Stopped: "the server closed the connection, or said what is no answer"},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := script(t, row.protocol, row.list, answers(row.protocol, row.replies))
			c := s.config(t, budget.Limits{Passwords: 1, Auths: 1})
			c.Login, c.Cleartext = true, true
			c.Looks[0].Greeting = "no timestamp" // APOP is another row
			l := fill(t, c)
			r := at(t, l, 0, login.Plain, row.mechanism)
			if shownBool(r.Starts) != row.starts || shownBool(r.Completes) != row.completes {
				t.Errorf("starts %s, want %s; completes %s, want %s; %q; %s",
					shownBool(r.Starts), row.starts, shownBool(r.Completes), row.completes, r.Reply, row.why)
			}
			got := c.Budget.Effort()
			got.Connections, got.Trips = 0, 0
			if got != row.effort {
				t.Errorf("effort %+v, want %+v; %s", got, row.effort, row.why)
			}
			for _, line := range l.Lines[Key(0, login.Plain, row.mechanism)] {
				if strings.Contains(line, alice.Name) || strings.Contains(line, alice.Password) {
					t.Errorf("shown: %q", line)
				}
			}
		})
	}
}

// A server that knows only NTLM's old responses, as Exim does: they are tried
// where nothing is too much, and elsewhere the row stays open.
func TestOldNTLM(t *testing.T) {
	challenge := append([]byte("NTLMSSP\x00\x02\x00\x00\x00"), make([]byte, 36)...)
	copy(challenge[20:], "\x01\x82\x00\x00challeng")
	s := script(t, login.SMTP, "AUTH NTLM", func(line string, _ int) string {
		message, err := base64.StdEncoding.DecodeString(line)
		switch {
		case line == "AUTH NTLM":
			return "334 "
		case err != nil || len(message) < 22:
			return "504 no"
		case message[8] == 1:
			return "334 " + base64.StdEncoding.EncodeToString(challenge)
		case message[20] == 24: // the length of NT's response: NTLMv2's is longer
			return "235 in"
		default:
			return "535 no"
		}
	})
	for everything, want := range map[bool]string{true: "true", false: "null"} {
		c := s.config(t, budget.Limits{None: everything})
		c.Login, c.Cleartext, c.Everything = true, true, everything
		l := fill(t, c)
		if r := at(t, l, 0, login.Plain, login.NTLM); shownBool(r.Completes) != want || shownBool(r.Starts) != "true" {
			t.Errorf("everything %v: %+v", everything, r)
		}
	}
}
