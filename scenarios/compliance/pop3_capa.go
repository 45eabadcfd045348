package compliance

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

// CAPA: what a server says that it can do, and whether it can.
var _ = register(
	script.Case{
		ID: "pop3/capa/001", Title: "CAPA form", Since: "2026.1",
		Level: must, Refs: refs("RFC 2449 3", "RFC 2449 5", "RFC 2595 4"),
		Says: "CAPA is answered by one capability in each line: a tag in visible characters without a dot, then its arguments, " +
			"each behind one blank, 512 octets at most. A server that has STLS has CAPA.",
		Steps: steps{
			script.OnEachLink(
				open(),
				say("CAPA").Listing().Keep("capa").Must("+OK", "-ERR"),
				check(capaForm),
				say("QUIT").Must("+OK"),
			),
		},
		Sabotage: answers("CAPA", "UIDL", "UIDL  twice "),
	},
	script.Case{
		ID: "pop3/capa/002", Title: "What was announced before login is announced after", Since: "2026.1",
		Level: must, Refs: refs("RFC 2449 5", "RFC 2449 6", "RFC 5034 3", "RFC 3206 6"),
		Says: "A capability that CAPA lists before the login is listed after it too, with the same arguments where these may not differ; " +
			"only STLS goes, which is permitted no more.",
		Needs: inMailbox,
		Steps: steps{
			script.Enter(logIn().Must(in)),
			check(func(p *script.Play) (login.Verdict, string) {
				if p.Lines() == nil {
					return login.Skip, "there is no CAPA"
				}
				return login.Pass, ""
			}),
			say("CAPA").Listing().Keep("after").Pass("+OK"),
			check(stillAnnounced),
			say("QUIT").Must("+OK"),
		},
		Sabotage: answers("CAPA", "UIDL", "X-NOTHING"),
	},
	script.Case{
		ID: "pop3/capa/003", Title: "STLS only where it can be used", Since: "2026.1",
		Level: must, Refs: refs("RFC 2595 4"),
		Says: "CAPA lists STLS where the server would begin TLS, and only there: not inside TLS, and not after a login.",
		Steps: steps{
			check(func(p *script.Play) (login.Verdict, string) {
				for _, offer := range p.Survey().Links {
					if offer.Capabilities != nil {
						return login.Pass, ""
					}
				}
				return login.Skip, "there is no CAPA"
			}),
			script.OnEachLink(
				open(),
				script.When(listsInsideTLS,
					check(noSTLS("inside TLS")),
					say("STLS").Pass("-ERR").Fail("+OK").Because("TLS is up already"),
				),
				script.When(listsInClear,
					say("STLS").Keep("STLS").Must("+OK", "-ERR"),
					check(stlsWhereListed),
					script.IfAccount(
						open(),
						script.When(offersUSER,
							say("USER ", user).Must("+OK"),
							say("PASS ", password).Must("+OK"),
							hello(),
							check(noSTLS("after a login")),
							say("QUIT").Must("+OK"),
						),
					),
				),
			),
		},
		Sabotage: bug("tls-again"),
	},
	script.Case{
		ID: "pop3/capa/004", Title: "SASL list form", Since: "2026.1",
		Level: must, Refs: refs("RFC 5034 3", "RFC 4422 3.1", "MS-OXPOP3 1.7"),
		Says: "There is one SASL line, with the names of mechanisms: 1 to 20 capitals, digits, hyphens and underscores each. " +
			"Where AUTH alone is answered by a list, that names the same.",
		Needs: needs{Offers: []string{"SASL"}},
		Steps: steps{
			script.OnEachLink(
				open(),
				say("AUTH").Listing().Keep("bare").Pass("+OK", "-ERR"),
				check(saslList),
				say("QUIT").Must("+OK"),
			),
		},
		Sabotage: bug("lists-malformed"),
	},
	script.Case{
		ID: "pop3/capa/005", Title: "RESP-CODES discipline", Since: "2026.1",
		Level: must, Refs: refs("RFC 2449 6.4", "RFC 2449 8", "RFC 3206 5", "RFC 3206 6"),
		Says: "With RESP-CODES, a text that begins with a bracket is a response code. With AUTH-RESP-CODE, " +
			"a refusal of name and password carries [AUTH], and one of a command that was no login does not.",
		Needs: needs{Mechanisms: pop3Logins, AnyMechanism: true, Offers: []string{"RESP-CODES"}},
		Steps: steps{
			open(),
			say("STAT").Keep("line").Pass("-ERR"),
			logIn().As(script.DecoyName, script.DecoyPassword).Keep("wrong").Pass("-ERR").Fail("+OK"),
			check(responseCodes),
			say("QUIT").Must("+OK"),
		},
		Sabotage: bug("wrong-password-as-unavailable"),
	},
	script.Case{
		ID: "pop3/capa/007", Title: "PIPELINING", Since: "2026.1",
		Level: must, Refs: refs("RFC 2449 6.6"),
		Says:  "Commands that arrive together are answered each in its turn, also where one of them is a login that succeeds or fails.",
		Needs: needs{Mechanisms: only(login.UserPass), Link: encrypted, Account: true, Offers: []string{"PIPELINING"}},
		Steps: steps{
			open(),
			octets("USER ", user, "\r\nPASS ", password, "\r\nSTAT\r\nQUIT\r\n").Pass("+OK"),
			answer().Pass("+OK"),
			answer().Pass(`~^\+OK \d+ \d+( |$)`),
			answer().Pass("+OK"),
			answer().Pass(gone),
			open(),
			octets("USER ", decoyName, "\r\nPASS ", decoyPassword, "\r\nSTAT\r\nQUIT\r\n").Pass("+OK", "-ERR"),
			answer().Pass("-ERR").Fail("+OK"),
			answer().Pass("-ERR").Fail("+OK").Because("nobody is logged in"),
			answer().Pass("+OK"),
			answer().Pass(gone),
		},
		Sabotage: answers("USER", "+OK 0 0", "-ERR log in first"),
	},
)

