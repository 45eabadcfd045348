package server

import (
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// TestRefusedLines: a login command that comes out of order or cannot be read
// is recorded as the attempt that it is, and nothing else is.
func TestRefusedLines(t *testing.T) {
	long := strings.Repeat("A", 300)
	endless := strings.Repeat("A", longestAuth+1)
	in := []string{"USER alice", "PASS wonderland"}
	refusedIn := []string{"USER alice", "PASS wonderland", "USER alice"}
	for _, tt := range []struct {
		name, why string
		protocol  login.Protocol
		before    []string
		line      string
		refusal   login.Refusal // "" is no record
		mechanism login.Mechanism
	}{
		{"AUTH after a login", "RFC 5034 4", login.POP3, in, "AUTH PLAIN", login.BySequence, login.PLAIN},
		{"AUTH of nothing known after a login", "RFC 5034 4", login.POP3, in, "AUTH X-NOSUCH", login.BySequence, ""},
		{"bare AUTH after a login", "a question, no attempt", login.POP3, in, "AUTH", "", ""},
		{"USER after a login", "RFC 1939 7", login.POP3, in, "USER alice", login.BySequence, login.UserPass},
		{"PASS after a login", "RFC 1939 7", login.POP3, in, "PASS x", login.BySequence, login.UserPass},
		{"APOP after a login", "RFC 1939 7", login.POP3, in, "APOP alice x", login.BySequence, login.APOP},
		{"STLS after a login", "no attempt", login.POP3, in, "STLS", "", ""},
		{"PASS without USER", "RFC 1939 7", login.POP3, nil, "PASS wonderland", login.BySequence, login.UserPass},
		{"PASS not right behind USER", "RFC 1939 7", login.POP3, []string{"USER alice", "STAT"}, "PASS wonderland", login.BySequence, login.UserPass},
		{"PASS behind a refused USER", "one attempt, recorded with USER", login.POP3, []string{"USER"}, "PASS wonderland", "", ""},
		{"PASS behind USER after a login", "one attempt, recorded with USER", login.POP3, refusedIn, "PASS wonderland", "", ""},
		{"STAT before the login", "no attempt", login.POP3, nil, "STAT", "", ""},
		{"USER without a name", "RFC 1939 7", login.POP3, nil, "USER", login.BySyntax, login.UserPass},
		{"long AUTH", "RFC 2449 4", login.POP3, nil, "auth plain " + long, login.BySyntax, login.PLAIN},
		{"longer AUTH", "RFC 2449 4", login.POP3, nil, "AUTH PLAIN " + endless, login.BySyntax, login.PLAIN},
		{"long USER", "RFC 2449 4", login.POP3, nil, "USER " + long, login.BySyntax, login.UserPass},
		{"long STAT", "no attempt", login.POP3, nil, "STAT " + long, "", ""},
		{"APOP that is not ASCII", "RFC 1939 3", login.POP3, nil, "APOP alic\xe9 x", login.BySyntax, login.APOP},
		{"PASS with NUL", "RFC 1939 3", login.POP3, []string{"USER alice"}, "PASS \x00", login.BySyntax, login.UserPass},
		{"a line that is not ASCII", "no attempt", login.POP3, nil, "TOP \xe9", "", ""},

		{"AUTH after a login", "RFC 4954 4", login.SMTP, []string{"AUTH PLAIN " + b64("\x00alice\x00wonderland")}, "AUTH PLAIN", login.BySequence, login.PLAIN},
		{"longest AUTH and one", "RFC 4954 4", login.SMTP, nil, "AUTH PLAIN " + endless, login.BySyntax, login.PLAIN},
		{"AUTH with NUL", "RFC 5321 2.4", login.SMTP, nil, "AUTH PLAIN \x00", login.BySyntax, login.PLAIN},
		{"POP3's command", "no attempt", login.SMTP, nil, "USER alice", "", ""},
		{"long NOOP", "no attempt", login.SMTP, nil, "NOOP " + endless, "", ""},
	} {
		t.Run(string(tt.protocol)+"/"+strings.ReplaceAll(tt.name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			s := start(t, open())
			c := s.hello(tt.protocol)
			for _, line := range tt.before {
				c.ask(line)
			}
			before := len(s.Record())
			if answer := c.ask(tt.line); accepted(answer) {
				t.Fatalf("%.40q was accepted: %s", tt.line, answer)
			}
			recorded := s.Record()[before:]
			switch {
			case tt.refusal == "" && len(recorded) == 0:
			case len(recorded) != 1 || recorded[0].Refusal != tt.refusal || recorded[0].Mechanism != tt.mechanism:
				t.Errorf("%.40q recorded %+v, want %s %s (%s)", tt.line, recorded, tt.mechanism, tt.refusal, tt.why)
			}
			if tt.protocol == login.POP3 { // and the session goes on
				c.want("QUIT", "+OK")
			} else {
				c.want("QUIT", "221 ")
			}
		})
	}
}
