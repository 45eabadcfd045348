package script

import (
	"io"
	"os"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

func TestPatterns(t *testing.T) {
	for _, c := range []struct {
		name     string
		protocol login.Protocol
		line     string
		pattern  string
		want     bool
	}{
		{"a code", login.SMTP, "504 5.5.4 no", "504", true},
		{"another code", login.SMTP, "501 5.5.4 no", "504", false},
		{"the first line of several", login.SMTP, "250-SIZE", "250", true},
		{"a code alone", login.SMTP, "250", "250", true},
		{"longer digits are no such code", login.SMTP, "2501 x", "250", false},
		{"an enhanced code", login.SMTP, "504 5.5.4 no", "504 5.5.4", true},
		{"another enhanced code", login.SMTP, "504 5.5.40 no", "504 5.5.4", false},
		{"a class", login.SMTP, "535 5.7.8 no", "5", true},
		{"a class of two digits", login.SMTP, "535 5.7.8 no", "53", true},
		{"refused in SMTP is permanent", login.SMTP, "454 4.7.0 later", Refused, false},
		{"refused in POP3", login.POP3, "-ERR no", Refused, true},
		{"a response code", login.POP3, "-ERR [AUTH] no", "-ERR [AUTH]", true},
		{"another word begins alike", login.POP3, "+OKAY", "+OK", false},
		{"asked in SMTP", login.SMTP, "334 ", Asked, true},
		{"asked in POP3", login.POP3, "+ ", Asked, true},
		{"asked without the blank", login.POP3, "+", Asked, true},
		{"+OK asks for nothing", login.POP3, "+OK", Asked, false},
		{"in is 235 alone", login.SMTP, "250 ok", In, false},
		{"ok is any success", login.SMTP, "250 ok", OK, true},
		{"a grammar", login.SMTP, "334 ", "~^334 $", true},
		{"a grammar that does not fit", login.SMTP, "334 x", "~^334 $", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := answered(c.protocol, c.line, nil).matches(c.pattern); got != c.want {
				t.Errorf("%q matches %q: %v", c.line, c.pattern, got)
			}
		})
	}
}

// What is no answer matches none of the patterns that are about answers.
func TestNoAnswer(t *testing.T) {
	for pattern, err := range map[string]error{Gone: io.EOF, Silent: os.ErrDeadlineExceeded} {
		a := answered(login.SMTP, "", err)
		if !a.matches(pattern) {
			t.Errorf("%v is not %q", err, pattern)
		}
		for _, other := range []string{Refused, Asked, In, OK, "5", "~.*"} {
			if a.matches(other) {
				t.Errorf("%v matches %q", err, other)
			}
		}
	}
}
