package server

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
	"github.com/mailmatrix/mailmatrix/internal/recording"
)

// TestRecorderJudges: each mechanism of each posture, with the right password
// and with a wrong one.
func TestRecorderJudges(t *testing.T) {
	for name, c := range postures(t) {
		t.Run(name, func(t *testing.T) {
			p := startPosture(t, c)
			for _, m := range mech.All() {
				if !m.In(c.Protocol) || m.Name == login.EXTERNAL || m.Name == login.ANONYMOUS {
					continue
				}
				for _, right := range []bool{true, false} {
					p.judges(m.Name, right)
				}
			}
		})
	}
}

func (p *inPosture) judges(m login.Mechanism, right bool) {
	p.t.Helper()
	c := p.ready()
	if m == login.APOP && !p.Spec.APOP { // a client without a timestamp makes one up
		c.want("APOP "+recording.Account+" 0123456789abcdef0123456789abcdef", "-ERR")
		return
	}
	secret := recording.Password
	if !right {
		secret, c.issued.Token, c.issued.Tickets = "wrong", "wrong", nil
	}
	config := mech.ClientConfig{Username: recording.Account, Password: secret, NTLM: login.NTLMv1}
	if m == login.GSSAPI && !right {
		return // it has nothing that could be wrong
	}
	got, asked := c.logInAs(m, config)
	want, wantAsked := p.verdict(m, right)
	if !strings.HasPrefix(got, want) || asked != wantAsked {
		p.t.Errorf("%s, right %v: got %q (asked %v), want %q (asked %v)", m, right, got, asked, want, wantAsked)
	}
	c.conn.Close() //nolint:errcheck // what it said is known
}

// verdict is the README's table, and whether the exchange runs.
func (p *inPosture) verdict(m login.Mechanism, right bool) (reply string, asked bool) {
	smtp := p.Protocol == login.SMTP
	words := func(s, pop string) string {
		if smtp {
			return s
		}
		return pop
	}
	key := string(m)
	permitted := slices.ContainsFunc(p.mechs(p.Spec.TLS == "starttls" || p.Spec.TLS == "implicit"),
		func(name string) bool { return strings.EqualFold(name, key) })
	switch m {
	case login.UserPass:
		key, permitted = "PASS", p.is(p.Spec.User)
	case login.APOP:
		permitted = p.Spec.APOP
	}
	if reply := p.Spec.Refuse[key]; reply != "" {
		return reply, false
	}
	if !permitted {
		return words("504 5.5.4", "-ERR"), false
	}
	for _, key := range []string{key, "*"} {
		if reply := p.Spec.Reject[key]; reply != "" {
			return reply, true
		}
	}
	if !right {
		return words("535 5.7.8", "-ERR [AUTH] invalid"), true
	}
	return words("235 ", "+OK"), true
}

