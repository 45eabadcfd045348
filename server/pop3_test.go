package server

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// TestPOP3Answers holds the replies before the login.
func TestPOP3Answers(t *testing.T) {
	plain := b64("\x00alice\x00wonderland")
	noDigest := strings.Repeat("0", 32)
	for _, tt := range []struct {
		name, why string
		talk      []exchange
	}{
		{"USER and PASS", "RFC 1939 7", []exchange{{"USER alice", "+OK"}, {"PASS wonderland", "+OK"}, {"STAT", "+OK 0 0"}}},
		{"letter case", "RFC 1939 3", []exchange{{"user alice", "+OK"}, {"pAsS wonderland", "+OK"}, {"sTaT", "+OK 0 0"}}},
		{"wrong password", "RFC 3206 4", []exchange{{"USER alice", "+OK"}, {"PASS x", "-ERR [AUTH] "}}},
		{"unknown name", "the same", []exchange{{"USER ghost", "+OK"}, {"PASS x", "-ERR [AUTH] "}}},
		{"PASS without USER", "RFC 1939 7", []exchange{{"PASS wonderland", "-ERR "}}},
		{"something between", "RFC 1939 7: immediately", []exchange{{"USER alice", "+OK"}, {"NOOP", "-ERR"}, {"PASS wonderland", "-ERR "}}},
		{"USER twice", "the last counts", []exchange{{"USER bob", "+OK"}, {"USER alice", "+OK"}, {"PASS wonderland", "+OK"}}},
		{"blanks in a password", "RFC 1939 7: they belong to it", []exchange{{"USER alice", "+OK"}, {"PASS wonderland junk", "-ERR [AUTH] "}, {"USER alice", "+OK"}, {"PASS wonderland ", "-ERR [AUTH] "}}},
		{"odd names", "RFC 1939 3", []exchange{{"USER", "-ERR "}, {"USER a b", "-ERR "}, {"USER \xff\xfe", "-ERR "}, {"USER alice\x00x", "-ERR "}, {"USER " + strings.Repeat("a", 200), "+OK"}}},
		{"before the login", "RFC 1939 4", []exchange{{"STAT", "-ERR "}, {"LIST", "-ERR "}, {"RETR 1", "-ERR "}, {"TOP 1 0", "-ERR "}, {"UIDL", "-ERR "}, {"DELE 1", "-ERR "}, {"NOOP", "-ERR "}, {"RSET", "-ERR "}, {"QUIT", "+OK"}}},
		{"after the login", "RFC 1939 5", []exchange{{"USER alice", "+OK"}, {"PASS wonderland", "+OK"}, {"USER x", "-ERR "}, {"PASS x", "-ERR "}, {"APOP x " + noDigest, "-ERR "}, {"AUTH PLAIN " + plain, "-ERR "}, {"AUTH", "-ERR "}, {"STLS", "-ERR "}, {"STAT", "+OK 0 0"}}},
		{"APOP digests", "RFC 1939 7", []exchange{{"APOP alice", "-ERR "}, {"APOP alice ", "-ERR "}, {"APOP alice " + noDigest[1:], "-ERR [AUTH] "}, {"APOP alice " + noDigest, "-ERR [AUTH] "}, {"APOP ghost " + noDigest, "-ERR [AUTH] "}, {"APOP", "-ERR "}}},
		{"success", "RFC 5034 4", []exchange{{"AUTH PLAIN " + plain, "+OK"}, {"STAT", "+OK"}}},
		{"mechanism in any case", "RFC 5034 4", []exchange{{"AUTH plain " + plain, "+OK"}}},
		{"empty challenge", "RFC 5034 4: blank behind +", []exchange{{"AUTH PLAIN", "+ "}, {plain, "+OK"}}},
		{"cancelled", "RFC 5034 4", []exchange{{"AUTH PLAIN", "+ "}, {"*", "-ERR "}, {"USER alice", "+OK"}, {"PASS wonderland", "+OK"}}},
		{"unknown mechanism", "RFC 5034 4", []exchange{{"AUTH X-NOSUCH", "-ERR "}, {"AUTH USER/PASS", "-ERR "}, {"CAPA", "+OK"}}},
		{"initial responses", "RFC 5034 4", []exchange{{"AUTH PLAIN =", "-ERR "}, {"AUTH PLAIN AAA=BBB", "-ERR "}, {"AUTH PLAIN *", "-ERR "}, {"AUTH CRAM-MD5 eA==", "-ERR "}, {"AUTH PLAIN " + plain + " x", "-ERR "}}},
		{"response is not base64", "RFC 5034 4", []exchange{{"AUTH CRAM-MD5", "+ "}, {"!!!!", "-ERR "}}},
		{"wrong by AUTH", "RFC 3206 4", []exchange{{"AUTH PLAIN " + b64("\x00alice\x00x"), "-ERR [AUTH] "}}},
		{"long responses", "RFC 5034 4: not bound by 255", []exchange{{"AUTH PLAIN", "+ "}, {b64("\x00alice\x00" + strings.Repeat("x", 6000)), "-ERR [AUTH] "}, {"AUTH PLAIN", "+ "}, {strings.Repeat("A", 20000), "-ERR "}, {"USER alice", "+OK"}}},
		{"long commands", "RFC 2449 4: one answer", []exchange{{"AUTH PLAIN " + strings.Repeat("A", 260), "-ERR "}, {strings.Repeat("X", 300), "-ERR "}, {strings.Repeat("X", 70000), "-ERR "}, {"USER alice", "+OK"}}},
		{"STLS with argument", "RFC 2595 4", []exchange{{"STLS now", "-ERR "}}},
		{"CAPA with argument", "RFC 2449 5", []exchange{{"CAPA x", "-ERR "}}},
		{"unknown command", "RFC 1939 3", []exchange{{"XYZZY", "-ERR "}, {"", "-ERR "}}},
		{"a browser", "another protocol's lines", []exchange{{"POST / HTTP/1.1", "-ERR "}, {"", "EOF"}}},
	} {
		t.Run(strings.ReplaceAll(tt.name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			converse(t, start(t, open()).pop3(login.Plain), tt.why, tt.talk)
		})
	}
}

