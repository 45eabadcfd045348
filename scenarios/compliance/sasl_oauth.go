package compliance

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

// aBearer: the mechanism hands over a bearer token.
var aBearer which = func(_ *script.Play, m login.Mechanism) bool { return slices.Contains(bearerTokens, m) }

// offeredSomewhere: some link takes it.
func offeredSomewhere(of which) which {
	return func(p *script.Play, m login.Mechanism) bool {
		return of(p, m) && p.Survey().Observed(m) != login.Unknown
	}
}

// errorMessage is what a client says to an error result, so that the server can
// finish (RFC 7628 3.2.3; XOAUTH2 has an empty line there).
var errorMessage = script.Made("<answer to the error result>", func(p *script.Play) string {
	if p.With() == login.OAUTHBEARER {
		return "AQ=="
	}
	return ""
})

// toldInJSON: the refusal began with an error result.
func toldInJSON(p *script.Play) bool {
	return strings.HasPrefix(p.Value("result"), "334") || strings.HasPrefix(p.Value("result"), "+ ")
}

// bearer is OAUTHBEARER's message with something between name and token.
func bearer(between string) script.Part {
	return b64("n,a=", script.SASLName, ",\x01", between, "auth=Bearer ", script.Token, "\x01\x01")
}

var _ = register(
	script.Case{
		ID: "sasl/oauth/001", Title: "No token in clear", Since: "2026.1",
		Level: must, Refs: refs("RFC 7628 3", "RFC 7628 5", "RFC 6750 5.3"),
		Says: "OAUTHBEARER and XOAUTH2 are neither offered nor taken up on a clear connection: " +
			"whoever hears a bearer token can use it.",
		Needs: needs{Link: clear, State: mixedBut(login.Secure, bearerTokens...)},
		Steps: steps{
			atLeastOne(offeredSomewhere(aBearer), "no mechanism with bearer tokens"),
			script.Among(bearerTokens, aBearer,
				open(),
				check(func(p *script.Play) (login.Verdict, string) {
					if p.Here(p.With()) {
						return login.Fail, "it is offered in clear"
					}
					return login.Pass, ""
				}),
				begin().Pass(refused).Fail(asksForIt).Because("in clear the token is asked for"),
			),
		},
		Sabotage: bug("secure-ignored-on-plain"),
	},
	script.Case{
		ID: "sasl/oauth/002", Title: "A bad token: an error result, then the refusal", Since: "2026.1",
		Level: must, Refs: refs("RFC 7628 3.2.2", "RFC 7628 3.2.3", "Google XOAUTH2"),
		Says: "A token that is no good is answered by an error result in JSON that has a status, as a challenge; " +
			"what the client says to that is answered by the refusal.",
		Needs: needs{Mechanisms: bearerTokens, Link: encrypted},
		Steps: steps{
			open(),
			begin().Must(asked),
			say(script.Decoy).Keep("result").Pass(asked).Warn("535", "-ERR").Because("there is no error result").Fail(in),
			when(toldInJSON,
				check(errorResult),
				say(errorMessage).Pass("535", "-ERR").Warn(refused).Fail(in),
			),
			notAuthenticated(),
		},
		Sabotage: orAnswers(answers("", "334 ey", "334 bm8gSlNPTg=="), "", "+ ey", "+ bm8gSlNPTg=="),
	},
	script.Case{
		ID: "sasl/oauth/003", Title: "Messages are what the grammar says", Since: "2026.1",
		Level: must, Refs: refs("RFC 7628 3.1", "RFC 5801 4", "RFC 7628 4"),
		Says: "A message that is not one of OAUTHBEARER is refused even with a token that is good, and so is somebody else's name; " +
			"a key that the server does not know is ignored, and the scheme is known in any letter case.",
		Needs: needs{Mechanisms: only(login.OAUTHBEARER), Link: encrypted, Issued: true},
		Steps: steps{
			open(), begin().Must(asked), say(bearer("x=1\x01")).Pass(in).Because("an unknown key is to be ignored"), leaving,
			open(), begin().Must(asked),
			say(b64("n,a=", script.SASLName, ",\x01auth=bearer ", script.Token, "\x01\x01")).
				Pass(in).Because("the scheme has no letter case"), leaving,
			script.Each(notBearer, func(m badBearer) []script.Step {
				return steps{
					open(), begin().Must(asked),
					say(b64(m.parts...)).Keep("result").Pass(refused, asked).Fail(in, gone).Because("a message with " + m.what),
					when(toldInJSON, say("AQ==").Pass(refused).Fail(in, gone).Because("a message with "+m.what)),
				}
			}),
			open(), alive(),
		},
		Sabotage: bug("authzid-ignored"),
	},
	script.Case{
		ID: "sasl/oauth/004", Title: "The host is this one", Since: "2026.1",
		Level: must, Refs: refs("RFC 7628 3.2"),
		Says: "A client that says it has come to another server is refused, though its token is good: " +
			"who runs that other server would pass the message on.",
		Needs: needs{Mechanisms: only(login.OAUTHBEARER), Link: encrypted, Issued: true},
		Steps: steps{
			open(), logIn().Must(in), leaving,
			open(), begin().Must(asked),
			say(bearer("host=evil.example\x01")).Keep("result").Pass(refused, asked).Fail(in).Because("the client means another server"),
			when(toldInJSON, say("AQ==").Pass(refused).Fail(in).Because("the client means another server")),
		},
		Sabotage: orAnswers(answers("BIXHP", "334", "235 2.7.0 welcome"), "BIXHP", "+ ", "+OK welcome"),
	},
	script.Case{
		ID: "sasl/oauth/005", Title: "Tokens that nobody has signed for this", Since: "2026.1",
		Level: practice, Refs: refs("RFC 8725 3.1", "RFC 8725 3.10", "RFC 9068 4", "CVE-2021-29157"),
		Says: "A token is refused that is unsigned, signed by somebody else or in another way, changed, expired, " +
			"or meant for something else; its own word for how it is signed counts for nothing.",
		Needs: needs{Mechanisms: bearerTokens, AnyMechanism: true, Link: encrypted, Issued: true},
		Steps: steps{
			open(), logIn().Must(in), leaving,
			script.Each(login.Flaws(), func(f login.Flaw) []script.Step {
				return steps{open(), logIn().Flawed(f).Pass(refused).Fail(in).Because("a token that is " + flawsInWords[f])}
			}),
			when((*script.Play).HasJWT, script.Each(forgeries, func(f forgery) []script.Step {
				return steps{open(), logIn().Alter(script.WithToken(f.of)).Pass(refused).Fail(in).Because("a token " + f.what)}
			})),
			notAuthenticated(),
		},
		Sabotage: bug("forged-taken"),
	},
)

