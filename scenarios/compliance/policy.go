package compliance

import (
	"slices"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

// What the administrator has set for each mechanism is true on the wire.

// mixed is the state of a server that denies some ways to log in, permits some
// inside TLS only, and others everywhere.
func mixed(s *login.Setup) {
	s.Policy = login.Policy{Common: map[login.Mechanism]login.Setting{
		login.PLAIN: login.Secure, login.LOGIN: login.Deny, login.UserPass: login.Secure, login.APOP: login.Secure,
		login.CRAMMD5: login.Allow, login.DIGESTMD5: login.Deny, login.NTLM: login.Secure,
		login.SCRAMSHA1: login.Deny, login.SCRAMSHA256: login.Allow, login.SCRAMSHA256PLUS: login.Secure,
		login.XOAUTH2: login.Deny, login.OAUTHBEARER: login.Secure, login.GSSAPI: login.Allow,
	}}
}

// mixedBut is that state with another setting for some mechanisms.
func mixedBut(setting login.Setting, ms ...login.Mechanism) func(*login.Setup) {
	return func(s *login.Setup) {
		mixed(s)
		for _, m := range ms {
			s.Policy.Common[m] = setting
		}
	}
}

// allAre is the state of a server that has one setting for all mechanisms, and
// another for some.
func allAre(setting login.Setting, but map[login.Mechanism]login.Setting) func(*login.Setup) {
	return func(s *login.Setup) {
		s.Policy = login.Every(script.Mechanisms(login.POP3), setting)
		for m, other := range but {
			s.Policy.Common[m] = other
		}
	}
}

// which says what mechanisms some steps are taken with.
type which = func(*script.Play, login.Mechanism) bool

// ruled are those that have one of the settings, by the administrator's word or
// by what is offered.
func ruled(settings ...login.Setting) which {
	return func(p *script.Play, m login.Mechanism) bool { return slices.Contains(settings, p.Ruled(m)) }
}

// but leaves some out.
func but(of which, ms ...login.Mechanism) which {
	return func(p *script.Play, m login.Mechanism) bool { return of(p, m) && !slices.Contains(ms, m) }
}

var (
	denied  = ruled(login.Deny)
	secured = ruled(login.Secure)
	allowed = ruled(login.Allow)

	// claimed are those that the current link says it takes, and unclaimed
	// those that it does not list.
	claimed   which = func(p *script.Play, m login.Mechanism) bool { return p.Here(m) }
	unclaimed which = func(p *script.Play, m login.Mechanism) bool {
		return !p.Here(m) && !p.Survey().Silent(p.Transport(), m)
	}
	// provable are those that we hold something for.
	provable which = func(p *script.Play, m login.Mechanism) bool {
		switch m {
		case login.EXTERNAL, login.ANONYMOUS: // the one needs another handshake, the other proves nothing
			return false
		case login.XOAUTH2, login.OAUTHBEARER:
			return p.Secrets.Issued.Has(login.PresentsToken)
		case login.GSSAPI:
			return p.Secrets.Issued.Has(login.PresentsTicket)
		default:
			return true
		}
	}
)

// restsOnTLS: without TLS there is no such mechanism.
var restsOnTLS = only(login.SCRAMSHA1PLUS, login.SCRAMSHA256PLUS, login.EXTERNAL)

// What these hand over opens the account for whoever hears it.
var (
	passwordItself = only(login.PLAIN, login.LOGIN, login.UserPass)
	bearerTokens   = only(login.XOAUTH2, login.OAUTHBEARER)
)

const (
	// asksForIt is what a server says that wants the secret.
	asksForIt = script.Solicited
	itAsks    = "the secret is asked for"
)

// listed demands that the link says that it takes the mechanism.
var listed = check(func(p *script.Play) (login.Verdict, string) {
	if p.Here(p.With()) || p.Survey().Silent(p.Transport(), p.With()) {
		return login.Pass, ""
	}
	return login.Fail, "the setting is " + p.Ruled(p.With()).String() + ", and it is not offered"
})

// asUnknown demands that "tried" was answered as an unknown mechanism is, or at
// least not as if somebody had looked at what was sent.
var asUnknown = check(func(p *script.Play) (login.Verdict, string) {
	tried, unknown := p.Value("tried"), p.Value("unknown")
	// To some every refusal is one of the password, so it says nothing there.
	if p.SameAnswer(tried, unknown) || !judgedPassword(tried) || judgedPassword(unknown) {
		return login.Pass, ""
	}
	return login.Fail, "somebody has looked at the password: the answer is " + tried + ", and to an unknown mechanism " + unknown
})

// judgedPassword: these say that a password was looked at (RFC 4954 6,
// RFC 5248 2.4, RFC 3206 4).
func judgedPassword(answer string) bool {
	for _, code := range []string{"535", "525", "534", "432", "454", "435", "-ERR [AUTH]"} {
		if len(answer) >= len(code) && answer[:len(code)] == code {
			return true
		}
	}
	return false
}

var _ = register(
	script.Case{
		ID: "both/policy/001", Title: "Deny: never offered", Since: "2026.1",
		Level: must, Refs: refs("RFC 4422 6.1.2", "RFC 4954 3", "RFC 2449 6"),
		Says: "A mechanism that is denied stands in no list: not in EHLO's or CAPA's, on no link, " +
			"not in the older form of the list and not in the answer to POP3's bare AUTH.",
		Needs: needs{Policy: true, State: mixed},
		Steps: steps{
			atLeastOne(denied, "no mechanism that is denied"),
			onEachLink(
				check(func(p *script.Play) (login.Verdict, string) {
					return unlisted(p, p.Survey().Links[p.Transport()].Shown())
				}),
				perProtocol(nil, script.Group(
					open(),
					say("AUTH").Listing().Keep("bare").Must("+OK", "-ERR"),
					check(func(p *script.Play) (login.Verdict, string) {
						var names []login.Mechanism
						for _, line := range p.List("bare lines") {
							names = append(names, login.Mechanism(line))
						}
						return unlisted(p, names)
					}),
				)),
			),
		},
		Sabotage: bug("deny-ignored"),
	},
	script.Case{
		ID: "both/policy/002", Title: "Deny: refused when tried, without asking for the secret", Since: "2026.1",
		Level: must, Refs: refs("RFC 4954 4", "RFC 5034 4", "RFC 4422 6.1.2"),
		Says: "A mechanism that is denied is refused at the command, on every link and before any secret is asked for, " +
			"and what is sent along with the command is not looked at.",
		Needs: needs{Policy: true, State: mixedBut(login.Deny, login.UserPass, login.APOP)},
		Steps: steps{
			atLeastOne(denied, "no mechanism that is denied"),
			onEachLink(
				open(),
				say("AUTH X-NOSUCH").Keep("unknown").Must(refused),
				withEach(denied,
					open(),
					begin().Pass("504", "530", "538", "523", "500", "502", "503", "-ERR").Fail(asksForIt).Because(itAsks).Warn(refused),
					when((*script.Play).HasDecoy,
						say("AUTH ", mechanism, " ", script.Decoy).Keep("tried").Pass("504", refused).Fail(in, asked),
						asUnknown),
				),
			),
		},
		Sabotage: bug("policy-at-the-end"),
	},
	script.Case{
		ID: "both/policy/003", Title: "Secure: refused in clear, before the secret crosses", Since: "2026.1",
		Level: must, Refs: refs("RFC 4954 4", "RFC 5034 4", "RFC 2595 2.3", "RFC 8314 4.1"),
		Says: "A mechanism that is for TLS only is refused on a clear connection at the command, " +
			"before the client could send anything that is secret, and it stays so after RSET.",
		Needs: needs{Link: clear, State: mixed},
		Steps: steps{
			atLeastOne(secured, "no mechanism that is for TLS only"),
			withEach(secured,
				open(),
				begin().Pass("504", "530", "538", "523", "503", "502", "-ERR").Fail(asksForIt).Because(itAsks).Warn(refused),
				// RFC 3207 4: who demands TLS answers 530 to everything but how to get it.
				perProtocol(script.Group(say("RSET").Must(ok, "530"), begin().Pass(refused).Fail(asksForIt).Because("after RSET "+itAsks)), nil),
			),
		},
		Sabotage: bug("secure-ignored-on-plain"),
	},
	script.Case{
		ID: "both/policy/004", Title: "Secure and Deny: a password sent all the same tells nothing", Since: "2026.1",
		Level: must, Refs: refs("RFC 8314 4.1"),
		Says: "Where a password is not taken on a clear connection, who sends one all the same is answered " +
			"in the same way whether it is right or wrong, and is not let in.",
		Needs: needs{Link: clear, Account: true, State: mixed},
		Steps: steps{
			atLeastOne(passwordNotInClear, "no password that is refused in clear"),
			script.Among(only(login.PLAIN), passwordNotInClear,
				alike("a right password and a wrong one in clear",
					steps{open(), say("AUTH PLAIN ", b64("\x00", user, "\x00", password)).Pass("504", refused).Fail(in)},
					steps{open(), say("AUTH PLAIN ", decoy).Pass("504", refused).Fail(in)}),
			),
			script.Among(only(login.UserPass), passwordNotInClear,
				alike("a right password and a wrong one in clear",
					steps{open(), say("USER ", user).Pass(refused).Warn("+OK"), say("PASS ", password).Pass("503", refused).Fail(in)},
					steps{open(), say("USER ", decoyName).Pass(refused).Warn("+OK"), say("PASS ", decoyPassword).Pass("503", refused).Fail(in)}),
			),
		},
		Sabotage: state(mixedBut(login.Allow, login.PLAIN)),
	},
	script.Case{
		ID: "both/policy/005", Title: "What is not offered cannot be used", Since: "2026.1",
		Level: must, Refs: refs("RFC 4422 6.1.2", "RFC 4954 4", "RFC 5034 3"),
		Says: "A mechanism that a connection does not list is refused on it like one that nobody knows: " +
			"no secret is asked for, and none that is sent along is looked at.",
		Needs: needs{State: mixed},
		Steps: steps{
			someLink("has a list of what it takes that leaves something out", func(p *script.Play, t login.Transport, m login.Mechanism) bool {
				return m != login.APOP && !p.Survey().Claims(t, m) && !p.Survey().Silent(t, m)
			}),
			onEachLink(
				open(),
				say("AUTH X-NOSUCH").Keep("unknown").Must(refused),
				withEach(unclaimed,
					open(),
					begin().Pass(refused).Fail(asksForIt).Because("it is not offered, and "+itAsks),
					when((*script.Play).HasDecoy,
						say("AUTH ", mechanism, " ", script.Decoy).Keep("tried").Pass("504", refused).Fail(in, asked),
						asUnknown),
				),
			),
		},
		Sabotage: bug("deny-hides-only"),
	},
	script.Case{
		ID: "both/policy/006", Title: "What is offered works", Since: "2026.1",
		Level: should, Refs: refs("RFC 4954 3", "RFC 5034 3", "RFC 2449 6"),
		Says:  "A mechanism that a connection lists is taken up there, and somebody who has an account can log in by it.",
		Needs: needs{State: mixed},
		Steps: steps{
			someLink("says what it takes", func(p *script.Play, t login.Transport, m login.Mechanism) bool {
				// APOP is tried by a login only.
				return p.Survey().Claims(t, m) && (m != login.APOP || !p.NoAccount)
			}),
			onEachLink(
				withEach(but(claimed, login.APOP),
					open(),
					begin().Pass(asksForIt).Fail(refused).Because("it is offered, and refused"),
					script.CallOff(),
				),
			),
			withEach(provable, script.AtItsBest(ifAccount(
				open(),
				logIn().Pass(in).Warn(refused).Because("it is offered, and the account cannot log in by it"),
				say("QUIT").Must(ok),
			))),
		},
		Sabotage: state(func(s *login.Setup) { s.Posture.OfferedRefused = true }),
	},
	script.Case{
		ID: "both/policy/007", Title: "Allow: offered and usable, in clear and inside TLS", Since: "2026.1",
		Level: should, Refs: refs("RFC 4954 3", "RFC 5034 3"),
		Says:  "A mechanism that is allowed is listed on every link, and taken up there.",
		Needs: needs{Policy: true, State: mixed},
		Steps: steps{
			atLeastOne(but(allowed, restsOnTLS...), "no mechanism that is allowed"),
			onEachLink(
				withEach(but(allowed, restsOnTLS...), listed),
				withEach(but(allowed, append(restsOnTLS, login.APOP)...),
					open(),
					begin().Pass(asksForIt).Fail(refused).Because("it is allowed, and refused"),
					script.CallOff(),
				),
			),
		},
		Sabotage: bug("permitted-not-offered"),
	},
	script.Case{
		ID: "both/policy/008", Title: "Secure: offered and usable inside TLS, by every door", Since: "2026.1",
		Level: must, Refs: refs("RFC 3207 4.2", "RFC 2595 4", "RFC 8314 3"),
		Says:  "A mechanism that is for TLS only is listed and taken up inside TLS, whichever way TLS came about.",
		Needs: needs{Link: encrypted, State: mixed},
		Steps: steps{
			atLeastOne(but(secured, login.EXTERNAL), "no mechanism that is for TLS only"),
			onEachLink(
				withEach(but(secured, login.EXTERNAL), listed),
				withEach(but(secured, login.EXTERNAL, login.APOP),
					open(),
					begin().Pass(asksForIt).Fail(refused).Because("it is for TLS, and refused inside TLS"),
					script.CallOff(),
				),
			),
		},
		Sabotage: bug("secure-refused-on-tls"),
	},
)

// passwordNotInClear are the mechanisms that hand over the password in one go,
// and are not taken in clear: denied, or for TLS only.
var passwordNotInClear which = func(p *script.Play, m login.Mechanism) bool {
	return (m == login.PLAIN || m == login.UserPass) && (denied(p, m) || secured(p, m))
}

// someLink ends the case as one that does not apply where there is no link with
// a mechanism of which has says so; what no link does then.
func someLink(does string, has func(*script.Play, login.Transport, login.Mechanism) bool) script.Step {
	return check(func(p *script.Play) (login.Verdict, string) {
		for _, t := range login.Transports() {
			for _, m := range script.Mechanisms(p.Protocol()) {
				if p.Survey().Links[t].Open && has(p, t, m) {
					return login.Pass, ""
				}
			}
		}
		return login.Skip, "no link " + does
	})
}

// unlisted demands that what is denied is not among the names.
func unlisted(p *script.Play, names []login.Mechanism) (login.Verdict, string) {
	for _, m := range names {
		if denied(p, m) {
			return login.Fail, string(m) + " is denied, and offered"
		}
	}
	return login.Pass, ""
}
