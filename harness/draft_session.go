package harness

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/recording"
)

// hello is how it greets, and what it reads in the answer.
func (s *spoken) hello() section {
	var all section
	all.add("name", s.ownName())
	var reads, fallback, afterHELO, refused, blind votes
	var assumes []login.Mechanism
	var assumedIn []string
	for _, r := range s.runs {
		switch {
		case r.Offer.EHLOReject && r.index("HELO", 0) >= 0:
			fallback.add("500-502", r.Case)
			if len(r.tries) == 0 {
				afterHELO.add(r.withoutTry(), r.Case)
			}
			for _, t := range r.tries {
				assumes, assumedIn = append(assumes, t.mechanism), append(assumedIn, r.Case)
			}
		case r.Offer.EHLOReject && r.index("EHLO", 0) >= 0:
			refused.add(r.withoutTry(), r.Case)
			fallback.add("never", r.Case)
		case r.Offer.AuthEqOnly:
			reads.add(s.reading(r), r.Case)
		case r.Offer.Lower:
			blind.add(s.reading(r), r.Case)
		}
	}
	all.add("fallback", fallback.fact(s.deriver))
	if len(assumes) > 0 {
		slices.Sort(assumes)
		all.add("assumes", s.shown(slices.Compact(assumes), assumedIn...))
	}
	all.add("after-helo", afterHELO.fact(s.deriver))
	all.add("refused", refused.fact(s.deriver))
	if f := reads.fact(s.deriver); f != nil {
		f.value = map[any][]string{usedList: {"AUTH ", "AUTH="}, readList: {"AUTH ", "AUTH="}, unreadList: {"AUTH "}}[f.value]
		all.add("reads", f)
	}
	if f := blind.fact(s.deriver); f != nil {
		f.value = map[any][]string{usedList: {"keywords", "mechanisms"}, readList: {"keywords"}, unreadList: {}}[f.value]
		all.add("case-blind", f)
	}
	return all
}

// What a client made of a list that is written otherwise.
const (
	usedList   = "used"
	readList   = "read"   // it knows that there is one, and uses nothing of it
	unreadList = "unread" // to it there is none
)

// reading is which of them it was; "" is that nobody can say.
func (s *spoken) reading(r conversation) string {
	if len(r.tries) > 0 {
		return usedList
	}
	unoffered, noCommon := s.nothingFits()
	none, other := unoffered.fact(s.deriver), noCommon.fact(s.deriver)
	wouldUse := slices.ContainsFunc(s.runs, func(plain conversation) bool {
		return plain.ClientTLS == r.ClientTLS && plain.plainly() && len(plain.tries) > 0
	})
	switch does := r.withoutTry(); {
	case none != nil && other != nil && does == other.value && does != none.value:
		if r.Offer.Lower && !wouldUse { // it would have used nothing, however written
			return ""
		}
		return readList
	case wouldUse, none != nil && other != nil && does == none.value && does != other.value:
		return unreadList
	default:
		return ""
	}
}

// nameOfItsOwn is one that a profile can have as it stands.
var nameOfItsOwn = regexp.MustCompile(`^(localhost|[a-z0-9-]+(\.[a-z0-9-]+)+|\[[0-9A-Za-z.:]+\])$`)

// ownName is the argument of EHLO.
func (s *spoken) ownName() *fact {
	var v votes
	for _, r := range s.runs {
		for _, hello := range r.Names {
			_, name, _ := strings.Cut(hello, " ")
			v.add(name, r.Case)
		}
	}
	f := v.fact(s.deriver)
	switch {
	case f == nil:
		return assumed("bare-name")
	case f.value == recording.Machine:
		f.value, f.confidence = "bare-name", login.Assumed
		f.source += ": the machine's name; whether with its domain is not seen"
	case f.value == recordedLiteral:
		f.value = "address"
	case f.value == login.DefaultDomain:
		f.value = "of-sender"
	case !nameOfItsOwn.MatchString(f.value.(string)):
		f.source += fmt.Sprintf(": it said %s", f.value)
		f.value, f.confidence = "bare-name", login.Assumed
	}
	return f
}

// asksAlways: CAPA is said whether TLS is wanted or not.
func (s *spoken) asksAlways() bool {
	return slices.ContainsFunc(s.runs, func(r conversation) bool { return r.CAPA > 0 && r.ClientTLS == recording.Off })
}

