package compliance

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

// authMechanisms are those that the cases of AUTH try it with where it does not
// matter which.
var authMechanisms = only(login.PLAIN, login.LOGIN, login.CRAMMD5, login.SCRAMSHA256)

// The list of EHLO, and what is refused at the command.
var _ = register(
	script.Case{
		ID: "smtp/auth/001", Title: "AUTH line in EHLO is well formed", Since: "2026.1",
		Level: must, Refs: refs("RFC 4954 3", "RFC 4422 3.1", "RFC 5321 4.1.1.1", "RFC 5321 4.5.3.1.5"),
		Says: "The parameters of AUTH in EHLO's answer are names of mechanisms with one blank between them: " +
			"up to 20 capital letters, digits, hyphens and underscores each, none twice. The line keeps to the length of a reply.",
		Needs:    needs{Offers: []string{"AUTH"}},
		Steps:    steps{script.OnEachLink(open(), check(authLine))},
		Sabotage: answers("greeting", "250-AUTH", "250-AUTH PLA%IN"),
	},
	script.Case{
		ID: "smtp/auth/002", Title: "Legacy AUTH= line says the same as AUTH", Since: "2026.1",
		Level: practice, Refs: refs("RFC 4954 3", "Postfix broken_sasl_auth_clients"),
		Says: "A server that repeats its list in the form AUTH=, which clients from before the standard read, " +
			"names the same mechanisms in both forms: old clients see the policy that new ones see.",
		Needs: needs{Offers: []string{"AUTH"}, State: func(s *login.Setup) {
			s.Posture.Script = &login.Script{LegacyAuth: login.LegacyToo}
		}},
		Steps: steps{
			script.OnEachLink(open(), script.Collect("legacy", legacyList)),
			check(func(p *script.Play) (login.Verdict, string) {
				if !slices.ContainsFunc(p.List("legacy"), func(s string) bool { return s != noLegacyList }) {
					return login.Skip, noLegacyList
				}
				for _, differs := range p.List("legacy") {
					if differs != "" && differs != noLegacyList {
						return login.Fail, differs
					}
				}
				return login.Pass, ""
			}),
		},
		Sabotage: answers("greeting", "250-AUTH=", "250-AUTH=PLAIN"),
	},
	script.Case{
		ID: "smtp/auth/003", Title: "An unknown mechanism is refused", Since: "2026.1",
		Level: must, Refs: refs("RFC 4954 4"),
		Says:  "AUTH with a mechanism that the server does not support is refused with 504 5.5.4; the session goes on, and nobody is logged in.",
		Needs: needs{Offers: []string{"AUTH"}},
		Steps: steps{
			open(),
			say("AUTH X-NOSUCH").Pass("504").Warn(refused),
			alive(),
			notAuthenticated(),
		},
		Sabotage: answers("AUTH X-NOSUCH", "504", "334 "),
	},
	script.Case{
		ID: "smtp/auth/004", Title: "AUTH without argument", Since: "2026.1",
		Level: should, Refs: refs("RFC 4954 8", "RFC 5321 4.2.2"),
		Says:  "AUTH that names no mechanism is a syntax error and begins no exchange.",
		Needs: needs{Offers: []string{"AUTH"}},
		Steps: steps{
			open(),
			say("AUTH").Pass("501").Warn(refused),
			alive(),
		},
		Sabotage: answers("AUTH", "501", "334 "),
	},
	script.Case{
		ID: "smtp/auth/005", Title: "Illegal mechanism names", Since: "2026.1",
		Level: should, Refs: refs("RFC 4422 3.1", "RFC 4954 8"),
		Says: "A name with characters that no mechanism may have, or one that is too long for any, is refused like one that nobody knows, " +
			"and its control characters do not come back in the answer.",
		Needs: needs{Offers: []string{"AUTH"}},
		Steps: steps{
			open(),
			say("AUTH PLA%sIN").Pass("501", "504").Warn(refused),
			say("AUTH ", times(64, "A")).Pass("501", "504").Warn(refused),
			alive(),
			open(),
			say("AUTH X\x01").Keep("answer").Pass("500", "501", "504").Warn(refused),
			check(func(p *script.Play) (login.Verdict, string) {
				if strings.ContainsRune(p.Value("answer"), '\x01') {
					return login.Warn, "a control character of the command came back in the answer"
				}
				return login.Pass, ""
			}),
			alive(),
		},
		Sabotage: answers("AUTH PLA%SIN", "504", "334 "),
	},
	script.Case{
		ID: "smtp/auth/006", Title: "Keyword and mechanism are case-insensitive", Since: "2026.1",
		Level: must, Refs: refs("RFC 4954 8", "RFC 5321 2.4"),
		Says:  "AUTH and the name of a mechanism mean the same in capital and in small letters.",
		Needs: needs{Mechanisms: authMechanisms, AnyMechanism: true},
		Steps: steps{
			open(),
			say("aUtH ", script.Made("<mEcHaNiSm>", func(p *script.Play) string { return mixedCase(string(p.With())) })).Pass(asked),
			say("*").Must(refused),
		},
		Sabotage: bug("upper-case-only"),
	},
	script.Case{
		ID: "smtp/auth/041", Title: "White space around the AUTH arguments", Since: "2026.1",
		Level: may, Refs: refs("RFC 4954 8"),
		Says: "One blank stands before each argument of AUTH. A server may forgive more, but answers once; " +
			"a third argument is a syntax error, and what stands before it is not judged.",
		Needs: needs{Mechanisms: only(login.PLAIN)},
		Steps: steps{
			open(),
			say("AUTH PLAIN  ", decoy).Pass("535", "501").Warn(refused),
			say("AUTH PLAIN ", decoy, " ").Pass("535", "501").Warn(refused),
			alive(),
			open(),
			say("AUTH PLAIN ", decoy, " extra").Pass("501").Warn(refused),
			alive(),
			ifAccount(
				open(),
				say("AUTH PLAIN ", goodPlain, " extra").Pass("501").Warn(refused).
					Fail(in).Because("an argument that is not there in the grammar was overlooked"),
			),
		},
		Sabotage: answers("AUTH PLAIN", "501", "235 2.7.0 welcome"),
	},
)

