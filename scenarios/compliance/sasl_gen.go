package compliance

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

// byPassword are all ways to log in for which a password is enough.
var byPassword = append(only(login.UserPass, login.APOP), provingByPassword...)

// What holds for all mechanisms: who fails learns nothing by it, and who listens
// cannot do what he has heard.
var _ = register(
	script.Case{
		ID: "sasl/gen/001", Title: "An unknown name and a wrong password look the same", Since: "2026.1",
		Level: must, Refs: refs("RFC 4422 3.6", "RFC 1939 13", "OWASP ASVS 2.2"),
		Says: "Whether a name is nobody's or the password is wrong cannot be told from the exchange: as many challenges, " +
			"the same codes, the same words, and the session goes on or ends in the same way.",
		Needs: needs{Mechanisms: byPassword, Account: true},
		Steps: steps{
			script.StablyAlike("a wrong password and an unknown name",
				steps{open(), logIn().As(user, wrong).Pass(refused).Fail(in), howItEnds},
				steps{open(), logIn().As(ghost, wrong).Pass(refused).Fail(in), howItEnds}),
		},
		Sabotage: bug("unknown-user-told"),
	},
	script.Case{
		ID: "sasl/gen/002", Title: "An unknown name and a wrong password take the same time", Since: "2026.1",
		Level: practice, Refs: refs("RFC 4422 3.6", "CVE-2016-6210", "CWE-208"),
		Says: "The answer to a wrong password comes no sooner and no later for a name that nobody has: " +
			"what a hash costs is spent for it as well, or all such answers are held back.",
		Needs: needs{Mechanisms: append(slices.Clone(passwordItself), login.SCRAMSHA256, login.SCRAMSHA1, login.CRAMMD5),
			AnyMechanism: true, Account: true},
		Steps: steps{
			script.AsQuick(30, "a wrong password and an unknown name",
				logIn().As(user, wrong).Pass(refused).Fail(in),
				logIn().As(ghost, wrong).Pass(refused).Fail(in)),
		},
		Sabotage: bug("wrong-password-accepted"),
	},
	script.Case{
		ID: "sasl/gen/003", Title: "One account, one password, one outcome", Since: "2026.1",
		Level: practice, Refs: refs("RFC 4954 4", "RFC 5034 4"),
		Says: "What opens an account by one mechanism opens it by every other that is offered. " +
			"At least those that are handed the password itself agree: any store can check it for all of them.",
		Needs: needs{Mechanisms: byPassword, Account: true},
		Steps: steps{
			script.Enter(logIn().Keep("login").Must(in, refused)),
			script.Collect("outcomes", outcome("login")),
			check(oneOutcome),
			when(letIn("login"), authenticated(), leaving),
		},
		Sabotage: orAnswers(state(func(s *login.Setup) { // then USER/PASS wants that one
			for i := range s.Accounts {
				s.Accounts[i].Override = "another password"
			}
		}), "AUTH LOGIN", "235", "535 5.7.8 wrong"),
	},
	script.Case{
		ID: "sasl/gen/005", Title: "An exchange that was overheard cannot be used again", Since: "2026.1",
		Level: must, Refs: refs("RFC 2195 2", "RFC 2831 2.1.1", "RFC 5802 5.1", "RFC 1939 7", "MS-NLMP 3.2.5.1.1", "RFC 4120 3.2.3"),
		Says:  "The client's messages of a login that was good are refused when they are sent on another connection, octet by octet the same.",
		Needs: needs{Mechanisms: overheard, Account: true},
		Steps: steps{
			onlyWith(only(login.GSSAPI), check(func(p *script.Play) (login.Verdict, string) {
				if !p.Secrets.Issued.Has(login.PresentsTicket) {
					return login.Skip, "there is no ticket"
				}
				return login.Pass, ""
			})),
			script.Enter(logIn().Keep("first").Must(in)),
			leaving,
			open(),
			script.Resend("first").Pass(refused).Fail(in).Because("who has listened is let in"),
			notAuthenticated(),
		},
		Sabotage: bug("challenge-reused"),
	},
	script.Case{
		ID: "sasl/gen/006", Title: "Challenges are never the same, and cannot be guessed", Since: "2026.1",
		Level: must, Refs: refs("RFC 2195 2", "RFC 2831 2.1.1", "RFC 5802 5.1", "RFC 5802 7", "MS-NLMP 3.2.5.1.1"),
		Says: "No challenge comes twice, on connections that are open at the same time or one after the other, " +
			"and 64 bits of each are chance.",
		Needs: needs{Mechanisms: challenging},
		Steps: steps{
			script.Each(tenAtOnce, func(n string) []script.Step { return steps{on(n, open())} }),
			script.Each(tenAtOnce, func(n string) []script.Step { return steps{on(n, oneChallenge, hangUp())} }),
			script.Each(tenAtOnce, func(string) []script.Step { return steps{open(), oneChallenge} }),
			check(byChance),
		},
		Sabotage: bug("challenge-reused"),
	},
	script.Case{
		ID: "sasl/gen/007", Title: "A lock-out tells nothing, and locks nobody out", Since: "2026.1",
		Level: practice, Refs: refs("RFC 4422 3.6", "NIST SP 800-63B 5.2.2"),
		Says: "After ten wrong passwords the answers are those that a name which nobody has gets after ten, " +
			"and the account's owner still logs in: else whoever knows a name keeps him out.",
		Needs: needs{Mechanisms: only(login.PLAIN, login.LOGIN, login.UserPass), AnyMechanism: true},
		Steps: steps{
			check(func(p *script.Play) (login.Verdict, string) {
				if p.Other.Password == "" {
					return login.Skip, "there is no second account, and it is not tried on the first"
				}
				return login.Pass, ""
			}),
			alike("ten wrong passwords of an account, and of a name that nobody has",
				steps{script.Each(tenAtOnce, func(string) []script.Step {
					return steps{open(), logIn().As(otherUser, wrong).Pass(refused).Fail(in)}
				})},
				steps{script.Each(tenAtOnce, func(string) []script.Step {
					return steps{open(), logIn().As(ghost, wrong).Pass(refused).Fail(in)}
				})}),
			open(),
			logIn().As(otherUser, script.OtherPassword).Pass(in).Warn(refused).Because("after ten wrong passwords the right one is refused"),
			say("QUIT").Must(ok),
		},
		Sabotage: bug("unknown-user-told"),
	},
	script.Case{
		ID: "sasl/gen/008", Title: "Credentials are not sent back", Since: "2026.1",
		Level: practice, Refs: refs("RFC 4422 6", "CWE-209", "CWE-532"),
		Says: "No answer repeats a password, a proof or the message that it came in, right or wrong or malformed: " +
			"answers are shown to people, and kept in logs.",
		Needs: needs{Mechanisms: byPassword},
		Steps: steps{
			open(),
			logIn().As(decoyName, knownDecoy).Keep("tried").Pass(refused).Fail(in),
			check(notRepeated),
			onlyWith(only(login.PLAIN),
				say("AUTH PLAIN ", b64("\x00", decoyName, "\x00", knownDecoy), "!").Must(refused),
				check(notRepeated),
				open(),
				say("AUTH PLAIN ", b64("\x00", decoyName, "\x00", knownDecoy), " ", knownDecoy).Must(refused),
				check(notRepeated),
			),
			ifAccount(
				open(),
				logIn().As(user, wrong).Keep("tried").Pass(refused).Fail(in),
				check(notRepeated),
				script.Enter(logIn().Keep("tried").Must(in)),
				check(notRepeated),
				leaving,
			),
		},
		Sabotage: orAnswers(answers("AUTH ", "5", "535 5.7.8 no such password: "+decoySecret),
			"AUTH ", "-ERR", "-ERR [AUTH] no such password: "+decoySecret),
	},
)

