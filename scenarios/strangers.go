package scenarios

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// strangers: with the mechanisms that need a client's arithmetic too, an
// unknown name and a wrong password get the same answers in the same number of
// steps (rule 3).
func strangers() []Scenario {
	var all []Scenario
	for _, p := range login.Protocols() {
		for _, m := range []login.Mechanism{login.NTLM, login.DIGESTMD5, login.SCRAMSHA1, login.SCRAMSHA1PLUS,
			login.SCRAMSHA256, login.SCRAMSHA256PLUS, login.XOAUTH2, login.OAUTHBEARER} {
			all = append(all, stranger(p, m))
		}
	}
	return all
}

func stranger(p login.Protocol, m login.Mechanism) Scenario {
	return Scenario{
		ID:       fmt.Sprintf("scenario/posture/unknown-user-alike/%s/%s", m.Segment(), p),
		Kind:     login.KindPosture,
		Protocol: p, Transport: login.StartTLS, Mechanism: m,
		Setup:    login.Setup{Flavour: login.Modern, Database: login.Full, Policy: login.Only(m, login.Allow)},
		Expected: []string{"alike"},
		Refs:     []string{"RFC 4954 4", "RFC 3206 4"},
		Run: func(ctx context.Context, s *Session) (string, error) {
			config := clientsim.Config{Profile: probe(), Protocol: p, Transport: login.StartTLS, Mechanism: m, Credential: login.WithWrong}
			known := s.Login(ctx, config)
			s.Secrets.Name = "nobody-of-that-name"
			unknown := s.Login(ctx, config)
			switch {
			case known.Observation.Outcome != login.RefusedCredentials:
				return "a wrong password: " + string(known.Observation.Outcome), nil
			case !slices.Equal(known.Transcript, unknown.Transcript):
				return fmt.Sprintf("told apart: %s, but %s", lastOf(known), lastOf(unknown)), nil
			default:
				return "alike", nil
			}
		},
	}
}

func lastOf(r clientsim.Result) string { return strings.TrimSpace(r.Observation.Reply) }

// salts: SCRAM names a salt for whoever is asked about. It is the same each
// time, and for each way to write a name, whether anybody has that name or not:
// else it would tell (RFC 5802 9). The count of iterations is what RFC 7677 3
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
			Refs:     []string{"RFC 5802 9", "RFC 7677 3"},
			Run: func(ctx context.Context, s *Session) (string, error) {
				c, err := s.open(ctx, login.SMTP, login.Plain)
				if err != nil {
					return "", err
				}
				defer c.quit()
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
func (c *talk) salted(m login.Mechanism, name string) (string, error) {
	first := ""
	for _, written := range []string{name, name, strings.ToUpper(name), name + "@" + login.DefaultDomain} {
		seen, err := c.serverFirst(m, written)
		if err != nil {
			return "", err
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
// message from the salt on (RFC 5802 7).
func (c *talk) serverFirst(m login.Mechanism, name string) (string, error) {
	if _, err := c.say("AUTH " + string(m)); err != nil {
		return "", err
	}
	got, err := c.saySecret(base64.StdEncoding.EncodeToString([]byte("n,,n="+name+",r=0123456789abcdefghijklmn")), "<a try>")
	if err != nil {
		return "", err
	}
	_, text, _ := strings.Cut(got.line, " ")
	message, err := base64.StdEncoding.DecodeString(text)
	if err != nil || !got.positive {
		return "refused: " + got.line, nil
	}
	c.Reshow("334 <challenge>")
	if _, err := c.say("*"); err != nil {
		return "", err
	}
	_, salted, _ := strings.Cut(string(message), ",s=")
	return salted, nil
}
