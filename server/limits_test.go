package server

import (
	"bufio"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// TestSlowDown is rule 11, with a clock that nobody waits for: failures are
// answered later and later, and the third ends the connection.
func TestSlowDown(t *testing.T) {
	for p, answers := range map[login.Protocol][]string{
		login.SMTP: {"535 5.7.8 ", "535 5.7.8 ", "421 4.7.0 "},
		login.POP3: {"-ERR [AUTH] ", "-ERR [AUTH] ", "-ERR [AUTH] too many"},
	} {
		clock := NewVirtualClock(time.Unix(1_800_000_000, 0))
		s := start(t, slow(), WithClock(clock))
		before := clock.Now()
		c := s.hello(p)
		for i, want := range answers {
			// A cancelled exchange is no failure.
			c.ask("AUTH PLAIN")
			c.ask("*")
			if got, _ := c.logIn(login.PLAIN, "alice", "wrong"); !strings.HasPrefix(got, want) {
				t.Errorf("%s, failure %d: %s", p, i+1, got)
			}
			if got, want := s.last().DelayMS, int64(1000<<i); got != want {
				t.Errorf("%s, failure %d: delay %d ms, want %d", p, i+1, got, want)
			}
		}
		c.wantRead("EOF")
		if got := s.last().Refusal; got != login.ByTooMany {
			t.Errorf("%s: record %q", p, got)
		}
		if slept := clock.Now().Sub(before); slept != 7*time.Second {
			t.Errorf("%s: slept %s", p, slept)
		}
		s.hello(p).enter(login.PLAIN, alice) // another connection is not punished
	}
}

// TestNoSlowDown: without the posture nobody waits, and a connection lives on
// whatever the limits say.
func TestNoSlowDown(t *testing.T) {
	clock := NewVirtualClock(time.Unix(1_800_000_000, 0))
	s := start(t, open(), WithClock(clock), WithLimits(Limits{FailedLogins: 1, FailureDelay: time.Hour}))
	for p, wrong := range map[login.Protocol]string{login.SMTP: "535 5.7.8 ", login.POP3: "-ERR [AUTH] "} {
		before := clock.Now()
		c := s.hello(p)
		for range 5 {
			if got, _ := c.logIn(login.PLAIN, "alice", "wrong"); !strings.HasPrefix(got, wrong) || s.last().DelayMS != 0 {
				t.Errorf("%s: %s, record %+v", p, got, s.last())
			}
		}
		c.enter(login.PLAIN, alice)
		if slept := clock.Now().Sub(before); slept != 0 {
			t.Errorf("%s: slept %s", p, slept)
		}
	}
}

// TestSlowDownForReal: the machine's clock, and Close does not wait for it.
func TestSlowDownForReal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := New(slow(), withStore(testStore))
		if err != nil {
			t.Fatal(err)
		}
		near, far := net.Pipe()
		go s.ServeConn(far, login.POP3, false)
		r := bufio.NewReader(near)
		say := func(line string) string {
			if line != "" {
				_, _ = near.Write([]byte(line + "\r\n"))
			}
			answer, _ := r.ReadString('\n')
			return answer
		}
		say("")
		began := time.Now()
		for range 2 {
			say("USER alice")
			say("PASS wrong")
		}
		if waited := time.Since(began); waited != 3*time.Second {
			t.Errorf("two failures took %s", waited)
		}
		began = time.Now()
		say("USER alice")
		_, _ = near.Write([]byte("PASS wrong\r\n"))
		synctest.Wait() // the server is asleep now
		go func() { _ = s.Close() }()
		if got := say(""); !strings.HasPrefix(got, "-ERR [AUTH]") {
			t.Errorf("last words %q", got)
		}
		if waited := time.Since(began); waited > time.Second {
			t.Errorf("Close waited %s for somebody being punished", waited)
		}
		_ = near.Close()
	})
}

