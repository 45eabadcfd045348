package compliance

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

// Whether lists, protocols and connections agree, and whether what is permitted
// is wise.

// weak are the ways to log in that have been given up, each with who says so.
var weak = map[login.Mechanism]string{
	login.DIGESTMD5: "RFC 6331 has moved it to historic",
	login.NTLM:      "its vendor has given it up",
	login.ANONYMOUS: "it is for nobody (RFC 4505 5)",
}

// wise is a policy that no case here finds fault with.
var wise = allAre(login.Secure, map[login.Mechanism]login.Setting{
	login.DIGESTMD5: login.Deny, login.NTLM: login.Deny, login.ANONYMOUS: login.Deny,
})

var _ = register(
	script.Case{
		ID: "both/policy/009", Title: "The lists are what is accepted, before TLS and after", Since: "2026.1",
		Level: must, Refs: refs("RFC 4954 4", "RFC 5034 3", "RFC 3207 4.2", "RFC 2595 4"),
		Says: "On every link, what the connection lists is exactly what it takes up when it is tried: " +
			"nothing is missing, and nothing is there that is not.",
		Needs:    needs{State: mixed},
		Steps:    steps{script.OfferedIsAccepted()},
		Sabotage: bug("list-kept-after-tls"),
	},
	script.Case{
		ID: "both/policy/010", Title: "SMTP and POP3 agree", Since: "2026.1",
		Level: practice, Refs: refs("RFC 8314 4.1"),
		Says: "What one protocol takes inside TLS only, the other does not take in clear: " +
			"it is the same account, and often the same password.",
		Needs:    needs{Protocols: []login.Protocol{login.POP3}, State: mixed},
		Steps:    steps{script.WithOther(agree)},
		Sabotage: state(func(s *login.Setup) { mixed(s); s.Policy.Own = ownForPOP3(login.PLAIN, login.Allow) }),
	},
	script.Case{
		ID: "both/policy/011", Title: "No password in clear", Since: "2026.1",
		Level: should, Refs: refs("RFC 4954 4", "RFC 4616 5", "RFC 8314 4.1", "RFC 9325 3.2"),
		Says: "No way to log in is offered on a clear connection that hands a listener the password or a token, " +
			"and better none that gives him something to guess passwords with.",
		Needs: needs{State: wise},
		Steps: steps{check(func(p *script.Play) (login.Verdict, string) {
			if !p.Survey().Links[login.Plain].Open {
				return login.Skip, "there is no clear connection"
			}
			var itself, guessable []string
			for _, m := range script.Mechanisms(p.Protocol()) {
				switch {
				case !p.Survey().Claims(login.Plain, m), m == login.GSSAPI, m == login.EXTERNAL, m == login.ANONYMOUS:
				case slices.Contains(passwordItself, m), slices.Contains(bearerTokens, m):
					itself = append(itself, string(m))
				default:
					guessable = append(guessable, string(m))
				}
			}
			switch {
			case itself != nil:
				return login.Fail, "in clear it offers " + strings.Join(itself, ", ")
			case guessable != nil:
				return login.Warn, "who listens in clear can guess passwords: it offers " + strings.Join(guessable, ", ")
			case saysNothingInClear(p) && p.Protocol() == login.SMTP:
				return login.Skip, "the clear connection does not list what it takes"
			default:
				return login.Pass, ""
			}
		}), perProtocol(nil, when(saysNothingInClear,
			openOn(login.Plain),
			say("USER ", decoyName).Pass("-ERR", gone).Fail("+OK").Because("in clear it does not say what it takes, and takes USER"),
		))},
		Sabotage: state(mixedBut(login.Allow, login.PLAIN)),
	},
	script.Case{
		ID: "both/policy/012", Title: "No way to log in that has been given up", Since: "2026.1",
		Level: practice, Refs: refs("RFC 6331", "RFC 4505 5", "MS-NLMP 5.1"),
		Says:  "DIGEST-MD5, NTLM and ANONYMOUS are not offered, and least of all in clear.",
		Needs: needs{State: wise},
		Steps: steps{check(func(p *script.Play) (login.Verdict, string) {
			verdict, reason := login.Pass, ""
			for _, m := range script.Mechanisms(p.Protocol()) {
				switch why := weak[m]; {
				case why == "" || p.Survey().Observed(m) == login.Unknown:
				case p.Survey().Observed(m) == login.Allow:
					return login.Fail, fmt.Sprintf("%s is offered in clear: %s", m, why)
				default:
					verdict, reason = login.Warn, fmt.Sprintf("%s is offered: %s", m, why)
				}
			}
			return verdict, reason
		})},
		Sabotage: state(allAre(login.Secure, map[login.Mechanism]login.Setting{login.NTLM: login.Allow})),
	},
	script.Case{
		ID: "both/policy/013", Title: "The policy is that of the connection", Since: "2026.1",
		Level: practice, Refs: refs("RFC 3207 4.2", "RFC 2595 4"),
		Says: "While clear and encrypted connections are open side by side, each lists what it takes, " +
			"and what is for TLS only is refused on the clear ones and taken up on the others.",
		Needs: needs{Link: upgraded, State: mixed},
		Steps: steps{
			atLeastOne(but(secured, login.APOP), "no mechanism that is for TLS only"),
			script.Each(sideBySide, func(n string) []script.Step {
				return steps{on("clear"+n, openOn(login.Plain)), on("tls"+n, open())}
			}),
			script.Each(sideBySide, func(n string) []script.Step {
				return steps{on("tls"+n, hello(), listIsThatOf(login.StartTLS)), on("clear"+n, hello(), listIsThatOf(login.Plain))}
			}),
			script.WithFirst(but(secured, login.APOP, login.EXTERNAL),
				script.Each(sideBySide, func(n string) []script.Step {
					return steps{
						on("clear"+n, begin().Pass(refused).Fail(asksForIt).Because("beside encrypted connections "+itAsks)),
						on("tls"+n, begin().Pass(asksForIt).Fail(refused).Because("beside clear connections it is refused inside TLS"), script.CallOff()),
					}
				}),
			),
		},
		Sabotage: bug("secure-ignored-on-plain"),
	},
)

