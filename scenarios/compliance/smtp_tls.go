package compliance

import (
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

// That there is TLS, and the words around it.

var _ = register(
	script.Case{
		ID: "smtp/tls/001", Title: "TLS is available for submission", Since: "2026.1",
		Level: must, Refs: refs("RFC 8314 4", "RFC 8314 3.3", "RFC 9325 3.2"),
		Says: "Who hands in mail can do so inside TLS. " +
			"A port with TLS from the first octet is the better way to it, so a server that has STARTTLS alone is warned.",
		Steps:    steps{script.Doors("doors"), check(tlsAvailable)},
		Sabotage: state(func(s *login.Setup) { s.Certificate.Kind = login.CertNone }),
	},
	script.Case{
		ID: "smtp/tls/002", Title: "STARTTLS not offered once TLS is up", Since: "2026.1",
		Level: must, Refs: refs("RFC 3207 4.2"),
		Says:     "The list that EHLO shows inside TLS has no STARTTLS in it, whichever way TLS came about.",
		Needs:    needs{Link: encrypted},
		Steps:    steps{script.OnEachLink(open(), check(notOfferedAgain("STARTTLS")))},
		Sabotage: bug("tls-again"),
	},
	script.Case{
		ID: "smtp/tls/003", Title: "STARTTLS takes no argument", Since: "2026.1",
		Level: should, Refs: refs("RFC 3207 4"),
		Says:  "STARTTLS with an argument is a syntax error, 501: no handshake begins, and the session goes on.",
		Needs: needs{Link: clear, Offers: []string{"STARTTLS"}},
		Steps: steps{
			open(),
			say("STARTTLS now").Pass("501").Fail("2").Because("TLS begins").Warn(refused),
			alive(),
		},
		Sabotage: answers("STARTTLS NOW", "501", "220 2.0.0 ready"),
	},
	script.Case{
		ID: "smtp/tls/004", Title: "Second STARTTLS is refused", Since: "2026.1",
		Level: must, Refs: refs("RFC 3207 4.2"),
		Says:  "A server knows that TLS is up: STARTTLS inside TLS begins no second handshake, and the session goes on.",
		Needs: needs{Link: encrypted},
		Steps: steps{
			script.OnEachLink(
				open(),
				say("STARTTLS").Pass("503", "502", "554", "454").Fail("2").Because("TLS begins inside TLS").Warn(refused),
				alive(),
			),
		},
		Sabotage: bug("tls-again"),
	},
	script.Case{
		ID: "smtp/tls/013", Title: "STARTTLS offered means that it works", Since: "2026.1",
		Level: should, Refs: refs("RFC 3207 4", "RFC 8314 4"),
		Says:  "Where EHLO lists STARTTLS, the command is granted and the handshake succeeds. 454 is for trouble that passes.",
		Needs: needs{Link: clear, Offers: []string{"STARTTLS"}},
		Steps: steps{
			open(),
			say("STARTTLS").Keep("start").Pass("220").Warn("454"),
			when(was("start", "220"), handshake("the handshake", unverified).Pass(up)),
		},
		Sabotage: state(func(s *login.Setup) { s.Posture.StartTLS = login.TLSBroken }),
	},
	script.Case{
		ID: "smtp/tls/016", Title: "STARTTLS before EHLO", Since: "2026.1",
		Level: should, Refs: refs("RFC 3207 4", "RFC 5321 4.1.4"),
		Says:  "STARTTLS belongs to an extension, which a client has to ask for: before EHLO it is out of order, 503.",
		Needs: needs{Link: clear, Offers: []string{"STARTTLS"}},
		Steps: steps{
			connect(),
			answer().Must("220"),
			say("STARTTLS").Pass("503").Warn("220").Because("harmless, and out of order").Warn(refused),
		},
		Sabotage: answers("STARTTLS", "503", "250 2.0.0 done"),
	},
	script.Case{
		ID: "smtp/tls/017", Title: "The 220 reply is one line, and last in clear", Since: "2026.1",
		Level: practice, Refs: refs("NO-STARTTLS 2021", "RFC 3207 4"),
		Says:  "The answer to STARTTLS is a single line, and nothing comes behind it in clear: what does is a place for an injection to hide.",
		Needs: needs{Link: clear, Offers: []string{"STARTTLS"}},
		Steps: steps{
			open(),
			say("STARTTLS").Warn("~^220-").Because("more than one line").Pass("220"),
			listen("what follows the answer").Pass(silent).Must(gone),
			handshake("the handshake", unverified).Pass(up),
		},
		Sabotage: answers("STARTTLS", "220", "250 2.0.0 ready"),
	},
	script.Case{
		ID: "smtp/tls/018", Title: "Implicit TLS port speaks nothing in clear", Since: "2026.1",
		Level: must, Refs: refs("RFC 8314 3.3"),
		Says: "On a port with TLS from the first octet nothing is said in clear: no greeting before the handshake, and no answer to a command.",
		Steps: steps{
			script.OnImplicit(
				connect(),
				listen("the time before TLS").Pass(silent, gone).Fail(inClear),
				connect(),
				octets("EHLO mailmatrix.invalid\r\n").Unread(),
				hear("EHLO in clear").Pass(alert, gone, silent).Fail(inClear),
			),
		},
		Sabotage: bug("implicit-port-in-clear"),
	},
	script.Case{
		ID: "smtp/tls/019", Title: "Implicit TLS and STARTTLS give the same service", Since: "2026.1",
		Level: practice, Refs: refs("RFC 8314 3.3", "RFC 9325 3.9"),
		Says: "Both ways into TLS lead to the same server: the same mechanisms, the same extensions, the same certificate. " +
			"A mechanism that only one of them offers is a hole in the policy.",
		Needs:    needs{Link: encrypted},
		Steps:    bothDoors,
		Sabotage: answers("EHLO", "250-AUTH", "250-AUTH PLAIN"),
	},
	script.Case{
		ID: "smtp/tls/021", Title: "close_notify at the end", Since: "2026.1",
		Level: should, Refs: refs("RFC 8314 3.4", "RFC 8446 6.1"),
		Says: "The server ends TLS by a close_notify before it ends the connection, so that nobody can cut the conversation short unnoticed.",
		Steps: steps{
			onEachTLS(
				approach(),
				handshake("the handshake", unverified).Must(up),
				inside(),
				say("QUIT").Must("221"),
				script.Ending().Pass("close_notify").Warn(gone),
			),
		},
		Sabotage: answers("THE END", "close_notify", "250 still here"),
	},
	script.Case{
		ID: "smtp/tls/022", Title: "Mechanism list grows, never shrinks wrongly", Since: "2026.1",
		Level: should, Refs: refs("RFC 3207 4.2", "RFC 4954 3"),
		Says:  "What is offered in clear is offered inside TLS too: a mechanism that is there in clear alone rewards who does not encrypt.",
		Needs: needs{Link: clear, Offers: []string{"STARTTLS", "AUTH"}},
		Steps: steps{
			open(),
			script.Collect("in clear", offeredNow),
			say("STARTTLS").Must("220"),
			handshake("the handshake", unverified).Must(up),
			hello(),
			check(grows),
		},
		Sabotage: answers("EHLO", "250-AUTH", "250-XAUTH"),
	},
)

// bothDoors goes in by both ways and compares what is there. What is offered is
// asked for once more on the second.
var bothDoors = steps{
	check(hasBothDoors),
	on("starttls", openOn(login.StartTLS)),
	on("implicit", openOn(login.TLS), hello()),
	check(sameService),
}

func tlsAvailable(p *script.Play) (login.Verdict, string) {
	doors := p.List("doors")
	switch {
	case slices.Contains(doors, string(login.TLS)):
		return login.Pass, ""
	case len(doors) > 0:
		return login.Warn, "TLS by " + p.StartCommand() + " alone, and no port of its own"
	default:
		return login.Fail, "there is no TLS"
	}
}

func notOfferedAgain(keyword string) func(*script.Play) (login.Verdict, string) {
	return func(p *script.Play) (login.Verdict, string) {
		if p.Talk().Offers(keyword) {
			return login.Fail, string(p.Transport()) + ": " + keyword + " is listed inside TLS"
		}
		return login.Pass, ""
	}
}

func hasBothDoors(p *script.Play) (login.Verdict, string) {
	for _, t := range []login.Transport{login.StartTLS, login.TLS} {
		if link := p.Survey().Links[t]; !link.Open {
			return login.Skip, "there is but one way into TLS: " + link.Why
		}
	}
	return login.Pass, ""
}

func sameService(p *script.Play) (login.Verdict, string) {
	a, b := p.On("starttls"), p.On("implicit")
	// A greeting comes before STLS: whether it has a timestamp is another matter.
	withoutAPOP := func(ms []login.Mechanism) []login.Mechanism {
		return slices.Sorted(slices.Values(slices.DeleteFunc(ms, func(m login.Mechanism) bool { return m == login.APOP })))
	}
	one, other := withoutAPOP(script.Offered(a)), withoutAPOP(script.Offered(b))
	extensions := func(lines []string) []string { return slices.Sorted(slices.Values(lines)) }
	switch {
	case !slices.Equal(one, other):
		return login.Fail, "mechanisms: " + string(login.StartTLS) + " has " + joined(one) + ", " + string(login.TLS) + " has " + joined(other)
	case !slices.Equal(extensions(a.Capabilities), extensions(b.Capabilities)):
		return login.Warn, "the extensions differ"
	case !a.TLSState().PeerCertificates[0].Equal(b.TLSState().PeerCertificates[0]):
		return login.Warn, "the certificates differ"
	default:
		return login.Pass, ""
	}
}

// offeredNow are the mechanisms that the current connection lists.
func offeredNow(p *script.Play) string { return joined(script.Offered(p.Talk())) }

func grows(p *script.Play) (login.Verdict, string) {
	within := script.Offered(p.Talk())
	if len(within) == 0 {
		return login.Fail, "mechanisms are offered in clear, and none inside TLS"
	}
	for _, m := range strings.Fields(p.Value("in clear")) {
		if !slices.Contains(within, login.Mechanism(m)) {
			return login.Warn, m + " is offered in clear alone"
		}
	}
	return login.Pass, ""
}

func joined(ms []login.Mechanism) string {
	names := make([]string, len(ms))
	for i, m := range ms {
		names[i] = string(m)
	}
	return strings.Join(names, " ")
}
