package wire

import (
	"errors"
	"fmt"
	"strings"
)

// ErrNoReply says that what the server sent is no reply of its protocol.
var ErrNoReply = errors.New("no reply of the protocol")

// SMTPReply is an answer of one or more lines (RFC 5321 4.2.1).
type SMTPReply struct {
	Code int
	// Lines are the texts behind code and separator.
	Lines []string
	// First is the first line as it came.
	First string
}

// Positive reports the classes 2xx and 3xx.
func (r SMTPReply) Positive() bool { return r.Code >= 200 && r.Code < 400 }

// Text is the text of the last line, which is where a 334 has its challenge.
func (r SMTPReply) Text() string {
	if len(r.Lines) == 0 {
		return ""
	}
	return r.Lines[len(r.Lines)-1]
}

// maxReplyLines stops a server that never ends its answer.
const maxReplyLines = 1000

// ReadSMTP reads a whole answer. Lines with different codes, or lines that
// are no reply, are an error: nobody may guess what such a server meant.
func (c *Conn) ReadSMTP() (SMTPReply, error) {
	var reply SMTPReply
	for len(reply.Lines) < maxReplyLines {
		line, err := c.ReadLine()
		if err != nil {
			return reply, err
		}
		code, last, text, ok := splitSMTP(line)
		if !ok {
			return reply, fmt.Errorf("%w: %.80q", ErrNoReply, line)
		}
		if reply.Code != 0 && reply.Code != code {
			return reply, fmt.Errorf("%w: codes %d and %d in one", ErrNoReply, reply.Code, code)
		}
		if reply.Code == 0 {
			reply.Code, reply.First = code, line
		}
		reply.Lines = append(reply.Lines, text)
		if last {
			return reply, nil
		}
	}
	return reply, fmt.Errorf("%w: more than %d lines", ErrNoReply, maxReplyLines)
}

// splitSMTP divides "250-SIZE 10" (RFC 5321 4.2: three digits, then a hyphen,
// a space or the end).
func splitSMTP(line string) (code int, last bool, text string, ok bool) {
	if len(line) < 3 {
		return 0, false, "", false
	}
	for _, digit := range []byte(line[:3]) {
		if digit < '0' || digit > '9' {
			return 0, false, "", false
		}
		code = code*10 + int(digit-'0')
	}
	switch {
	case len(line) == 3:
		return code, true, "", true
	case line[3] == '-' || line[3] == ' ':
		return code, line[3] == ' ', line[4:], true
	default:
		return 0, false, "", false
	}
}

// POP3Reply is the status line of an answer (RFC 1939 3, RFC 5034 4).
type POP3Reply struct {
	Status POP3Status
	// Text is what follows the status indicator.
	Text string
	// Line is the whole line as it came.
	Line string
}

// POP3Status is the first word of an answer.
type POP3Status uint8

const (
	POP3None     POP3Status = iota
	POP3OK                  // +OK
	POP3Err                 // -ERR
	POP3Continue            // "+ ": a challenge
)

// ReadPOP3 reads a status line.
func (c *Conn) ReadPOP3() (POP3Reply, error) {
	line, err := c.ReadLine()
	if err != nil {
		return POP3Reply{}, err
	}
	r := POP3Reply{Line: line}
	for _, form := range pop3Forms {
		rest, ok := strings.CutPrefix(line, form.indicator)
		if ok && (rest == "" || rest[0] == ' ') {
			r.Status, r.Text = form.status, strings.TrimPrefix(rest, " ")
			return r, nil
		}
	}
	return r, fmt.Errorf("%w: %.80q", ErrNoReply, line)
}

var pop3Forms = []struct {
	indicator string
	status    POP3Status
}{{"+OK", POP3OK}, {"-ERR", POP3Err}, {"+", POP3Continue}}

// ReadDotted reads the lines of a multi-line answer up to the dot that ends
// it, dot-stuffing undone (RFC 1939 3).
func (c *Conn) ReadDotted() ([]string, error) {
	var lines []string
	for len(lines) < maxDotted {
		line, err := c.ReadLine()
		if err != nil {
			return lines, err
		}
		if line == "." {
			return lines, nil
		}
		lines = append(lines, strings.TrimPrefix(line, "."))
	}
	return lines, fmt.Errorf("answer of more than %d lines", maxDotted)
}

const maxDotted = 100_000