// saysNothingInClear: the clear link has no list of what it takes.
func saysNothingInClear(p *script.Play) bool {
	return p.Survey().Links[login.Plain].Capabilities == nil
}

// sideBySide are pairs of connections.
var sideBySide = []string{" 1", " 2", " 3", " 4", " 5"}

func ownForPOP3(m login.Mechanism, setting login.Setting) map[login.Protocol]map[login.Mechanism]login.Setting {
	return map[login.Protocol]map[login.Mechanism]login.Setting{login.POP3: {m: setting}}
}

// listIsThatOf demands that the connection lists what that link did when the
// server was first looked at.
func listIsThatOf(t login.Transport) script.Step {
	return check(func(p *script.Play) (login.Verdict, string) {
		got, want := script.Offered(p.Talk()), slices.Clone(p.Survey().Links[t].Mechanisms)
		slices.Sort(got)
		slices.Sort(want)
		if slices.Equal(slices.Compact(got), slices.Compact(want)) {
			return login.Pass, ""
		}
		return login.Fail, fmt.Sprintf("a connection on %s lists %v, and another one listed %v", t, got, want)
	})
}

// agree compares what two protocols offer. Where one has the password in clear
// and the other takes care of it, the care is for nothing; a proof in clear that
// the other keeps inside TLS is a lesser matter.
func agree(p *script.Play, other *script.Survey) (login.Verdict, string) {
	if !opens(p.Survey()) || !opens(other) {
		return login.Skip, "there is one of the protocols only"
	}
	mine, theirs := care(p.Survey()), care(other)
	if mine == login.Allow && theirs == login.Secure || mine == login.Secure && theirs == login.Allow {
		return login.Fail, "the password itself is taken in clear over one protocol, and inside TLS only over the other"
	}
	for _, m := range script.SASL() {
		a, b := p.Survey().Observed(m), other.Observed(m)
		switch {
		case a == b || a == login.Unknown || b == login.Unknown:
		case slices.Contains(passwordItself, m), slices.Contains(bearerTokens, m):
			return login.Fail, fmt.Sprintf("%s is taken in clear over one protocol, and inside TLS only over the other", m)
		default:
			return login.Warn, fmt.Sprintf("%s is taken in clear over one protocol, and inside TLS only over the other", m)
		}
	}
	return login.Pass, ""
}

func opens(s *script.Survey) bool {
	for _, t := range login.Transports() {
		if s.Links[t].Open {
			return true
		}
	}
	return false
}

// care is how careful a protocol is with the password itself.
func care(s *script.Survey) login.Setting {
	found := login.Unknown
	for _, m := range passwordItself {
		switch s.Observed(m) {
		case login.Allow:
			return login.Allow
		case login.Secure:
			found = login.Secure
		}
	}
	return found
}
