package scenarios

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// alikeRules: an unknown name and a wrong password get the same answer in the
// same number of steps, with every mechanism: nobody learns who exists.
func alikeRules() []rule {
	noSecret := strings.Repeat("0", 32) // a digest of nothing
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	var all []rule
	for _, try := range []struct {
		name      string
		protocols []login.Protocol
		// lines are what is said for a name; the answers to it are compared.
		lines func(name string) []string
	}{
		{"plain", login.Protocols(), func(name string) []string {
			return []string{"AUTH PLAIN", b64("\x00" + name + "\x00wrong")}
		}},
		{"login", login.Protocols(), func(name string) []string { return []string{"AUTH LOGIN", b64(name), b64("wrong")} }},
		{"cram-md5", login.Protocols(), func(name string) []string { return []string{"AUTH CRAM-MD5", b64(name + " " + noSecret)} }},
		{"user-pass", []login.Protocol{login.POP3}, func(name string) []string { return []string{"USER " + name, "PASS wrong"} }},
		{"apop", []login.Protocol{login.POP3}, func(name string) []string { return []string{"APOP " + name + " " + noSecret} }},
	} {
		for _, p := range try.protocols {
			all = append(all, rule{fmt.Sprintf("unknown-user-alike/%s", try.name), p, login.Plain, login.Classic, login.Allow,
				"alike", []string{"RFC 4954 4", "RFC 3206 4"}, alike(p, try.lines)})
		}
	}
	return all
}

func alike(p login.Protocol, lines func(name string) []string) func(context.Context, *Session) (string, error) {
	return with(p, func(c *Talk, s *Session) (string, error) {
		known, err := c.answersTo(lines(s.Secrets.Name))
		if err != nil {
			return "", err
		}
		unknown, err := c.answersTo(lines("nobody-of-that-name"))
		if err != nil {
			return "", err
		}
		if known == unknown && !strings.Contains(known, " / ") && !strings.Contains(known, "[AUTH]") {
			return "refused at the command: " + known, nil
		}
		if known != unknown {
			return fmt.Sprintf("told apart: %s, but %s", known, unknown), nil
		}
		return "alike", nil
	})
}

// answersTo says the lines until one is refused, and returns the answers:
// what a challenge holds is no matter, everything else is.
func (c *Talk) answersTo(lines []string) (string, error) {
	var answers []string
	for _, line := range lines {
		shown := line
		if !strings.HasPrefix(line, "AUTH ") { // a message of the exchange, or a command with the name
			shown = "<a try>"
			if verb, _, isCommand := strings.Cut(line, " "); isCommand {
				shown = verb + " <a try>"
			}
		}
		got, err := c.SaySecret(line, shown)
		if err != nil {
			return "", err
		}
		if status, challenge, _ := strings.Cut(got.Line, " "); (status == "334" || status == "+") && challenge != "" {
			got.Line = status + " <challenge>"
			c.Reshow(got.Line)
		}
		answers = append(answers, got.Line)
		if !got.Positive {
			break
		}
	}
	return strings.Join(answers, " / "), nil
}