// errorResult demands JSON with a status; an address of OpenID's that is there
// is one of HTTPS.
func errorResult(p *script.Play) (login.Verdict, string) {
	_, text, _ := strings.Cut(p.Value("result"), " ")
	decoded, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return login.Fail, "the error result is no base64"
	}
	var result struct {
		Status string `json:"status"`
		OpenID string `json:"openid-configuration"`
	}
	switch err := json.Unmarshal(decoded, &result); {
	case err != nil:
		return login.Fail, "the error result is no JSON"
	case result.Status == "":
		return login.Fail, "the error result has no status"
	case result.OpenID != "" && !strings.HasPrefix(result.OpenID, "https://"):
		return login.Fail, "the address of openid-configuration is none of HTTPS"
	default:
		return login.Pass, ""
	}
}

// badBearer is a message that is none of OAUTHBEARER, or does not fit the
// token.
type badBearer struct {
	what  string
	parts []any
}

var notBearer = []badBearer{
	{"nothing but the octet that ends an exchange", []any{"\x01"}},
	{"an end that is cut short", []any{"n,a=", script.SASLName, ",\x01auth=Bearer ", script.Token, "\x01"}},
	{"nothing between header and token", []any{"n,a=", script.SASLName, ",auth=Bearer ", script.Token}},
	{"no scheme before the token", []any{"n,a=", script.SASLName, ",\x01auth=", script.Token, "\x01\x01"}},
	{"an equals sign in the name that quotes nothing", []any{"n,a==x", script.SASLName, ",\x01auth=Bearer ", script.Token, "\x01\x01"}},
	{"an unknown flag", []any{"x,a=", script.SASLName, ",\x01auth=Bearer ", script.Token, "\x01\x01"}},
	{"no token yet", []any{"n,a=", script.SASLName, ",\x01auth=\x01\x01"}},
	{"a very long token", []any{"n,a=", script.SASLName, ",\x01auth=Bearer ", times(8000, "a"), "\x01\x01"}},
	{"the name of somebody else", []any{"n,a=", otherUser, ",\x01auth=Bearer ", script.Token, "\x01\x01"}},
}

var flawsInWords = map[login.Flaw]string{
	login.Forged: "signed by somebody else", login.Expired: "expired",
	login.Elsewhere: "for another audience", login.Narrow: "not for mail",
}

// forgery is a JWT that is not as it was issued.
type forgery struct {
	what string
	of   func(token string) string
}

var forgeries = []forgery{
	{"that says it is not signed", script.Unsigned("none")},
	{"that says so in other letters", script.Unsigned("nOnE")},
	{"without its signature", script.Stripped},
	{"that was changed", script.Amended},
	{"signed with an empty key", script.SignedByNobody("")},
	{"signed with the key in an empty file", script.SignedByNobody("../../../../dev/null")},
}
