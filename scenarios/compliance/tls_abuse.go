package compliance

import (
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/wire"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

// What a server has to bear from who abuses a handshake.

var _ = register(
	script.Case{
		ID: "abuse/tls/001", Title: "Handshake abuse", Since: "2026.1",
		Level: practice, Refs: refs("RFC 8446 5.1", "RFC 8446 6.1", "RFC 5246 7.2.1"),
		Says: "Garbage, a hello in very small records or a very long one, empty records, and an alert in place of a hello leave the server as it was. " +
			"A client that ends TLS and goes on in clear is not listened to.",
		Steps: steps{
			onEachTLS(
				instead("garbage", []byte(strings.Repeat("\x00\xffgarbage", 1800))).Pass(alert, gone, silent).Warn(inClear),
				greetWith("a hello with an octet a record", inRecordsOf(1)).Pass(helloed, alert, gone, silent),
				greetWith("a hello of 64 kB", padded(64_000)).Pass(helloed, alert, gone, silent),
				instead("empty records", []byte(strings.Repeat("\x16\x03\x01\x00\x00", 1000))).Pass(alert, gone, silent),
				instead("an alert", []byte("\x15\x03\x01\x00\x02\x02\x28")).Pass(alert, gone, silent).Warn(inClear),
				approach(),
				handshake("a handshake afterwards", unverified).Pass(up).Fail(gone, alert, silent),
				inside(),
				script.LeaveTLS(),
				perProtocol(octets("NOOP\r\n").Unread(), octets("CAPA\r\n").Unread()),
				hear("what was said in clear after TLS").Pass(gone, alert, silent).Fail(inClear),
			),
		},
		Sabotage: answers("WHAT WAS SAID IN CLEAR AFTER TLS", "", "clear 250 2.0.0 done nothing"),
	},
)

func inRecordsOf(octets int) wire.ClientHello {
	h := hello13()
	h.RecordSize = octets
	return h
}

func padded(octets int) wire.ClientHello {
	h := hello13()
	h.Padding = octets
	return h
}
