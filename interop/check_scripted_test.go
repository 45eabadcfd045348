package interop

import (
	"bufio"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

// scriptedServer does what a server does that Debian has no configuration for.
type scriptedServer struct {
	name     string
	protocol login.Protocol
	greeting string
	// answer answers a command; "" ends the conversation.
	answer func(*scriptedTalk, string) string
}

// scriptedTalk is one conversation.
type scriptedTalk struct {
	account login.Account
	lines   *bufio.Scanner
	conn    net.Conn
	user    string
}

var scriptedServers = []scriptedServer{
	{"empty-auth", login.SMTP, "220 mail.example.test ESMTP", (*scriptedTalk).emptyAuth},
	{"no-capa", login.POP3, "+OK ready", (*scriptedTalk).noCAPA},
	{"user-never-works", login.POP3, "+OK ready", (*scriptedTalk).userNeverWorks},
}

// door is its only one.
func (s scriptedServer) door(address string) door {
	role := map[login.Protocol]string{login.SMTP: "submission", login.POP3: "pop3"}[s.protocol]
	return door{role: role, protocol: s.protocol, noTLS: true, address: address}
}

// start serves until the test ends, and returns the address.
func (s scriptedServer) start(t *testing.T, account login.Account) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { s.serve(conn, account) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		running.Wait()
	})
	return l.Addr().String()
}

func (s scriptedServer) serve(conn net.Conn, account login.Account) {
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(patience))
	talk := &scriptedTalk{account: account, lines: bufio.NewScanner(conn), conn: conn}
	say := s.greeting
	for {
		if _, err := fmt.Fprintf(conn, "%s\r\n", say); err != nil || !talk.lines.Scan() {
			return
		}
		if verb, _ := split(talk.lines.Text()); verb == "QUIT" {
			_, _ = fmt.Fprintf(conn, "%s bye\r\n", map[login.Protocol]string{login.SMTP: "221", login.POP3: "+OK"}[s.protocol])
			return
		}
		say = s.answer(talk, talk.lines.Text())
		if say == "" {
			return
		}
	}
}

// split parts a line into its verb, in upper case, and the rest.
func split(line string) (verb, rest string) {
	verb, rest, _ = strings.Cut(line, " ")
	return strings.ToUpper(verb), strings.TrimSpace(rest)
}

// emptyAuth lists nothing and takes CRAM-MD5, as mox does in clear.
func (s *scriptedTalk) emptyAuth(line string) string {
	verb, rest := split(line)
	switch verb {
	case "EHLO":
		return "250-mail.example.test\r\n250-AUTH \r\n250 8BITMIME"
	case "AUTH":
		if !strings.EqualFold(rest, string(login.CRAMMD5)) {
			return "504 5.5.4 unknown mechanism"
		}
		return s.cram()
	default:
		return "500 5.5.1 unknown command"
	}
}

// cram is one exchange.
func (s *scriptedTalk) cram() string {
	half := mech.CRAMMD5.Server(mech.ServerConfig{Identity: identity, Rand: rand.Reader, Now: time.Now,
		Lookup: func(name string) (string, bool) { return s.account.Password, name == s.account.Name }})
	challenge, _, err := half.Next(nil)
	if err != nil {
		return ""
	}
	if _, err := fmt.Fprintf(s.conn, "334 %s\r\n", base64.StdEncoding.EncodeToString(challenge)); err != nil || !s.lines.Scan() {
		return ""
	}
	response, err := base64.StdEncoding.DecodeString(s.lines.Text())
	if err != nil {
		return "501 5.5.2 cancelled"
	}
	if _, _, err := half.Next(response); err != nil {
		return "535 5.7.8 wrong"
	}
	return "235 2.7.0 nice"
}

// noCAPA knows what RFC 1939 has, as popa3d does.
func (s *scriptedTalk) noCAPA(line string) string {
	verb, rest := split(line)
	switch {
	case verb == "USER":
		s.user = rest
		return "+OK"
	case verb == "PASS" && s.user == s.account.Name && rest == s.account.Password:
		return "+OK welcome"
	case verb == "PASS":
		return "-ERR Authentication failed"
	default:
		return "-ERR"
	}
}

// userNeverWorks lists USER and refuses it, as Courier does that wants TLS.
func (s *scriptedTalk) userNeverWorks(line string) string {
	switch verb, _ := split(line); verb {
	case "CAPA":
		return "+OK\r\nUSER\r\nTOP\r\nUIDL\r\n."
	case "USER":
		return "-ERR TLS required to log in."
	default:
		return "-ERR Invalid command."
	}
}