// TestCAPA: what is listed before and after the login (RFC 2449 5).
func TestCAPA(t *testing.T) {
	s := start(t, open())
	c := s.pop3(login.Plain)
	want := []string{"TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", "EXPIRE NEVER", "USER",
		"SASL LOGIN PLAIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256", "STLS", "IMPLEMENTATION mailmatrix"}
	if got := c.list(); !slices.Equal(got, want) {
		t.Errorf("before: %q", got)
	}
	c.enter(login.UserPass, alice)
	want = slices.DeleteFunc(want, func(s string) bool { return s == "STLS" })
	if got := c.list(); !slices.Equal(got, want) {
		t.Errorf("after: %q", got)
	}
	inside := s.pop3(login.StartTLS).list()
	if slices.Contains(inside, "STLS") {
		t.Errorf("inside TLS: %q", inside)
	}
}

// TestBareAuth: Outlook asks for the list with AUTH alone (MS-OXPOP3 1.7); it
// equals CAPA's.
func TestBareAuth(t *testing.T) {
	c := start(t, open()).pop3(login.Plain)
	c.want("AUTH", "+OK")
	if got := c.dotted(); !slices.Equal(got, []string{"LOGIN", "PLAIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"}) {
		t.Errorf("list %q", got)
	}
	denied := start(t, with(open(), func(s *login.Setup) { s.Policy = login.Policy{} })).pop3(login.Plain)
	denied.want("AUTH", "+OK")
	if got := denied.dotted(); len(got) != 0 {
		t.Errorf("everything is denied, and the list is %q", got)
	}
}

// TestPolicyWithoutCode: refusals by policy come at the command and without
// a response code, in words of one sort.
func TestPolicyWithoutCode(t *testing.T) {
	c := start(t, with(open(), func(s *login.Setup) { s.Policy = login.Policy{} })).pop3(login.Plain)
	if strings.Contains(c.greeting, "<") {
		t.Errorf("greeting %q", c.greeting)
	}
	var answers []string
	for _, line := range []string{"USER alice", "APOP alice 0123456789abcdef0123456789abcdef", "AUTH PLAIN", "AUTH NTLM", "AUTH X-NOSUCH"} {
		answers = append(answers, c.ask(line))
	}
	if len(slices.Compact(answers)) != 1 || strings.Contains(answers[0], "[") {
		t.Errorf("answers %q", answers)
	}
}

