package clientcases

import (
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/recording"
)

var _ = register(
	Case{
		ID: "client/smtp/001", Title: "A login to a good server", Since: "2026.1",
		Level: must, Refs: refs("RFC 3207 4", "RFC 4954 4"),
		Says:       "Told to encrypt, a client that finds STARTTLS takes it before it logs in, and then logs in. Without this control the others say nothing.",
		Situations: all(required(smtp, "good", "a good server", passwords), one(good(smtp, recording.Implicit)), one(good(smtp, off))),
		Judge:      logsIn,
		Sabotage:   heard("S 220 mail", "C EHLO client.example", "S 250-mail", "S 250-STARTTLS", "S 250 AUTH PLAIN", "C AUTH PLAIN AGEAYg==", "S 235 in"),
	},
	Case{
		ID: "client/smtp/002", Title: "STARTTLS stripped from EHLO", Since: "2026.1",
		Level: must, Refs: refs("RFC 3207 6", "RFC 8314 5.2", "CVE-2016-0772"),
		Says: "Where a client must encrypt and EHLO does not list STARTTLS, it goes away: it neither logs in nor hands in a message in clear. " +
			"Asking for STARTTLS all the same does no harm.",
		Situations: required(smtp, "stripped", "STARTTLS is not listed", noTLS),
		Judge:      keepsSecrets,
		Sabotage:   sinner("never-insists"),
	},
	Case{
		ID: "client/smtp/003", Title: "STARTTLS refused", Since: "2026.1",
		Level: must, Refs: refs("RFC 3207 4", "RFC 3207 6"),
		Says: "Only 220 lets TLS begin. Where a client must encrypt, any other answer to STARTTLS, and a server that says 220 and goes on in clear, " +
			"ends the session without a secret or a message.",
		Situations: all(
			required(smtp, "starttls-454", "STARTTLS is answered 454", answers("STARTTLS", "454 4.7.0 TLS not available")),
			required(smtp, "starttls-502", "STARTTLS is answered 502", answers("STARTTLS", "502 5.5.1 not implemented")),
			required(smtp, "starttls-354", "STARTTLS is answered 354", answers("STARTTLS", "354 go ahead")),
			required(smtp, "starttls-250", "STARTTLS is answered 250", answers("STARTTLS", "250 2.0.0 OK")),
			required(smtp, "starttls-deaf", "STARTTLS is answered 220 and the server goes on in clear", answers("STARTTLS", "220 2.0.0 ready")),
		),
		Judge:    keepsSecrets,
		Sabotage: sinner("clear-when-refused"),
	},
	Case{
		ID: "client/smtp/004", Title: "EHLO refused, HELO alone", Since: "2026.1",
		Level: must, Refs: refs("RFC 3207 6", "RFC 5321 4.1.4"),
		Says:       "Who must encrypt does not settle for HELO, after which there is no STARTTLS: neither a login nor a message follows in clear.",
		Situations: required(smtp, "helo", "EHLO is refused and HELO taken", noTLS, noHello),
		Judge:      keepsSecrets,
		Sabotage:   sinner("settles-for-helo"),
	},
	Case{
		ID: "client/smtp/005", Title: "Replies injected before TLS", Since: "2026.1",
		Level: must, Refs: refs("RFC 3207 4.2", "RFC 3207 6", "CVE-2021-22947", "CVE-2021-38371", "CVE-2020-14954", "CVE-2020-15953"),
		Says: "What came in clear behind the answer to STARTTLS is never taken for what the server says inside TLS: " +
			"the client drops it, or gives up.",
		Situations: all(
			twin(required(smtp, "injected-list", "a list of mechanisms is injected behind 220", hidden, injects("250-injected.example", "250 AUTH PLAIN LOGIN")),
				"hidden", "only mechanisms that hide the password are listed", hidden),
			twin(required(smtp, "injected-session", "the answers of a whole session are injected behind 220", hidden,
				injects("250-injected.example", "250 AUTH PLAIN LOGIN", "235 2.7.0 in", "250 2.1.0 OK", "250 2.1.5 OK", "354 go ahead", "250 2.0.0 OK", "221 2.0.0 bye")),
				"hidden", "only mechanisms that hide the password are listed", hidden),
		),
		Judge:    heeds("in what was injected", login.PLAIN, login.LOGIN),
		Sabotage: sinner("reads-injected"),
	},
	Case{
		ID: "client/smtp/006", Title: "What was listed before TLS is forgotten", Since: "2026.1",
		Level: must, Refs: refs("RFC 3207 4.2"),
		Says: "Once TLS is up, a client forgets what EHLO listed before, and says EHLO again (the second is a SHOULD, and its lack a warning).",
		Situations: twin(required(smtp, "list-changes", "PLAIN and LOGIN are listed before TLS only", listsInside(hide...), lists("PLAIN", "LOGIN")),
			"hidden", "only mechanisms that hide the password are listed", hidden),
		Judge:    forgets("before TLS", login.PLAIN, login.LOGIN),
		Sabotage: sinner("remembers"),
	},
	Case{
		ID: "client/smtp/007", Title: "A bad certificate is refused", Since: "2026.1",
		Level: must, Refs: refs("RFC 8314 5.3", "RFC 7817 3", "RFC 9525 6", "RFC 4954 14"),
		Says: "A client logs in to no server that shows a certificate which nobody it trusts vouches for, which is out of date, " +
			"or which is for another name. As installed, it checks.",
		Situations: badCertificates(smtp),
		Judge:      distrusts,
		Sabotage:   sinner("takes-any-certificate"),
	},
	Case{
		ID: "client/smtp/008", Title: "TLS 1.0 and 1.1 are not spoken", Since: "2026.1",
		Level: must, Refs: refs("RFC 8314 5.2", "RFC 9325 3.1.1", "RFC 8996 4", "RFC 8996 5"),
		Says:       "A client does not log in over TLS 1.0 or TLS 1.1, which nobody may negotiate any more.",
		Situations: oldTLS(smtp),
		Judge:      shunsOldTLS,
		Sabotage:   sinner("old-tls"),
	},
	Case{
		ID: "client/smtp/017", Title: "TLS from the start means no word in clear", Since: "2026.1",
		Level: must, Refs: refs("RFC 8314 3.3"),
		Says:       "On the port for TLS from the first octet a client begins with TLS, whatever the server says in clear, and says nothing in clear itself.",
		Situations: clearPort(smtp),
		Judge:      expectsTLS,
		Sabotage:   heard("S 220 mail.example.test ESMTP", "C EHLO client.example"),
	},
)