// lists are what it asks for before it logs in.
func (s *spoken) lists() section {
	var inClear, forSTLS, inside, afterRefusal, bare votes
	for _, r := range s.runs {
		first := len(r.said) // the login, or the end
		if len(r.tries) > 0 {
			first = slices.IndexFunc(r.said, func(l said) bool { return l.begins })
		}
		up, asked := r.index(tlsUp, 0), r.index("CAPA", 0)
		asked = map[bool]int{true: asked, false: -1}[asked < first]
		switch {
		case r.ClientTLS == recording.Off && asked >= 0:
			inClear.add("always", r.Case)
		case r.ClientTLS == recording.Off:
			inClear.add("never", r.Case)
		case r.StartTLSSent > 0 && asked >= 0:
			forSTLS.add("for-stls", r.Case)
			if up >= 0 && first < len(r.said) && slices.ContainsFunc(r.said[up:first], func(l said) bool { return l.verb == "CAPA" }) {
				inside.add("with-stls", r.Case)
			}
		}
		if r.capaRefused() && asked >= 0 {
			afterRefusal.add(r.afterCAPA(asked), r.Case)
		}
		if r.bareAuth() {
			bare.add(map[bool]string{true: "if-no-capa", false: "always"}[r.capaRefused()], r.Case)
		}
	}
	var all section
	switch f := inClear.fact(s.deriver); {
	case f != nil && f.value == "always":
		all.add("capa", f)
	case len(inside.values) > 0:
		all.add("capa", inside.fact(s.deriver))
	case len(forSTLS.values) > 0:
		all.add("capa", forSTLS.fact(s.deriver))
	default:
		all.add("capa", f)
	}
	all.add("capa-refused", afterRefusal.fact(s.deriver))
	if cases := bare.cases["always"]; len(cases) > 0 {
		all.add("bare-auth", s.shown("always", cases...))
	} else {
		all.add("bare-auth", bare.fact(s.deriver))
	}
	return all
}

// afterCAPA is what it does where CAPA is refused. One who then has nothing to
// log in with stops as well, and says so elsewhere.
func (c conversation) afterCAPA(asked int) string {
	s := c.after(asked+1, c.said[asked].conn)
	switch {
	case s.at >= 0 && s.reconnects && c.index("CAPA", s.at) < 0:
		return s.way() + "retry"
	case s.at >= 0:
		return "go-on"
	default:
		return ""
	}
}

// addSession adds what it does with the login, how it leaves, and how it
// spells.
func (s *spoken) addSession(all *section) {
	all.add("spelling", s.spelling())
	used, last := s.session()
	if used >= 0 {
		r := s.runs[used]
		if s.protocol == login.SMTP {
			all.add("transaction", s.shown(transactionOf(r.said[last:]), r.Case))
		} else {
			all.add("session", s.shown(s.steps(r.said[last:]), r.Case))
		}
	}
	var leaves, mailRefused votes
	for _, r := range s.runs {
		refuses := (r.Offer.NeedAuth == nil || *r.Offer.NeedAuth) && len(r.Offer.Mechs) > 0
		if mail := r.index("MAIL", 0); mail >= 0 && !r.OK && refuses {
			if after := r.after(mail+1, r.said[mail].conn); after.at < 0 {
				mailRefused.add(after.leaves(), r.Case)
			}
		}
		if r.OK && !r.TimedOut {
			leaves.add(map[bool]string{true: "quit", false: "close"}[r.Quit], r.Case)
		}
	}
	all.add("mail-refused", mailRefused.fact(s.deriver))
	all.add("leaves", leaves.fact(s.deriver))
}

// session finds a run in which it was let in, and the first line that it said
// then; of several, one in which all was answered.
func (s *spoken) session() (run, line int) {
	run = -1
	for i, r := range s.runs {
		if len(r.tries) == 0 || r.tries[len(r.tries)-1].result != recording.ResOK || run >= 0 && r.capaRefused() {
			continue
		}
		if run < 0 || s.runs[run].capaRefused() {
			run, line = i, r.tries[len(r.tries)-1].next
		}
	}
	return run, line
}