// TestRecorderReplies: the rest of the table, where it says nothing of a
// posture.
func TestRecorderReplies(t *testing.T) {
	cases := postures(t)
	plain := "AUTH PLAIN " + b64("\x00"+recording.Account+"\x00"+recording.Password)
	for _, tt := range []struct {
		name, posture string
		lines         []string // the last one's answer counts
		want          string
	}{
		{"unknown command", "S1", []string{"XYZZY"}, "500 5.5.1"},
		{"unknown command in POP3", "P1", []string{"XYZZY"}, "-ERR unknown command"},
		{"a mechanism that nobody knows", "S1", []string{"EHLO a", "AUTH X-NOBODY"}, "504 5.5.4"},
		{"in POP3", "P1", []string{"AUTH X-NOBODY"}, "-ERR"},
		{"a mechanism that is listed inside TLS only", "S9", []string{"EHLO a", plain}, "504 5.5.4"},
		{"cancelled", "S1", []string{"EHLO a", "AUTH LOGIN", "*"}, "501 5.0.0"},
		{"cancelled in POP3", "P1", []string{"AUTH LOGIN", "*"}, "-ERR"},
		{"cancelled where everything is rejected", "S7", []string{"EHLO a", "AUTH LOGIN", "*"}, "501 5.0.0"},
		{"a second AUTH", "S1", []string{"EHLO a", plain, plain}, "503 5.5.1"},
		{"AUTH again after a rejection", "S5", []string{"EHLO a", "AUTH CRAM-MD5", b64("a 0"), plain}, "235"},
		{"AUTH after HELO (nodemailer, S13)", "S13", []string{"EHLO a", "HELO a", plain}, "235"},
		{"MAIL before a login", "S1", []string{"EHLO a", "MAIL FROM:<alice@example.test>"}, "530 5.7.0"},
		{"where AUTH is listed the old way only", "S12", []string{"EHLO a", "MAIL FROM:<alice@example.test>"}, "530 5.7.0"},
		{"where nothing is offered", "S6", []string{"EHLO a", "MAIL FROM:<alice@example.test>"}, "250"},
		{"where nothing is offered in clear", "S9", []string{"EHLO a", "MAIL FROM:<alice@example.test>"}, "250"},
		{"where no login is demanded", "S13", []string{"EHLO a", "HELO a", "MAIL FROM:<alice@example.test>"}, "250"},
		{"after a login", "S1", []string{"EHLO a", plain, "MAIL FROM:<alice@example.test> SIZE=327"}, "250"},
		{"in small letters", "S1", []string{"ehlo a", plain, "mail FROM:<alice@example.test> size=23"}, "250"},
		{"to the other account", "S6", []string{"EHLO a", "MAIL FROM:<alice@example.test> BODY=8BITMIME", "RCPT TO:<bob@example.test>"}, "250"},
		{"the message", "S6", []string{"EHLO a", "MAIL FROM:<alice@example.test>", "RCPT TO:<bob@example.test>", "DATA", "Subject: x\r\n\r\nx\r\n."}, "250"},
		{"an empty mailbox", "P1", []string{"USER alice@example.test", "PASS s3cret-Pa55", "STAT"}, "+OK 0 0"},
		{"USER refused", "P6", []string{"USER alice@example.test"}, "-ERR"},
		{"a long initial response", "P8", []string{"AUTH PLAIN " + b64(strings.Repeat("x", 600))}, "-ERR that is not a message"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := startPosture(t, cases[tt.posture]).dial()
			got := ""
			for _, line := range tt.lines {
				got = c.ask(line)
			}
			if !strings.HasPrefix(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestRecorderLocksNothing: a client may come back before its first session
// has ended.
func TestRecorderLocksNothing(t *testing.T) {
	p := startPosture(t, postures(t)["P1"])
	for range 2 {
		c := p.dial()
		c.want("USER "+recording.Account, "+OK")
		c.want("PASS "+recording.Password, "+OK")
	}
}

// TestRejectedExchanges: how many times a rejected client is asked, by the
// recordings: no proof of the server's, and the error result of bearer tokens.
func TestRejectedExchanges(t *testing.T) {
	cases := postures(t)
	for _, tt := range []struct {
		mechanism login.Mechanism
		asked     int // without initial response
		rejected  int
		why       string
	}{
		{login.PLAIN, 1, 1, "the prompt"},
		{login.LOGIN, 2, 2, "two prompts"},
		{login.CRAMMD5, 1, 1, "the challenge"},
		{login.NTLM, 2, 2, "an empty one and the challenge"},
		{login.DIGESTMD5, 2, 1, "challenge and proof"},
		{login.OAUTHBEARER, 1, 2, "the prompt; the error result"},
		{login.XOAUTH2, 1, 2, "the prompt; the error result"},
		{login.SCRAMSHA256, 3, 2, "the prompt, the challenge and the proof"},
	} {
		for posture, want := range map[string]int{"S8": tt.asked, "S8r": tt.rejected, "P8": tt.asked, "P8r": tt.rejected} {
			p, seen := startWatched(t, cases[posture])
			p.ready().logInAs(tt.mechanism, mech.ClientConfig{Username: recording.Account, Password: recording.Password})
			p.Close() //nolint:errcheck // it is closed again
			record := seen.Record()
			if len(record.Attempts) != 1 || record.Attempts[0].Steps != want {
				t.Errorf("%s under %s: %+v, want %d challenges: %s", tt.mechanism, posture, record.Attempts, want, tt.why)
			}
		}
	}
}

// startWatched is startPosture with a recorder as witness.
func startWatched(t *testing.T, c recording.Case) (*inPosture, *recording.Recorder) {
	t.Helper()
	recorder := recording.NewRecorder(c)
	return startPosture(t, c, WithWitness(recorder)), recorder
}

// TestScriptNeverPermits: what the policy denies stays denied, listed or not.
func TestScriptNeverPermits(t *testing.T) {
	setup := with(open(), func(s *login.Setup) {
		s.Policy = login.Only(login.LOGIN, login.Allow)
		s.Posture.Script = &login.Script{Lists: []login.Mechanism{login.PLAIN, login.LOGIN}}
	})
	c := start(t, setup).smtp(login.Plain)
	if !c.shows(login.PLAIN) || !c.shows(login.LOGIN) {
		t.Error("what the script lists is not listed")
	}
	c.want("AUTH PLAIN", "504 5.5.4")
	c.enter(login.LOGIN, alice)
}

// TestScriptOfNothing is the plain server, word for word.
func TestScriptOfNothing(t *testing.T) {
	for _, p := range login.Protocols() {
		var said []string
		for _, script := range []*login.Script{nil, {}} {
			s := start(t, with(open(), func(s *login.Setup) { s.Posture.Script = script }))
			c := s.dial(p, login.Plain)
			words := []string{strings.Split(c.greeting, "<")[0], fmt.Sprint(c.list()), c.ask("AUTH X"), c.ask("XYZZY")}
			said = append(said, strings.Join(words, "|"))
		}
		if said[0] != said[1] {
			t.Errorf("%s\n none %s\n empty %s", p, said[0], said[1])
		}
	}
}

// TestEveryKey: each key of a case that the cases leave out, too.
func TestEveryKey(t *testing.T) {
	no := false
	for _, tt := range []struct {
		name     string
		protocol login.Protocol
		spec     recording.Spec
		ask      string
		want     string
	}{
		{"AUTH= beside AUTH", login.SMTP, recording.Spec{Mechs: []string{"PLAIN"}, AuthEq: true}, "EHLO a",
			"250-lab.test\n250-SIZE 10240000\n250-8BITMIME\n250-ENHANCEDSTATUSCODES\n250-AUTH PLAIN\n250 AUTH=PLAIN"},
		{"the old form in small letters", login.SMTP, recording.Spec{Mechs: []string{"PLAIN"}, AuthEq: true, AuthEqOnly: true, Lower: true}, "EHLO a",
			"250-lab.test\n250-SIZE 10240000\n250-8BITMIME\n250-ENHANCEDSTATUSCODES\n250 auth=plain"},
		{"no bare AUTH beside CAPA", login.POP3, recording.Spec{Mechs: []string{"PLAIN"}, AuthList: &no}, "AUTH", "-ERR unknown command"},
		{"PASS rejected", login.POP3, recording.Spec{Reject: map[string]string{"PASS": "-ERR [AUTH] never"}}, "USER alice@example.test\r\nPASS s3cret-Pa55",
			"+OK and the password?\n-ERR [AUTH] never"},
		{"AUTH refused in POP3", login.POP3, recording.Spec{Mechs: []string{"PLAIN"}, Refuse: map[string]string{"PLAIN": "-ERR not now"}}, "AUTH PLAIN", "-ERR not now"},
	} {
		c := startPosture(t, recording.Case{Protocol: tt.protocol, Spec: tt.spec}).dial()
		got := c.ask(tt.ask)
		for range strings.Count(tt.ask, "\r\n") {
			got += "\n" + c.read()
		}
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}