// capaLine is a line of CAPA (RFC 2449 3: no dot in the tag).
var capaLine = regexp.MustCompile(`^[!-\-/-~]+( [!-~]+)*$`)

func capaForm(p *script.Play) (login.Verdict, string) {
	if strings.HasPrefix(p.Value("capa"), "-ERR") {
		if p.Survey().Links[login.StartTLS].Open {
			return login.Fail, "there is STLS and no CAPA"
		}
		return login.Skip, "there is no CAPA"
	}
	seen := map[string]bool{}
	for _, line := range p.List("capa lines") {
		tag, _, _ := strings.Cut(strings.ToUpper(line), " ")
		switch {
		case !capaLine.MatchString(line):
			return login.Fail, fmt.Sprintf("%.60q is no capability", line)
		case len(line) > 510:
			return login.Fail, fmt.Sprintf("%.60q... has %d octets and its end", line, len(line))
		case seen[tag]:
			return login.Warn, tag + " is there twice"
		}
		seen[tag] = true
	}
	return login.Pass, ""
}

// mayDiffer are the capabilities that may have other arguments after the login
// (RFC 2449 6.5, 6.7).
var mayDiffer = []string{"LOGIN-DELAY", "EXPIRE"}

// stillAnnounced compares the two lists of a connection. What is missing and is
// good for nothing after the login is a warning: Dovecot and Cyrus drop it.
func stillAnnounced(p *script.Play) (login.Verdict, string) {
	after := p.List("after lines")
	var missed []string
	for _, line := range p.Lines() {
		tag, _, _ := strings.Cut(line, " ")
		same := func(other string) bool {
			otherTag, _, _ := strings.Cut(other, " ")
			return strings.EqualFold(other, line) || slices.Contains(mayDiffer, strings.ToUpper(tag)) && strings.EqualFold(otherTag, tag)
		}
		switch {
		case slices.ContainsFunc(after, same), strings.EqualFold(tag, "STLS"):
		case strings.EqualFold(tag, "USER"), strings.EqualFold(tag, "SASL"):
			missed = append(missed, tag)
		default:
			return login.Fail, fmt.Sprintf("%.60q is not listed any more after the login", line)
		}
	}
	if missed != nil {
		return login.Warn, strings.Join(missed, " and ") + " not listed any more after the login"
	}
	return login.Pass, ""
}