// goodPlain is PLAIN's message of the account (RFC 4616 2).
var goodPlain = b64("\x00", user, "\x00", password)

// mixedCase writes every second letter small.
func mixedCase(name string) string {
	letters := []byte(name)
	for i := 1; i < len(letters); i += 2 {
		letters[i] = strings.ToLower(string(letters[i]))[0]
	}
	return string(letters)
}

var mechanismName = regexp.MustCompile(`^[A-Z0-9_-]{1,20}$`)

// longestAuthLine is a line of a reply without code, separator and end (RFC 5321
// 4.5.3.1.5).
const longestAuthLine = 512 - len("250-\r\n")

// authLine judges the lists of a connection: "AUTH" and what follows it.
func authLine(p *script.Play) (login.Verdict, string) {
	verdict, reason := login.Pass, ""
	weak := func(format string, args ...any) { verdict, reason = login.Warn, fmt.Sprintf(format, args...) }
	seen := map[string]bool{}
	for _, line := range p.Lines() {
		keyword, list, _ := strings.Cut(line, " ")
		if !strings.EqualFold(keyword, "AUTH") {
			continue
		}
		if len(line) > longestAuthLine {
			return login.Fail, fmt.Sprintf("the line is %d octets longer than a reply's", len(line)-longestAuthLine)
		}
		if list == "" {
			weak("the list is empty")
			continue
		}
		for _, name := range strings.Split(list, " ") {
			switch upper := strings.ToUpper(name); {
			case name == "":
				weak("there is more than one blank between names, or one behind them")
			case !mechanismName.MatchString(upper):
				return login.Fail, fmt.Sprintf("%.40q cannot be the name of a mechanism", name)
			case name != upper:
				weak("%s is not in capitals", name)
			case seen[name]:
				weak("%s is listed twice", name)
			default:
				seen[name] = true
			}
		}
	}
	return verdict, reason
}

const noLegacyList = "there is no line AUTH="

// legacyList compares the two forms of the list: "" is that they are the same.
func legacyList(p *script.Play) string {
	forms := map[string][]string{}
	for _, line := range p.Lines() {
		for _, form := range []string{"AUTH ", "AUTH="} {
			if len(line) >= len(form) && strings.EqualFold(line[:len(form)], form) {
				forms[form] = append(forms[form], strings.Fields(strings.ToUpper(line[len(form):]))...)
			}
		}
	}
	old, standard := slices.Sorted(slices.Values(forms["AUTH="])), slices.Sorted(slices.Values(forms["AUTH "]))
	switch {
	case forms["AUTH="] == nil:
		return noLegacyList
	case !slices.Equal(slices.Compact(old), slices.Compact(standard)):
		return fmt.Sprintf("%s: AUTH= lists %s, and AUTH %s", p.Transport(), strings.Join(old, " "), strings.Join(standard, " "))
	default:
		return ""
	}
}