// howItEnds is whether a session goes on.
var howItEnds = perProtocol(say("NOOP").Must("2", "4", "5", gone), say("CAPA").Listing().Must("+OK", "-ERR", gone))

// oneOutcome compares what came of the right password by the latest mechanism
// with what came of it before.
func oneOutcome(p *script.Play) (login.Verdict, string) {
	for _, other := range p.List("outcomes") {
		mechanism, _, _ := strings.Cut(other, " ")
		if slices.Contains(passwordItself, login.Mechanism(mechanism)) && slices.Contains(passwordItself, p.With()) &&
			taken(other) != letIn("login")(p) {
			return login.Fail, fmt.Sprintf("the same password: %s, and %s", other, p.Value("outcomes"))
		}
	}
	if !letIn("login")(p) {
		return login.Warn, "it is offered, and the right password opens nothing: " + p.Value("outcomes")
	}
	return login.Pass, ""
}

// outcome is what came of the login that was kept under that name, by the
// mechanism of the round.
func outcome(kept string) func(*script.Play) string {
	return func(p *script.Play) string {
		if letIn(kept)(p) {
			return string(p.With()) + taking
		}
		return string(p.With()) + refusing
	}
}

const taking, refusing = " takes it", " refuses it"

func taken(outcome string) bool { return strings.HasSuffix(outcome, taking) }

// overheard are the mechanisms in which something is proved anew each time.
var overheard = only(login.APOP, login.CRAMMD5, login.DIGESTMD5, login.NTLM,
	login.SCRAMSHA1, login.SCRAMSHA1PLUS, login.SCRAMSHA256, login.SCRAMSHA256PLUS, login.GSSAPI)

