package compliance

import (
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

var (
	// scramPlain are the forms that a client can speak without binding.
	scramPlain = only(login.SCRAMSHA256, login.SCRAMSHA1)
	scramPlus  = only(login.SCRAMSHA256PLUS, login.SCRAMSHA1PLUS)
	scramAll   = append(only(login.SCRAMSHA256, login.SCRAMSHA1), scramPlus...)
)

// twice is for what has to be done again on another connection.
var twice = []int{1, 2}

// listsPlus: the current link lists a form of SCRAM that binds to it.
func listsPlus(p *script.Play) bool {
	return p.Here(login.SCRAMSHA1PLUS) || p.Here(login.SCRAMSHA256PLUS)
}

// listsUnbound: it lists the same form without binding.
func listsUnbound(p *script.Play) bool {
	return p.Here(login.Mechanism(strings.TrimSuffix(string(p.With()), "-PLUS")))
}

// leaving ends a session that somebody has logged in to, so that POP3's mailbox
// is free for the next.
var leaving = say("QUIT").Must(ok)

var _ = register(
	script.Case{
		ID: "sasl/scram/001", Title: "The whole exchange, and the server's proof", Since: "2026.1",
		Level: must, Refs: refs("RFC 5802 3", "RFC 5802 5", "RFC 7677 3", "RFC 4422 3.6"),
		Says: "Who has the password is let in, and before that the server proves by its signature that it has the account's keys; " +
			"SMTP and POP3 carry that proof as one more challenge.",
		Needs: needs{Mechanisms: scramAll, Account: true},
		Steps: steps{
			open(),
			scram().Pass(in),
			authenticated(),
			leaving,
		},
		Sabotage: orAnswers(answers("AUTH SCRAM", "334 dj", "235 2.7.0 welcome"), "AUTH SCRAM", "+ dj", "+OK welcome"),
	},
	script.Case{
		ID: "sasl/scram/002", Title: "Nonce and salt", Since: "2026.1",
		Level: must, Refs: refs("RFC 5802 5.1", "RFC 5802 7"),
		Says: "The server adds to the client's nonce something of its own that never comes again, without a comma, " +
			"and sends a salt in base64 that stays the same for one account.",
		Needs: needs{Mechanisms: scramPlain, Account: true},
		Steps: steps{
			script.Each(twice, func(int) []script.Step {
				return steps{open(), scram().Keep("server").OnlyFirst().Must(asked)}
			}),
			check(serverFirst),
			script.Distinct("server challenges", "the server's first message"),
			check(ownNonces),
		},
		Sabotage: bug("challenge-reused"),
	},
	script.Case{
		ID: "sasl/scram/003", Title: "The iteration count", Since: "2026.1",
		Level: should, Refs: refs("RFC 5802 5.1", "RFC 7677 3", "RFC 7677 4"),
		Says:  "The server asks for at least 4,096 iterations, and for no more than a client can do in a reasonable time.",
		Needs: needs{Mechanisms: scramPlain, Account: true},
		Steps: steps{
			open(),
			scram().Keep("server").OnlyFirst().Must(asked),
			check(func(p *script.Play) (login.Verdict, string) {
				rounds, ok := script.SCRAMRounds(p.List("server challenges")[0])
				switch {
				case !ok:
					return login.Fail, "the server's first message has no iteration count"
				case rounds < 4096:
					return login.Fail, fmt.Sprintf("it asks for %d iterations only", rounds)
				case rounds > 10_000_000:
					return login.Warn, fmt.Sprintf("%d iterations keep a client busy for many seconds", rounds)
				default:
					return login.Pass, ""
				}
			}),
		},
		Sabotage: bug("scram-few-rounds"),
	},
	script.Case{
		ID: "sasl/scram/004", Title: "A name that nobody has gets a salt as well, and always the same", Since: "2026.1",
		Level: practice, Refs: refs("RFC 5802 7", "RFC 4422 3.6"),
		Says: "For a name that nobody has the exchange goes on with a salt and an iteration count like those of an account, " +
			"and with the same salt when it is asked again: nobody can find out that way who has an account.",
		Needs: needs{Mechanisms: scramPlain, Account: true},
		Steps: steps{
			script.Each(twice, func(int) []script.Step {
				return steps{
					open(), scram().Keep("account").OnlyFirst().Must(asked),
					open(), scram().As(ghost, wrong).Keep("ghost").OnlyFirst().Pass(asked).Fail(refused).Because("the name is told to be nobody's"),
				}
			}),
			check(saltsAlike),
		},
		Sabotage: bug("scram-salt-of-nobody"),
	},
	script.Case{
		ID: "sasl/scram/005", Title: "A client that was told of no binding", Since: "2026.1",
		Level: must, Refs: refs("RFC 5802 6"),
		Says: "A client that could bind and says that the server could not is refused where the server offers a -PLUS form: " +
			"somebody has changed the list on its way. Where none is offered it is let in.",
		Needs: needs{Mechanisms: scramPlain, Account: true},
		Steps: steps{
			open(),
			when(listsPlus, scram().Header("y,,").Pass(refused).Fail(in).Because("the downgrade goes unnoticed")),
			when(func(p *script.Play) bool { return !listsPlus(p) }, scram().Header("y,,").Pass(in), leaving),
		},
		Sabotage: bug("scram-downgrade-ignored"),
	},
	script.Case{
		ID: "sasl/scram/006", Title: "The channel binding is checked", Since: "2026.1",
		Level: must, Refs: refs("RFC 5802 6", "RFC 9266 3", "RFC 5929 3", "RFC 8446 C.5"),
		Says: "A login that is bound to this TLS connection is let in. One that is bound to another, in a way that the connection " +
			"does not have, or not at all is refused, and so is a last message that repeats another GS2 header.",
		Needs: needs{Mechanisms: scramPlus, Link: encrypted, Account: true},
		Steps: steps{
			open(), scram().Pass(in), leaving,
			on("other", open()),
			open(), scram().BoundTo("other").Pass(refused).Fail(in).Because("it is bound to another connection"),
			open(), scram().Bound("").Pass(refused).Fail(in).Because("it names a binding, and has no data of one"),
			open(), scram().Header("p=x-nosuch,,").Pass(refused).Fail(in).Because("there is no such binding"),
			open(), when(isTLS13, scram().Header("p=tls-unique,,").Bound(login.BindingUnique).
				Pass(refused).Fail(in).Because("TLS 1.3 has no tls-unique")),
			open(), scram().Header("n,,").Bound("").Pass(refused).Fail(in).Because("a -PLUS form without binding"),
			open(), scram().Header("y,,").Bound("").Pass(refused).Fail(in).Because("a -PLUS form without binding"),
			open(), scram().Repeating("n,,").Pass(refused).Fail(in).Because("the last message repeats another header"),
			when(listsUnbound,
				open(), scram().Unbound().Header("p=tls-exporter,,").Bound(login.BindingExporter).
					Pass(refused).Fail(in).Because("a binding in the form without -PLUS"),
				open(), scram().Unbound().Repeating("y,,").Pass(refused).Fail(in).Because("the last message repeats another header"),
			),
			script.UpTo(tls.VersionTLS12,
				scram().Pass(in).Warn(refused).Because("with TLS 1.2 tls-unique is to be there"), leaving),
			script.UpTo(tls.VersionTLS12,
				scram().BoundTo("other").Pass(refused).Fail(in).Because("it is bound to another connection")),
		},
		Sabotage: bug("channel-binding-ignored"),
	},
	script.Case{
		ID: "sasl/scram/007", Title: "Where a -PLUS form is offered", Since: "2026.1",
		Level: should, Refs: refs("RFC 5802 6", "RFC 5802 4"),
		Says: "Forms that bind to TLS are offered inside TLS only, where there is something to bind to, " +
			"and beside the same form without binding unless that is never taken.",
		Needs: needs{Mechanisms: scramAll, AnyMechanism: true},
		Steps: steps{check(func(p *script.Play) (login.Verdict, string) {
			for _, t := range login.Transports() {
				for _, m := range scramPlus {
					unbound := login.Mechanism(strings.TrimSuffix(string(m), "-PLUS"))
					switch {
					case !p.Survey().Claims(t, m):
					case !t.Encrypted():
						return login.Fail, fmt.Sprintf("%s is offered in clear", m)
					case !p.Survey().Claims(t, unbound):
						return login.Warn, fmt.Sprintf("%s is offered on %s, and %s is not: clients that cannot bind are left out", m, t, unbound)
					}
				}
			}
			return login.Pass, ""
		})},
		Sabotage: bug("plus-in-clear"),
	},
	script.Case{
		ID: "sasl/scram/008", Title: "Messages are what the grammar says", Since: "2026.1",
		Level: must, Refs: refs("RFC 5802 5.1", "RFC 5802 7"),
		Says: "A message of the client's that is not one of SCRAM is refused even if its proof is right: with a mandatory extension, " +
			"with another nonce, without a proof or with part of one. An optional extension that the server does not know is ignored.",
		Needs: needs{Mechanisms: scramPlain, AnyMechanism: true, Account: true},
		Steps: steps{
			open(), scram().Bare("n=", script.SASLName, ",r=", script.SCRAMNonce, ",z=1").
				Pass(in).Because("an unknown optional extension is to be ignored"), leaving,
			script.Each(notFirst, func(f badFirst) []script.Step {
				return steps{open(), scram().Header(f.header...).Bare(f.bare...).OnlyFirst().
					Pass(refused).Fail(asked, in, gone).Because("the first message has " + f.what)}
			}),
			open(), scram().Header("n,a=", decoyName, ",").Pass(refused).Fail(in).Because("it asks to act as somebody else"),
			script.Each(notFinal, func(f badFinal) []script.Step {
				return steps{open(), scram().Final(f.message).
					Pass(refused).Fail(in, gone).Because("the last message has " + f.what)}
			}),
			open(), alive(),
		},
		Sabotage: orAnswers(answers("AUTH SCRAM", "501", "235 2.7.0 welcome"), "AUTH SCRAM", "-ERR", "+OK welcome"),
	},
	script.Case{
		ID: "sasl/scram/009", Title: "A wrong password proves nothing to nobody", Since: "2026.1",
		Level: must, Refs: refs("RFC 5802 5.1", "RFC 4954 6"),
		Says: "After a wrong proof the exchange ends with SCRAM's error message or with a plain refusal; " +
			"the server's signature is not sent, and nobody is logged in.",
		Needs: needs{Mechanisms: scramPlain, Account: true},
		Steps: steps{
			open(),
			scram().As(user, wrong).Keep("server").Pass("535", "-ERR").Warn(refused).Fail(in),
			check(func(p *script.Play) (login.Verdict, string) {
				for _, message := range p.List("server challenges") {
					if strings.HasPrefix(message, "v=") {
						return login.Fail, "the server's signature is sent to who has not the password"
					}
				}
				return login.Pass, ""
			}),
			notAuthenticated(),
		},
		Sabotage: bug("wrong-password-accepted"),
	},
)

func isTLS13(p *script.Play) bool { return p.Talk().TLSState().Version >= tls.VersionTLS13 }

// serverFirst demands of each first message of the server's that it is one.
func serverFirst(p *script.Play) (login.Verdict, string) {
	for _, message := range p.List("server challenges") {
		salt, err := base64.StdEncoding.DecodeString(script.SCRAMAttribute(message, "s"))
		switch {
		case !strings.HasPrefix(message, "r="+p.SCRAMNonce()):
			return login.Fail, "the server's nonce does not begin with the client's"
		case err != nil || len(salt) == 0:
			return login.Fail, "the salt is no base64"
		case strings.IndexFunc(script.SCRAMAttribute(message, "r"), func(r rune) bool { return r < '!' || r > '~' }) >= 0:
			return login.Fail, "the nonce has characters that are not printable"
		case len(salt) < 8:
			return login.Warn, fmt.Sprintf("a salt of %d octets", len(salt))
		}
	}
	return login.Pass, ""
}

// ownNonces: the server's part is long enough and another each time. The salt
// of an account stays: clients remember the keys that they made with it.
func ownNonces(p *script.Play) (login.Verdict, string) {
	first, second := p.List("server challenges")[0], p.List("server challenges")[1]
	switch own := len(script.SCRAMAttribute(first, "r")) - len(p.SCRAMNonce()); {
	case script.SCRAMAttribute(first, "r") == script.SCRAMAttribute(second, "r"):
		return login.Fail, "the same nonce came twice"
	case own == 0:
		return login.Fail, "the server adds nothing to the nonce"
	case own < 18:
		return login.Warn, fmt.Sprintf("the server adds %d characters to the nonce", own)
	case script.SCRAMAttribute(first, "s") != script.SCRAMAttribute(second, "s"):
		return login.Warn, "the account's salt is another each time: clients cannot remember its keys"
	default:
		return login.Pass, ""
	}
}

// saltsAlike: an account's salt stays, or does not, as that of a name that
// nobody has.
func saltsAlike(p *script.Play) (login.Verdict, string) {
	stays := func(list, letter string) bool {
		all := p.List(list + " challenges")
		return script.SCRAMAttribute(all[0], letter) == script.SCRAMAttribute(all[1], letter)
	}
	rounds := func(list string) string { return script.SCRAMAttribute(p.List(list + " challenges")[0], "i") }
	salt := func(list string) string { return script.SCRAMAttribute(p.List(list + " challenges")[0], "s") }
	switch {
	case stays("account", "s") != stays("ghost", "s"):
		return login.Fail, "the salt of an account stays, and that of a name which nobody has does not, or the other way round"
	case rounds("account") != rounds("ghost"):
		return login.Fail, "an account and a name that nobody has differ in the iteration count"
	case len(salt("account")) != len(salt("ghost")):
		return login.Fail, "an account and a name that nobody has differ in the length of the salt"
	case !stays("ghost", "s"):
		return login.Warn, "salts do not stay"
	default:
		return login.Pass, ""
	}
}

// badFirst is a client-first-message that is none (RFC 5802 7).
type badFirst struct {
	what         string
	header, bare []any
}

var (
	ownHeader = []any{"n,,"}
	ownBare   = []any{"n=", script.SASLName, ",r=", script.SCRAMNonce}
)

var notFirst = []badFirst{
	{"nothing in it", []any{""}, []any{""}},
	{"an unknown flag", []any{"x,,"}, ownBare},
	{"a header of one part", []any{"n,"}, ownBare},
	{"nonce and name the wrong way round", ownHeader, []any{"r=", script.SCRAMNonce, ",n=", script.SASLName}},
	{"no nonce", ownHeader, []any{"n=", script.SASLName}},
	{"an empty name", ownHeader, []any{"n=,r=", script.SCRAMNonce}},
	{"an equals sign in the name that quotes nothing", ownHeader, []any{"n=a=b", script.SASLName, ",r=", script.SCRAMNonce}},
	{"a mandatory extension", ownHeader, []any{"m=x,n=", script.SASLName, ",r=", script.SCRAMNonce}},
	{"something behind the nonce that is no extension", ownHeader, []any{"n=", script.SASLName, ",r=", script.SCRAMNonce, ",y"}},
	{"a name that is no UTF-8", ownHeader, []any{"n=\xff\xfe", script.SASLName, ",r=", script.SCRAMNonce}},
}

// badFinal is a client-final-message that is none, or not of this exchange.
type badFinal struct {
	what    string
	message func(script.SCRAMFinal) string
}

var notFinal = []badFinal{
	{"another nonce", func(f script.SCRAMFinal) string { return f.With(channelOf(f), "r="+f.Nonce+"x") }},
	{"the client's nonce alone", func(f script.SCRAMFinal) string { return f.With(channelOf(f), "r="+f.ClientNonce) }},
	{"no proof", func(f script.SCRAMFinal) string { return channelOf(f) + ",r=" + f.Nonce }},
	{"a proof that is no base64", func(f script.SCRAMFinal) string { return f.Message() + "*" }},
	{"a proof that is one octet short", func(f script.SCRAMFinal) string { return proofOf(f, func(p []byte) []byte { return p[1:] }) }},
	{"a proof that is one octet long", func(f script.SCRAMFinal) string { return proofOf(f, func(p []byte) []byte { return append(p, 0) }) }},
	{"no channel", func(f script.SCRAMFinal) string { return f.With("r=" + f.Nonce) }},
	{"a mandatory extension", func(f script.SCRAMFinal) string { return f.With(channelOf(f), "r="+f.Nonce, "m=x") }},
}

func channelOf(f script.SCRAMFinal) string {
	return "c=" + base64.StdEncoding.EncodeToString(f.Channel)
}

func proofOf(f script.SCRAMFinal, change func([]byte) []byte) string {
	without := channelOf(f) + ",r=" + f.Nonce
	return without + ",p=" + base64.StdEncoding.EncodeToString(change(f.Proof(without)))
}
