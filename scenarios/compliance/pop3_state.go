package compliance

import (
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

// pop3Logins are the ways in by name and password, what most servers have
// first.
var pop3Logins = only(login.UserPass, login.PLAIN, login.LOGIN, login.APOP, login.CRAMMD5, login.SCRAMSHA256, login.SCRAMSHA1)

// inMailbox is what a case needs that takes place after a login.
var inMailbox = needs{Mechanisms: pop3Logins, AnyMechanism: true, Account: true}

// notLetIn is a login that is refused, and not because the mailbox is in use.
const notLetIn = `~^-ERR( \[AUTH\]| [^\[]|$)`

// noDigest is 32 digits that are nobody's.
var noDigest = times(32, "0")

// POP3's two states, and the way from the one to the other.
var _ = register(
	script.Case{
		ID: "pop3/base/003", Title: "Transaction commands are refused before login", Since: "2026.1",
		Level: must, Refs: refs("RFC 1939 3", "RFC 1939 5"),
		Says: "Who has not logged in is refused every command that is about mail, whether the server has it or not.",
		Steps: steps{
			script.Each([][2]string{{"STAT", "LIST"}, {"RETR 1", "TOP 1 0"}, {"UIDL", "DELE 1"}, {"NOOP", "RSET"}},
				func(pair [2]string) []script.Step {
					return steps{
						open(),
						say(pair[0]).Pass("-ERR").Fail("+OK").Because("nobody has logged in"),
						say(pair[1]).Pass("-ERR").Fail("+OK").Because("nobody has logged in"),
					}
				}),
		},
		Sabotage: answers("RETR 1", "-ERR", "+OK 120 octets"),
	},
	script.Case{
		ID: "pop3/base/004", Title: "Login commands are refused after login", Since: "2026.1",
		Level: must, Refs: refs("RFC 1939 7", "RFC 5034 4", "RFC 2595 4"),
		Says: "Who has logged in is refused USER, PASS, APOP, AUTH and STLS, is asked for no secret, " +
			"and stays who he is.",
		Needs: inMailbox,
		Steps: steps{
			script.Each([][2]script.Step{
				{notAgain("USER ", decoyName), notAgain("PASS ", decoyPassword)},
				{notAgain("APOP ", decoyName, " ", noDigest), notAgain("AUTH PLAIN ", decoy)},
				{notAgain("AUTH PLAIN"), notAgain("STLS")},
			}, func(pair [2]script.Step) []script.Step {
				return steps{script.Enter(logIn().Must(in)), pair[0], pair[1], authenticated(), say("QUIT").Must("+OK")}
			}),
		},
		Sabotage: bug("second-auth"),
	},
	script.Case{
		ID: "pop3/base/005", Title: "PASS only right after a good USER", Since: "2026.1",
		Level: must, Refs: refs("RFC 1939 7"),
		Says: "PASS counts right behind a USER that was granted. Without USER it is refused, " +
			"and after another command in between as well.",
		Needs: needs{Mechanisms: only(login.UserPass), Account: true},
		Steps: steps{
			open(),
			say("PASS ", password).Pass("-ERR").Fail("+OK").Because("nobody has said who he is"),
			notAuthenticated(),
			open(),
			say("USER ", user).Must("+OK"),
			say("CAPA").Listing().Must("+OK", "-ERR"),
			// Harmless, and widespread.
			say("PASS ", password).Pass("-ERR").Warn("+OK").Because("CAPA stood between USER and PASS"),
		},
		Sabotage: answers("PASS", "-ERR", "+OK welcome"),
	},
	script.Case{
		ID: "pop3/base/006", Title: "USER replaces USER", Since: "2026.1",
		Level: should, Refs: refs("RFC 1939 7"),
		Says:  "Where a second USER is granted, PASS is judged as the password of the second name, never of the first.",
		Needs: needs{Mechanisms: only(login.UserPass), Account: true},
		Steps: steps{
			open(),
			say("USER ", decoyName).Must("+OK"),
			say("USER ", user).NA("-ERR").Must("+OK"),
			say("PASS ", password).Pass("+OK").Warn(notLetIn),
			say("QUIT").Must("+OK"),
			open(),
			say("USER ", user).Must("+OK"),
			say("USER ", decoyName).NA("-ERR").Must("+OK"),
			say("PASS ", password).Pass("-ERR").Fail("+OK").Because("the first name counted"),
		},
		Sabotage: answers("PASS", "-ERR", "+OK welcome"),
	},
	script.Case{
		ID: "pop3/base/007", Title: "USER does not tell whether the mailbox exists", Since: "2026.1",
		Level: should, Refs: refs("RFC 1939 13", "RFC 2449 8.1.1", "RFC 3206 5"),
		Says: "USER is answered alike for a name that somebody has and for one that nobody has, " +
			"and without a response code that speaks of an account.",
		Needs: needs{Mechanisms: only(login.UserPass), Account: true},
		Steps: steps{
			alike("USER with a name that there is, and with one that there is not",
				steps{open(), unrevealing(user)}, steps{open(), unrevealing(ghost)}),
		},
		Sabotage: answers("USER X", "+OK", "-ERR [AUTH] nobody has that name"),
	},
	script.Case{
		ID: "pop3/base/008", Title: "PASS fails alike for a wrong name and a wrong password", Since: "2026.1",
		Level: should, Refs: refs("RFC 1939 13", "RFC 4422 6"),
		Says:  "A wrong password of a name that somebody has, and any of a name that nobody has, are refused at PASS and in the same words.",
		Needs: needs{Mechanisms: only(login.UserPass), Account: true},
		Steps: steps{
			alike("a wrong password and an unknown name",
				steps{open(), say("USER ", user), say("PASS ", wrong).Pass("-ERR").Fail("+OK")},
				steps{open(), say("USER ", ghost), say("PASS ", wrong).Pass("-ERR").Fail("+OK")}),
		},
		Sabotage: bug("unknown-user-told"),
	},
	script.Case{
		ID: "pop3/base/010", Title: "Password with spaces", Since: "2026.1",
		Level: may, Refs: refs("RFC 1939 7"),
		Says: "PASS has one argument, and blanks belong to it: the account's password with a word behind it is another password, " +
			"and the account's own is taken with the blanks that it has.",
		Needs: needs{Mechanisms: only(login.UserPass), Account: true},
		Steps: steps{
			open(),
			say("USER ", user).Must("+OK"),
			say("PASS ", password, " ", random).Pass("-ERR").Fail("+OK").Because("the password ended at the blank"),
			open(),
			say("USER ", user).Must("+OK"),
			say("PASS ", password, " ").Pass("-ERR").Warn("+OK"),
			open(),
			say("USER ", user).Must("+OK"),
			say("PASS ", password).Pass("+OK").Warn(notLetIn),
			say("QUIT").Must("+OK"),
		},
		Sabotage: answers("PASS", "-ERR", "+OK welcome"),
	},
	script.Case{
		ID: "pop3/base/016", Title: "Exclusive lock", Since: "2026.1",
		Level: should, Refs: refs("RFC 1939 4", "RFC 2449 8.1.2"),
		Says: "While one session has a mailbox, another does not get it. Whoever is refused for that is not logged in, " +
			"does not disturb the first, and gets the mailbox once that one has left.",
		Needs: inMailbox,
		Steps: steps{
			script.Enter(logIn().Must(in)),
			on("second", open(), logIn().Keep("second").Pass("-ERR").Warn("+OK"), say("STAT").Keep("its STAT").Must("+OK", "-ERR", gone)),
			check(func(p *script.Play) (login.Verdict, string) {
				if strings.HasPrefix(p.Value("second"), "-ERR") && strings.HasPrefix(p.Value("its STAT"), "+OK") {
					return login.Fail, "whoever was refused the mailbox is in it"
				}
				return login.Pass, ""
			}),
			authenticated(),
			on("second", hangUp()),
			say("QUIT").Must("+OK"),
			script.Enter(logIn().Pass(in).Fail("-ERR [IN-USE]").Because("the first session has left")),
			say("QUIT").Must("+OK"),
		},
		Sabotage: answers("STAT", "-ERR", "+OK 0 0"),
	},
)

// notAgain is a login command of somebody who has logged in.
func notAgain(parts ...any) script.Step {
	return say(parts...).Pass("-ERR").Fail("+OK", asked).Because("somebody is logged in")
}

// unrevealing is USER whose answer says nothing of the account: what is compared
// with another must not be decided before.
func unrevealing(name script.Part) script.Step {
	return say("USER ", name).Fail("-ERR [AUTH]", "-ERR [LOGIN-DELAY]").Because("USER alone proves nothing").Must("+OK", "-ERR")
}
