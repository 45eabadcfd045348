package login

import "slices"

// ByDocument is the oracle: it foretells, without a network, what must happen
// in a cell. It expects what the document and the RFCs say. It is written apart
// from the server: they share [Setting.Permits] and nothing else.
type ByDocument struct {
	// Policy is the one given as a whole, for cells whose setting is Declared.
	Policy Policy
}

// Expect reasons in the contract's order: encryption, policy, availability,
// credentials; the first that applies decides.
func (d ByDocument) Expect(c Cell, f ClientFacts) Expectation {
	if f.staysInClear(c) {
		return d.expectInClear(c, f)
	}
	d.Policy = c.Policy(d.Policy, everything)
	e := Expectation{Refs: refsOf(c), Replies: replyForms(c.Protocol)}
	if c.Transport.Encrypted() && !encryptionPossible(c, f) {
		return e.with(NoTLS)
	}
	p := f.Protocols[c.Protocol]
	if c.Mechanism == Auto || len(p.FallsTo) > 0 {
		return d.expectChoice(e, c, f)
	}
	if slices.Contains(p.EncryptedOnly, c.Mechanism) && !c.Transport.Encrypted() {
		return e.with(NotOffered)
	}
	return d.expectMechanism(e, c, f)
}

// expectInClear follows a client that is told to encrypt and does not. What it
// shows is still shown by who was told so.
func (d ByDocument) expectInClear(c Cell, f ClientFacts) Expectation {
	c.Transport = Plain
	e := d.Expect(c, f)
	for i := range e.Exposures {
		e.Exposures[i].Transport = StartTLS
	}
	return e
}

// expectChoice follows a client through the mechanisms that it tries, each as
// far as it must come.
func (d ByDocument) expectChoice(e Expectation, c Cell, f ClientFacts) Expectation {
	p := f.Protocols[c.Protocol]
	end := e.with(NotOffered)
	own := c.Mechanism
	for _, m := range choices(c, p) {
		if own == Auto && d.passesOver(c, f, m) || p.SASLOnce && isSASL(m) && end.Used != "" && isSASL(end.Used) {
			continue
		}
		c.Mechanism = m
		usable := !slices.Contains(p.EncryptedOnly, m) || c.Transport.Encrypted()
		if !usable || d.misses(c, f) {
			continue
		}
		shown := end.Exposures
		end = d.expectMechanism(e, c, f)
		end.Used, end.Exposures = m, append(shown, end.Exposures...)
		refused := RefusedPolicy.In(end.Outcomes) || RefusedUnavailable.In(end.Outcomes)
		rejected := RefusedCredentials.In(end.Outcomes)
		if !(refused && p.AfterRefused || rejected && p.AfterRejected) {
			break
		}
	}
	if own == Auto && end.Used == "" && p.Unlisted != "" && d.lists(c, f, anything) {
		return d.expectBlind(e, c, f, p.Unlisted)
	}
	return end
}

// passesOver: the client sees something beside which it does not choose m.
func (d ByDocument) passesOver(c Cell, f ClientFacts, m Mechanism) bool {
	return slices.ContainsFunc(f.Protocols[c.Protocol].PassesOver[m], func(other Mechanism) bool {
		c.Mechanism = other
		return f.LooksFor(c.Protocol, other) && f.couldChoose(c) && d.sees(c, f)
	})
}

// isSASL: all but the two that POP3 had before (RFC 1939 7).
func isSASL(m Mechanism) bool { return m != APOP && m != UserPass }

// expectBlind follows a client that sends a mechanism without having seen it.
func (d ByDocument) expectBlind(e Expectation, c Cell, f ClientFacts, m Mechanism) Expectation {
	blind := f.Protocols[c.Protocol]
	blind.Looks = nil
	f.Protocols = map[Protocol]ProtocolFacts{c.Protocol: blind}
	c.Mechanism = m
	end := d.expectMechanism(e, c, f)
	end.Used = m
	return end
}

