package script

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// The classes of answers, whatever the protocol.
const (
	Refused = "refused"
	Asked   = "asked"
	In      = "in"
	OK      = "ok"
	Gone    = "gone"
	Silent  = "silent"
)

// early is a refusal before anybody looks at a password: of the syntax, the
// sequence or the link. It is no pattern, but what some patterns mean.
const early = "early"

// answer is what came back.
type answer struct {
	protocol login.Protocol
	line     string // first line as it came
	gone     bool
	silent   bool
	garbled  error
}

// answered makes an answer of what a read ended in.
func answered(p login.Protocol, line string, err error) answer {
	switch {
	case err == nil:
		return answer{protocol: p, line: line}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return answer{protocol: p, silent: true}
	case errors.Is(err, wire.ErrNoReply):
		return answer{protocol: p, line: line, garbled: err}
	default:
		return answer{protocol: p, gone: true}
	}
}

func (a answer) String() string {
	switch {
	case a.silent:
		return "no answer"
	case a.gone:
		return "the end of the connection"
	case a.garbled != nil:
		return a.garbled.Error()
	default:
		return fmt.Sprintf("%.100q", a.line)
	}
}

// notNow: the server says that it cannot tell now.
func (a answer) notNow() bool {
	return a.line != "" && wire.Temporary(a.protocol, a.line)
}

func (a answer) matches(pattern string) bool {
	smtp := a.protocol == login.SMTP
	begins := func(s string) bool { return strings.HasPrefix(a.line, s) }
	switch {
	case pattern == Gone:
		return a.gone
	case pattern == Silent:
		return a.silent
	case a.gone || a.silent || a.garbled != nil:
		return false
	case pattern == Refused:
		return smtp && begins("5") || !smtp && begins("-ERR")
	case pattern == Asked:
		return smtp && begins("334") || !smtp && (a.line == "+" || begins("+ "))
	case pattern == In:
		return smtp && begins("235") || !smtp && begins("+OK")
	case pattern == OK:
		return smtp && begins("2") || !smtp && begins("+OK")
	case strings.HasPrefix(pattern, "~"):
		return regexp.MustCompile(pattern[1:]).MatchString(a.line)
	default:
		return a.startsWith(pattern)
	}
}

// startsWith compares with the beginning of a reply: "250-SIZE" begins with
// "250", and "504 5.5.4 no" with "504 5.5.4", but "250" does not with "2501".
func (a answer) startsWith(pattern string) bool {
	rest, ok := strings.CutPrefix(a.line, pattern)
	if !ok || a.protocol == login.POP3 {
		return ok && (rest == "" || rest[0] == ' ')
	}
	return len(pattern) < 3 || rest == "" || rest[0] == ' ' || rest[0] == '-'
}

// sense is what a pattern says of the server's mind, for the cost of a step.
func sense(pattern string) string {
	switch {
	case slices.Contains([]string{Refused, Asked, In, OK, Gone, Silent}, pattern):
		return pattern
	case strings.HasPrefix(pattern, "334") || pattern == "+" || strings.HasPrefix(pattern, "~^(334|") || strings.HasPrefix(pattern, "~^334") || strings.HasPrefix(pattern, `~^\+ `):
		return Asked
	case strings.HasPrefix(pattern, "235"):
		return In
	case strings.HasPrefix(pattern, "2") || strings.HasPrefix(pattern, "+OK") || strings.HasPrefix(pattern, "~^2") || strings.HasPrefix(pattern, `~^\+OK`):
		return OK
	case strings.HasPrefix(pattern, "354"):
		return OK
	case strings.HasPrefix(pattern, "50"), strings.HasPrefix(pattern, "530"), strings.HasPrefix(pattern, "538"):
		return early
	default:
		return Refused
	}
}

// expects is what a step takes for an answer, in this order.
type expects []expected

type expected struct {
	patterns []string
	verdict  login.Verdict // Skip is "the case does not apply"
	because  string
}

func (e expects) find(a answer) (expected, bool) {
	for _, x := range e {
		if slices.ContainsFunc(x.patterns, a.matches) {
			return x, true
		}
	}
	return expected{}, false
}

// best is the sense of the answer of a server that does right.
func (e expects) best() string {
	for _, v := range []login.Verdict{login.Unjudged, login.Pass, login.Warn} {
		for _, x := range e {
			if x.verdict == v {
				return sense(x.patterns[0])
			}
		}
	}
	return OK
}

// good are the patterns of a server that does right, for a reason.
func (e expects) good() string {
	var all []string
	for _, x := range e {
		if x.verdict == login.Pass || x.verdict == login.Unjudged {
			all = append(all, x.patterns...)
		}
	}
	return strings.Join(all, " or ")
}