// TestIdle: RFC 5321 4.5.3.2.7 wants 5 minutes and gets 421; RFC 1939 3 wants
// 10 and no word. A slow line does not keep a session open.
func TestIdle(t *testing.T) {
	for _, tt := range []struct {
		name      string
		protocol  login.Protocol
		talk      []string
		after     time.Duration
		lastWords string
	}{
		{"SMTP", login.SMTP, []string{"EHLO x\r\n"}, 5 * time.Minute, "421 4.4.2 "},
		{"SMTP in the middle of a line", login.SMTP, []string{"EHLO x\r\n", "NOO"}, 5 * time.Minute, "421 4.4.2 "},
		{"SMTP in the middle of AUTH", login.SMTP, []string{"EHLO x\r\n", "AUTH LOGIN\r\n"}, 5 * time.Minute, "421 4.4.2 "},
		{"SMTP in the middle of a message", login.SMTP, []string{"EHLO x\r\n", "MAIL FROM:<>\r\n", "RCPT TO:<alice@example.test>\r\n", "DATA\r\n", "Subj"}, 5 * time.Minute, "421 4.4.2 "},
		{"POP3", login.POP3, nil, 10 * time.Minute, ""},
		{"POP3 after the login", login.POP3, []string{"USER alice\r\n", "PASS wonderland\r\n"}, 10 * time.Minute, ""},
		{"in the middle of the handshake", login.POP3, []string{"STLS\r\n", "\x16\x03"}, 30 * time.Second, ""},
	} {
		t.Run(strings.ReplaceAll(tt.name, " ", "-"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, err := New(open(), withStore(testStore))
				if err != nil {
					t.Fatal(err)
				}
				near, far := net.Pipe()
				go s.ServeConn(far, tt.protocol, false)
				heard := make(chan string, 100)
				go func() {
					r := bufio.NewReader(near)
					for {
						line, err := r.ReadString('\n')
						if err != nil {
							close(heard)
							return
						}
						heard <- line
					}
				}()
				<-heard
				began := time.Now()
				for _, octets := range tt.talk {
					_, _ = near.Write([]byte(octets))
					synctest.Wait()
				}
				last := ""
				for line := range heard {
					last = line
				}
				if waited := time.Since(began); waited != tt.after {
					t.Errorf("closed after %s, want %s", waited, tt.after)
				}
				if tt.lastWords != "" && !strings.HasPrefix(last, tt.lastWords) {
					t.Errorf("last words %q", last)
				}
				if tt.lastWords == "" && strings.HasPrefix(last, "-ERR") {
					t.Errorf("said %q when it closed", last)
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestEndlessLine: nobody reads a line for ever.
func TestEndlessLine(t *testing.T) {
	s := start(t, open())
	for _, p := range login.Protocols() {
		for _, first := range []string{"", "AUTH PLAIN\r\n"} {
			c := s.hello(p)
			if first != "" {
				c.send(first)
				c.read()
			}
			chunk := []byte(strings.Repeat("A", 64<<10))
			sent := 0
			for ; sent < 64<<20; sent += len(chunk) {
				if _, err := c.conn.Write(chunk); err != nil {
					break
				}
			}
			if sent == 64<<20 {
				t.Errorf("%s took %d octets without a line's end", p, sent)
			}
		}
	}
}

// TestOthersAreServed: neither idle nor hanging clients keep others waiting.
func TestOthersAreServed(t *testing.T) {
	idle, hanging := 2000, 200
	if testing.Short() {
		idle, hanging = 100, 20
	}
	s := start(t, open())
	for range idle {
		newPeer(t, dialTCP(t, s.ports[port{login.POP3, false}]), login.POP3).wantRead("+OK")
	}
	states := []string{"EH", "EHLO x\r\nAUTH LOGIN\r\n", "EHLO x\r\nSTARTTLS\r\n", "EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<alice@example.test>\r\nDATA\r\nx"}
	for i := range hanging {
		newPeer(t, dialTCP(t, s.ports[port{login.SMTP, false}]), login.SMTP).send(states[i%len(states)])
	}
	began := time.Now()
	for range 20 {
		s.smtp(login.StartTLS).enter(login.PLAIN, alice).quit()
		s.pop3(login.Plain).enter(login.UserPass, alice).quit()
	}
	if took := time.Since(began); took > patience {
		t.Errorf("40 logins took %s", took)
	}
}
