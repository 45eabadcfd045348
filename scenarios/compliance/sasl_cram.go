package compliance

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

// CRAM-MD5: a keyed digest of what the server says.
var _ = register(
	script.Case{
		ID: "sasl/cram/001", Title: "The challenge is a message identifier", Since: "2026.1",
		Level: must, Refs: refs("RFC 2195 2"),
		Says: "The challenge has the form of a message identifier, with the server's full name behind the at sign; " +
			"a digest that is wrong is refused.",
		Needs: needs{Mechanisms: only(login.CRAMMD5)},
		Steps: steps{
			open(),
			say("AUTH CRAM-MD5").Keep("challenge").Pass(asked),
			check(cramChallenge),
			say(b64(decoyName, " ", times(32, "0"))).Pass("535", "-ERR").Warn(refused).Fail(in),
		},
		Sabotage: state(func(s *login.Setup) {
			s.Posture.Script = &login.Script{Bends: map[login.Mechanism]login.Bend{login.CRAMMD5: login.NoBrackets}}
		}),
	},
	script.Case{
		ID: "sasl/cram/002", Title: "Malformed digests", Since: "2026.1",
		Level: must, Refs: refs("RFC 2195 2"),
		Says: "A response is a name, a blank and 32 hexadecimal digits. One that has less, more or others is refused " +
			"and leaves the session as it was, even if it is right as far as it goes.",
		Needs: needs{Mechanisms: only(login.CRAMMD5)},
		Steps: steps{
			script.Each(inPairs(notCRAM...), func(pair []notMessage) []script.Step {
				return steps{
					open(),
					script.Each(pair, func(m notMessage) []script.Step {
						return steps{
							say("AUTH CRAM-MD5").Must(asked),
							say(b64(m.parts...)).Pass("535", "501", "-ERR").Fail(in, asked, gone).Because("the response has " + m.what).Warn(refused),
						}
					}),
					alive(),
				}
			}),
			// Longer than what some servers read: they may hang up.
			open(),
			say("AUTH CRAM-MD5").Must(asked),
			say(b64(times(8192, "u"), " ", times(32, "a"))).Pass("535", "501", "-ERR").Warn(refused, gone).Fail(in, asked).
				Because("the response has a name of 8,192 octets"),
			ifAccount(script.Each(nearlyCRAM, func(n nearly) []script.Step {
				return steps{
					open(),
					logIn().Alter(n.alter).Pass("535", "501", "-ERR").Warn(refused).Fail(in, gone).Because("the digest is right, but " + n.what),
				}
			})),
			open(), alive(),
		},
		Sabotage: bug("malformed-forgiven"),
	},
	script.Case{
		ID: "sasl/cram/003", Title: "Letter case of the digest, and blanks in the name", Since: "2026.1",
		Level: should, Refs: refs("RFC 2195 2"),
		Says: "A digest is written in small letters; one in capitals is another text. " +
			"A name may have blanks: what is behind the last one is the digest.",
		Needs: needs{Mechanisms: only(login.CRAMMD5), Account: true, State: func(s *login.Setup) {
			s.Accounts = append(s.Accounts, login.Account{Name: blankName, Password: blankPassword})
		}},
		Steps: steps{
			open(),
			logIn().Alter(digestIs(strings.ToUpper)).Pass(refused).Warn(in).Because("a digest in capitals is taken"),
			open(),
			logIn().Keep("login").Pass(in),
			leaving,
			// Elsewhere nobody has the name.
			open(),
			logIn().By(login.PLAIN).As(withBlanks, withBlanksPassword).Keep("there").Must(in, refused),
			when(letIn("there"),
				leaving,
				open(),
				logIn().As(withBlanks, withBlanksPassword).Pass(in).Fail(refused).Because("the name has blanks, and another way to log in takes it"),
			),
		},
		Sabotage: orAnswers(answers("AUTH CRAM-MD5", "235", "535 5.7.8 wrong"), "AUTH CRAM-MD5", "+OK", "-ERR [AUTH] wrong"),
	},
)

// An account of ours whose name is more than a word.
const (
	blankName     = "two words"
	blankPassword = "and a password of more"
)

var (
	withBlanks         = script.Made("<name with blanks>", func(*script.Play) string { return blankName })
	withBlanksPassword = script.Made("<its password>", func(*script.Play) string { return blankPassword })
)

// letIn: the answer that was kept under a name confirms a login.
func letIn(name string) func(*script.Play) bool {
	return func(p *script.Play) bool {
		return strings.HasPrefix(p.Value(name), "235") || strings.HasPrefix(p.Value(name), "+OK")
	}
}

// messageID is RFC 822's, without white space and quotes.
var messageID = regexp.MustCompile(`^<[^<>@\s]+@([^<>@\s]+)>$`)

// cramChallenge judges the challenge that was kept.
func cramChallenge(p *script.Play) (login.Verdict, string) {
	challenge, ok := decoded(p.Value("challenge"))
	id := messageID.FindStringSubmatch(challenge)
	switch {
	case !ok:
		return login.Fail, "the challenge is no base64"
	case id == nil:
		return login.Fail, fmt.Sprintf("the challenge %.60q has not the form <...@...>", challenge)
	case !strings.Contains(id[1], "."):
		return login.Warn, fmt.Sprintf("the challenge calls the server %q, which is no full name", id[1])
	default:
		return login.Pass, ""
	}
}

// decoded is the challenge in a line that asks for more.
func decoded(line string) (challenge string, ok bool) {
	_, text, _ := strings.Cut(line, " ")
	octets, err := base64.StdEncoding.DecodeString(text)
	return string(octets), err == nil
}

var notCRAM = []notMessage{
	{"nothing in it", []any{""}},
	{"a name alone", []any{decoyName}},
	{"a name and a blank", []any{decoyName, " "}},
	{"a digest of one digit", []any{decoyName, " a"}},
	{"a digest of 8 digits", []any{decoyName, " deadbeef"}},
	{"a digest of 31 digits", []any{decoyName, " ", times(31, "a")}},
	{"a digest of 33 digits", []any{decoyName, " ", times(33, "a")}},
	{"a digest of 52 digits", []any{decoyName, " ", times(52, "a")}},
	{"a digest without digits", []any{decoyName, " ", times(32, "x")}},
	{"an empty name", []any{" ", times(32, "a")}},
	{"a NUL in place of the blank", []any{decoyName, "\x00", times(32, "a")}},
	{"a name with a blank that nobody has", []any{decoyName, " b ", times(32, "a")}},
}

// nearly is a right response with something wrong in it.
type nearly struct {
	what  string
	alter func(*script.Play, int, []byte) []byte
}

var nearlyCRAM = []nearly{
	{"its last digit is missing", digestIs(func(d string) string { return d[:len(d)-1] })},
	{"there is half of it", digestIs(func(d string) string { return d[:len(d)/2] })},
	{"there is none of it", digestIs(func(string) string { return "" })},
	{"there is a digit behind it", digestIs(func(d string) string { return d + "0" })},
	{"there is a NUL behind it", digestIs(func(d string) string { return d + "\x00" })},
	{"a NUL stands before it", func(_ *script.Play, _ int, m []byte) []byte {
		return []byte(strings.Replace(string(m), " ", "\x00", 1))
	}},
}

// digestIs makes another digest of a response's.
func digestIs(of func(string) string) func(*script.Play, int, []byte) []byte {
	return func(_ *script.Play, _ int, m []byte) []byte {
		at := strings.LastIndexByte(string(m), ' ') + 1
		return []byte(string(m[:at]) + of(string(m[at:])))
	}
}