// transactionOf is how it hands in a message.
func transactionOf(lines []said) section {
	var before, after []string
	var mail, rcpt, data string
	var parameters []section
	for _, l := range lines {
		switch {
		case l.verb == "QUIT":
		case l.verb == "MAIL":
			address, rest, _ := strings.Cut(l.text, ">")
			mail = strings.ReplaceAll(address, recording.Account, "{from}") + ">"
			if !strings.Contains(l.text, ">") {
				mail, rest = l.text, ""
			}
			for parameter := range strings.FieldsSeq(rest) {
				parameters = append(parameters, parameterOf(parameter))
			}
		case l.verb == "RCPT":
			rcpt = strings.ReplaceAll(l.text, recording.Recipient, "{to}")
		case l.verb == "DATA":
			data = l.text
		case mail == "":
			before = append(before, l.text)
		case data != "":
			after = append(after, l.text)
		}
	}
	var all section
	if len(before) > 0 {
		all.add("before", before)
	}
	all.add("mail", mail)
	if len(parameters) > 0 {
		all.add("parameters", parameters)
	}
	all.add("rcpt", rcpt)
	all.add("data", data)
	if len(after) > 0 {
		all.add("after", after)
	}
	return all
}

// parameterOf is one of MAIL's, and the keyword of EHLO that it belongs to
// (RFC 1870 6, RFC 6152 2, RFC 4954 5).
func parameterOf(said string) section {
	name, value, has := strings.Cut(said, "=")
	say := said
	var when string
	switch strings.ToUpper(name) {
	case "SIZE":
		when, say = "SIZE", name+"={size}"
	case "BODY":
		if strings.EqualFold(value, "8BITMIME") {
			when = "8BITMIME"
		}
	}
	var p section
	if has && when != "" {
		p.add("when", when)
	}
	p.add("say", say)
	return p
}

// steps are what it asks of the mailbox. What it leaves out where CAPA was
// refused depends on that.
func (s *spoken) steps(lines []said) []section {
	steps := []section{}
	for _, l := range lines {
		if l.verb == "QUIT" {
			continue
		}
		step := section{{"say", l.text}}
		for _, r := range s.runs {
			if r.OK && r.capaRefused() && r.index(l.verb, r.tries[len(r.tries)-1].next) < 0 {
				step = section{{"say", l.text}, {"when", "capa"}}
			}
		}
		steps = append(steps, step)
	}
	return steps
}

// spelling is what it does not write in the letters of the RFCs. A transaction
// and a session are written down as they were said.
func (s *spoken) spelling() *fact {
	own := map[string]votes{}
	for _, r := range s.runs {
		for _, l := range r.said {
			written, arg, _ := strings.Cut(l.text, " ")
			canonical := l.verb
			switch {
			case l.verb == "AUTH" && l.begins:
				name, _, _ := strings.Cut(arg, " ")
				canonical, written = "AUTH "+strings.ToUpper(name), written+" "+name
			case !slices.Contains([]string{"EHLO", "HELO", "STARTTLS", "STLS", "CAPA", "USER", "PASS", "APOP", "QUIT", "AUTH"}, l.verb):
				continue
			}
			if written != canonical {
				v := own[canonical]
				v.add(written, r.Case)
				own[canonical] = v
			}
		}
	}
	if len(own) == 0 {
		return nil
	}
	var spelled section
	var cases []string
	for _, canonical := range slices.Sorted(maps.Keys(own)) {
		v := own[canonical]
		f := v.fact(s.deriver)
		spelled.add(canonical, f.value)
		cases = append(cases, v.cases[f.value.(string)]...)
	}
	return s.shown(spelled, cases...)
}

// loginName is what of the address it logs in with, where that can be seen.
func loginName(speaks []*spoken) *fact {
	own, _, _ := strings.Cut(recording.Account, "@")
	for _, s := range speaks {
		for _, r := range s.runs {
			for _, l := range r.said {
				if _, name, _ := strings.Cut(l.text, " "); l.verb == "USER" && name == own {
					return s.shown("before-at", r.Case)
				}
			}
		}
	}
	return nil
}

// kinds are the names of NTLM's responses in records.
var kinds = map[string]login.NTLMKind{"LM": login.NTLMLM, "NTLMv1": login.NTLMv1, "NTLM2-session": login.NTLMSession, "NTLMv2": login.NTLMv2}

// ntlmOf is the section ntlm, which is nobody's protocol.
func ntlmOf(speaks []*spoken) section {
	var v votes
	knows := false
	for _, s := range speaks {
		knows = knows || slices.Contains(s.known, login.NTLM)
		for _, r := range s.runs {
			for _, t := range r.tries {
				v.add(string(kinds[t.ntlm]), r.Case)
			}
		}
	}
	if !knows {
		return nil
	}
	kind := v.fact(speaks[0].deriver)
	if kind == nil {
		kind = assumed(string(login.NTLMv2))
	}
	return section{{"kind", kind}, {"windows-user-first", assumed(false)}}
}
