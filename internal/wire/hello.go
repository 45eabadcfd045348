package wire

import (
	"encoding/binary"
	"io"
	"slices"
)

// Versions of the protocol that crypto/tls has no name for.
const (
	VersionSSL20 = 0x0002
	VersionSSL30 = 0x0300
)

// ClientHello is a client's first message, written by hand: crypto/tls offers
// no SSL, no suite without encryption or authentication, no compression and no
// odd version, and it never shows what the server chose before it agrees.
// There is no handshake behind it: the server's answer says enough.
//
// The zero value offers nothing; Version and Suites have to be there.
type ClientHello struct {
	// Version is the one that the message itself names: the newest that the
	// client knows, TLS 1.2 for one that knows Versions (RFC 8446 4.1.2).
	// VersionSSL20 makes the CLIENT-HELLO of SSL 2.0, which has other suites.
	Version uint16
	// Versions are those of supported_versions; nil leaves the extension out.
	Versions []uint16
	Suites   []uint16
	// Compression are methods in their order; nil is none but the null method.
	Compression []byte
	// Name is the server's (RFC 6066 3); "" is not said.
	Name string
	// ALPN are the protocols that the client would speak (RFC 7301 3.1).
	ALPN []string
	// Groups for the key exchange (RFC 8422 5.1.1); nil is the usual ones.
	Groups []uint16
	// Extensions are further ones; Padding is how many octets of padding
	// (RFC 7685 3) come with them.
	Extensions []HelloExtension
	Padding    int
	// RecordSize is how many octets of the message a record carries; 0 is as
	// many as it may.
	RecordSize int
}

// HelloExtension is an extension as it crosses the wire.
type HelloExtension struct {
	Type uint16
	Data []byte
}

// Types of extensions.
const (
	extServerName          = 0
	extSupportedGroups     = 10
	extPointFormats        = 11
	extSignatureAlgorithms = 13
	extALPN                = 16
	extPadding             = 21
	extExtendedMaster      = 23
	extEarlyData           = 42
	extSupportedVersions   = 43
	extKeyShare            = 51
	extRenegotiationInfo   = 0xff01

	// ExtTruncatedHMAC is RFC 6066 7.
	ExtTruncatedHMAC = 4
)

const (
	recordChangeCipherSpec = 20
	recordAlert            = 21
	recordHandshake        = 22
	recordApplication      = 23

	// longestRecord is RFC 8446 5.1.
	longestRecord = 1 << 14
)

// ssl2Suites are those of SSL 2.0, three octets each: RC4 with 128 and with 40
// bits, RC2 with both, IDEA, DES and triple DES.
var ssl2Suites = []byte{1, 0, 0x80, 2, 0, 0x80, 3, 0, 0x80, 4, 0, 0x80, 5, 0, 0x80, 6, 0, 0x40, 7, 0, 0xc0}

// x25519 is a group of which any 32 octets are a public key (RFC 7748 5).
const x25519 = 29

// usualGroups are X25519, P-256, P-384 and P-521.
var usualGroups = []uint16{x25519, 23, 24, 25}

// usualSignatures are those that servers have certificates for: ECDSA, RSA-PSS
// and RSA, with SHA-256 and up, and SHA-1 for what is old.
var usualSignatures = []uint16{0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0603, 0x0806, 0x0601, 0x0203, 0x0201}

// Octets are the hello as it crosses the wire, in records. What has to be
// random comes from random.
func (h ClientHello) Octets(random io.Reader) ([]byte, error) {
	var chance [64]byte // the random and the key share
	if _, err := io.ReadFull(random, chance[:]); err != nil {
		return nil, err
	}
	if h.Version == VersionSSL20 {
		return ssl2Hello(chance[:16]), nil
	}
	body := binary.BigEndian.AppendUint16(nil, h.Version)
	body = append(body, chance[:32]...)
	body = append(body, 0) // no session
	body = append16(body, numbers(h.Suites))
	compression := h.Compression
	if compression == nil {
		compression = []byte{0}
	}
	body = append8(body, compression)
	if h.Version > VersionSSL30 { // SSL 3.0 has no extensions
		body = append16(body, h.extensions(chance[32:]))
	}
	message := []byte{1, byte(len(body) >> 16), byte(len(body) >> 8), byte(len(body))}
	return h.records(append(message, body...)), nil
}

// records cuts the message into records. The record layer names the oldest
// version that is any good (RFC 8446 5.1).
func (h ClientHello) records(message []byte) []byte {
	size := h.RecordSize
	if size == 0 {
		size = longestRecord
	}
	version := min(h.Version, 0x0301)
	var all []byte
	for len(message) > 0 {
		part := message[:min(size, len(message))]
		message = message[len(part):]
		all = append(all, recordHandshake, byte(version>>8), byte(version))
		all = append16(all, part)
	}
	return all
}

func (h ClientHello) extensions(share []byte) []byte {
	groups := h.Groups
	if groups == nil {
		groups = usualGroups
	}
	var all []byte
	add := func(kind uint16, data []byte) {
		all = append16(binary.BigEndian.AppendUint16(all, kind), data)
	}
	if h.Name != "" {
		add(extServerName, append16(nil, append16([]byte{0}, []byte(h.Name))))
	}
	add(extSupportedGroups, append16(nil, numbers(groups)))
	add(extPointFormats, []byte{1, 0})
	add(extSignatureAlgorithms, append16(nil, numbers(usualSignatures)))
	add(extExtendedMaster, nil)
	add(extRenegotiationInfo, []byte{0})
	if h.ALPN != nil {
		var names []byte
		for _, name := range h.ALPN {
			names = append8(names, []byte(name))
		}
		add(extALPN, append16(nil, names))
	}
	if h.Versions != nil {
		add(extSupportedVersions, append8(nil, numbers(h.Versions)))
		var shares []byte // none asks the server for its choice (RFC 8446 4.2.8)
		if slices.Contains(groups, x25519) {
			shares = append16([]byte{0, x25519}, share)
		}
		add(extKeyShare, append16(nil, shares))
	}
	for _, e := range h.Extensions {
		add(e.Type, e.Data)
	}
	if h.Padding > 0 {
		add(extPadding, make([]byte, h.Padding))
	}
	return all
}

// ssl2Hello is a CLIENT-HELLO that knows SSL 2.0 and nothing newer.
func ssl2Hello(challenge []byte) []byte {
	body := []byte{1, 0, 2, 0, byte(len(ssl2Suites)), 0, 0, 0, byte(len(challenge))}
	body = append(append(body, ssl2Suites...), challenge...)
	return append([]byte{0x80 | byte(len(body)>>8), byte(len(body))}, body...)
}

// numbers are 16-bit numbers one after the other.
func numbers(all []uint16) []byte {
	var b []byte
	for _, n := range all {
		b = binary.BigEndian.AppendUint16(b, n)
	}
	return b
}

// append8 and append16 add data with its length before it, in one octet and in
// two.
func append8(b, data []byte) []byte { return append(append(b, byte(len(data))), data...) }

func append16(b, data []byte) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(data))), data...)
}
