package compliance

import (
	"crypto/tls"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

// The words of the cases about TLS.
const (
	up      = script.Up
	helloed = script.HelloBack
	alert   = script.Alert
	inClear = script.InClear
)

var (
	approach   = script.Approach
	onEachTLS  = script.OnEachTLS
	handshake  = script.Handshake
	unverified = script.Unverified
	version    = script.Version
	inside     = script.Inside
	greetWith  = script.Hello
	instead    = script.Garbage
	hear       = script.Hear
	listen     = script.Listen

	was = script.Was
	not = script.Not
)

// Suites by what is wrong with them (RFC 9325 4.1, 4.2).
var (
	withoutEncryption = []uint16{0x0001, 0x0002, 0x003b, 0xc001, 0xc006, 0xc00b, 0xc010}
	withoutIdentity   = []uint16{0x0018, 0x001b, 0x0034, 0x003a, 0x0046, 0x0089, 0x006c, 0x006d, 0x00a6, 0x00a7, 0xc015, 0xc016, 0xc017, 0xc018, 0xc019}
	forExport         = []uint16{0x0003, 0x0006, 0x0008, 0x000b, 0x000e, 0x0011, 0x0014, 0x0017, 0x0019, 0x0060, 0x0061, 0x0062, 0x0063, 0x0064, 0x0065}
	withRC4           = []uint16{0x0004, 0x0005, 0x0066, 0xc002, 0xc007, 0xc00c, 0xc011}
	withDES           = []uint16{0x0009, 0x000c, 0x000f, 0x0012, 0x0015, 0x001a}
	withTripleDES     = []uint16{0x000a, 0x000d, 0x0010, 0x0013, 0x0016, 0xc003, 0xc008, 0xc00d, 0xc012}

	rsaTransport = []uint16{0x009c, 0x009d, 0x003c, 0x003d, 0x002f, 0x0035, 0x0041, 0x0084, 0x0096, 0xc09c, 0xc09d}
	staticDH     = []uint16{0x0030, 0x0031, 0x0036, 0x0037, 0x003e, 0x003f, 0x0068, 0x0069, 0x00a0, 0x00a1, 0x00a4, 0x00a5,
		0xc004, 0xc005, 0xc00e, 0xc00f, 0xc025, 0xc026, 0xc029, 0xc02a, 0xc02d, 0xc02e, 0xc031, 0xc032}
	ephemeralDH = []uint16{0x009e, 0x009f, 0xccaa, 0x0067, 0x006b, 0x0033, 0x0039, 0x0045, 0x0088, 0x0032, 0x0038, 0x0040, 0x006a, 0x00a2, 0x00a3}
	ecdheCBC    = []uint16{0xc027, 0xc023, 0xc028, 0xc024, 0xc013, 0xc009, 0xc014, 0xc00a}
	ecdheAEAD   = []uint16{0xc02f, 0xc02b, 0xc030, 0xc02c, 0xcca8, 0xcca9}
	forTLS13    = []uint16{tls.TLS_AES_128_GCM_SHA256, tls.TLS_AES_256_GCM_SHA384, tls.TLS_CHACHA20_POLY1305_SHA256}
)

// hello12 is what a client says that knows TLS 1.2 and nothing newer.
func hello12(suites ...[]uint16) wire.ClientHello { return helloOf(tls.VersionTLS12, suites...) }

func helloOf(version uint16, suites ...[]uint16) wire.ClientHello {
	h := wire.ClientHello{Version: version}
	for _, some := range suites {
		h.Suites = append(h.Suites, some...)
	}
	return h
}

// hello13 is what a client says that knows TLS 1.2 and 1.3.
func hello13() wire.ClientHello {
	h := hello12(forTLS13, ecdheAEAD, ecdheCBC)
	h.Versions = []uint16{tls.VersionTLS13, tls.VersionTLS12}
	return h
}

// everySuite is offered by a client that minds nothing.
func everySuite(version uint16) wire.ClientHello {
	return helloOf(version, ecdheAEAD, ecdheCBC, ephemeralDH, rsaTransport, staticDH, withTripleDES, withRC4, withDES, forExport, withoutEncryption)
}

// ready is the answer that grants TLS.
var ready = map[login.Protocol]string{login.SMTP: "220", login.POP3: "+OK"}

// implicitHere: the steps are being taken where TLS comes first, and the greeting
// after it.
func implicitHere(p *script.Play) bool { return p.Transport() == login.TLS }
