package compliance

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

// byDigest is what a case of DIGEST-MD5 needs that logs in.
var byDigest = needs{Mechanisms: only(login.DIGESTMD5), Account: true}

// DIGEST-MD5, which RFC 6331 has moved to historic.
var _ = register(
	script.Case{
		ID: "sasl/digest/001", Title: "The challenge", Since: "2026.1",
		Level: must, Refs: refs("RFC 2831 2.1.1", "RFC 2831 7.1"),
		Says: "The challenge has one nonce, one algorithm, which is md5-sess, and no directive twice but the realm; " +
			"none that SASL has no use for, ciphers only where there is something to encrypt, and less than 2,048 octets.",
		Needs: needs{Mechanisms: only(login.DIGESTMD5)},
		Steps: steps{
			open(),
			say("AUTH DIGEST-MD5").Keep("challenge").Pass(asked),
			check(digestChallenge),
			say("*").Must(refused),
		},
		// charset=utf-8,nonce="x",algorithm=md5
		Sabotage: orAnswers(answers("AUTH DIGEST", "334", "334 Y2hhcnNldD11dGYtOCxub25jZT0ieCIsYWxnb3JpdGhtPW1kNQ=="),
			"AUTH DIGEST", "+ ", "+ Y2hhcnNldD11dGYtOCxub25jZT0ieCIsYWxnb3JpdGhtPW1kNQ=="),
	},
	script.Case{
		ID: "sasl/digest/003", Title: "Responses that are none", Since: "2026.1",
		Level: must, Refs: refs("RFC 2831 2.1.2", "RFC 2831 2.1.3", "RFC 2831 7.1", "RFC 6331 1"),
		Says: "A response in which a directive is missing, twice, of another exchange or not among what was offered is refused " +
			"although its digest is right for what it says; and so is one that cannot be read.",
		Needs: byDigest,
		Steps: steps{
			on("other", open(), say("AUTH DIGEST-MD5").Keep("other").Must(asked)),
			script.Each(notDigest, func(n notResponse) []script.Step {
				return steps{open(), script.Digest().Response(n.of).
					Pass("535", "501", "-ERR").Fail(in, gone).Because("the response has " + n.what).Warn(refused)}
			}),
			script.Each(oddDigest, func(n notResponse) []script.Step {
				return steps{open(), script.Digest().Response(n.of).
					Pass("535", "501", "-ERR").Warn(in, refused, "421", gone).Because("the response has " + n.what)}
			}),
			open(),
			script.Digest().Pass(in),
		},
		Sabotage: bug("malformed-forgiven"),
	},
	script.Case{
		ID: "sasl/digest/004", Title: "The server proves that it has the password", Since: "2026.1",
		Level: must, Refs: refs("RFC 2831 2.1.3", "RFC 4422 3.6"),
		Says: "Before a login is confirmed the server shows by a digest of its own that it has the password: " +
			"in a challenge, which the client answers with nothing.",
		Needs: byDigest,
		Steps: steps{
			open(),
			script.Digest().Pass(in),
			authenticated(),
		},
		Sabotage: bug("server-proof-wrong"),
	},
)

// The directives of a challenge (RFC 2831 2.1.1). The last are HTTP's.
var (
	atMostOnce = []string{"nonce", "qop", "stale", "maxbuf", "charset", "algorithm", "cipher"}
	areTokens  = []string{"stale", "maxbuf", "charset", "algorithm"}
	areQuoted  = []string{"realm", "nonce", "qop", "cipher"}
	notInSASL  = []string{"opaque", "domain"}
)

// digestChallenge judges the challenge that was kept.
func digestChallenge(p *script.Play) (login.Verdict, string) {
	challenge, ok := decoded(p.Value("challenge"))
	directives, parsed := script.Directives(challenge)
	if !ok || !parsed {
		return login.Fail, "the challenge is no list of directives in base64"
	}
	values := map[string][]string{}
	verdict, reason := login.Pass, ""
	for _, d := range directives {
		values[d.Name] = append(values[d.Name], d.Value)
		switch {
		case slices.Contains(notInSASL, d.Name):
			return login.Fail, d.Name + " is not for SASL"
		case slices.Contains(atMostOnce, d.Name) && len(values[d.Name]) > 1:
			return login.Fail, d.Name + " is there twice"
		case d.Quoted && slices.Contains(areTokens, d.Name):
			verdict, reason = login.Warn, d.Name+" is quoted, and the grammar has it without"
		case !d.Quoted && slices.Contains(areQuoted, d.Name):
			verdict, reason = login.Warn, d.Name+" is not quoted, and the grammar has it so"
		}
	}
	value := func(name string) string { return strings.ToLower(strings.Join(values[name], "")) }
	encrypts := strings.Contains(value("qop"), "auth-conf")
	switch {
	case len(challenge) >= 2048:
		return login.Fail, fmt.Sprintf("the challenge has %d octets", len(challenge))
	case value("nonce") == "":
		return login.Fail, "there is no nonce"
	case value("algorithm") != "md5-sess":
		return login.Fail, fmt.Sprintf("the algorithm is %q", value("algorithm"))
	case values["charset"] != nil && value("charset") != "utf-8":
		return login.Fail, fmt.Sprintf("the charset is %q", value("charset"))
	case encrypts != (values["cipher"] != nil):
		return login.Fail, "ciphers go with auth-conf, and auth-conf with ciphers"
	default:
		return verdict, reason
	}
}

