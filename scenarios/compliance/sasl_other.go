package compliance

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

// GSSAPI, EXTERNAL and ANONYMOUS.

// asExternal asks to act as oneself by EXTERNAL: "=" is the empty message.
const asExternal = "AUTH EXTERNAL ="

var _ = register(
	script.Case{
		ID: "sasl/gssapi/001", Title: "Tokens that are no ticket", Since: "2026.1",
		Level: must, Refs: refs("RFC 4752 3.1", "RFC 4954 4", "RFC 5034 4"),
		Says: "AUTH GSSAPI is answered by an empty challenge, for the client speaks first; " +
			"a token that is none is refused, and the server goes on.",
		Needs: needs{Mechanisms: only(login.GSSAPI)},
		Steps: steps{
			open(),
			begin().Pass(`~^(334|\+) ?$`).Warn(asked).Because("the challenge is not empty"),
			say(b64("\x00\x01", random, random)).Pass(refused).Fail(in, gone, asked).Because("a token that is none"),
			open(),
			begin().Must(asked),
			say(b64("\x60\x84\xff\xff\xff\xff")).Pass(refused).Fail(in, gone, asked).Because("a token that says it is longer than any"),
			notAuthenticated(),
			open(), alive(),
		},
		Sabotage: orAnswers(answers("YIT/", "501", "235 2.7.0 welcome"), "YIT/", "-ERR", "+OK welcome"),
	},
	script.Case{
		ID: "sasl/gssapi/002", Title: "Tickets and layers", Since: "2026.1",
		Level: must, Refs: refs("RFC 4752 3.2", "RFC 4752 3.3", "RFC 4120 3.2.3"),
		Says: "A ticket for this service logs its owner in, as himself only. The server offers layers that there are, " +
			"and a size that goes with them, and refuses a layer that it has not offered. " +
			"A ticket that is expired, forged or for another service is refused.",
		Needs: needs{Mechanisms: only(login.GSSAPI), Issued: true},
		Steps: steps{
			open(), logIn().Keep("login").Pass(in), leaving,
			check(layersAreHonest),
			open(), logIn().ActingAs(otherUser).Pass(refused).Fail(in).Because("it asks to act as somebody else"),
			when(offersNoLayers, open(), logIn().Layer(2).Pass(refused).Fail(in).Because("it chooses a layer that is not offered")),
			open(), logIn().Flawed(login.Forged).Pass(refused).Fail(in).Because("a ticket that the service's key does not open"),
			open(), logIn().Flawed(login.Expired).Pass(refused).Fail(in).Because("an expired ticket"),
			open(), logIn().Flawed(login.Elsewhere).Pass(refused).Warn(in).Because("a ticket for another service of this host"),
		},
		Sabotage: bug("authzid-ignored"),
	},
	script.Case{
		ID: "sasl/external/001", Title: "Without a certificate nobody is let in", Since: "2026.1",
		Level: must, Refs: refs("RFC 4422 A.1", "RFC 8314 4.2"),
		Says: "EXTERNAL is refused on a connection in which the client has shown no certificate, in clear and inside TLS, " +
			"whatever name it gives; it is better not offered there.",
		Steps: steps{onEachLink(
			check(func(p *script.Play) (login.Verdict, string) {
				if p.Here(login.EXTERNAL) {
					return login.Warn, "EXTERNAL is offered, and there is nothing outside of SASL that says who the client is"
				}
				return login.Pass, ""
			}),
			open(),
			say(asExternal).Keep("external").Pass(refused).Warn(asked).Fail(in),
			when(asksMore, say("").Pass(refused).Fail(in)),
			when(func(p *script.Play) bool { return p.Transport().Encrypted() },
				open(), say("AUTH EXTERNAL ", b64(user)).Pass("504", refused).Fail(in)),
			when(func(p *script.Play) bool { return !p.Transport().Encrypted() },
				open(), say("AUTH EXTERNAL ", b64(decoyName)).Pass("504", refused).Fail(in)),
			notAuthenticated(),
		)},
		Sabotage: orAnswers(answers("AUTH EXTERNAL", "504", "235 2.7.0 welcome"), "AUTH EXTERNAL", "-ERR", "+OK welcome"),
	},
	script.Case{
		ID: "sasl/external/002", Title: "A certificate is its owner's alone", Since: "2026.1",
		Level: must, Refs: refs("RFC 4422 A.1", "RFC 5280 6.1", "RFC 5280 4.2.1.12", "CVE-2023-42115"),
		Says: "Whoever shows a certificate that was issued to him is let in as himself, and as nobody else. " +
			"One of another authority, one that is expired and one that is for servers let nobody in.",
		Needs: needs{Link: encrypted, Issued: true},
		Steps: steps{
			script.Certified(login.Flawless,
				check(func(p *script.Play) (login.Verdict, string) {
					if !slices.Contains(script.Offered(p.Talk()), login.EXTERNAL) {
						return login.Skip, "EXTERNAL is not offered to who shows a certificate"
					}
					return login.Pass, ""
				}),
				say(asExternal).Pass(in), authenticated(), leaving),
			script.Certified(login.Flawless, say("AUTH EXTERNAL ", b64(user)).Pass(in), leaving),
			script.Certified(login.Flawless,
				say("AUTH EXTERNAL ", b64(otherUser)).Pass(refused).Fail(in).Because("it asks to act as somebody else")),
			script.Each(oddIdentities, func(o oddIdentity) []script.Step {
				return steps{script.Certified(login.Flawless,
					say("AUTH EXTERNAL").Must(asked),
					say(b64(o.parts...)).Pass(refused).Fail(in, gone).Because("it asks to act as "+o.what),
				)}
			}),
			// Longer than what some servers read: they may hang up.
			script.Certified(login.Flawless,
				say("AUTH EXTERNAL").Must(asked),
				say(b64(times(8192, "a"))).Pass(refused).Warn(gone).Fail(in).Because("it asks to act as 8,192 octets"),
			),
			script.Each([]login.Flaw{login.Forged, login.Expired, login.Elsewhere}, func(f login.Flaw) []script.Step {
				return steps{script.Certified(f, say(asExternal).Pass(refused).Fail(in).Because("the certificate is "+certificateFlaws[f]))}
			}),
			open(), alive(),
		},
		Sabotage: bug("authzid-ignored"),
	},
	script.Case{
		ID: "sasl/external/003", Title: "A certificate is asked for only where it is of use", Since: "2026.1",
		Level: must, Refs: refs("RFC 8314 4.2"),
		Says: "On the port of TLS from the first octet the server asks for a client certificate only if some can log in with one, " +
			"and then offers EXTERNAL to them.",
		Needs: needs{Link: implicit, State: mixed},
		Steps: steps{
			script.RequestSeen(),
			when(askedForNothing,
				when(externalIs(login.Deny), check(func(*script.Play) (login.Verdict, string) {
					return login.Fail, "a certificate is asked for, and EXTERNAL is denied"
				})),
				when(externalIs(login.Unknown), script.IfIssued(login.PresentsCertificate,
					script.Certified(login.Flawless, check(func(p *script.Play) (login.Verdict, string) {
						if slices.Contains(script.Offered(p.Talk()), login.EXTERNAL) {
							return login.Pass, ""
						}
						return login.Fail, "a certificate is asked for, and EXTERNAL is not offered to who shows one"
					})),
					check(func(*script.Play) (login.Verdict, string) {
						return login.Warn, "a certificate is asked for, and EXTERNAL is not offered to who has none"
					}),
				)),
			),
		},
		Sabotage: state(mixedBut(login.Allow, login.EXTERNAL)),
	},
	script.Case{
		ID: "sasl/anonymous/001", Title: "Nobody is let in unless that is wanted", Since: "2026.1",
		Level: should, Refs: refs("RFC 4505 5"),
		Says: "ANONYMOUS is off where the administrator has not asked for it: it is not offered and refused when it is tried, " +
			"and POP3's USER does not know anonymous either.",
		Needs: needs{State: mixed},
		Steps: steps{onEachLink(
			check(func(p *script.Play) (login.Verdict, string) {
				switch {
				case !p.Here(login.ANONYMOUS):
					return login.Pass, ""
				case said(p, login.ANONYMOUS) == login.Deny:
					return login.Fail, "ANONYMOUS is denied, and offered"
				default:
					return login.Warn, "ANONYMOUS is offered"
				}
			}),
			open(),
			say("AUTH ANONYMOUS ", b64(random)).Keep("anonymous").Pass("504", refused, in).Warn(asked),
			check(func(p *script.Play) (login.Verdict, string) {
				switch answer := p.Value("anonymous"); {
				case !strings.HasPrefix(answer, "235") && !strings.HasPrefix(answer, "+OK"):
					return login.Pass, ""
				case said(p, login.ANONYMOUS) == login.Deny:
					return login.Fail, "whoever comes is let in, and ANONYMOUS is denied"
				default:
					return login.Warn, "whoever comes is let in"
				}
			}),
			perProtocol(nil, script.Group(
				open(),
				say("USER anonymous").Must("+OK", "-ERR"),
				say("PASS ", decoyPassword).Pass("-ERR").Fail("+OK").Because("anonymous is let in with any password"),
			)),
		)},
		Sabotage: state(mixedBut(login.Allow, login.ANONYMOUS)),
	},
)