// TestWalkThrough is a session of RFC 1939 10's kind, with every command.
func TestWalkThrough(t *testing.T) {
	s := start(t, open())
	for _, m := range []string{"Subject: one\r\n\r\n.dot\r\n..dots\r\nlast\r\n", "Subject: two\n\nbody", "Subject: three\r\n\r\n"} {
		if err := s.Deliver("alice", []byte(m)); err != nil {
			t.Fatal(err)
		}
	}
	c := s.pop3(login.Plain).enter(login.UserPass, alice)
	sizes := []string{"1 36", "2 22", "3 18"}
	c.want("STAT", "+OK 3 76")
	c.want("STAT x", "-ERR")
	c.want("LIST", "+OK")
	if got := c.dotted(); !slices.Equal(got, sizes) {
		t.Errorf("LIST %q", got)
	}
	c.want("LIST 2", "+OK 2 22")
	c.want("UIDL", "+OK")
	uids := c.dotted()
	for i, line := range uids { // RFC 1939 7: 1 to 70 octets from ! to ~
		if !regexp.MustCompile(`^[123] [!-~]{1,70}$`).MatchString(line) || slices.Index(uids, line) != i {
			t.Errorf("UIDL %q", uids)
		}
	}
	c.want("UIDL 2", "+OK "+uids[1])
	c.want("RETR 1", "+OK")
	if got := c.dotted(); !slices.Equal(got, []string{"Subject: one", "", "..dot", "...dots", "last"}) {
		t.Errorf("RETR %q", got)
	}
	c.want("TOP 1 0", "+OK")
	if got := c.dotted(); !slices.Equal(got, []string{"Subject: one", ""}) {
		t.Errorf("TOP 1 0 %q", got)
	}
	c.want("TOP 1 1", "+OK")
	if got := c.dotted(); !slices.Equal(got, []string{"Subject: one", "", "..dot"}) {
		t.Errorf("TOP 1 1 %q", got)
	}
	c.want("TOP 2 99", "+OK")
	if got := c.dotted(); !slices.Equal(got, []string{"Subject: two", "", "body"}) {
		t.Errorf("TOP 2 99 %q", got)
	}
	for _, verb := range []string{"RETR", "DELE", "LIST", "UIDL"} {
		for _, n := range []string{"0", "-1", "+1", "4", "abc", "99999999999", "4294967297", "1 1"} {
			c.want(verb+" "+n, "-ERR")
		}
	}
	for _, bad := range []string{"RETR", "DELE", "TOP", "TOP 1", "TOP 0 0", "TOP 1 -1", "TOP 1 1 1", "NOOP x", "RSET x", "QUIT x"} {
		c.want(bad, "-ERR")
	}
	c.want("NOOP", "+OK")
	c.want("DELE 2", "+OK")
	for _, gone := range []string{"DELE 2", "RETR 2", "TOP 2 0", "LIST 2", "UIDL 2"} {
		c.want(gone, "-ERR")
	}
	c.want("STAT", "+OK 2 54")
	c.want("LIST", "+OK")
	if got := c.dotted(); !slices.Equal(got, []string{"1 36", "3 18"}) {
		t.Errorf("LIST after DELE %q", got)
	}
	c.want("RSET", "+OK")
	c.want("STAT", "+OK 3 76")
	c.want("DELE 3", "+OK")
	_ = c.conn.Close() // RFC 1939 6: without QUIT nothing is deleted

	c = s.reopen()
	c.want("STAT", "+OK 3 76")
	c.want("UIDL", "+OK")
	if got := c.dotted(); !slices.Equal(got, uids) {
		t.Errorf("identifiers changed from %q to %q", uids, got)
	}
	c.want("DELE 1", "+OK")
	c.quit()
	c = s.reopen()
	c.want("STAT", "+OK 2 40")
	c.want("UIDL 1", "+OK 1 "+strings.Fields(uids[1])[1])
}

// reopen logs alice in as soon as the server has noticed that her last
// connection is gone.
func (s *site) reopen() *peer {
	s.t.Helper()
	for range 1000 {
		c := s.pop3(login.Plain)
		answer, _ := c.logIn(login.UserPass, alice.Name, alice.Password)
		if accepted(answer) {
			return c
		}
		if !strings.HasPrefix(answer, "-ERR [IN-USE]") {
			s.t.Fatalf("login: %s", answer)
		}
		c.quit()
	}
	s.t.Fatal("the mailbox stays in use")
	return nil
}

// TestMailboxInUse: RFC 1939 4 and RFC 2449 8.1.2; who comes second may try
// again, and it is recorded.
func TestMailboxInUse(t *testing.T) {
	s := start(t, open())
	first := s.pop3(login.Plain).enter(login.UserPass, alice)
	second := s.pop3(login.Plain)
	if answer, _ := second.logIn(login.CRAMMD5, "alice", "wonderland"); !strings.HasPrefix(answer, "-ERR [IN-USE] ") {
		t.Errorf("second session: %s", answer)
	}
	if got := s.last().Refusal; got != login.ByMailboxInUse {
		t.Errorf("record %q", got)
	}
	s.pop3(login.Plain).enter(login.UserPass, bob)
	first.quit()
	second.enter(login.CRAMMD5, alice)
}

// TestPOP3Pipelined: RFC 2449 6.6.
func TestPOP3Pipelined(t *testing.T) {
	s := start(t, open())
	c := s.pop3(login.Plain)
	c.send("USER alice\r\nPASS wonderland\r\nSTAT\r\nQUIT\r\n")
	for _, want := range []string{"+OK", "+OK", "+OK 0 0", "+OK", "EOF"} {
		c.wantRead(want)
	}
	c = s.pop3(login.Plain)
	c.send("USER alice\r\nPASS bad\r\nSTAT\r\nQUIT\r\n")
	for _, want := range []string{"+OK", "-ERR [AUTH]", "-ERR", "+OK", "EOF"} {
		c.wantRead(want)
	}
}

// TestTimestamps: RFC 1939 7, never the same twice; RFC 2195 2 likewise.
func TestTimestamps(t *testing.T) {
	s := start(t, open())
	seen := map[string]bool{}
	for range 20 {
		c := s.pop3(login.Plain)
		_, stamp, _ := strings.Cut(c.greeting, "<")
		seen[stamp] = true
		seen[c.want("AUTH CRAM-MD5", "+ ")] = true
		c.want("*", "-ERR")
	}
	if len(seen) != 40 {
		t.Errorf("%d different challenges of 40", len(seen))
	}
	if c := s.pop3(login.Plain); !regexp.MustCompile(`^\+OK .*<[^<>@ ]+@mail\.example\.test>$`).MatchString(c.greeting) {
		t.Errorf("greeting %q", c.greeting)
	}
}