// hide are mechanisms that hide the password.
var hide = []string{"SCRAM-SHA-256", "SCRAM-SHA-1", "DIGEST-MD5", "CRAM-MD5"}

func hidden(s *Situation) { lists(hide...)(s) }

// injects adds lines in clear behind the answer to STARTTLS or STLS.
func injects(lines ...string) option { return departs(login.Script{Injects: lines}) }

// badCertificates are those of RFC 8314 5.3 and RFC 9525. Who has not been told
// of an authority knows none here; to the others the certificate is the only
// thing that is wrong.
func badCertificates(p login.Protocol) []Situation {
	both := func(name, doc string, options ...option) []Situation {
		return all(required(p, name, doc, options...), encrypted(p, name, doc, options...)[1:])
	}
	return all(
		both("unknown-authority", "a certificate of an authority that the client does not know", asInstalled, certificate("good")),
		both("self-signed", "a certificate that is its own authority", asInstalled, certificate("self")),
		both("expired", "a certificate that has expired", certificate("expired")),
		both("other-name", "a certificate for another name", certificate("wrongname")),
	)
}

func oldTLS(p login.Protocol) []Situation {
	return all(
		encrypted(p, "tls10", "the server speaks TLS 1.0 alone", departs(login.Script{NewestTLS: login.TLS10})),
		encrypted(p, "tls11", "the server speaks TLS 1.1 and 1.0", departs(login.Script{NewestTLS: login.TLS11})),
	)
}

func clearPort(p login.Protocol) []Situation {
	return encrypted(p, "clear-port", "the port for TLS greets in clear", departs(login.Script{ClearPort: true}))[1:]
}