// lists: EHLO or CAPA lists one of those that count.
func (d ByDocument) lists(c Cell, f ClientFacts, counts func(Mechanism) bool) bool {
	return slices.ContainsFunc(d.Policy.Mechanisms(), func(m Mechanism) bool {
		c.Mechanism = m
		return m != APOP && counts(m) && f.couldChoose(c) && d.visible(c)
	})
}

func anything(Mechanism) bool { return true }

// looks is whether the client looks for the cell's mechanism there: one that
// goes blind where no SASL mechanism is listed looks where one is.
func (d ByDocument) looks(c Cell, f ClientFacts) bool {
	return f.LooksFor(c.Protocol, c.Mechanism) &&
		(!slices.Contains(f.Protocols[c.Protocol].BlindWithoutSASL, c.Mechanism) || d.lists(c, f, isSASL))
}

// misses: the client looks, and does not see what it wants to see. For some
// that is a list, whatever is in it.
func (d ByDocument) misses(c Cell, f ClientFacts) bool {
	return d.looks(c, f) && !d.sees(c, f) &&
		!(slices.Contains(f.Protocols[c.Protocol].AnyListDoes, c.Mechanism) && d.lists(c, f, anything))
}

// choices are the mechanisms in the client's order.
func choices(c Cell, p ProtocolFacts) []Mechanism {
	switch {
	case c.Mechanism != Auto:
		return append([]Mechanism{c.Mechanism}, p.FallsTo...)
	case c.Transport.Encrypted():
		return p.Chooses
	default:
		return p.ChoosesInClear
	}
}

func (d ByDocument) expectMechanism(e Expectation, c Cell, f ClientFacts) Expectation {
	visible := d.sees(c, f)
	if d.looks(c, f) {
		e.Offered = &visible
	}
	switch {
	case d.misses(c, f) && !f.TriesAnyway:
		return e.with(NotOffered)
	case !d.setting(c).Permits(c.Transport):
		return e.with(RefusedPolicy, shownWhenRefused(c, f, visible)...)
	case !canCheck(c):
		return e.with(RefusedUnavailable, shownWhenRefused(c, f, visible)...)
	case !rightCredentials(c) || tooWeak(c, f) || f.provesWrong(c):
		return e.with(RefusedCredentials, shownByLogin(c, f, BeforeRefusal)...)
	default:
		return e.with(LoggedIn, shownByLogin(c, f, OnSuccess)...)
	}
}

// with completes the expectation: the outcome, and exactly what can be read.
func (e Expectation) with(o Outcome, shown ...Exposure) Expectation {
	e.Outcomes, e.Exposures = []Outcome{o}, append([]Exposure{}, shown...)
	return e
}

// setting is that of the cell's server, which is in d by now.
func (d ByDocument) setting(c Cell) Setting { return d.Policy.For(c.Protocol, c.Mechanism) }

// sees is whether this client sees it: the greeting is not said again inside
// TLS, and a client may have forgotten it by then.
func (d ByDocument) sees(c Cell, f ClientFacts) bool {
	return d.visible(c) && (c.Mechanism != APOP || c.Transport != StartTLS || !f.Protocols[c.Protocol].ForgetsTimestamp)
}

// visible is rule 2: offered equals accepted. The greeting's timestamp is the
// one exception: it is sent before STLS, so Secure shows it on a clear link.
func (d ByDocument) visible(c Cell) bool {
	if c.Mechanism == APOP {
		return canCheck(c) && d.setting(c) != Deny
	}
	return canCheck(c) && d.setting(c).Permits(c.Transport)
}

// encryptionPossible: a client that says STARTTLS before EHLO is out of order
// (RFC 5321 4.1.4); the classic flavour has no implicit TLS (the document:
// WinGate "does not support this"), the modern one no TLS below 1.2.
func encryptionPossible(c Cell, f ClientFacts) bool {
	if c.Transport == StartTLS && f.Protocols[c.Protocol].BeforeHello {
		return false
	}
	if c.Flavour == Classic {
		return c.Transport != TLS
	}
	return !f.NoTLS12
}

