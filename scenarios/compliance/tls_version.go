package compliance

import (
	"crypto/tls"

	"github.com/mailmatrix/mailmatrix/internal/wire"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

// Versions of TLS. The cases are about every way into TLS that the protocol has.

var _ = register(
	script.Case{
		ID: "tls/version/001", Title: "SSLv2, SSLv3, TLS 1.0, TLS 1.1 are refused", Since: "2026.1",
		Level: must, Refs: refs("RFC 9325 3.1.1", "RFC 8996 4", "RFC 8996 5", "RFC 7568 3", "RFC 6176 3"),
		Says: "A client that knows nothing newer than TLS 1.1 gets no answer but a refusal.",
		Steps: steps{
			onEachTLS(
				refusedHello("SSL 2.0", wire.ClientHello{Version: wire.VersionSSL20}),
				refusedHello("SSL 3.0", everySuite(wire.VersionSSL30)),
				refusedHello("TLS 1.0", everySuite(tls.VersionTLS10)),
				refusedHello("TLS 1.1", everySuite(tls.VersionTLS11)),
			),
		},
		Sabotage: bug("old-tls-in-modern"),
	},
	script.Case{
		ID: "tls/version/002", Title: "TLS 1.2 works, 1.3 works and is preferred", Since: "2026.1",
		Level: must, Refs: refs("RFC 9325 3.1.1", "RFC 8314 4.1"),
		Says: "A client that knows TLS 1.2 alone is served, and with one that knows TLS 1.3 too it is TLS 1.3.",
		Steps: steps{
			onEachTLS(
				approach(),
				handshake("TLS 1.2 alone", unverified, version(tls.VersionTLS12)).Pass("up TLS 1.2").Warn("alert 70").Because("there is no TLS 1.2"),
				approach(),
				handshake("TLS 1.2 and 1.3", unverified).Pass("up TLS 1.3").Warn("up TLS 1.2").Because("there is no TLS 1.3"),
			),
		},
		Sabotage: answers("TLS 1.2 AND 1.3", "up TLS 1.3", "alert 40 handshake_failure"),
	},
	script.Case{
		ID: "tls/version/003", Title: "Version intolerance and downgrade signal", Since: "2026.1",
		Level: must, Refs: refs("RFC 8446 4.1.3", "RFC 8446 4.2.1", "RFC 8701 4", "RFC 7507 3"),
		Says: "Versions that nobody knows are passed over. " +
			"A server that could do better than the client asks for says so in its random, so that the client notices who took the better out.",
		Steps: steps{
			onEachTLS(
				greetWith("versions that nobody knows", withVersions(hello13(), 0x7a7a, 0x0305)).Keep("best").Pass("hello TLS 1.3", "hello TLS 1.2"),
				when(was("best", "hello TLS 1.3"),
					greetWith("TLS 1.2 alone", hello12(ecdheAEAD, ecdheCBC)).Keep("less").
						Pass("~^hello TLS 1.2 .*downgraded", alert, gone).Fail("hello TLS 1.2").Because("nothing says that it knows TLS 1.3"),
					when(was("less", "hello TLS 1.2"),
						// RFC 8996 has made RFC 7507 obsolete: no more than a warning.
						greetWith("TLS 1.2 as a fallback", hello12([]uint16{tls.TLS_FALLBACK_SCSV}, ecdheAEAD, ecdheCBC)).Pass(alert, gone).Warn(helloed)),
				),
			),
		},
		Sabotage: answers("TLS 1.2 ALONE", "hello", "hello TLS 1.2 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
	},
)

// refusedHello is a hello that must not be answered by another.
func refusedHello(name string, h wire.ClientHello) *script.Shaking {
	return greetWith(name, h).Pass(alert, gone, silent).Warn(inClear).Fail(helloed)
}

// badHello is one that should not be.
func badHello(name string, h wire.ClientHello) *script.Shaking {
	return greetWith(name, h).Pass(alert, gone, silent).Warn(inClear, helloed)
}

// withVersions puts versions before those that the hello offers.
func withVersions(h wire.ClientHello, versions ...uint16) wire.ClientHello {
	h.Versions = append(versions, h.Versions...)
	return h
}
