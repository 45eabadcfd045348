package ledger

import (
	"regexp"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// answer is what came of a question. The zero value is that it was not asked.
type answer struct {
	kind  answerKind
	reply string // as it may be shown
}

type answerKind uint8

const (
	unasked answerKind = iota
	started            // the server wants to hear more
	let                // it lets us in, who have said nothing
	refused
	later // it says that it may be otherwise later: that decides nothing
	lost  // no answer, or none of the protocol
)

// answerTo classes a reply to AUTH or USER by its code.
func answerTo(p login.Protocol, line string) answerKind {
	if p == login.POP3 {
		switch {
		case strings.HasPrefix(line, "+OK"):
			return let
		case strings.HasPrefix(line, "+"):
			return started
		case wire.Temporary(p, line):
			return later
		default:
			return refused
		}
	}
	switch {
	case strings.HasPrefix(line, "334"):
		return started
	case strings.HasPrefix(line, "235"):
		return let
	case strings.HasPrefix(line, "5"):
		return refused
	default:
		return later // 4xx, and what RFC 4954 4 has no place for
	}
}

// starts is what an answer to AUTH proves, given the one to a mechanism that
// does not exist; nil is nothing. A server that takes up what does not exist
// takes up anything.
func starts(p login.Protocol, madeUp, got answer) *bool {
	switch {
	case (got.kind == started || got.kind == let) && madeUp.kind != started && madeUp.kind != let:
		return new(true)
	case got.kind != refused:
		return nil
	case madeUp.kind == refused && alike(p, madeUp.reply, got.reply):
		return new(false)
	case refusesMechanism(p, got.reply):
		return new(false)
	default:
		return nil
	}
}

// alike: the same code; where the code is the same for everything, the same
// words too, the names of mechanisms and numbers apart.
func alike(p login.Protocol, a, b string) bool {
	code := func(s string) string { return s[:min(3, len(s))] }
	if p == login.SMTP && code(a) == code(b) && code(a) != "535" {
		return true
	}
	return normal(a) == normal(b)
}

var (
	// A word in capitals, with digits or hyphens, may be a mechanism.
	mechanismLike = regexp.MustCompile(`\b[A-Z][A-Z0-9_-]{2,}\b`)
	numberLike    = regexp.MustCompile(`\d+`)
)

func normal(reply string) string {
	head, text, _ := strings.Cut(reply, " ")
	text = mechanismLike.ReplaceAllString(text, "M")
	return head + " " + numberLike.ReplaceAllString(text, "0")
}

// refusesMechanism: a refusal of AUTH that came before any secret and is not
// about the line. The codes are those that servers in service give: RFC 4954 6,
// RFC 5321 4.2.4, and 523 and 538 of RFC 2554's time.
func refusesMechanism(p login.Protocol, reply string) bool {
	if p == login.SMTP {
		return slices.Contains([]string{"500", "502", "503", "504", "523", "530", "534", "535", "538", "550", "554"}, reply[:min(3, len(reply))])
	}
	return !has(reply, "syntax", "argument", "initial", "later", "too many", "temporar")
}

// refusesUser: a refusal of USER that is not about the name. That is made up,
// so a server may refuse it for what it is: only words about the link or the
// command say more. POP3 has no codes for it.
func refusesUser(reply string) bool {
	switch {
	case has(reply, "tls", "ssl", "encrypt", "plaintext", "cleartext", "plain text", "clear text", "unencrypted",
		"unknown command", "invalid command", "unrecognized command", "unrecognised command", "bad command", "not implemented",
		"unsupported", "not supported"):
		return true
	case has(reply, "user", "mailbox", "account", "name"):
		return false
	default:
		return has(reply, "disabled", "not available", "not allowed", "not permitted", "disallow")
	}
}

func has(reply string, any ...string) bool {
	reply = strings.ToLower(reply)
	return slices.ContainsFunc(any, func(s string) bool { return strings.Contains(reply, s) })
}
