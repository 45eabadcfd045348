package compliance

import (
	"github.com/mailmatrix/mailmatrix/internal/wire"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

// Suites of TLS 1.2, groups, and what else is agreed with them. A server with
// TLS 1.3 alone refuses the version and has none of them.

var _ = register(
	script.Case{
		ID: "tls/cipher/001", Title: "No NULL, anonymous, EXPORT, RC4, DES/3DES, <112-bit", Since: "2026.1",
		Level: must, Refs: refs("RFC 9325 4.1", "RFC 7465 2", "RFC 5246 A.5", "CVE-2015-0204", "CVE-2016-2183"),
		Says: "Suites without encryption, without a certificate, for export, with RC4 and with DES are refused. " +
			"Triple DES has 112 bits and should be.",
		Steps: steps{
			onEachTLS(
				refusedHello("suites without encryption", hello12(withoutEncryption)),
				refusedHello("anonymous suites", hello12(withoutIdentity)),
				refusedHello("suites for export", hello12(forExport)),
				refusedHello("suites with RC4", hello12(withRC4)),
				refusedHello("suites with DES", hello12(withDES)),
				badHello("suites with triple DES", hello12(withTripleDES)),
			),
		},
		Sabotage: answers("SUITES WITHOUT ENCRYPTION", "alert", "hello TLS 1.2 0x003b"),
	},
	script.Case{
		ID: "tls/cipher/002", Title: "Forward secrecy, AEAD first, RSA key transport and CBC off", Since: "2026.1",
		Level: must, Refs: refs("RFC 9325 4.1", "RFC 9325 4.2", "RFC 9325 4.2.1"),
		Says: "Of the suites that a client offers, worst first, the server takes one with forward secrecy and authenticated encryption. " +
			"RSA key transport, Diffie-Hellman that is static or over a finite field, and CBC should not be had at all.",
		Steps: steps{
			onEachTLS(
				greetWith("the worst suites first", hello12(rsaTransport, ephemeralDH, ecdheCBC, ecdheAEAD)).
					Pass("~^hello TLS 1\\.2 TLS_ECDHE_\\w+_(GCM|CHACHA20)", "alert 70").Fail(helloed).Because("a weaker suite was preferred"),
				badHello("suites with RSA key transport", hello12(rsaTransport)),
				badHello("suites with static Diffie-Hellman", hello12(staticDH)),
				badHello("suites with Diffie-Hellman over a finite field", hello12(ephemeralDH)),
				badHello("suites with CBC", hello12(ecdheCBC)),
			),
		},
		Sabotage: answers("THE WORST SUITES FIRST", "hello", "hello TLS 1.2 TLS_RSA_WITH_AES_128_CBC_SHA"),
	},
	script.Case{
		ID: "tls/cipher/003", Title: "Groups and DH size", Since: "2026.1",
		Level: must, Refs: refs("RFC 9325 4.5", "RFC 9325 4.2.1", "CVE-2015-4000"),
		Says: "Diffie-Hellman over a finite field has a prime of 2048 bits at least, and no curve has less than 224. X25519 and P-256 should be there.",
		Steps: steps{
			onEachTLS(
				greetWith("Diffie-Hellman over a finite field", hello12(ephemeralDH)).
					Fail(`~ prime ([0-9]{1,3}|1[0-9]{3}|20[0-3][0-9]|204[0-7])( |$)`).Because("the prime is too small").
					Pass(helloed, alert, gone, silent).Warn(inClear),
				greetWith("small curves", withGroups(hello12(ecdheAEAD, ecdheCBC), smallCurves...)).
					Fail(`~ group ([1-5]|1[5-9])( |$)`).Because("the curve is too small").
					Pass(alert, gone, silent).Warn(helloed, inClear),
				greetWith("X25519", withGroups(hello13(), 29)).Pass(helloed).Warn(alert, gone),
				greetWith("P-256", withGroups(hello13(), 23)).Pass(helloed).Warn(alert, gone),
			),
		},
		Sabotage: answers("DIFFIE-HELLMAN OVER A FINITE FIELD", "alert", "hello TLS 1.2 0x0033 prime 1024"),
	},
	script.Case{
		ID: "tls/cipher/004", Title: "No compression, and no truncated HMAC", Since: "2026.1",
		Level: must, Refs: refs("RFC 9325 3.3", "RFC 9325 4.6", "CVE-2012-4929"),
		Says: "A client that offers to compress is not taken at its word, and neither is one that offers to cut the authentication of its records short.",
		Steps: steps{
			onEachTLS(
				greetWith("compression", wire.ClientHello{Version: hello12().Version, Suites: everySuite(0).Suites, Compression: []byte{1, 0}}).
					Warn("~ compression ").Pass(helloed, alert, gone),
				greetWith("a truncated HMAC", wire.ClientHello{Version: hello12().Version, Suites: append(ecdheCBC, rsaTransport...),
					Extensions: []wire.HelloExtension{{Type: wire.ExtTruncatedHMAC}}}).
					Fail("~ truncated_hmac").Pass(helloed, alert, gone),
			),
		},
		Sabotage: answers("A TRUNCATED HMAC", "alert", "hello TLS 1.2 TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA truncated_hmac"),
	},
)

// smallCurves have less than 224 bits (the IANA's list of supported groups).
var smallCurves = []uint16{1, 2, 3, 4, 5, 15, 16, 17, 18, 19}

func withGroups(h wire.ClientHello, groups ...uint16) wire.ClientHello {
	h.Groups = groups
	return h
}