// said is what the administrator has said of a mechanism; where nobody has, it
// is unknown.
func said(p *script.Play, m login.Mechanism) login.Setting {
	if setting, ok := p.Setting(m); ok {
		return setting
	}
	return login.Unknown
}

func externalIs(setting login.Setting) func(*script.Play) bool {
	return func(p *script.Play) bool { return said(p, login.EXTERNAL) == setting }
}

// askedForNothing: a certificate was asked for, and EXTERNAL is not offered to
// who has none.
func askedForNothing(p *script.Play) bool {
	return p.Value("certificate request") != "" && !p.Here(login.EXTERNAL)
}

func asksMore(p *script.Play) bool {
	return strings.HasPrefix(p.Value("external"), "334") || strings.HasPrefix(p.Value("external"), "+ ")
}

// offeredLayers are those that a login kept in its challenges.
func offeredLayers(p *script.Play) (bits byte, size uint32, ok bool) {
	challenges := p.List("login challenges")
	if len(challenges) == 0 {
		return 0, 0, false
	}
	return script.SecurityLayers(challenges[len(challenges)-1])
}

// layersAreHonest: the layers are those that there are, and the size is that of
// what they carry.
func layersAreHonest(p *script.Play) (login.Verdict, string) {
	bits, size, ok := offeredLayers(p)
	switch {
	case !ok:
		return login.Warn, "the list of security layers cannot be read"
	case bits == 0:
		return login.Fail, "no security layer is offered, not even none"
	case bits&^7 != 0:
		return login.Warn, fmt.Sprintf("security layers %#x that nobody has defined", bits)
	case bits == 1 && size != 0:
		return login.Warn, fmt.Sprintf("no layer, and yet a size of %d octets", size)
	default:
		return login.Pass, ""
	}
}

func offersNoLayers(p *script.Play) bool {
	bits, _, ok := offeredLayers(p)
	return ok && bits&2 == 0
}

// oddIdentity is one that nobody has.
type oddIdentity struct {
	what  string
	parts []any
}

var oddIdentities = []oddIdentity{
	{"one octet", []any{"a"}},
	{"his own name, and something behind a NUL", []any{user, "\x00", decoyName}},
	{"a NUL", []any{"\x00"}},
	{"255 octets", []any{times(255, "a")}},
	{"4,096 octets", []any{times(4096, "a")}},
}

var certificateFlaws = map[login.Flaw]string{
	login.Forged: "another authority's", login.Expired: "expired", login.Elsewhere: "for servers",
}
