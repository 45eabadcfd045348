package server

import (
	"bufio"
	"bytes"
	"regexp"
	"slices"
	"strings"
)

// What the mutants need that is more than a condition where the rule is kept.

// mishears: the line of an exchange is taken for something else than a response.
func (s *session) mishears(line, challenge []byte) bool {
	verb, arg := splitCommand(line)
	switch {
	case s.server.bug(CancelIgnored) && verb == "*":
		s.challenge(challenge)
	case s.server.bug(ExchangeObeys) && slices.Contains(obeyed, verb):
		s.dialect.command(verb, arg)
	default:
		return false
	}
	return true
}

// obeysText takes what AUTH= decodes to (RFC 4954 8) for lines of its own.
func (f *smtpFront) obeysText(arg string) bool {
	_, text, _ := strings.Cut(arg, "AUTH=")
	text = strings.NewReplacer("+0D", "", "+0A", "\n").Replace(text)
	if !f.server.bug(ExchangeObeys) || !strings.Contains(text, "\n") {
		return false
	}
	f.reply("250 2.1.0 taken")
	for line := range strings.Lines(text) {
		if verb, arg := splitCommand([]byte(strings.TrimSpace(line))); slices.Contains(obeyed, verb) {
			f.command(verb, arg)
		}
	}
	return true
}

// shrinks: after a login CAPA has lost something.
func (p *pop3) shrinks() bool { return p.mailbox != "" && p.server.bug(UnlistedAfterLogin) }

var obeyed = []string{"QUIT", "RSET", "NOOP", "MAIL", "RCPT", "STARTTLS", "STLS", "EHLO", "CAPA", "STAT"}

// spoilProof changes the last octet of what proves a server (RFC 5802 7,
// RFC 2831 2.1.3).
func spoilProof(challenge []byte) []byte {
	if !bytes.HasPrefix(challenge, []byte("v=")) && !bytes.HasPrefix(challenge, []byte("rspauth=")) {
		return challenge
	}
	spoiled := bytes.Clone(challenge)
	at := bytes.IndexByte(spoiled, '=') + 1
	if spoiled[at] == 'a' {
		spoiled[at] = 'b'
	} else {
		spoiled[at] = 'a'
	}
	return spoiled
}

// losePipelined throws away what has come already.
func (s *session) losePipelined() {
	if s.server.bug(PipelinedLost) {
		_, _ = s.in.Discard(s.in.Buffered())
	}
}

// readSplitLine leaves the rest of a line that is too long for the next read.
func readSplitLine(r *bufio.Reader, limit int) (line []byte, octets int, err error) {
	for {
		c, err := r.ReadByte()
		if err != nil {
			return nil, octets, err
		}
		line, octets = append(line, c), octets+1
		switch {
		case c == '\n':
			line, err = checkLine(line, limit)
			return line, octets, err
		case octets >= limit+2:
			return line[:limit], octets, errTooLong
		}
	}
}

// readForgivenLine takes CR, LF and CR LF for the end of a line, overlooks NUL,
// and knows no limit.
func readForgivenLine(r *bufio.Reader, _ int) (line []byte, octets int, err error) {
	for {
		c, err := r.ReadByte()
		if err != nil {
			return nil, octets, err
		}
		octets++
		switch c {
		case '\r':
			if next, _ := r.Peek(min(1, r.Buffered())); len(next) > 0 && next[0] == '\n' {
				_, _ = r.Discard(1)
			}
		case '\n':
		case 0:
			continue
		default:
			line = append(line, c)
			continue
		}
		return append(line, '\r', '\n')[:len(line)], octets, nil // who hands it on wants its end behind it
	}
}

// enhancedCode finds the enhanced code of a reply (RFC 3463 2).
var enhancedCode = regexp.MustCompile(`^([245]\d\d[ -])\d\.\d{1,3}\.\d{1,3} `)

// malformed makes of a list one that no list may be.
func (s *Server) malformed(lines []string) []string {
	if !s.bug(ListsMalformed) {
		return lines
	}
	for i, line := range lines {
		lines[i] = strings.ReplaceAll(line, "-", "+")
	}
	return append(lines, "*no keyword", "ETRN", "TWO  BLANKS")
}
