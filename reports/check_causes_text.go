package reports

import (
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// How much of a finding is told where there is little room.
const (
	tellsAll  = iota
	tellsFix  // not how it is seen without us
	tellsText // nor what to change
)

const causeIndent = "       "

// causes writes the findings into so many lines: the first of them at length,
// and of the last what there is room for. The long form tells all of all.
func (p *page) causes(all []cause, room int) {
	if len(all) == 0 {
		return
	}
	p.gap()
	if p.Verbose {
		for _, c := range all {
			p.lines = append(p.lines, p.cause(c, tellsAll)...)
		}
		return
	}
	told := make([][]string, len(all))
	lines := 0
	for i, c := range all {
		told[i] = p.cause(c, tellsAll)
		lines += len(told[i])
	}
	for less := tellsFix; less <= tellsText; less++ {
		for i := len(all) - 1; i > 0 && lines > room; i-- {
			lines -= len(told[i])
			told[i] = p.cause(all[i], less)
			lines += len(told[i])
		}
	}
	if lines > room {
		lines -= len(told[0])
		told[0] = p.cause(all[0], tellsFix)
		lines += len(told[0])
	}
	for i := range all {
		if i > 0 && lines > room && len(told[i])+1 > room {
			p.line(" ", p.paint(of(len(all)-i, "more finding"), warned), " (", verdictsOf(all[i:]), "): -v shows all")
			return
		}
		p.lines = append(p.lines, told[i]...)
		room -= len(told[i])
		lines -= len(told[i])
	}
}

// least is how many lines they have where only the first is more than a text.
func (p *page) least(all []cause) int {
	n, tells := 0, tellsAll
	for _, c := range all {
		n += len(p.cause(c, tells))
		tells = tellsText
	}
	return n
}

// verdictsOf counts by verdict: 2 fail, 3 warn.
func verdictsOf(all []cause) string {
	var parts []string
	for _, v := range []login.Verdict{login.Fail, login.Broken, login.Unjudged, login.Warn} {
		n := 0
		for _, c := range all {
			if c.verdict == v {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, count(n)+" "+v.String())
		}
	}
	return strings.Join(parts, ", ")
}

func (p *page) cause(c cause, tells int) []string {
	t := &page{Options: p.Options}
	as := warned
	if c.verdict == login.Fail {
		as = bad
	}
	lead := " " + p.paint(pad(strings.ToUpper(c.verdict.String()), len(causeIndent)-1), as)
	text := c.text()
	if tells > tellsAll && !p.Verbose {
		text = shortened(text, 2*(p.width()-len(causeIndent)))
	}
	for _, line := range wrap(text, p.width()-len(causeIndent)) {
		t.line(lead, line)
		lead = causeIndent
	}
	said := ""
	if tells < tellsText && !p.Verbose {
		said = decisive(c.transcript, c.transport)
	}
	t.beside(said, c.sources(p.Verbose))
	if p.Verbose {
		for _, line := range c.transcript {
			t.line(causeIndent, line)
		}
	}
	if c.advice == nil {
		return t.lines
	}
	if tells < tellsText && len(c.advice.Fix) > 0 {
		t.fix(*c.advice)
	}
	if tells == tellsAll && c.advice.Command != "" {
		lead := causeIndent + "see it:  "
		for _, line := range shellLines(ascii(c.advice.Command), p.width()-len(lead)) {
			t.line(lead, line)
			lead = strings.Repeat(" ", len(lead))
		}
	}
	return t.lines
}

// shortened ends a text of more than most characters where a part of the sentence
// does, if there is such a place.
func shortened(text string, most int) string {
	if len(text) <= most {
		return text
	}
	end := -1
	for _, mark := range []string{": ", "; ", " (", ", "} {
		end = max(end, strings.LastIndex(text[:most], mark))
	}
	if end < most/3 {
		return text
	}
	return text[:end]
}

// beside writes what was said, and at the end of the same line, where there is
// room, the sources.
func (p *page) beside(said, sources string) {
	if said == "" {
		// The last line of the text may have room for them.
		last := &p.lines[len(p.lines)-1]
		if room := p.width() - visible(*last) - 3; len(sources) <= room && sources != "" {
			*last += strings.Repeat(" ", 3+room-len(sources)) + p.paint(sources, quiet)
			return
		}
	}
	if room := p.width() - len(causeIndent) - len(said); said != "" && len(sources)+3 <= room {
		p.line(causeIndent, said, strings.Repeat(" ", room-len(sources)), p.paint(sources, quiet))
		return
	}
	if said != "" {
		p.line(causeIndent, cut(said, p.width()-len(causeIndent)))
	}
	if sources != "" {
		p.flow(causeIndent, sources, quiet)
	}
}

// visible is how wide a painted line is.
func visible(line string) int {
	n, in := 0, false
	for _, c := range []byte(line) {
		switch {
		case c == '\x1b':
			in = true
		case in:
			in = c != 'm'
		default:
			n++
		}
	}
	return n
}

// fix writes what to change, several settings to a line where they fit.
func (p *page) fix(a login.Advice) {
	lead := causeIndent + "fix:  "
	if a.Software != "" {
		lead = causeIndent + "fix, " + ascii(a.Software) + " (guessed):  "
	}
	section := &page{Options: Options{Width: p.width() - len(lead)}}
	var texts []string
	for _, fix := range a.Fix {
		texts = append(texts, wrap(ascii(fix), section.width())...)
	}
	section.items("", texts)
	for _, line := range section.lines {
		p.line(lead, p.paint(line, strong))
		lead = strings.Repeat(" ", len(lead))
	}
}

// decisive is the line of a conversation that shows what was found: the answer
// to the last command before leave was taken or, where that asked for a list,
// the line of it that is about logins. "" where there is none. In clear,
// STARTTLS and what follows it is another matter.
func decisive(lines []string, t login.Transport) string {
	command, answers := "", []string(nil)
	for _, line := range lines {
		who, said, _ := strings.Cut(line, " ")
		verb, _, _ := strings.Cut(strings.ToUpper(said), " ")
		switch {
		case t == login.Plain && strings.HasSuffix(who, "+"), strings.HasPrefix(who, "*"):
		case strings.HasPrefix(who, "S"):
			answers = append(answers, said)
		case verb == "QUIT", t == login.Plain && (verb == "STARTTLS" || verb == "STLS"):
			return telling(command, answers)
		default:
			command, answers = verb, nil
		}
	}
	return telling(command, answers)
}

func telling(command string, answers []string) string {
	if len(answers) == 0 {
		return ""
	}
	switch command {
	case "EHLO", "CAPA":
		for _, a := range answers {
			word, _, _ := strings.Cut(strings.TrimLeft(a, "0123456789- "), " ")
			if word = strings.ToUpper(word); strings.HasPrefix(word, "AUTH") || word == "SASL" || word == "USER" {
				return "S: " + a
			}
		}
		return ""
	default:
		return "S: " + answers[len(answers)-1]
	}
}

// shellLines breaks a command at its spaces outside of quotes, so that the
// lines can be given to a shell as they are.
func shellLines(command string, width int) []string {
	var words []string
	start, quote := 0, byte(0)
	for i := range len(command) {
		switch c := command[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == ' ':
			words = append(words, command[start:i])
			start = i + 1
		}
	}
	words = append(words, command[start:])
	const more = ` \`
	var lines []string
	line := words[0]
	for _, word := range words[1:] {
		if len(line)+1+len(word)+len(more) > width {
			lines = append(lines, line+more)
			line = "  " + word
			continue
		}
		line += " " + word
	}
	return append(lines, line)
}