// challenging are those of AUTH whose challenge anybody can have.
var challenging = only(login.CRAMMD5, login.DIGESTMD5, login.NTLM, login.SCRAMSHA1, login.SCRAMSHA256)

// oneChallenge asks for one and breaks off.
var oneChallenge = script.Group(
	onlyWith(only(login.CRAMMD5, login.DIGESTMD5), say("AUTH ", mechanism).Keep("challenge").Must(asked), say("*").Must(refused)),
	onlyWith(only(login.NTLM),
		begin().Must(asksForIt), say(negotiate).Keep("challenge").Must(asked), say("*").Must(refused)),
	onlyWith(scramPlain, ifAccount(scram().Keep("server").OnlyFirst().Must(asked))),
)

// nonces are what the server has drawn by chance in the challenges of the
// round; ok is false where one of them cannot be read.
func nonces(p *script.Play) (all []string, ok bool) {
	const n = 20 // of each mechanism: ten at once, and ten more
	latest := func(list string) []string { return p.List(list)[max(0, len(p.List(list))-n):] }
	if slices.Contains(scramPlain, p.With()) {
		for _, message := range latest("server challenges") {
			all = append(all, strings.TrimPrefix(script.SCRAMAttribute(message, "r"), p.SCRAMNonce()))
		}
		return all, true
	}
	for _, line := range latest("challenge") {
		nonce, ok := nonceOf(p.With(), line)
		if !ok {
			return nil, false
		}
		all = append(all, nonce)
	}
	return all, true
}

// nonceOf is what is drawn by chance in a challenge, and maybe more than that.
func nonceOf(m login.Mechanism, line string) (nonce string, ok bool) {
	challenge, ok := decoded(line)
	switch m {
	case login.NTLM:
		c, ok := script.ParseNTLMChallenge(line)
		return c.Nonce, ok
	case login.DIGESTMD5:
		directives, parsed := script.Directives(challenge)
		for _, d := range directives {
			if d.Name == "nonce" {
				nonce = d.Value
			}
		}
		return nonce, parsed && nonce != ""
	default:
		return challenge, ok
	}
}

// byChance judges the nonces of a round.
func byChance(p *script.Play) (login.Verdict, string) {
	all, ok := nonces(p)
	sorted := slices.Sorted(slices.Values(all))
	switch bits := script.BitsOfChance(all); {
	case !ok:
		return login.Fail, "a challenge cannot be read"
	case len(all) == 0:
		return login.Skip, "there is a challenge only for who has an account"
	case len(slices.Compact(sorted)) < len(all):
		return login.Fail, "the same challenge came twice"
	case bits < 64:
		return login.Warn, fmt.Sprintf("no more than %.0f bits of the challenges seem to be chance", bits)
	default:
		return login.Pass, ""
	}
}

// decoySecret is a password that was never anybody's, the same in each run.
const decoySecret = "mailmatrix-was-here"

var knownDecoy = script.Made("<decoy password>", func(*script.Play) string { return decoySecret })

// leastSecret is how long a text must be to be looked for in answers.
const leastSecret = 6

// notRepeated looks for what was sent in all that the server has said on the
// current connection.
func notRepeated(p *script.Play) (login.Verdict, string) {
	said := append([]string{p.Value("tried")}, p.List("tried challenges")...)
	for _, line := range p.Talk().Transcript() {
		if strings.HasPrefix(line, "S") {
			said = append(said, line)
		}
	}
	heard := strings.Join(said, "\n")
	for what, secrets := range credentials(p) {
		for _, secret := range secrets {
			if len(secret) >= leastSecret && strings.Contains(heard, secret) {
				return login.Fail, "an answer repeats " + what
			}
		}
	}
	return login.Pass, ""
}

// credentials are what no answer may have in it.
func credentials(p *script.Play) map[string][]string {
	all := map[string][]string{"the password": {decoySecret, p.Secrets.Password, p.Secrets.Wrong}}
	for _, password := range all["the password"] {
		all["the password in base64"] = append(all["the password in base64"], base64.StdEncoding.EncodeToString([]byte(password)))
	}
	for _, m := range p.List("tried messages") {
		proof := []string{script.SCRAMAttribute(m, "p"), m[strings.LastIndexByte(m, ' ')+1:]} // SCRAM's; APOP's and CRAM-MD5's
		if directives, ok := script.Directives(m); ok {
			for _, d := range directives {
				if d.Name == "response" {
					proof = append(proof, d.Value)
				}
			}
		}
		if strings.Contains(m, " ") || strings.Contains(m, "=") {
			all["the proof"] = append(all["the proof"], proof...)
		}
		if len(m) > len(p.Secrets.Name) { // LOGIN's first is the name
			all["the message"] = append(all["the message"], base64.StdEncoding.EncodeToString([]byte(m)))
		}
	}
	return all
}