// notResponse is a digest-response that is none, or not of this exchange.
type notResponse struct {
	what string
	of   func(*script.Play, script.DigestResponse) string
}

// changed is a response with other directives, and the right digest for them.
func changed(of func(script.DigestResponse) script.DigestResponse) func(*script.Play, script.DigestResponse) string {
	return func(_ *script.Play, r script.DigestResponse) string { return of(r).Message() }
}

// spelt is the right response in other words.
func spelt(of func(r script.DigestResponse, message string) string) func(*script.Play, script.DigestResponse) string {
	return func(_ *script.Play, r script.DigestResponse) string { return of(r, r.Message()) }
}

// notDigest are those that nobody may take.
var notDigest = []notResponse{
	{"nothing in it", spelt(func(script.DigestResponse, string) string { return "" })},
	{"no username", changed(func(r script.DigestResponse) script.DigestResponse { return r.Without("username") })},
	{"no nonce", changed(func(r script.DigestResponse) script.DigestResponse { return r.Without("nonce") })},
	{"no cnonce", changed(func(r script.DigestResponse) script.DigestResponse { return r.Without("cnonce") })},
	{"no count", changed(func(r script.DigestResponse) script.DigestResponse { return r.Without("nc") })},
	{"no digest-uri", changed(func(r script.DigestResponse) script.DigestResponse { return r.Without("digest-uri") })},
	{"no digest", spelt(func(r script.DigestResponse, _ string) string { return r.Unproven() })},
	{"two usernames", changed(func(r script.DigestResponse) script.DigestResponse { return r.Twice("username") })},
	{"two nonces", changed(func(r script.DigestResponse) script.DigestResponse { return r.Twice("nonce") })},
	{"two sizes", changed(func(r script.DigestResponse) script.DigestResponse { return r.With("maxbuf", "65536").Twice("maxbuf") })},
	{"two digests", spelt(func(r script.DigestResponse, m string) string { return m + ",response=" + r.Proof() })},
	{"the nonce of another connection", func(p *script.Play, r script.DigestResponse) string {
		return r.With("nonce", besides(p, "nonce")).Message()
	}},
	{"a nonce of its own", changed(func(r script.DigestResponse) script.DigestResponse { return r.With("nonce", "b3duIG5vbmNl") })},
	{"the count of a second login", changed(func(r script.DigestResponse) script.DigestResponse { return r.With("nc", "00000002") })},
	{"a protection that is not offered", func(p *script.Play, r script.DigestResponse) string {
		if strings.Contains(besides(p, "qop"), "auth-int") {
			return r.With("qop", "auth-nosuch").Message()
		}
		return r.With("qop", "auth-int").Message()
	}},
	{"an empty protection", changed(func(r script.DigestResponse) script.DigestResponse { return r.With("qop", "") })},
	{"a quotation without an end", spelt(func(_ script.DigestResponse, m string) string { return m + `,x="a` })},
	{"a username without an end", spelt(func(script.DigestResponse, string) string { return `username="a` })},
	{"half a digest", spelt(func(_ script.DigestResponse, m string) string { return m[:len(m)-16] })},
}

// oddDigest are those that a server should not take, or that no client may
// send: taking them opens nothing.
var oddDigest = []notResponse{
	{"another service in digest-uri", changed(func(r script.DigestResponse) script.DigestResponse {
		return r.With("digest-uri", "imap/"+hostOf(r))
	})},
	{"a realm that is not offered", changed(func(r script.DigestResponse) script.DigestResponse {
		return r.With("realm", "elsewhere.invalid")
	})},
	{"a digest in capitals", spelt(func(r script.DigestResponse, m string) string {
		return strings.Replace(m, r.Proof(), strings.ToUpper(r.Proof()), 1)
	})},
	{"more than 4,096 octets", spelt(func(_ script.DigestResponse, m string) string { return m + `,x="` + strings.Repeat("a", 5000) + `"` })},
}

// besides is a directive of the challenge of the other connection.
func besides(p *script.Play, name string) string {
	challenge, _ := decoded(p.Value("other"))
	directives, _ := script.Directives(challenge)
	for _, d := range directives {
		if d.Name == name {
			return d.Value
		}
	}
	return ""
}

func hostOf(r script.DigestResponse) string {
	_, host, _ := strings.Cut(r.Value("digest-uri"), "/")
	return host
}
