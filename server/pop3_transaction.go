package server

import (
	"bytes"
	"strconv"
	"strings"
)

// transaction obeys the commands of POP3's TRANSACTION state (RFC 1939 5, 7).
func (p *pop3) transaction(verb, arg string) {
	switch verb {
	case "STAT":
		p.withoutArgument(arg, func() {
			count, octets := p.total()
			p.reply("+OK " + strconv.Itoa(count) + " " + strconv.Itoa(octets))
		})
	case "NOOP":
		p.withoutArgument(arg, func() { p.reply("+OK") })
	case "RSET":
		p.withoutArgument(arg, func() { clear(p.deleted); p.reply("+OK") })
	case "LIST":
		p.scan(arg, func(m *stored) string { return strconv.Itoa(len(m.data)) })
	case "UIDL":
		p.scan(arg, func(m *stored) string {
			if p.server.bug(UIDPerSession) {
				return strconv.Itoa(p.session.number) + "." + m.uid
			}
			return m.uid
		})
	case "RETR":
		if n, ok := p.number(arg); ok {
			p.retrieve(p.mail[n].data)
		}
	case "DELE":
		if n, ok := p.number(arg); ok {
			p.deleted[n] = true
			if p.server.bug(DeletedAtOnce) {
				p.server.mail.remove(p.mailbox, p.mail[n:n+1])
			}
			p.reply("+OK")
		}
	case "TOP":
		p.top(arg)
	}
}

func (p *pop3) withoutArgument(arg string, do func()) {
	if arg != "" {
		p.tell(sayTooManyArguments)
		return
	}
	do()
}

// total counts what is not deleted (RFC 1939 5: deleted messages never count).
func (p *pop3) total() (count, octets int) {
	for n, m := range p.mail {
		if !p.deleted[n] {
			count++
			octets += len(m.data)
		}
	}
	return count, octets
}

// number reads a message number and returns the message's index. Numbers
// begin with 1; what is deleted has none any more. A refusal has been told.
func (p *pop3) number(arg string) (index int, ok bool) {
	bits := 31
	if p.server.bug(NumbersWrap) {
		bits = 64
	}
	n, err := strconv.ParseUint(arg, 10, bits)
	n &= 1<<32 - 1
	if err != nil || n < 1 || int(n) > len(p.mail) || p.deleted[n-1] {
		p.reply("-ERR no such message")
		return 0, false
	}
	return int(n) - 1, true
}

// scan answers LIST and UIDL: one message, or all of them.
func (p *pop3) scan(arg string, about func(*stored) string) {
	if arg != "" {
		if n, ok := p.number(arg); ok {
			p.reply("+OK " + strconv.Itoa(n+1) + " " + about(p.mail[n]))
		}
		return
	}
	p.reply("+OK")
	for n, m := range p.mail {
		if !p.deleted[n] {
			p.reply(strconv.Itoa(n+1) + " " + about(m))
		}
	}
	p.reply(".")
}

// top answers TOP: the header, the blank line and the first lines of the body
// (RFC 1939 7).
func (p *pop3) top(arg string) {
	message, count, _ := strings.Cut(arg, " ")
	lines, err := strconv.ParseUint(count, 10, 31)
	if err != nil {
		p.reply("-ERR how many lines?")
		return
	}
	n, ok := p.number(message)
	if !ok {
		return
	}
	data := p.mail[n].data
	end := len(data)
	if at := bytes.Index(data, []byte("\r\n\r\n")); at >= 0 {
		end = at + 4
	}
	for ; lines > 0 && end < len(data); lines-- {
		length := bytes.IndexByte(data[end:], '\n')
		if length < 0 {
			end = len(data)
			break
		}
		end += length + 1
	}
	p.retrieve(data[:end])
}

// retrieve sends lines, a dot before each that begins with one, and the dot
// that ends them (RFC 1939 3).
func (p *pop3) retrieve(data []byte) {
	p.reply("+OK")
	for line := range bytes.Lines(data) {
		if line[0] == '.' && !p.server.bug(DotsNotStuffed) {
			p.out = append(p.out, '.')
		}
		p.out = append(p.out, line...)
		if len(p.out) > outBuffer {
			p.flush()
		}
	}
	p.reply(".")
}

// quit ends the session. After a login it is the UPDATE state: only now what
// was deleted goes (RFC 1939 6).
func (p *pop3) quit(arg string) {
	p.withoutArgument(strings.TrimRight(arg, " "), func() {
		if p.mailbox != "" {
			var gone []*stored
			for n, m := range p.mail {
				if p.deleted[n] {
					gone = append(gone, m)
				}
			}
			p.server.mail.remove(p.mailbox, gone)
			// The lock goes before the answer does: whoever has read it may
			// log in again at once.
			p.leave()
		}
		p.reply("+OK good bye")
		p.over = !p.server.bug(QuitGoesOn)
	})
}
