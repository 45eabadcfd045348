package clientsim

import (
	"maps"
	"regexp"
	"slices"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// among holds a fact that may be missing against the values that it can have.
func among[T ~string](l *linter, path []string, f *fact[T], all []T) {
	if f == nil {
		return
	}
	l.sourced(path, f.Confidence, f.Source)
	oneOf(l, append(slices.Clone(path), "value"), path[len(path)-1], f.Value, all)
}

// allAmong does so for a list.
func allAmong[T ~string](l *linter, path []string, f *fact[[]T], all []T) {
	if f == nil {
		return
	}
	l.sourced(path, f.Confidence, f.Source)
	for _, v := range f.Value {
		oneOf(l, append(slices.Clone(path), "value"), path[len(path)-1], v, all)
	}
}

// said is a fact whose value needs no more than a source.
func said[T any](l *linter, path []string, f *fact[T]) {
	if f != nil {
		l.sourced(path, f.Confidence, f.Source)
	}
}

// manners are the facts about behaviour, which a file may leave out.
func (l *linter) manners(protocol login.Protocol, p *protocolSheet, at func(...string) []string) {
	l.hello(protocol, p.Hello, at)
	l.lists(protocol, p.Lists, at)
	l.encryption(p.Encryption, at)

	among(l, at("order"), p.Order, selections)
	for name, list := range map[string]*fact[[]login.Mechanism]{"choice-in-clear": p.ChoiceInClear, "falls-to": p.FallsTo} {
		said(l, at(name), list)
		l.has(at(name, "value"), list.or(nil), p)
	}
	said(l, at("unlisted"), p.Unlisted)
	if m := p.Unlisted.or(""); m != "" {
		l.has(at("unlisted", "value"), []login.Mechanism{m}, p)
	}
	said(l, at("sasl-once"), p.SASLOnce)
	said(l, at("passes-over"), p.PassesOver)
	for _, m := range slices.Sorted(maps.Keys(p.PassesOver.or(nil))) {
		l.has(at("passes-over", "value"), append([]login.Mechanism{m}, p.PassesOver.Value[m]...), p)
	}
	among(l, at("unoffered"), p.Unoffered, whenNothingFits)
	among(l, at("no-common"), p.NoCommon, whenNothingFits)
	among(l, at("no-choice"), p.NoChoice, whenNothingFits)
	among(l, at("withheld"), p.Withheld, whenNothingFits)
	among(l, at("refused"), p.Refused, whenLoginFails)
	among(l, at("rejected"), p.Rejected, whenLoginFails)
	among(l, at("exhausted"), p.Exhausted, whenNothingFits)
	among(l, at("undecodable"), p.Undecodable, whenLoginFails)
	among(l, at("unable"), p.Unable, whenLoginFails)
	among(l, at("cancel"), p.Cancel, cancellings)
	among(l, at("unable-cancels"), p.UnableCancels, cancellings)
	said(l, at("means-first"), p.MeansFirst)
	among(l, at("prompts"), p.Prompts, promptRules)
	among(l, at("challenges"), p.Challenges, stampRules)
	among(l, at("mail-refused"), p.MailRefused, whenItLeaves)
	among(l, at("leaves"), p.Leaves, whenItLeaves)
	said(l, at("gives-up"), p.GivesUp)
	said(l, at("stray-cancel"), p.StrayCancel)
	said(l, at("cancels-refused"), p.CancelsRefused)
	l.has(at("cancels-refused", "value"), p.CancelsRefused.or(nil), p)
	said(l, at("speaks-once"), p.SpeaksOnce)
	l.has(at("speaks-once", "value"), p.SpeaksOnce.or(nil), p)
	said(l, at("wrong-proof"), p.WrongProof)
	l.has(at("wrong-proof", "value"), p.WrongProof.or(nil), p)
	said(l, at("few-rounds"), p.FewRounds)
	said(l, at("names-authzid"), p.ActsAs)
	said(l, at("pipelined"), p.Pipelined)
	said(l, at("spelling"), p.Spelling)
	said(l, at("retries"), p.Retries)
	l.has(at("retries", "value"), slices.Sorted(maps.Keys(p.Retries.or(nil))), p)
	said(l, at("refused-retries"), p.RefusedRetries)
	l.has(at("refused-retries", "value"), slices.Sorted(maps.Keys(p.RefusedRetries.or(nil))), p)
	said(l, at("codes"), p.Codes)
	for _, code := range sortedKeys(p.Codes.or(nil)) {
		oneOf(l, at("codes", "value", code), "reaction", p.Codes.Value[code], whenCodeDecides)
	}
	said(l, at("transaction"), p.Transaction)
	said(l, at("session"), p.Session)
	if protocol == login.SMTP && (p.Session != nil || p.Pipelined != nil) || protocol == login.POP3 && p.Transaction != nil {
		l.add(at("session"), "a session and pipelined names are of POP3, a transaction is of SMTP")
	}
	for _, s := range p.Session.or(nil) {
		if s.Say == "" || !slices.Contains([]string{"", whenCAPA, whenNoCAPA}, s.When) {
			l.add(at("session", "value"), "a step has something to say, and may have when: %s or %s", whenCAPA, whenNoCAPA)
		}
	}
}

// ownHello is a name, or an address literal, that a client says whatever its
// machine is called.
var ownHello = regexp.MustCompile(`^(localhost|[a-z0-9-]+(\.[a-z0-9-]+)+|\[[0-9A-Za-z.:]+\])$`)

func (l *linter) hello(protocol login.Protocol, h *helloSheet, at func(...string) []string) {
	switch {
	case protocol == login.SMTP && h == nil:
		l.add(at("hello"), "hello is missing: the form of the argument of EHLO")
		return
	case protocol != login.SMTP && h != nil:
		l.add(at("hello"), "%s has no hello", protocol)
		return
	case h == nil:
		return
	}
	in := func(path ...string) []string { return at(append([]string{"hello"}, path...)...) }

	l.sourced(in("name"), h.Name.Confidence, h.Name.Source)
	if !ownHello.MatchString(string(h.Name.Value)) {
		oneOf(l, in("name", "value"), "form of hello", h.Name.Value, helloForms)
	}
	among(l, in("greeting"), h.Greeting, greetingRules)
	among(l, in("fallback"), h.Fallback, helloFallbacks)
	said(l, in("fallback-with-tls"), h.FallbackWithTLS)
	said(l, in("assumes"), h.Assumes)
	l.has(in("assumes", "value"), h.Assumes.or(nil), l.sheet.SMTP)
	among(l, in("after-helo"), h.AfterHELO, whenNothingFits)
	among(l, in("refused"), h.Refused, whenItLeaves)
	said(l, in("after-login"), h.AfterLogin)
	allAmong(l, in("reads"), h.Reads, authForms)
	allAmong(l, in("case-blind"), h.CaseBlind, spellings)
}

func (l *linter) lists(protocol login.Protocol, s *listsSheet, at func(...string) []string) {
	if s == nil {
		return
	}
	if protocol != login.POP3 {
		l.add(at("lists"), "lists are of POP3: see hello")
	}
	in := func(path ...string) []string { return at(append([]string{"lists"}, path...)...) }

	among(l, in("capa"), s.CAPA, capaAskings)
	if e := l.sheet.in(protocol).Encryption; s.CAPA.or(askNever) == askAtLogin && e != nil && (!e.Blind.or(false) || e.Opportunistic.or(false)) {
		l.add(in("capa"), "at-login is for a client that sends STLS blind, or never")
	}
	among(l, in("capa-refused"), s.CAPARefused, whenCAPAFails)
	among(l, in("bare-auth"), s.Bare, listAskings)
	allAmong(l, in("case-blind"), s.CaseBlind, spellings)
	among(l, in("timestamp"), s.Timestamp, stampRules)
}

func (l *linter) encryption(e *encryptionSheet, at func(...string) []string) {
	if e == nil {
		return
	}
	in := func(path ...string) []string { return at(append([]string{"encryption"}, path...)...) }

	said(l, in("opportunistic"), e.Opportunistic)
	said(l, in("insists"), e.Insists)
	said(l, in("blind"), e.Blind)
	said(l, in("before-hello"), e.BeforeHello)
	if e.BeforeHello.or(false) && !e.Blind.or(false) {
		l.add(in("before-hello"), "before-hello is for a client that sends STARTTLS blind")
	}
	said(l, in("says-again"), e.SaysAgain)
	said(l, in("says-twice"), e.SaysTwice)
	if e.SaysTwice.or(false) && !e.SaysAgain.or(true) {
		l.add(in("says-twice"), "says-twice is for a client that says it again")
	}
	said(l, in("remembers"), e.Remembers)
	said(l, in("unchecked"), e.Unchecked)
	said(l, in("keeps-timestamp"), e.KeepsTimestamp)
	said(l, in("looks-after-hello"), e.LooksLate)
	among(l, in("injected"), e.Injected, injections)
	for name, f := range map[string]*encryptionFailures{"required": e.Required, "if-available": e.IfAvailable} {
		if f == nil {
			continue
		}
		among(l, in(name, "unoffered"), f.Unoffered, whenTLSFails)
		among(l, in(name, "refused"), f.Refused, whenTLSFails)
		among(l, in(name, "failed"), f.Failed, whenTLSFails)
		among(l, in(name, "untrusted"), f.Untrusted, whenTLSFails)
	}
	if e.IfAvailable != nil && !e.Opportunistic.or(false) {
		l.add(in("if-available"), "if-available is for a client that is opportunistic")
	}
	if e.Insists.or(false) && (!e.Opportunistic.or(false) || e.IfAvailable != nil) {
		l.add(in("insists"), "insists is for a client that has the setting and does as if TLS were required")
	}
}

func (l *linter) checks(path []string, f *fact[map[check]refusalManner]) {
	if f == nil {
		return
	}
	l.sourced(path, f.Confidence, f.Source)
	for _, k := range slices.Sorted(maps.Keys(f.Value)) {
		oneOf(l, append(slices.Clone(path), "value", string(k)), "check", k, checks)
		oneOf(l, append(slices.Clone(path), "value", string(k)), "manner of refusal", f.Value[k], refusalManners)
	}
}