// everything is what a server is told to allow where the client chooses.
var everything = []Mechanism{
	UserPass, APOP, LOGIN, PLAIN, OAUTHBEARER, XOAUTH2, CRAMMD5, DIGESTMD5, NTLM,
	SCRAMSHA1, SCRAMSHA1PLUS, SCRAMSHA256, SCRAMSHA256PLUS, EXTERNAL, GSSAPI, ANONYMOUS,
}

// canCheck is the document's "User Database considerations" and the second
// chance of "POP3 Override password"; what came after the document is the
// contract's rule 4.
func canCheck(c Cell) bool {
	secondChance := c.Database == NT && c.Protocol == POP3 && c.Override == OverrideSet
	switch c.Mechanism {
	case PLAIN, LOGIN:
		return true
	case UserPass:
		return c.Protocol == POP3
	case NTLM:
		return c.Database == NT || c.Database == Full
	case APOP:
		return c.Protocol == POP3 && (c.Database == WinGate || c.Database == Full || secondChance)
	case CRAMMD5:
		return c.Database == WinGate || c.Database == Full || secondChance
	case SCRAMSHA1, SCRAMSHA256:
		return c.Database != NT || secondChance
	case SCRAMSHA1PLUS, SCRAMSHA256PLUS: // without TLS there is nothing to bind to
		return c.Transport.Encrypted() && (c.Database != NT || secondChance)
	case DIGESTMD5, XOAUTH2, OAUTHBEARER, ANONYMOUS:
		return c.Database == Full
	case EXTERNAL: // without TLS there is no certificate
		return c.Transport.Encrypted() && c.Database == Full
	case GSSAPI: // the document: Kerberos "(not available)"
		return c.Flavour == Modern && c.Database == Full
	default:
		return false
	}
}

// rightCredentials is the document's "POP3 Override password". Whoever is
// nobody (RFC 4505) presents nothing that could be wrong.
func rightCredentials(c Cell) bool {
	if c.Mechanism == ANONYMOUS {
		return true
	}
	wanted := WithAccount
	if c.Override == OverrideSet && c.Protocol == POP3 {
		switch c.Mechanism {
		case UserPass:
			wanted = WithOverride
		case APOP, CRAMMD5, SCRAMSHA1, SCRAMSHA1PLUS, SCRAMSHA256, SCRAMSHA256PLUS:
			if c.Database == NT {
				wanted = WithOverride
			}
		}
	}
	return c.Credential == wanted
}

// tooWeak is rule 10: what each flavour accepts at least.
func tooWeak(c Cell, f ClientFacts) bool {
	minimum := NTLMv1
	if c.Flavour == Modern {
		minimum = NTLMv2
	}
	return c.Mechanism == NTLM && f.NTLM.Below(minimum)
}

// shownByLogin is what can be read when the exchange runs to its end.
func shownByLogin(c Cell, f ClientFacts, when When) []Exposure {
	if c.Transport.Encrypted() {
		return nil
	}
	class := ShowsVerifier
	switch c.Mechanism {
	case PLAIN, LOGIN, UserPass:
		class = ShowsPassword
	case XOAUTH2, OAUTHBEARER:
		class = ShowsToken
	case ANONYMOUS:
		return nil
	case GSSAPI:
		// The name is in the last message, and a ticket that is no good is
		// refused before.
		if c.Credential != WithAccount {
			return nil
		}
		return []Exposure{exposed(c, ShowsIdentity, when, SecretAccount)}
	}
	var shown []Exposure
	if c.Mechanism == NTLM && f.WindowsUserFirst {
		// He is unknown to the server, so this attempt always fails.
		shown = append(shown, exposed(c, ShowsIdentity, BeforeRefusal, SecretWindowsUser),
			exposed(c, ShowsVerifier, BeforeRefusal, SecretWindowsUser))
	}
	shown = append(shown, exposed(c, ShowsIdentity, when, SecretAccount))
	if f.provesWrong(c) {
		return shown
	}
	return append(shown, exposed(c, class, when, presented(c)))
}

