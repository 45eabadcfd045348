package scenarios

import (
	"context"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// salts: SCRAM names a salt for whoever is asked about. It is the same each
// time, and for each way to write a name, whether anybody has that name or not:
// else it would tell. The count of iterations is what RFC 7677 3
// asks for.
func salts() []Scenario {
	var all []Scenario
	for _, m := range []login.Mechanism{login.SCRAMSHA1, login.SCRAMSHA256} {
		all = append(all, Scenario{
			ID:       fmt.Sprintf("scenario/posture/salt/%s", m.Segment()),
			Kind:     login.KindPosture,
			Protocol: login.SMTP, Transport: login.Plain, Mechanism: m,
			Setup:    login.Setup{Flavour: login.Modern, Database: login.SCRAMKeys, Policy: login.Only(m, login.Allow)},
			Expected: []string{"the same each time, 4096 iterations or more"},
			Refs:     []string{"RFC 5802 5.1", "RFC 7677 3"},
			Run: func(ctx context.Context, s *Session) (string, error) {
				c, err := s.Open(ctx, login.SMTP, login.Plain)
				if err != nil {
					return "", err
				}
				defer c.Quit()
				for _, name := range []string{s.Secrets.Name, "nobody-of-that-name"} {
					if got, err := c.salted(m, name); err != nil || got != "" {
						return got, err
					}
				}
				return "the same each time, 4096 iterations or more", nil
			},
		})
	}
	return all
}

// salted asks for a name in each way that it can be written, and returns what
// is wrong with the answers.
func (c *Talk) salted(m login.Mechanism, name string) (string, error) {
	first := ""
	for _, written := range []string{name, name, strings.ToUpper(name), name + "@" + login.DefaultDomain} {
		seen, refusal, err := c.serverFirst(m, written)
		if err != nil || refusal != "" {
			return refusal, err
		}
		if first == "" {
			first = seen
		}
		_, text, _ := strings.Cut(seen, ",i=")
		rounds, err := strconv.Atoi(text)
		switch {
		case err != nil:
			return "no iteration count", nil
		case rounds < 4096:
			return text + " iterations", nil
		case seen != first:
			return "another for the same account", nil
		}
	}
	return "", nil
}

// serverFirst begins an exchange and breaks it off: it is the server's first
// message from the salt on (RFC 5802 7), or the refusal in its place.
func (c *Talk) serverFirst(m login.Mechanism, name string) (salted, refusal string, err error) {
	if _, err := c.Say("AUTH " + string(m)); err != nil {
		return "", "", err
	}
	got, err := c.SaySecret(base64.StdEncoding.EncodeToString([]byte("n,,n="+name+",r=0123456789abcdefghijklmn")), "<a try>")
	if err != nil {
		return "", "", err
	}
	_, text, _ := strings.Cut(got.Line, " ")
	message, err := base64.StdEncoding.DecodeString(text)
	if err != nil || !got.Positive {
		return "", "refused: " + got.Line, nil
	}
	c.Reshow("334 <challenge>")
	if _, err := c.Say("*"); err != nil {
		return "", "", err
	}
	_, salted, _ = strings.Cut(string(message), ",s=")
	return salted, "", nil
}
