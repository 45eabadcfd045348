package server

import (
	"crypto/tls"
	"encoding/base64"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

// scripting is an open server that departs from what is usual.
func scripting(script login.Script) login.Setup {
	return with(open(), func(s *login.Setup) { s.Database, s.Posture.Script = login.Full, &script })
}

// TestGreetsOtherwise: the greeting is the script's, line by line, and what
// comes then is as ever.
func TestGreetsOtherwise(t *testing.T) {
	for _, row := range []struct {
		name     string
		protocol login.Protocol
		greets   []string
		ask      string
		want     string
	}{
		{"as if somebody were in", login.POP3, []string{"+OK 2 messages (320 octets)", "1 120", "2 200", "."}, "STAT", "-ERR"},
		{"refused", login.POP3, []string{"-ERR [SYS/TEMP] not now"}, "CAPA", "+OK"},
		{"in SMTP", login.SMTP, []string{"554 no"}, "EHLO client.example", "250-"},
	} {
		s := start(t, scripting(login.Script{Greets: row.greets}))
		c := newPeer(t, dialTCP(t, s.ports[port{row.protocol, false}]), row.protocol)
		for _, line := range row.greets {
			if got := c.read(); got != line {
				t.Errorf("%s: %q, want %q", row.name, got, line)
			}
		}
		c.want(row.ask, row.want)
	}
}

// TestTimestampOtherwise: the greeting shows what the script says, and no digest
// of it is right.
func TestTimestampOtherwise(t *testing.T) {
	for _, row := range []struct{ name, stamp string }{
		{"no at sign", "<1896.697170952>"},
		{"control characters", "<1896\x01\t697@mail.example.test>"},
		{"two thousand octets", "<" + strings.Repeat("1", 2048) + "@mail.example.test>"},
		{"not ASCII", "<1896\xe9@mail.example.test>"},
	} {
		s := start(t, scripting(login.Script{Timestamp: row.stamp}))
		c := s.pop3(login.Plain)
		if !strings.HasSuffix(c.greeting, " "+row.stamp) {
			t.Errorf("%s: greeting %.80q", row.name, c.greeting)
		}
		if got, _ := c.logIn(login.APOP, alice.Name, alice.Password); !strings.HasPrefix(got, "-ERR") {
			t.Errorf("%s: APOP: %q", row.name, got)
		}
		if c := s.pop3(login.Plain); !accepted(c.ask("USER alice")) || !accepted(c.ask("PASS wonderland")) {
			t.Errorf("%s: USER/PASS is not as ever", row.name)
		}
	}
}

// TestAnswersOtherwise: what a command is answered with, and that it is not
// obeyed. Who then encrypts is told in clear that nobody here does.
func TestAnswersOtherwise(t *testing.T) {
	for _, row := range []struct {
		name     string
		protocol login.Protocol
		verb     string
		answer   []string
		then     string // what is asked next, in clear
		want     string
	}{
		{"not now", login.SMTP, "STARTTLS", []string{"454 4.7.0 no"}, "NOOP", "250"},
		{"unknown", login.SMTP, "STARTTLS", []string{"502 5.5.1 no"}, "NOOP", "250"},
		{"of another command", login.SMTP, "STARTTLS", []string{"354 go on"}, "NOOP", "250"},
		{"another success", login.SMTP, "STARTTLS", []string{"250 fine"}, "NOOP", "250"},
		{"promised and not kept", login.SMTP, "STARTTLS", []string{"220 go on"}, "NOOP", "250"},
		{"refused in POP3", login.POP3, "STLS", []string{"-ERR no"}, "USER alice", "+OK"},
		{"promised and not kept in POP3", login.POP3, "STLS", []string{"+OK go on"}, "USER alice", "+OK"},
		{"another list", login.SMTP, "EHLO", []string{"250-mail", "250 AUTH X"}, "AUTH PLAIN", "503"},
		{"another list in POP3", login.POP3, "CAPA", []string{"+OK", "."}, "USER alice", "+OK"},
	} {
		s := start(t, scripting(login.Script{Answers: map[string][]string{row.verb: row.answer}}))
		c := s.dial(row.protocol, login.Plain)
		got := []string{c.ask(strings.ToLower(row.verb))}
		for range row.answer[1:] {
			if row.protocol == login.POP3 {
				got = append(got, c.read())
			}
		}
		if strings.Join(got, "\n") != strings.Join(row.answer, "\n") {
			t.Errorf("%s: %q, want %q", row.name, got, row.answer)
		}
		c.want(row.then, row.want)
	}
}

// TestNobodyEncrypts: a client's hello is answered in clear where the script has
// it so, on either port, and the session goes on in clear.
func TestNobodyEncrypts(t *testing.T) {
	for _, row := range []struct {
		name     string
		protocol login.Protocol
		implicit bool
		script   login.Script
	}{
		{"STARTTLS", login.SMTP, false, login.Script{Answers: map[string][]string{"STARTTLS": {"220 go on"}}}},
		{"STLS", login.POP3, false, login.Script{Answers: map[string][]string{"STLS": {"+OK go on"}}}},
		{"the port of TLS, SMTP", login.SMTP, true, login.Script{ClearPort: true}},
		{"the port of TLS, POP3", login.POP3, true, login.Script{ClearPort: true}},
	} {
		seen := &notes{}
		s := start(t, scripting(row.script), WithWitness(seen))
		c := newPeer(t, dialTCP(t, s.ports[port{row.protocol, row.implicit}]), row.protocol)
		c.wantRead(map[login.Protocol]string{login.SMTP: "220", login.POP3: "+OK"}[row.protocol])
		if !row.implicit {
			c.ask(map[login.Protocol]string{login.SMTP: "STARTTLS", login.POP3: "STLS"}[row.protocol])
		}
		said := &keepsOpen{Conn: c.conn}
		if err := tls.Client(said, trusting()).Handshake(); err == nil {
			t.Errorf("%s: somebody encrypts", row.name)
		}
		c.want("QUIT", map[login.Protocol]string{login.SMTP: "221", login.POP3: "+OK"}[row.protocol])
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if all := strings.Join(seen.all, "\n"); !strings.Contains(all, "tls-failed a hello") || !strings.Contains(all, "\nC QUIT\n") || strings.Contains(all, "+ ") {
			t.Errorf("%s: the witness was told %q", row.name, all)
		}
	}
}

// keepsOpen: who fails to encrypt goes on in clear.
type keepsOpen struct{ net.Conn }

func (keepsOpen) Close() error { return nil }

// TestInjects: the lines come in one piece with the answer, and TLS after it.
func TestInjects(t *testing.T) {
	for _, row := range []struct {
		protocol      login.Protocol
		command, lets string
		lines         []string
	}{
		{login.SMTP, "STARTTLS", "220 2.0.0", []string{"250-injected.example", "250 AUTH LOGIN"}},
		{login.POP3, "STLS", "+OK ready", []string{"+OK", "USER", "."}},
	} {
		s := start(t, scripting(login.Script{Injects: row.lines}))
		c := s.dial(row.protocol, login.Plain)
		if row.protocol == login.SMTP {
			c.want("EHLO client.example", "250-")
		}
		c.want(row.command, row.lets)
		if waiting := strings.Join(row.lines, "\r\n") + "\r\n"; c.r.Buffered() != len(waiting) {
			t.Errorf("%s: %d octets follow the answer at once, want %d", row.command, c.r.Buffered(), len(waiting))
		} else if got, _ := c.r.Peek(len(waiting)); string(got) != waiting {
			t.Errorf("%s: %q, want %q", row.command, got, waiting)
		}
		c.handshake(c.showing())
		if row.protocol == login.SMTP {
			c.want("EHLO client.example", "250-")
		}
		c.enter(map[login.Protocol]login.Mechanism{login.SMTP: login.PLAIN, login.POP3: login.UserPass}[row.protocol], alice)
	}
}

// TestNewestTLS: the version that both have, whatever the flavour's oldest is.
func TestNewestTLS(t *testing.T) {
	for _, row := range []struct {
		newest login.TLSVersion
		client uint16 // the newest of the client
		want   uint16 // 0: none in common
	}{
		{login.TLS10, tls.VersionTLS13, tls.VersionTLS10},
		{login.TLS11, tls.VersionTLS13, tls.VersionTLS11},
		{login.TLS12, tls.VersionTLS13, tls.VersionTLS12},
		{login.TLS13, tls.VersionTLS10, tls.VersionTLS10},
		{"", tls.VersionTLS11, 0},
	} {
		s := start(t, scripting(login.Script{NewestTLS: row.newest}))
		conn := tls.Client(dialTCP(t, s.ports[port{login.SMTP, true}]), &tls.Config{
			RootCAs: testStore.pool(), ServerName: login.DefaultIdentity, MinVersion: tls.VersionTLS10, MaxVersion: row.client})
		err := conn.Handshake()
		if got := conn.ConnectionState().Version; (err == nil) != (row.want != 0) || err == nil && got != row.want {
			t.Errorf("up to %q, a client up to %s: %s, %v", row.newest, tls.VersionName(row.client), tls.VersionName(got), err)
		}
		_ = conn.Close()
	}
}

// TestBends: what is wrong with a challenge, in both protocols, and that a client
// who minds nothing is let in by no other way than the policy's.
func TestBends(t *testing.T) {
	for _, row := range []struct {
		bend      login.Bend
		mechanism login.Mechanism
		// wrong looks at the decoded challenges in their order, or at the first
		// text where that is no base64.
		wrong func(text string, challenges []string) bool
		want  map[login.Protocol]string // the last answer to who goes through with it
		why   string
	}{
		{login.NotBase64, login.CRAMMD5, func(text string, _ []string) bool { return text == "!!!notbase64" }, wrongPassword, "it cannot be decoded"},
		{login.LongChallenge, login.CRAMMD5, func(text string, _ []string) bool { return len(text) == 100_000 }, wrongPassword, "longer than any line"},
		{login.NoBrackets, login.CRAMMD5, func(_ string, c []string) bool {
			return len(c) == 1 && strings.Contains(c[0], "@") && !strings.ContainsAny(c[0], "<>")
		}, wrongPassword, "no message-id"},
		{login.ForeignNonce, login.SCRAMSHA256, func(_ string, c []string) bool {
			return len(c) > 0 && strings.HasPrefix(c[0], "r=nobody-said-this,s=") && strings.Contains(c[0], ",i=")
		}, nil, "not the client's own"},
		{login.OneRound, login.SCRAMSHA256, func(_ string, c []string) bool { return len(c) > 0 && strings.HasSuffix(c[0], ",i=1") }, nil, "one iteration"},
		{login.WrongSignature, login.SCRAMSHA256, func(_ string, c []string) bool {
			return len(c) == 2 && c[1] == "v="+base64.StdEncoding.EncodeToString(make([]byte, 32))
		}, loggedIn, "a proof of nothing"},
		{login.NoSignature, login.SCRAMSHA256, func(_ string, c []string) bool { return len(c) == 1 && strings.HasPrefix(c[0], "r=") }, loggedIn, "no proof at all"},
	} {
		for _, p := range login.Protocols() {
			s := start(t, scripting(login.Script{Bends: map[login.Mechanism]login.Bend{row.mechanism: row.bend}}))
			text, challenges, last := s.hello(p).through(row.mechanism)
			if !row.wrong(text, challenges) {
				t.Errorf("%s over %s: %.60q %.80q: %s", row.bend, p, text, challenges, row.why)
			}
			if !strings.HasPrefix(last, row.want[p]) {
				t.Errorf("%s over %s: in the end %q", row.bend, p, last)
			}
			// The other mechanisms are as ever.
			if got, _ := s.hello(p).logIn(login.LOGIN, bob.Name, bob.Password); !accepted(got) {
				t.Errorf("%s over %s: LOGIN: %q", row.bend, p, got)
			}
		}
	}
}

var (
	wrongPassword = map[login.Protocol]string{login.SMTP: "535", login.POP3: "-ERR"}
	loggedIn      = map[login.Protocol]string{login.SMTP: "235", login.POP3: "+OK"}
)

// through goes through an exchange and minds nothing that it can go on after.
func (c *peer) through(m login.Mechanism) (text string, challenges []string, last string) {
	c.t.Helper()
	impl, _ := mech.Get(m)
	client := impl.Client(mech.ClientConfig{Protocol: c.protocol, Username: alice.Name, Password: alice.Password, Rand: zeros{}})
	_, message, err := client.Start()
	if err != nil {
		c.t.Fatal(err)
	}
	last = c.ask("AUTH " + string(m))
	for {
		rest, asked := strings.CutPrefix(last, map[login.Protocol]string{login.SMTP: "334 ", login.POP3: "+ "}[c.protocol])
		if !asked {
			return text, challenges, last
		}
		if text == "" {
			text = rest
		}
		challenge, err := base64.StdEncoding.DecodeString(rest)
		if err == nil && len(challenge) > 0 {
			challenges = append(challenges, string(challenge))
		}
		if message == nil {
			if message, err = client.Next(challenge); err != nil && len(challenges) > 1 {
				message = []byte{} // it has seen that the proof is wrong, and goes on
			} else if err != nil {
				return text, challenges, c.ask("*")
			}
		}
		last = c.ask(base64.StdEncoding.EncodeToString(message))
		message = nil
	}
}

// TestScriptPermitsNothing: no departure lets anybody in whom the policy keeps
// out.
func TestScriptPermitsNothing(t *testing.T) {
	everythingWrong := login.Script{Greets: []string{"+OK"}, Timestamp: "<a@b>", Injects: []string{"+OK"}, ClearPort: true, NewestTLS: login.TLS13}
	s := start(t, with(scripting(everythingWrong), func(s *login.Setup) { s.Policy = everything(login.Deny) }))
	for _, m := range mech.Names() {
		if impl, _ := mech.Get(m); !slices.Contains(impl.Protocols, login.POP3) {
			continue
		}
		if got, _ := s.pop3(login.Plain).logIn(m, alice.Name, alice.Password); accepted(got) {
			t.Errorf("%s: %q", m, got)
		}
	}
}
