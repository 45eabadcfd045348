package compliance

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

// negotiate is NTLM's first message, and challenged a second in answer to it:
// signature and type are all that can be seen of it in base64.
var negotiate = b64(string(script.NTLMNegotiate()))

const challenged = `~^(334|\+) TlRMTVNTUAACAAAA`

// byNTLM is what a case about NTLM needs.
func byNTLM(n needs) needs {
	n.Mechanisms = only(login.NTLM)
	return n
}

var _ = register(
	script.Case{
		ID: "sasl/ntlm/001", Title: "The flow of the messages", Since: "2026.1",
		Level: must, Refs: refs("MS-SMTPNTLM 3.2.5", "MS-POP3 3.2.5.1", "MS-NLMP 3.2.5.1.1"),
		Says: "AUTH NTLM is answered by a request for the first message, whatever it says, " +
			"and the first message by the second, which is NTLM's challenge.",
		Needs: byNTLM(needs{}),
		Steps: steps{
			open(),
			begin().Pass(asksForIt),
			say(negotiate).Pass(challenged).Warn(refused),
			say("*").Must(refused),
			alive(),
		},
		Sabotage: orAnswers(answers("TLRMTVNTUAAB", "334", "334 bm8gY2hhbGxlbmdl"), "TLRMTVNTUAAB", "+ ", "+ bm8gY2hhbGxlbmdl"),
	},
	script.Case{
		ID: "sasl/ntlm/002", Title: "The challenge is new each time", Since: "2026.1",
		Level: must, Refs: refs("MS-NLMP 3.2.5.1.1"),
		Says: "The eight octets that the client makes its response for are drawn by chance for each login: " +
			"they do not come again, and are not counted up.",
		Needs: byNTLM(needs{}),
		Steps: steps{
			script.Each([]int{1, 2, 3, 4}, func(int) []script.Step {
				return steps{
					open(),
					begin().Must(asksForIt), say(negotiate).Keep("challenge").Must(asked), say("*").Must(refused),
					begin().Must(asksForIt), say(negotiate).Keep("challenge").Must(asked),
				}
			}),
			check(challengesAreNew),
		},
		Sabotage: bug("challenge-reused"),
	},
	script.Case{
		ID: "sasl/ntlm/003", Title: "No internal names for strangers", Since: "2026.1",
		Level: practice, Refs: refs("MS-NLMP 2.2.1.2", "MS-NLMP 2.2.2.1"),
		Says: "The challenge tells whoever asks no names of machine, domain or forest beside the one that the server is known by, " +
			"and no build of its system; least of all in clear.",
		Needs: byNTLM(needs{}),
		Steps: steps{onEachLink(
			when(func(p *script.Play) bool { return p.Here(login.NTLM) },
				open(),
				begin().Must(asksForIt),
				say(negotiate).Keep("challenge").Must(asked),
				check(tellsNoNames),
				say("*").Must(refused),
			),
		)},
		Sabotage: orAnswers(answers("TLRMTVNTUAAB", "334", "334 "+internalNames), "TLRMTVNTUAAB", "+ ", "+ "+internalNames),
	},
	script.Case{
		ID: "sasl/ntlm/004", Title: "NTLMv1 and LM responses are refused", Since: "2026.1",
		Level: practice, Refs: refs("MS-NLMP 3.2.5.1.2", "MS-NLMP 5.1"),
		Says: "A response in a way that is broken, LM, NTLMv1 or NTLM2 session, is refused even if it is right, " +
			"and so is nobody. NTLMv2 is taken.",
		Needs: byNTLM(needs{Account: true}),
		Steps: steps{
			open(), logIn().NTLM(login.NTLMv2).Pass(in).Warn(refused), leaving,
			open(), logIn().NTLM(login.NTLMv1).Pass(refused).Fail(in).Because("an NTLMv1 response"), notAuthenticated(),
			open(), logIn().NTLM(login.NTLMSession).Pass(refused).Fail(in).Because("an NTLM2 session response"),
			when(hasLMHash, open(), logIn().NTLM(login.NTLMLM).Pass(refused).Fail(in).Because("an LM response")),
			open(), logIn().Alter(thirdIs(func([]byte) []byte { return script.NTLMAnonymous() })).
				Pass(refused).Fail(in).Because("nobody is let in"), notAuthenticated(),
		},
		Sabotage: bug("ntlmv1-in-modern"),
	},
	script.Case{
		ID: "sasl/ntlm/005", Title: "Broken messages are refused, and break nothing", Since: "2026.1",
		Level: must, Refs: refs("MS-NLMP 2.2.1", "CVE-2020-12673", "CVE-2020-12783", "CVE-2023-42116"),
		Says: "A message that is too short, that points outside of itself, that comes out of turn or a second time is refused, " +
			"and the server goes on.",
		Needs: byNTLM(needs{Account: true}),
		Steps: steps{
			script.Each([]int{8, 12, 15}, func(size int) []script.Step {
				first := string(script.NTLMNegotiate()[:size])
				return steps{
					open(), begin().Must(asksForIt),
					say(b64(first)).Pass(refused).Warn(challenged).Because("a first message of a few octets").Fail(in, gone),
				}
			}),
			script.Each(brokenThirds, func(t brokenThird) []script.Step {
				return steps{
					open(),
					logIn().Alter(thirdIs(t.of)).Pass(refused).Fail(in, gone, asked).Because("the third message " + t.what),
				}
			}),
			open(), begin().Must(asksForIt),
			say(b64(string(script.NTLMAnonymous()))).Pass(refused).Fail(in, gone, asked).Because("the third message comes first"),
			open(), logIn().Keep("login").Must(in), leaving,
			open(), script.Resend("login").Pass(refused).Fail(in, gone).Because("a third message that was good once"),
			open(), alive(),
		},
		Sabotage: orAnswers(answers("AUTH NTLM", "501", "235 2.7.0 welcome"), "AUTH NTLM", "-ERR", "+OK welcome"),
	},
	script.Case{
		ID: "sasl/ntlm/006", Title: "Not without TLS", Since: "2026.1",
		Level: practice, Refs: refs("MS-NLMP 5.1"),
		Says: "NTLM is offered inside TLS only: in clear, who is in the middle can pass the response on to another server, " +
			"and who listens can look for the password.",
		Needs: byNTLM(needs{State: mixedBut(login.Secure, login.NTLM)}),
		Steps: steps{
			check(func(p *script.Play) (login.Verdict, string) {
				if p.Survey().Claims(login.Plain, login.NTLM) {
					return login.Fail, "NTLM is offered in clear"
				}
				return login.Pass, ""
			}),
		},
		Sabotage: state(mixedBut(login.Allow, login.NTLM)),
	},
)

