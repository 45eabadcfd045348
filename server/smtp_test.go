package server

import (
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// exchange is a conversation: what is said, and how the answer begins.
type exchange struct{ say, want string }

// TestSMTPAnswers holds the replies of the front, each conversation on a
// connection of its own, after EHLO.
func TestSMTPAnswers(t *testing.T) {
	plain := b64("\x00alice\x00wonderland")
	long := strings.Repeat("A", longestAuth-len("AUTH PLAIN "))
	for _, tt := range []struct {
		name, why string
		talk      []exchange
	}{
		{"success", "RFC 4954 6: 235 2.7.0", []exchange{{"AUTH PLAIN " + plain, "235 2.7.0 "}}},
		{"letter case", "RFC 4954 4, RFC 5321 2.4", []exchange{{"auth Plain " + plain, "235 2.7.0 "}}},
		{"empty challenge", "RFC 4954 4: blank behind 334", []exchange{{"AUTH PLAIN", "334 "}, {plain, "235 "}}},
		{"two prompts", "LOGIN", []exchange{
			{"AUTH LOGIN", "334 " + b64("Username:")}, {b64("alice"), "334 " + b64("Password:")}, {b64("wonderland"), "235 "}}},
		{"name first", "LOGIN with initial response", []exchange{
			{"AUTH LOGIN " + b64("alice"), "334 " + b64("Password:")}, {b64("wonderland"), "235 "}}},
		{"wrong password", "RFC 4954 6: 535 5.7.8", []exchange{{"AUTH PLAIN " + b64("\x00alice\x00x"), "535 5.7.8 "}}},
		{"unknown name", "the same as a wrong password", []exchange{{"AUTH PLAIN " + b64("\x00ghost\x00x"), "535 5.7.8 "}}},
		{"for somebody else", "RFC 4616 2", []exchange{{"AUTH PLAIN " + b64("bob\x00alice\x00wonderland"), "535 5.7.8 "}}},
		{"for one of whom SASLprep leaves nothing", "RFC 4954 4", []exchange{{"AUTH PLAIN " + b64("\u00ad\x00alice\x00wonderland"), "535 5.7.8 "}}},
		{"a name in full width, with a soft hyphen", "RFC 4954 4: SASLprep", []exchange{{"AUTH PLAIN " + b64("\x00al\u00ad\uff49ce\x00wonderland"), "235 "}}},
		{"a name that SASLprep forbids", "RFC 4013 2.3", []exchange{{"AUTH PLAIN " + b64("\x00alice\x07\x00wonderland"), "535 5.7.8 "}}},
		{"NUL in a name", "RFC 4422 3.4.1", []exchange{{"AUTH LOGIN " + b64("alice\x00"), "501 5.5.2 "}}},
		{"no mechanism", "RFC 5321 4.3.2", []exchange{{"AUTH", "501 5.5.4 "}, {"AUTH ", "501 5.5.4 "}}},
		{"unknown mechanism", "RFC 4954 4: 504 5.5.4", []exchange{{"AUTH X-NOSUCH", "504 5.5.4 "}}},
		{"no name of a mechanism", "RFC 4422 3.1", []exchange{
			{"AUTH PLA%sIN", "504 5.5.4 "}, {"AUTH " + strings.Repeat("A", 64), "504 5.5.4 "}}},
		{"POP3's own", "they are no SASL mechanisms", []exchange{{"AUTH APOP", "504 "}, {"AUTH USER/PASS", "504 "}}},
		{"Kerberos", "nobody has it", []exchange{{"AUTH GSSAPI", "504 5.5.4 "}}},
		{"initial response is not base64", "RFC 4954 4: 501 5.5.2", []exchange{
			{"AUTH PLAIN !!!!", "501 5.5.2 "}, {"AUTH PLAIN *", "501 5.5.2 "}, {"AUTH PLAIN " + plain[:5] + "!" + plain[5:], "501 5.5.2 "}}},
		{"padding in the middle", "RFC 4648 3.3", []exchange{{"AUTH PLAIN " + b64("\x00u\x00p") + "AAAA", "501 "}}},
		{"one spelling", "RFC 4648 3.5", []exchange{{"AUTH PLAIN QR==", "501 5.5.2 "}, {"AUTH PLAIN QQ", "501 5.5.2 "}}},
		{"response is not base64", "RFC 4954 4: 501 5.5.2", []exchange{{"AUTH PLAIN", "334 "}, {"!!!!", "501 5.5.2 "}, {"NOOP", "250 "}}},
		{"equals sign", "RFC 4954 4: an empty initial response", []exchange{{"AUTH PLAIN =", "501 5.5.2 "}}},
		{"equals sign later", "only the initial response may be one", []exchange{{"AUTH LOGIN", "334 "}, {"=", "501 5.5.2 "}}},
		{"empty response", "an empty line", []exchange{{"AUTH LOGIN", "334 "}, {"", "501 5.5.2 "}}},
		{"cancelled", "RFC 4954 4: 501", []exchange{
			{"AUTH PLAIN", "334 "}, {"*", "501 5.0.0 "}, {"AUTH LOGIN", "334 "}, {b64("alice"), "334 "}, {"*", "501 5.0.0 "},
			{"AUTH PLAIN " + plain, "235 "}}},
		{"server first", "RFC 4954 4: 501 5.7.0", []exchange{{"AUTH CRAM-MD5 eA==", "501 5.7.0 "}, {"AUTH CRAM-MD5 =", "501 5.7.0 "}}},
		{"extra argument", "RFC 5321 4.3.2", []exchange{{"AUTH PLAIN " + plain + " more", "501 5.5.4 "}}},
		{"two blanks", "RFC 4954 8: one", []exchange{{"AUTH PLAIN  " + plain, "501 "}}},
		{"blank at the end", "RFC 5321 4.1.1: may be there", []exchange{{"AUTH PLAIN " + plain + " ", "235 "}}},
		{"AUTH twice", "RFC 4954 4: 503", []exchange{
			{"AUTH PLAIN " + plain, "235 "}, {"AUTH PLAIN " + plain, "503 5.5.1 "}, {"RSET", "250 "}, {"AUTH PLAIN", "503 5.5.1 "},
			{"EHLO again", "250-"}, {"AUTH PLAIN", "503 5.5.1 "}, {"STARTTLS", "503 5.5.1 "}}},
		{"AUTH in a transaction", "RFC 4954 4: 503", []exchange{
			{"MAIL FROM:<a@b.example>", "250 2."}, {"AUTH PLAIN " + plain, "503 5.5.1 "}, {"RCPT TO:<x@elsewhere.example>", "550 5.7.1 "},
			{"RSET", "250 2.0.0 "}, {"AUTH PLAIN " + plain, "235 "}}},
		{"AUTH after HELO", "RFC 4954 3: an extension", []exchange{{"HELO x", "250 "}, {"AUTH PLAIN", "503 5.5.1 "}}},
		{"malformed", "RFC 4616 2", []exchange{{"AUTH PLAIN " + b64("alice"), "501 5.5.2 "}, {"AUTH PLAIN " + b64("\x00alice\x00wonderland\x00"), "501 "}}},
		{"12,288 octets", "RFC 4954 4", []exchange{{"AUTH PLAIN " + long, "501 "}, {"AUTH PLAIN", "334 "}, {strings.Repeat("A", longestAuth), "501 5.5.2 "}}},
		{"one more", "RFC 4954 4: 500 5.5.6", []exchange{
			{"AUTH PLAIN", "334 "}, {strings.Repeat("A", longestAuth+1), "500 5.5.6 "}, {"AUTH PLAIN " + long + "A", "500 "}, {"NOOP", "250 "}}},
		{"commands in an exchange", "they are responses", []exchange{
			{"AUTH LOGIN", "334 "}, {"QUIT", "334 "}, {"STARTTLS", "535 "}, {"AUTH LOGIN", "334 "}, {"MAIL FROM:<>", "501 "}, {"NOOP", "250 "}}},

		{"unknown command", "RFC 5321 4.2.4: 500", []exchange{{"XYZZY", "500 5.5.1 "}, {"STARTTLSX", "500 "}, {"", "500 "}, {"MAILFROM:<a@b>", "500 "}}},
		{"not implemented", "RFC 5321 4.2.4: 502", []exchange{{"BDAT 3 LAST", "502 5.5.1 "}, {"EXPN x", "502 "}}},
		{"line too long", "RFC 5321 4.5.3.1.4, and one answer", []exchange{
			{strings.Repeat("X", 600), "500 "}, {strings.Repeat("X", 70000), "500 "}, {"NOOP", "250 2.0.0 "}}},
		{"bare CR", "RFC 5321 2.3.8", []exchange{{"NOOP\rNOOP", "500 5.5.2 "}, {"NOOP", "250 "}}},
		{"NUL", "RFC 5321 2.4", []exchange{{"NOOP\x00 zzz", "500 5.5.2 "}, {"AUTH\x00 PLAIN", "500 "}}},
		{"small commands", "RFC 5321 4.1.1", []exchange{
			{"NOOP", "250 2.0.0 "}, {"NOOP with argument", "250 2.0.0 "}, {"RSET", "250 2.0.0 "}, {"RSET now", "501 5.5.4 "},
			{"VRFY alice", "252 "}, {"VRFY ghost", "252 "}, {"HELP", "214 "}, {"QUIT now", "501 5.5.4 "}}},
		{"EHLO", "RFC 5321 4.1.1.1", []exchange{{"EHLO", "501 5.5.4 "}, {"HELO", "501 "}, {"EHLO two words", "501 "}, {"EHLO [192.0.2.1]", "250-mail.example.test"}}},
		{"STARTTLS with argument", "RFC 3207 4: 501", []exchange{{"STARTTLS now", "501 5.5.4 "}, {"NOOP", "250 "}}},
		{"no transaction", "RFC 5321 4.1.4: 503", []exchange{{"RCPT TO:<alice@example.test>", "503 5.5.1 "}, {"DATA", "503 5.5.1 "}}},
		{"MAIL twice", "RFC 5321 4.1.4: 503", []exchange{{"MAIL FROM:<a@b.example>", "250 2."}, {"MAIL FROM:<a@b.example>", "503 5.5.1 "}}},
		{"DATA without recipient", "RFC 5321 3.3", []exchange{{"MAIL FROM:<>", "250 "}, {"DATA", "503 5.5.1 "}}},
		{"EHLO ends a transaction", "RFC 5321 4.1.4", []exchange{{"MAIL FROM:<>", "250 "}, {"EHLO again", "250-"}, {"RCPT TO:<alice@example.test>", "503 "}}},
		{"parameters of MAIL", "RFC 4954 5, RFC 5321 4.1.1.11", []exchange{
			{"MAIL FROM:<a@b.example> AUTH=<>", "250 "}, {"RSET", "250 "},
			{"MAIL FROM:<a@b.example> AUTH=e+3Dmc2@example.com SIZE=100 BODY=8BITMIME", "250 "}, {"RSET", "250 "},
			{"MAIL FROM:<a@b.example> AUTH=a+zz@x", "501 5.5.4 "},
			{"MAIL FROM:<a@b.example> AUTH=a+0Ab@x", "501 5.5.4 "}, {"MAIL FROM:<a@b.example> AUTH=a+0Db@x", "501 5.5.4 "},
			{"MAIL FROM:<a@b.example> AUTH=a+00b@x", "501 5.5.4 "},
			{"MAIL FROM:<a@b.example> NONSENSE=1", "555 5.5.4 "},
			{"MAIL FROM:<a@b.example> SIZE=99999999999", "5"},
			{"MAIL FROM:<a@b.example> AUTH=" + strings.Repeat("a", 400) + "@example.com", "250 "}}},
		{"syntax of MAIL", "RFC 5321 4.3.2: 501", []exchange{{"MAIL", "501 "}, {"MAIL FROM", "501 "}, {"MAIL FROM:<\xff\xfe@b.example>", "501 "}}},
		{"recipients", "RFC 5321 4.5.1, 3.3", []exchange{
			{"MAIL FROM:<a@b.example>", "250 "}, {"RCPT TO:<alice@example.test>", "250 2."}, {"RCPT TO:<ALICE@EXAMPLE.TEST>", "250 2."},
			{"RCPT TO:<postmaster>", "250 2."}, {"rcpt to:<PostMaster>", "250 2."}, {"RCPT TO:<Postmaster@example.test>", "250 "},
			{"RCPT TO:<ghost@example.test>", "550 5.1.1 "}, {"RCPT TO:<alice>", "501 "}, {"RCPT TO:<x@elsewhere.example>", "550 5.7.1 "}}},
		{"ways around the relay rule", "the last domain counts", []exchange{
			{"MAIL FROM:<a@b.example>", "250 "}, {"RCPT TO:<x%elsewhere.example@example.test>", "550 "},
			{"RCPT TO:<@example.test:x@elsewhere.example>", "550 "}, {"RCPT TO:<\"x@elsewhere.example\"@example.test>", "550 "},
			{"RCPT TO:<elsewhere.example!x@example.test>", "550 "}, {"RCPT TO:<x@elsewhere.example@example.test>", "5"},
			{"RCPT TO:x@elsewhere.example", "550 "}, {"RCPT TO:<alice@example.test.>", "550 "}}},
		{"a browser", "another protocol's lines", []exchange{{"GET / HTTP/1.1", "500 "}, {"", "EOF"}}},
	} {
		t.Run(strings.ReplaceAll(tt.name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			s := start(t, open())
			converse(t, s.smtp(login.Plain), tt.why, tt.talk)
		})
	}
}

func converse(t *testing.T, c *peer, why string, talk []exchange) {
	t.Helper()
	for _, e := range talk {
		if got := c.ask(e.say); !strings.HasPrefix(got, e.want) {
			t.Errorf("%.60q: got %q, want %q (%s)", e.say, got, e.want, why)
		}
	}
}

// TestBeforeEHLO: the first command of a session is EHLO or HELO.
func TestBeforeEHLO(t *testing.T) {
	s := start(t, open())
	converse(t, s.dial(login.SMTP, login.Plain), "RFC 5321 4.1.4", []exchange{
		{"AUTH PLAIN", "503 5.5.1 "}, {"MAIL FROM:<a@b.example>", "503 5.5.1 "}, {"STARTTLS", "503 5.5.1 "},
		{"NOOP", "250 "}, {"RSET", "250 "}, {"QUIT", "221 2.0.0 "},
	})
	if got := s.last(); got.Refusal != login.BySequence || got.Mechanism != login.PLAIN {
		t.Errorf("record %+v", got)
	}
}

// TestEHLOList: what is in the list, and when.
func TestEHLOList(t *testing.T) {
	s := start(t, open())
	c := s.smtp(login.Plain)
	clear := strings.Join(c.list(), "|")
	if want := "mail.example.test|PIPELINING|8BITMIME|STARTTLS|AUTH LOGIN PLAIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256|SIZE 10485760|ENHANCEDSTATUSCODES"; clear != want {
		t.Errorf("in clear: %s", clear)
	}
	c.upgrade()
	inside := strings.Join(c.list(), "|")
	if strings.Contains(inside, "STARTTLS") { // RFC 3207 4.2
		t.Errorf("inside TLS: %s", inside)
	}
	c.enter(login.PLAIN, alice)
	if after := strings.Join(c.list(), "|"); strings.Contains(after, "AUTH") {
		t.Errorf("after the login: %s", after)
	}
}

// TestPipelined: answers come in order, one for each line (RFC 2920 3.1).
func TestPipelined(t *testing.T) {
	s := start(t, open())
	c := s.smtp(login.Plain)
	c.send("AUTH PLAIN " + b64("\x00alice\x00wonderland") + "\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<x@elsewhere.example>\r\nDATA\r\n")
	for _, want := range []string{"235 ", "250 ", "250 ", "354 "} {
		c.wantRead(want)
	}
	c.want("Subject: x\r\n\r\nbody\r\n.", "250 2.")

	c = s.smtp(login.Plain)
	c.send("AUTH LOGIN\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<x@elsewhere.example>\r\n")
	for _, want := range []string{"334 ", "501 ", "503 "} { // lines of an exchange are responses
		c.wantRead(want)
	}
}

// TestBareLF: a line that ends in LF alone is not obeyed, nor anything after.
func TestBareLF(t *testing.T) {
	s := start(t, open())
	c := s.smtp(login.Plain)
	c.send("NOOP\nNOOP\r\n")
	c.wantRead("500 5.5.2 ")
	c.wantRead("EOF")
	p := s.pop3(login.Plain)
	p.send("CAPA\n")
	p.wantRead("-ERR ")
	p.wantRead("EOF")
}

// TestTooManyErrors: who talks nonsense for ever is sent away.
func TestTooManyErrors(t *testing.T) {
	s := start(t, open(), WithLimits(Limits{BadCommands: 3}))
	for p, goodbye := range map[login.Protocol]string{login.SMTP: "421 4.7.0 ", login.POP3: "-ERR too many"} {
		c := s.dial(p, login.Plain)
		for range 3 {
			c.ask("XYZZY")
		}
		c.want("XYZZY", goodbye)
		c.wantRead("EOF")
	}
}
