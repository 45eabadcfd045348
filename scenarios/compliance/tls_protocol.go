package compliance

import (
	"crypto/tls"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

// Who comes for another protocol, and doors that are not alike.

var _ = register(
	script.Case{
		ID: "tls/alpn/001", Title: "Cross-protocol: wrong ALPN is refused", Since: "2026.1",
		Level: should, Refs: refs("RFC 7301 3.2", "RFC 9325 3.8", "ALPACA 2021"),
		Says: "A client that names the protocols that it would speak, none of them the server's, is refused by the alert no_application_protocol. " +
			"One that names the right one is served, and one that names none.",
		Steps: steps{
			onEachTLS(
				approach(),
				handshake("ALPN http/1.1", unverified, script.ALPN("http/1.1")).
					Fail("~ alpn http/1\\.1").Because("a mail server agrees to speak HTTP").
					Pass("alert 120").Warn(up).Because("the protocol is not looked at").Warn(alert, gone),
				approach(),
				perProtocol(
					// No registry knows it; servers that look do.
					handshake("ALPN smtp", unverified, script.ALPN("smtp")).Pass(up).Warn(alert, gone),
					handshake("ALPN pop3", unverified, script.ALPN("pop3")).Pass(up).Fail(alert, gone),
				),
				approach(),
				handshake("no ALPN", unverified).Pass(up).Fail(alert, gone),
			),
		},
		Sabotage: answers("ALPN HTTP/1.1", "alert 120", "up TLS 1.3 TLS_AES_128_GCM_SHA256 alpn http/1.1"),
	},
	script.Case{
		ID: "tls/alpaca/001", Title: "HTTP request to a mail port ends fast and reflects little", Since: "2026.1",
		Level: practice, Refs: refs("ALPACA 2021", "RFC 9325 3.9"),
		Says: "A browser that was led to the server inside TLS is not talked to for long: " +
			"the server ends the session, says nothing of the request again, and obeys no line of it.",
		Steps: steps{
			onEachTLS(
				approach(),
				handshake("the handshake", unverified).Must(up),
				when(implicitHere, answer().Must(ok)),
				browser("POST / HTTP/1.1\r\n").Keep("said").Pass(refused, "221", "421", gone, silent).Fail(ok).Because("a line of the request was obeyed"),
				script.Each([]int{2, 3, 4, 5, 6, 7}, func(nth int) []script.Step {
					said := answer().Keep("said").Pass("221", "421", gone, silent).Fail(ok).Because("a line of the request was obeyed")
					if nth <= fewLines {
						said.Pass(refused)
					}
					return steps{said.Warn(refused).Because("the session goes on")}
				}),
				check(reflectsNothing),
			),
		},
		Sabotage: orAnswers(answers("POST", "500", "250 mail.example.test"), "POST", "-ERR", "+OK mail.example.test"),
	},
	script.Case{
		ID: "tls/equal/001", Title: "Implicit and STARTTLS doors are configured alike", Since: "2026.1",
		Level: should, Refs: refs("RFC 9325 3.9", "CVE-2016-0800"),
		Says: "The same service has the same TLS by every door: versions, suites, groups, extensions and certificate. " +
			"A door that is weaker than the other lets an attacker choose it.",
		Steps: steps{
			onEachTLS(
				likeness("SSL 3.0", everySuite(wire.VersionSSL30)),
				likeness("TLS 1.0", everySuite(tls.VersionTLS10)),
				likeness("TLS 1.1", everySuite(tls.VersionTLS11)),
				likeness("TLS 1.2", everySuite(tls.VersionTLS12)),
				likeness("TLS 1.2 with ALPN", helloWithALPN("http/1.1")),
				likeness("TLS 1.3", hello13()),
				approach(),
				handshake("the handshake", unverified).Must(up),
				script.Collect("certificate", fingerprint),
			),
			check(doorsAlike),
		},
		Sabotage: answers("TLS 1.0 OVER TLS", "", "hello TLS 1.0 TLS_RSA_WITH_AES_128_CBC_SHA"),
	},
)

// fewLines of a request may be refused before the session ends.
const fewLines = 3

// browser is a request as a browser makes one, with commands of the protocol
// in it that somebody wrote into a form.
func browser(first string) *script.Saying {
	return octets(first+"Host: mail.example\r\nContent-Type: text/plain\r\n\r\nEHLO mailmatrix.invalid\r\nCAPA\r\n", reflected, "\r\n")
}

// reflected would be a script, if it came back.
const reflected = "<b>reflected</b>"

func reflectsNothing(p *script.Play) (login.Verdict, string) {
	for _, line := range p.List("said") {
		if strings.Contains(strings.ToLower(line), reflected) {
			return login.Fail, "the request is sent back: " + line
		}
	}
	return login.Pass, ""
}

func helloWithALPN(protocols ...string) wire.ClientHello {
	h := everySuite(tls.VersionTLS12)
	h.ALPN = protocols
	return h
}

// The hellos whose answers must be alike, and those that a weak door answers.
var (
	alikeness = []string{"SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.2 with ALPN", "TLS 1.3"}
	weakDoor  = map[string]bool{"SSL 3.0": true, "TLS 1.0": true, "TLS 1.1": true}
)

// likeness keeps the answer to a hello, whatever it is.
func likeness(name string, h wire.ClientHello) script.Step {
	return greetWith(name, h).Keep(name).Must(helloed, alert, gone, silent, inClear)
}

func fingerprint(p *script.Play) string { return string(p.Talk().TLSState().PeerCertificates[0].Raw) }

func doorsAlike(p *script.Play) (login.Verdict, string) {
	if len(p.List("certificate")) < 2 {
		return login.Skip, "there is but one way into TLS"
	}
	verdict, reason := login.Pass, ""
	for _, name := range alikeness {
		a, b := sameRefusal(p.List(name)[0]), sameRefusal(p.List(name)[1])
		switch {
		case a == b:
		case weakDoor[name]:
			return login.Fail, "one door answers " + name + " by " + a + ", the other by " + b
		case verdict == login.Pass:
			verdict, reason = login.Warn, "one door answers "+name+" by "+a+", the other by "+b
		}
	}
	if certificates := p.List("certificate"); verdict == login.Pass && certificates[0] != certificates[1] {
		return login.Warn, "the certificates differ"
	}
	return verdict, reason
}

// sameRefusal takes all refusals for the same.
func sameRefusal(seen string) string {
	if !strings.HasPrefix(seen, helloed) {
		return "a refusal"
	}
	return seen
}