// challengesAreNew looks at the nonces of all challenges.
func challengesAreNew(p *script.Play) (login.Verdict, string) {
	var nonces []string
	for _, line := range p.List("challenge") {
		c, ok := script.ParseNTLMChallenge(line)
		if !ok {
			return login.Fail, "the answer to the first message is no challenge of NTLM's"
		}
		if slices.Contains(nonces, c.Nonce) {
			return login.Fail, "the same challenge came twice"
		}
		nonces = append(nonces, c.Nonce)
	}
	if counts(nonces, binary.LittleEndian.Uint64) || counts(nonces, binary.BigEndian.Uint64) {
		return login.Fail, "the challenges count on"
	}
	return login.Pass, ""
}

// counts reports whether the numbers are all as far from each other, or all
// near each other.
func counts(nonces []string, read func([]byte) uint64) bool {
	const near = 1 << 32
	apart, equal, nearby := uint64(0), true, true
	for i := 1; i < len(nonces); i++ {
		d := read([]byte(nonces[i])) - read([]byte(nonces[i-1]))
		equal = equal && (i == 1 || d == apart)
		nearby = nearby && (d < near || -d < near)
		apart = d
	}
	return len(nonces) > 2 && (equal || nearby)
}

// tellsNoNames: what the server is called by who asks for it, and its first
// label, are known already, and so is what it calls itself in the greeting.
func tellsNoNames(p *script.Play) (login.Verdict, string) {
	c, ok := script.ParseNTLMChallenge(p.Value("challenge"))
	if !ok {
		return login.Fail, "the answer to the first message is no challenge of NTLM's"
	}
	known := strings.ToLower(p.Name() + " " + p.Talk().Greeting)
	var told []string
	for _, name := range c.Names {
		if !strings.Contains(known, strings.ToLower(name)) {
			told = append(told, name)
		}
	}
	if c.Version {
		told = append(told, "the build of its system")
	}
	switch {
	case told == nil:
		return login.Pass, ""
	case p.Transport().Encrypted():
		return login.Warn, fmt.Sprintf("whoever asks is told %q", told)
	default:
		return login.Fail, fmt.Sprintf("whoever asks, or listens in clear, is told %q", told)
	}
}

// internalNames is a challenge of CORP\DC01.
const internalNames = "TlRMTVNTUAACAAAACAAIADgAAAAFgoECESIzRFVmd4gAAAAAAAAAABwAHABAAAAACgB8TwAAAA9DAE8AUgBQAAIACABDAE8AUgBQAAEACABEAEMAMAAxAAAAAAA="

// hasLMHash: only a short password in ASCII has one (MS-NLMP 3.3.1).
func hasLMHash(p *script.Play) bool {
	return len(p.Secrets.Password) <= 14 && strings.IndexFunc(p.Secrets.Password, func(r rune) bool { return r > '~' }) < 0
}

// thirdIs makes another of NTLM's third message, the client's second.
func thirdIs(of func([]byte) []byte) func(*script.Play, int, []byte) []byte {
	return func(_ *script.Play, n int, m []byte) []byte {
		if n == 1 {
			return of(m)
		}
		return m
	}
}

// brokenThird is a third message that is wrong in one way.
type brokenThird struct {
	what string
	of   func([]byte) []byte
}

var brokenThirds = []brokenThird{
	{"is cut short", func(m []byte) []byte { return m[:20] }},
	{"points beyond its end", func(m []byte) []byte { return script.NTLMPointing(m, 64, uint32(len(m))) }},
	{"points as far as a number goes", func(m []byte) []byte { return script.NTLMPointing(m, 0xffff, 0xffffffff) }},
	{"points at its own beginning", func(m []byte) []byte { return script.NTLMPointing(m, 0x48, 0) }},
	{"has a name of half a character", oddName},
}

// oddName makes the user's name an odd number of octets, which UTF-16 cannot
// be.
func oddName(m []byte) []byte {
	const userName = 36 // where its descriptor is (MS-NLMP 2.2.1.3)
	m = slices.Clone(m)
	if len(m) > userName+2 && m[userName] > 0 {
		m[userName]--
	}
	return m
}