func listsInClear(p *script.Play) bool   { return p.Lines() != nil && !p.Transport().Encrypted() }
func listsInsideTLS(p *script.Play) bool { return p.Lines() != nil && p.Transport().Encrypted() }
func offersUSER(p *script.Play) bool     { return p.Talk().Offers("USER") }

func stlsWhereListed(p *script.Play) (login.Verdict, string) {
	switch listed, begun := p.Talk().Offers("STLS"), strings.HasPrefix(p.Value("STLS"), "+OK"); {
	case listed && !begun:
		return login.Fail, "STLS is listed and refused"
	case begun && !listed:
		return login.Fail, "STLS is granted and not listed"
	default:
		return login.Pass, ""
	}
}

func noSTLS(where string) func(*script.Play) (login.Verdict, string) {
	return func(p *script.Play) (login.Verdict, string) {
		if p.Talk().Offers("STLS") {
			return login.Fail, "STLS is listed " + where
		}
		return login.Pass, ""
	}
}

// saslNames is a SASL line (RFC 4422 3.1).
var saslNames = regexp.MustCompile(`^SASL( [A-Z0-9_-]{1,20})*$`)

func saslList(p *script.Play) (login.Verdict, string) {
	var lists []string
	for _, line := range p.Lines() {
		if tag, _, _ := strings.Cut(line, " "); strings.EqualFold(tag, "SASL") {
			lists = append(lists, line)
		}
	}
	switch {
	case len(lists) != 1:
		return login.Fail, fmt.Sprintf("there are %d SASL lines", len(lists))
	case !saslNames.MatchString(lists[0]):
		return login.Fail, fmt.Sprintf("%.100q is no list of mechanisms", lists[0])
	}
	names := strings.Fields(lists[0])[1:]
	slices.Sort(names)
	if strings.HasPrefix(p.Value("bare"), "+OK") {
		bare := slices.Sorted(slices.Values(p.List("bare lines")))
		if !slices.Equal(slices.Compact(bare), slices.Compact(slices.Clone(names))) {
			return login.Fail, fmt.Sprintf("CAPA lists %v, and AUTH alone %v", names, bare)
		}
	}
	switch {
	case len(names) == 0:
		return login.Warn, "the SASL line names no mechanism"
	case len(slices.Compact(slices.Clone(names))) < len(names):
		return login.Warn, "the SASL line names a mechanism twice"
	}
	return login.Pass, ""
}

// responseCode is what a text may begin with (RFC 2449 3).
var responseCode = regexp.MustCompile(`^(\+OK|-ERR) \[[!-.0-Z\\^-~]+(/[!-.0-Z\\^-~]+)*\]`)

func responseCodes(p *script.Play) (login.Verdict, string) {
	wrong := p.Value("wrong")
	for _, line := range []string{p.Talk().Greeting, p.Value("line"), wrong} {
		if _, text, _ := strings.Cut(line, " "); strings.HasPrefix(text, "[") && !responseCode.MatchString(line) {
			return login.Fail, fmt.Sprintf("%.60q begins with a bracket and has no response code", line)
		}
	}
	const code = "-ERR [AUTH]"
	switch announced := p.Talk().Offers("AUTH-RESP-CODE"); {
	case strings.HasPrefix(p.Value("line"), code):
		return login.Warn, "STAT before a login has the code of wrong credentials"
	case announced && !strings.HasPrefix(wrong, code):
		return login.Fail, fmt.Sprintf("AUTH-RESP-CODE is announced, and wrong credentials are answered by %.60q", wrong)
	default:
		return login.Pass, ""
	}
}
