package harness

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/recording"
)

const (
	ourAccount  = "mine-abc234@example.test"
	ourPassword = "k3mw5xq7zt2"
)

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// TestTranslation: what a client said of our account it is made to say of the
// recordings'; nothing of our password is left, in whatever form it came.
func TestTranslation(t *testing.T) {
	tr := newTranslation(ourAccount, ourPassword, Machine{Names: []string{"box", "box.office.example", "localhost"}, Addresses: []string{"192.0.2.7", "2001:db8::7"}})
	ntlm := b64("NTLMSSP\x00\x03\x00\x00\x00 mine-abc234@example.test")
	for _, row := range []struct{ name, said, want string }{
		{"USER", "USER " + ourAccount, "USER alice@example.test"},
		{"USER before the at sign", "USER mine-abc234", "USER alice"},
		{"PASS", "PASS " + ourPassword, "PASS " + recording.Password},
		{"APOP", "APOP " + ourAccount + " 0123456789abcdef0123456789abcdef", "APOP alice@example.test 0123456789abcdef0123456789abcdef"},
		{"MAIL", "MAIL FROM:<" + ourAccount + "> SIZE=23", "MAIL FROM:<alice@example.test> SIZE=23"},
		{"PLAIN", "AUTH PLAIN " + b64("\x00"+ourAccount+"\x00"+ourPassword), "AUTH PLAIN " + b64("\x00alice@example.test\x00"+recording.Password)},
		{"LOGIN's name", b64(ourAccount), b64(recording.Account)},
		{"LOGIN's password, which a record shows", b64(ourPassword), "czNjcmV0LVBhNTU="},
		{"CRAM-MD5", b64(ourAccount + " 0123"), b64("alice@example.test 0123")},
		{"NTLM, which has lengths", ntlm, ntlm},
		{"a command", "QUIT", "QUIT"},
		{"an empty line", "", ""},
		{"cancelled", "*", "*"},
		{"password in hex, an answer", fmt.Sprintf("%x", ourPassword), "<secret>"},
		{"password in base64 without its padding", strings.TrimRight(b64("x"+ourPassword+"yz"), "=") + " ", "<secret>"},
		{"password in the hello", "EHLO " + ourPassword, "EHLO <secret>"},
		{"password in hex", "X-AUTH " + fmt.Sprintf("%x", ourPassword), "X-AUTH <secret>"},
		{"password in capitals", "PASS " + strings.ToUpper(ourPassword), "PASS <secret>"},
		{"password in base64 twice", "AUTH X " + b64(b64("x"+ourPassword)), "AUTH <secret>"},
		{"this machine", "EHLO box", "EHLO vm"},
		{"with its domain", "ehlo box.office.example", "ehlo vm"},
		{"its address", "EHLO [192.0.2.7]", "EHLO [127.0.0.1]"},
		{"its IPv6 address", "EHLO [IPv6:2001:db8::7]", "EHLO [127.0.0.1]"},
		{"a name of the client's own", "EHLO localhost", "EHLO localhost"},
		{"another machine", "EHLO office", "EHLO office"},
	} {
		got := tr.line(row.said)
		if got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
		if len(tr.secret.Find([]byte(got))) > 0 {
			t.Errorf("%s: the password is in %q", row.name, got)
		}
	}
}

// TestLateClient: what another sitting's client says is no part of this one.
func TestLateClient(t *testing.T) {
	tr := newTranslation(ourAccount, ourPassword, Machine{})
	line := func(conn int, text string) login.Event {
		return login.Event{Kind: login.EventLine, Connection: conn, Protocol: login.POP3, Text: text}
	}
	opened := func(conn int) login.Event {
		return login.Event{Kind: login.EventOpened, Connection: conn, Protocol: login.POP3}
	}
	got := tr.events([]login.Event{opened(1), line(1, "CAPA"), opened(2), line(2, "USER "+ourAccount),
		line(1, "AUTH PLAIN "+b64("\x00mine-late22@example.test\x00"+ourPassword))}, []string{"mine-late22@example.test", ourAccount})
	if len(got) != 2 || got[1].Connection != 1 || got[1].Text != "USER alice@example.test" {
		t.Errorf("%d events: %q", len(got), got[len(got)-1].Text)
	}
}

// noStage opens doors that nobody goes through.
type noStage struct{ fails error }

type noDoor struct{}

func (noDoor) Port() int    { return 7 }
func (noDoor) Close() error { return nil }

func (s noStage) Open(login.Setup, login.Witness, login.Protocol, bool) (StageDoor, error) {
	return noDoor{}, s.fails
}

// TestSeries: told are those that are done, in order; what does not apply has
// no record; what was done when it was interrupted stays.
func TestSeries(t *testing.T) {
	var cases []recording.Case
	for _, name := range []string{"S1", "S2", "S3", "S4", "S5"} {
		cases = append(cases, recording.Postures()[name])
	}
	broken := errors.New("broken")
	for _, row := range []struct {
		name     string
		stage    noStage
		drive    func(cancel func(), s *Sitting) (Ran, bool, error)
		want     string
		wantFail error
	}{
		{name: "all", drive: func(_ func(), s *Sitting) (Ran, bool, error) { return Ran{Status: 3}, s.Case.Name != "S2", nil },
			want: "S1:3 S2:- S3:3 S4:3 S5:3"},
		{name: "interrupted", drive: func(cancel func(), s *Sitting) (Ran, bool, error) {
			if s.Case.Name == "S3" {
				cancel()
			}
			return Ran{}, true, nil
		}, want: "S1:0 S2:0"},
		{name: "a stage that cannot open", stage: noStage{broken}, wantFail: broken},
		{name: "a program that cannot start", drive: func(func(), *Sitting) (Ran, bool, error) { return Ran{}, false, broken }, wantFail: broken},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		o := &Observer{Stage: row.stage, Client: "Mine", Version: "1", Password: ourPassword}
		var told []string
		err := o.Series(ctx, cases, 1, func(_ context.Context, s *Sitting) (Ran, bool, error) {
			if !strings.HasPrefix(s.Account, "mine-") || !strings.HasSuffix(s.Account, "@example.test") || s.Port != 7 {
				t.Errorf("account %q, port %d", s.Account, s.Port)
			}
			return row.drive(cancel, s)
		}, func(c recording.Case, r *recording.Record) {
			if r == nil {
				told = append(told, c.Name+":-")
				return
			}
			if r.Client != "Mine" || r.Case != c.Name {
				t.Errorf("a record of %s, %s", r.Client, r.Case)
			}
			told = append(told, fmt.Sprintf("%s:%d", c.Name, r.RC))
		})
		cancel()
		if got := strings.Join(told, " "); got != row.want || !errors.Is(err, row.wantFail) {
			t.Errorf("%s: told %q, %v", row.name, got, err)
		}
		seen := map[string]bool{}
		for _, account := range o.accounts {
			if seen[account] {
				t.Errorf("%s: %s twice", row.name, account)
			}
			seen[account] = true
		}
	}
}
