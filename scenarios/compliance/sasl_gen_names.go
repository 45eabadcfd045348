package compliance

import (
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

// Who somebody is, in other letters.
var _ = register(
	script.Case{
		ID: "sasl/gen/004", Title: "Names are compared alike everywhere", Since: "2026.1",
		Level: should, Refs: refs("RFC 4954 4", "RFC 5034 4", "RFC 4013 2", "RFC 4616 2", "RFC 5802 5.1"),
		Says: "Names are prepared by SASLprep before they are compared, and every mechanism takes the same spellings. " +
			"One that SASLprep forbids is nobody's, and nobody may act for one of which it leaves nothing.",
		Needs: needs{Mechanisms: sayingNames, Account: true},
		Steps: steps{
			script.Each(spellings, func(s spelling) []script.Step {
				return steps{when(s.another,
					open(),
					logInAs(s.name(), s.what),
					script.Collect(s.what+" taken", outcome(s.what)),
					check(s.alike),
					when(letIn(s.what), leaving),
				)}
			}),
			open(),
			logInAs(forbidden, "forbidden"),
			check(func(p *script.Play) (login.Verdict, string) {
				if letIn("forbidden")(p) {
					return login.Fail, "a name is taken that has a control character in it"
				}
				return login.Pass, ""
			}),
			script.Each([]script.Part{softHyphen, forbidden}, func(authzid script.Part) []script.Step {
				const acting = "SASLprep forbids the identity that he wants to have, or leaves nothing of it"
				return steps{
					onlyWith(only(login.PLAIN, login.DIGESTMD5), open(), logIn().ActingAs(authzid).Pass(refused).Fail(in).Because(acting)),
					onlyWith(scramPlain, open(), scram().Header("n,a=", authzid, ",").Pass(refused).Fail(in).Because(acting)),
				}
			}),
		},
		Sabotage: bug("authzid-ignored"),
	},
)

// sayingNames are the mechanisms that say a name as the client has it. USER and
// APOP may have no more than ASCII (RFC 6856 2.2).
var sayingNames = only(login.PLAIN, login.LOGIN, login.CRAMMD5, login.DIGESTMD5, login.SCRAMSHA1, login.SCRAMSHA256)

var (
	// softHyphen is mapped to nothing (RFC 3454 B.1).
	softHyphen = script.Made("<U+00AD>", func(*script.Play) string { return "\u00ad" })
	// forbidden is the account's name with a control character (RFC 3454 C.2.1).
	forbidden = script.Hidden("<user, U+0007>", func(p *script.Play) string { return p.Secrets.Name + "\x07" })
)

// spelling is another way to write a name.
type spelling struct {
	what string
	of   func(name string) string
	// same: SASLprep makes the name of it.
	same bool
}

var spellings = []spelling{
	{"in capitals", strings.ToUpper, false},
	{"with a soft hyphen", func(name string) string { return name[:1] + "\u00ad" + name[1:] }, true},
	{"in full width", fullWidth, true},
}

// fullWidth writes the letters and digits of ASCII as they are written among
// Chinese characters (RFC 4013 2.2: normalisation form KC takes it back).
func fullWidth(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			return r - '!' + '\uff01'
		}
		return r
	}, name)
}

func (s spelling) name() script.Part {
	return script.Hidden("<user "+s.what+">", func(p *script.Play) string { return s.of(p.Secrets.Name) })
}

func (s spelling) another(p *script.Play) bool {
	return p.Secrets.Name != "" && s.of(p.Secrets.Name) != p.Secrets.Name
}

// logInAs logs in with the right password and that name, and keeps the answer.
// A client of SCRAM would prepare the name itself.
func logInAs(name script.Part, keep string) script.Step {
	return script.Group(
		onlyWith(scramPlain, scram().As(name, password).Keep(keep).Must(in, refused)),
		onlyWith(only(login.PLAIN, login.LOGIN, login.CRAMMD5, login.DIGESTMD5), logIn().As(name, password).Keep(keep).Must(in, refused)),
	)
}

// alike compares what the mechanism makes of the spelling with what those
// before it did.
func (s spelling) alike(p *script.Play) (login.Verdict, string) {
	for _, other := range p.List(s.what + " taken") {
		if taken(other) != letIn(s.what)(p) {
			return login.Fail, "the account's name " + s.what + ": " + other + ", and " + outcome(s.what)(p)
		}
	}
	if s.same && !letIn(s.what)(p) {
		return login.Warn, "the account's name " + s.what + " is not taken for it"
	}
	return login.Pass, ""
}
