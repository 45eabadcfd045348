package compliance

import (
	"crypto/tls"
	"fmt"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

// Renegotiation, and sessions that are resumed.

var _ = register(
	script.Case{
		ID: "tls/reneg/001", Title: "Secure renegotiation and extended master secret", Since: "2026.1",
		Level: must, Refs: refs("RFC 9325 3.5", "RFC 5746 3.6", "RFC 7627 5.1", "CVE-2009-3555"),
		Says: "A server with TLS 1.2 knows renegotiation_info, whether it renegotiates or not, and the extended master secret.",
		Steps: steps{
			onEachTLS(
				greetWith("TLS 1.2 with renegotiation_info", hello12(ecdheAEAD, ecdheCBC)).NA("alert 70").
					Pass("~ renegotiation_info").Fail(helloed),
				greetWith("TLS 1.2 with extended_master_secret", hello12(ecdheAEAD, ecdheCBC)).NA("alert 70").
					Pass("~ extended_master_secret").Fail(helloed),
			),
		},
		Sabotage: answers("TLS 1.2 WITH RENEGOTIATION_INFO", "hello", "hello TLS 1.2 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 extended_master_secret"),
	},
	script.Case{
		ID: "tls/ticket/001", Title: "Resumption bounds", Since: "2026.1",
		Level: must, Refs: refs("RFC 8446 4.6.1", "RFC 9325 3.4"),
		Says: "A ticket of TLS 1.3 is good for seven days at most; one of TLS 1.2 that says more is warned.",
		Steps: steps{
			onEachTLS(
				withTickets(tls.VersionTLS13, check(bounded(login.Fail))),
				withTickets(tls.VersionTLS12, check(bounded(login.Warn))),
			),
		},
		Sabotage: answers("WHAT CAN BE RESUMED", "", "ticket of 604801 seconds, early data 0"),
	},
	script.Case{
		ID: "tls/ticket/002", Title: "A ticket of one service/host is not taken by another", Since: "2026.1",
		Level: practice, Refs: refs("RFC 9325 3.9", "RFC 8446 4.6.1"),
		Says: "What SMTP's server gave out to resume a session with is no good at POP3's, and the other way round: " +
			"least of all where the other has another certificate, which nobody would then have looked at.",
		Steps: steps{
			onEachTLS(script.Carried().Fail("resumed as another").Warn("resumed").Pass("full", "no ticket")),
		},
		Sabotage: answers("A SESSION OF THE OTHER SERVICE", "", "resumed as another"),
	},
	script.Case{
		ID: "tls/ticket/003", Title: "0-RTT refused", Since: "2026.1",
		Level: must, Refs: refs("RFC 9325 3.10", "RFC 8446 E.5"),
		Says: "Nothing says how SMTP or POP3 would go with early data, which anybody can send a second time: no ticket permits it.",
		Steps: steps{
			onEachTLS(withTickets(tls.VersionTLS13, check(noEarlyData))),
		},
		Sabotage: answers("WHAT CAN BE RESUMED", "", "ticket of 7200 seconds, early data 16384"),
	},
)

// withTickets shakes hands in that version, where the server has it, and looks
// at what was given out.
func withTickets(v uint16, look script.Step) script.Step {
	return script.Group(
		approach(),
		handshake("a handshake in "+tls.VersionName(v), unverified, version(v), script.Resumable).Keep("handshake").Must(up, alert, gone, "broken"),
		when(was("handshake", up),
			script.Tickets().Keep("ticket").Must("ticket", "no ticket"),
			look),
	)
}

// ticket is what was kept of one; it is zero without one.
func ticket(p *script.Play) (seconds, early int) {
	_, _ = fmt.Sscanf(p.Value("ticket"), "ticket of %d seconds, early data %d", &seconds, &early)
	return seconds, early
}

// week is RFC 8446 4.6.1, in seconds.
const week = 604800

func bounded(v login.Verdict) func(*script.Play) (login.Verdict, string) {
	return func(p *script.Play) (login.Verdict, string) {
		if seconds, _ := ticket(p); seconds > week {
			return v, fmt.Sprintf("a ticket over %s is good for %d seconds, which is more than a week", p.Transport(), seconds)
		}
		return login.Pass, ""
	}
}

func noEarlyData(p *script.Play) (login.Verdict, string) {
	if _, early := ticket(p); early > 0 {
		return login.Fail, fmt.Sprintf("a ticket over %s permits %d octets of early data", p.Transport(), early)
	}
	return login.Pass, ""
}
