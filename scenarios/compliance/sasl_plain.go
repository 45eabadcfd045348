package compliance

import (
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

// plain is the message of PLAIN in the command.
func plain(message ...any) *script.Saying { return say("AUTH PLAIN ", b64(message...)) }

// PLAIN: a name and a password in one message.
var _ = register(
	script.Case{
		ID: "sasl/plain/001", Title: "A right password logs in, with an empty authorization identity", Since: "2026.1",
		Level: must, Refs: refs("RFC 4616 2", "RFC 4954 4", "RFC 5034 4"),
		Says: "A message without authorization identity and with a right name and password logs its sender in as himself, " +
			"in the command as well as in answer to an empty challenge.",
		Needs: needs{Mechanisms: only(login.PLAIN), Account: true},
		Steps: steps{
			open(),
			say("AUTH PLAIN ", goodPlain).Pass(in),
			authenticated(),
			leaving,
			open(),
			say("AUTH PLAIN").Pass(asked),
			say(goodPlain).Pass(in),
			authenticated(),
		},
		Sabotage: orAnswers(bug("success-code"), "AUTH PLAIN", "+OK", "-ERR [AUTH] wrong"),
	},
	script.Case{
		ID: "sasl/plain/002", Title: "Nobody acts for somebody else", Since: "2026.1",
		Level: must, Refs: refs("RFC 4616 2", "RFC 4422 3.4.1", "RFC 4954 4"),
		Says: "Who asks to act as another account, or as one that there is not, is refused although his own name and password are right. " +
			"His own name is no other identity.",
		Needs: needs{Mechanisms: only(login.PLAIN), Account: true},
		Steps: steps{
			when(hasOther,
				open(),
				plain(otherUser, "\x00", user, "\x00", password).Pass("535", "-ERR").Warn(refused).Fail(in).Because("he asks to act as somebody else"),
				notAuthenticated(),
			),
			open(),
			plain(decoyName, "\x00", user, "\x00", password).Pass("535", "-ERR").Warn(refused).Fail(in).Because("he asks to act as nobody there is"),
			notAuthenticated(),
			open(),
			plain(user, "\x00", user, "\x00", password).Pass(in).Warn(refused).Because("he asks to act as himself"),
		},
		Sabotage: bug("authzid-ignored"),
	},
	script.Case{
		ID: "sasl/plain/003", Title: "Malformed messages", Since: "2026.1",
		Level: must, Refs: refs("RFC 4616 2", "RFC 4954 6"),
		Says: "A message that has not two NULs, with a name before the second and a password behind it, is refused at once, " +
			"and the session goes on. What is right in it, or in a part of it, counts for nothing.",
		Needs: needs{Mechanisms: only(login.PLAIN)},
		Steps: steps{
			open(),
			say("AUTH PLAIN").Must(asked),
			malformed("nothing in it", say("")),
			alive(),
			script.Each(inPairs(notPlain...), func(pair []notMessage) []script.Step {
				return steps{
					open(),
					script.Each(pair, func(m notMessage) []script.Step { return steps{malformed(m.what, plain(m.parts...))} }),
					alive(),
				}
			}),
			ifAccount(
				open(),
				malformed("a NUL behind the password", plain("\x00", user, "\x00", password, "\x00")),
				malformed("something behind the password", plain("\x00", user, "\x00", password, "\x00junk")),
				open(),
				malformed("a part too many before the name", plain("\x00\x00", user, "\x00", password)),
				notAuthenticated(),
			),
		},
		Sabotage: bug("malformed-forgiven"),
	},
	script.Case{
		ID: "sasl/plain/004", Title: "An empty password never logs in", Since: "2026.1",
		Level: must, Refs: refs("RFC 4616 2", "RFC 4513 5.1.2", "RFC 4513 6.3.1"),
		Says: "Nobody is let in with an empty password, or with a proof of one, as an account or as a name that nobody has: " +
			"not where a directory takes it for a visit without a name, and not where nothing is stored to check a proof against.",
		Needs: needs{Mechanisms: byPassword, Account: true},
		Steps: steps{
			script.Each(somebodyAndNobody, func(name script.Part) []script.Step {
				return steps{
					onlyWith(only(login.PLAIN), open(), noPassword(plain("\x00", name, "\x00")), noPassword(plain("\x00", name, "\x00\u00ad"))),
					onlyWith(only(login.UserPass),
						open(),
						say("USER ", name).Must("+OK", "-ERR"),
						say("PASS ").Pass("-ERR").Fail(in).Because(emptyTaken),
						open(),
						say("USER ", name).Must("+OK", "-ERR"),
						say("PASS").Pass("-ERR").Fail(in).Because(emptyTaken),
					),
					onlyWith(only(login.LOGIN, login.CRAMMD5, login.DIGESTMD5, login.NTLM, login.APOP),
						open(),
						logIn().As(name, nothing).Pass(refused).Fail(in).Because(emptyTaken),
					),
					onlyWith(scramAll, open(), scram().As(name, nothing).Pass(refused).Fail(in).Because(emptyTaken)),
				}
			}),
			notAuthenticated(),
		},
		Sabotage: bug("empty-password"),
	},
	script.Case{
		ID: "sasl/plain/005", Title: "Fields of 255 octets", Since: "2026.1",
		Level: must, Refs: refs("RFC 4616 2"),
		Says: "An authorization identity, a name and a password of 255 octets each are judged as shorter ones are: " +
			"the message is neither too long nor malformed.",
		Needs: needs{Mechanisms: only(login.PLAIN)},
		Steps: steps{
			open(),
			say("AUTH PLAIN").Must(asked), // in POP3's command there is no room for so much
			say(longPlain).Pass("535", "-ERR").Fail("500", gone).Because("the message is taken for too long").Warn(refused),
			alive(),
		},
		Sabotage: bug("exchange-short"),
	},
	script.Case{
		ID: "sasl/plain/006", Title: "Names that mean something to a directory or a shell", Since: "2026.1",
		Level: practice, Refs: refs("RFC 4515 3", "CWE-90", "CWE-89"),
		Says: "A name with wildcards, quotes, line ends or paths in it is nobody's: it is refused in the same way as any name that nobody has, " +
			"and the account's own with an asterisk behind it is not the account's.",
		Needs: needs{Mechanisms: only(login.PLAIN), Account: true},
		Steps: steps{
			script.Each(inPairs(meaningful...), func(names [][]any) []script.Step {
				return steps{open(), script.Each(names, func(name []any) []script.Step {
					return steps{noSuchName(plain(append([]any{"\x00"}, append(name, "\x00", wrong)...)...))}
				}), alive()}
			}),
			open(),
			noSuchName(plain("\x00", user, "*\x00", password)),
			notAuthenticated(),
		},
		Sabotage: bug("wrong-password-accepted"),
	},
)

// longPlain is a message with as much of each as every server takes.
var longPlain = b64(times(255, "a"), "\x00", decoyName, times(242, "b"), "\x00", times(255, "c"))

// notMessage is one that its mechanism does not know.
type notMessage struct {
	what  string
	parts []any
}

var notPlain = []notMessage{
	{"one NUL", []any{"\x00"}},
	{"two NULs", []any{"\x00\x00"}},
	{"a name and no NUL", []any{decoyName}},
	{"one NUL between two words", []any{decoyName, "\x00", decoyPassword}},
	{"no password, and no NUL before it", []any{"\x00", decoyName}},
	{"no password", []any{"\x00", decoyName, "\x00"}},
	{"no name", []any{"\x00\x00", decoyPassword}},
	{"four parts", []any{decoyName, "\x00", decoyName, "\x00", decoyPassword, "\x00", random}},
	{"a NUL at its end", []any{"\x00", decoyName, "\x00", decoyPassword, "\x00"}},
	{"four NULs", []any{"\x00\x00\x00\x00"}},
	{"255 NULs", []any{times(255, "\x00")}},
}

// malformed demands that a message is refused as one that is none.
func malformed(what string, message *script.Saying) script.Step {
	return message.Pass("501", "535", "-ERR").Fail(in, asked, gone).Because("the message has " + what).Warn(refused)
}

// nothing is an empty name or password.
var nothing = script.Made("<nothing>", func(*script.Play) string { return "" })

const emptyTaken = "an empty password is taken"

// somebodyAndNobody are names that an empty password is tried with. A directory
// lets any name in with one (RFC 4513 5.1.2).
var somebodyAndNobody = []script.Part{user, ghost}

// noPassword is of a message with an empty password, or with one of which
// SASLprep leaves nothing.
func noPassword(message *script.Saying) script.Step {
	return message.Pass("535", "501", "-ERR").Warn(refused).Fail(in, asked).Because(emptyTaken)
}

// meaningful are names that are more than names where they are put into a
// filter, a query, a format, a path or a command.
var meaningful = [][]any{
	{"*"}, {"*)(uid=*"}, {"' OR '1'='1"}, {"%s%n"}, {user, "\r\nX"}, {"../../etc"}, {"$(id)"}, {"a|b"}, {user, "*"},
}

// noSuchName demands that a name is refused as one that nobody has: an answer
// that speaks of trouble says that it was more to somebody than a name.
func noSuchName(message *script.Saying) script.Step {
	return message.Pass("535", "501", "-ERR").Warn("454", "435", "451", `~^-ERR \[SYS`).Because("the name makes trouble behind the server").
		Fail(in, gone).Warn(refused)
}

// hasOther: there is a second account whose name is known.
func hasOther(p *script.Play) bool { return p.Other.Name != "" }