// shownAtFirst is what can be read in a first message that stands in the
// command.
func shownAtFirst(c Cell, f ClientFacts) []Exposure {
	switch c.Mechanism {
	case LOGIN, SCRAMSHA1, SCRAMSHA256, SCRAMSHA1PLUS, SCRAMSHA256PLUS: // the name alone
		return []Exposure{exposed(c, ShowsIdentity, BeforeRefusal, SecretAccount)}
	case NTLM, GSSAPI, EXTERNAL, ANONYMOUS: // nothing of the account
		return nil
	default:
		return shownByLogin(c, f, BeforeRefusal)
	}
}

func exposed(c Cell, class ExposureClass, when When, secret SecretName) Exposure {
	return Exposure{Class: class, Mechanism: c.Mechanism, When: when, Transport: c.Transport, Secret: secret}
}

// presented is whose secret the client presents. The override is a password:
// who is told to present it where a token is asked for has a wrong one.
func presented(c Cell) SecretName {
	if c.Credential == WithOverride && (c.Mechanism == XOAUTH2 || c.Mechanism == OAUTHBEARER) {
		return SecretWrong
	}
	return secretNames[c.Credential]
}

// secretNames is whose secret a credential is.
var secretNames = map[Credential]SecretName{
	WithAccount: SecretAccount, WithOverride: SecretOverride, WithWrong: SecretWrong,
}

// ShownWhenRefused is what a listener can read where the mechanism is offered
// and then refused at the command.
func ShownWhenRefused(c Cell, f ClientFacts) ExposureClass {
	if f.staysInClear(c) {
		c.Transport = Plain
	}
	return Strongest(shownWhenRefused(c, f, true))
}

// shownWhenRefused is what the client has shown by the time it is refused at
// the command: the name in USER, the digest in APOP, an initial response; and
// what it goes on to send although it was refused.
func shownWhenRefused(c Cell, f ClientFacts, visible bool) []Exposure {
	if c.Transport.Encrypted() {
		return nil
	}
	name := []Exposure{exposed(c, ShowsIdentity, BeforeRefusal, SecretAccount)}
	switch {
	case c.Mechanism == UserPass && slices.Contains(f.Protocols[c.Protocol].AfterRefusal, UserPass):
		return append(name, exposed(c, ShowsPassword, AfterRefusal, presented(c)))
	case c.Mechanism == UserPass:
		return name
	case c.Mechanism == APOP && (visible || !f.TriesAnyway): // without a timestamp over the password alone
		return append(name, exposed(c, ShowsVerifier, BeforeRefusal, presented(c)))
	case c.Mechanism == APOP: // the probe's digest is random
		return name
	case slices.Contains(f.Protocols[c.Protocol].Initial, c.Mechanism):
		return shownAtFirst(c, f)
	case slices.Contains(f.Protocols[c.Protocol].AfterRefusal, c.Mechanism):
		return shownByLogin(c, f, AfterRefusal)
	default:
		return nil
	}
}

// replyForms are the exact codes of rule 3 (RFC 4954 4 and 6; RFC 3206 4).
func replyForms(p Protocol) map[Outcome]ReplyForm {
	if p == SMTP {
		return smtpForms
	}
	return pop3Forms
}

var smtpForms = map[Outcome]ReplyForm{
	LoggedIn:           {Begins: "235 2.7.0"},
	RefusedPolicy:      {Begins: "504 5.5.4"},
	RefusedUnavailable: {Begins: "504 5.5.4"},
	RefusedCredentials: {Begins: "535 5.7.8"},
}

var pop3Forms = map[Outcome]ReplyForm{
	LoggedIn:           {Begins: "+OK"},
	RefusedPolicy:      {Begins: "-ERR", Without: "["},
	RefusedUnavailable: {Begins: "-ERR", Without: "["},
	RefusedCredentials: {Begins: "-ERR [AUTH]"},
}

// refsOf names what the expectation rests on.
func refsOf(c Cell) []string { return refs[c.Protocol] }

var refs = map[Protocol][]string{
	SMTP: {"WinGate Mail Security: Availability settings", "RFC 4954 4"},
	POP3: {"WinGate Mail Security: Availability settings", "RFC 5034 4", "RFC 1939 7"},
}
