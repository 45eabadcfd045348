package wire

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"strings"
	"time"
)

// HelloAnswer is what a server says where TLS begins. The zero value is
// nothing.
type HelloAnswer struct {
	// Version is the one that the server chose; 0 is no hello.
	Version uint16
	Suite   uint16
	// Retry: the server asks for another hello (RFC 8446 4.1.4), and the rest
	// is what it would choose.
	Retry       bool
	Compression byte
	Extensions  []uint16
	ALPN        string
	// Downgraded: the server's random says that it could have done better
	// (RFC 8446 4.1.3).
	Downgraded bool
	// Group of the key exchange, or PrimeBits of a Diffie-Hellman one; 0 is
	// unknown.
	Group     uint16
	PrimeBits int

	// Alert is a fatal alert, or the end of the connection that was announced.
	Alert *byte
	// Clear is a line that was said in clear; nil is none.
	Clear *string
	// Record is the type of a record that is none of these.
	Record byte
}

// String is the answer in one line, as patterns know it:
//
//	hello TLS 1.2 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 group 29 extended_master_secret
//	alert 70 protocol_version
//	clear 250 ok
//	record 23
func (a HelloAnswer) String() string {
	switch {
	case a.Clear != nil:
		return "clear " + *a.Clear
	case a.Version != 0:
		return a.hello()
	case a.Alert != nil:
		return AlertName(*a.Alert)
	default:
		return fmt.Sprintf("record %d", a.Record)
	}
}

func (a HelloAnswer) hello() string {
	if a.Version == VersionSSL20 {
		return "hello SSL 2.0"
	}
	words := []string{"hello", versionName(a.Version), tls.CipherSuiteName(a.Suite)}
	add := func(is bool, format string, arg any) {
		if is {
			words = append(words, fmt.Sprintf(format, arg))
		}
	}
	add(a.Retry, "%s", "retry")
	add(a.Group != 0, "group %d", a.Group)
	add(a.PrimeBits != 0, "prime %d", a.PrimeBits)
	add(a.Compression != 0, "compression %d", a.Compression)
	add(a.ALPN != "", "alpn %s", a.ALPN)
	add(a.Downgraded, "%s", "downgraded")
	for _, e := range a.Extensions {
		add(extensionNames[e] != "", "%s", extensionNames[e])
	}
	return strings.Join(words, " ")
}

var extensionNames = map[uint16]string{
	extRenegotiationInfo: "renegotiation_info", extExtendedMaster: "extended_master_secret", ExtTruncatedHMAC: "truncated_hmac",
}

// versionName is "TLS 1.2"; crypto/tls writes SSL 3.0 in one word.
func versionName(v uint16) string {
	if v == VersionSSL30 {
		return "SSL 3.0"
	}
	return tls.VersionName(v)
}

// AlertName is "alert 70 protocol_version" (RFC 8446 6).
func AlertName(description byte) string {
	return strings.TrimSpace(fmt.Sprintf("alert %d %s", description, alertNames[description]))
}

var alertNames = map[byte]string{
	0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 22: "record_overflow", 40: "handshake_failure", 42: "bad_certificate",
	43: "unsupported_certificate", 44: "certificate_revoked", 45: "certificate_expired", 46: "certificate_unknown", 47: "illegal_parameter",
	48: "unknown_ca", 49: "access_denied", 50: "decode_error", 51: "decrypt_error", 70: "protocol_version", 71: "insufficient_security",
	80: "internal_error", 86: "inappropriate_fallback", 90: "user_canceled", 100: "no_renegotiation", 109: "missing_extension",
	110: "unsupported_extension", 112: "unrecognized_name", 113: "bad_certificate_status_response", 115: "unknown_psk_identity",
	116: "certificate_required", 120: "no_application_protocol",
}

// ReadHello reads what the server says where TLS begins: the answer to a
// [ClientHello], or to something that is none. Of TLS 1.2 and older it reads
// as far as the key exchange, which tells the group. Warnings are passed over.
// The error is that of a connection that ended or kept silent.
func (c *Conn) ReadHello() (HelloAnswer, error) {
	if err := c.raw.SetReadDeadline(time.Now().Add(c.limit)); err != nil {
		return HelloAnswer{}, err
	}
	a, err := readHello(c.r)
	if err == nil {
		c.record("S", "<"+a.String()+">")
	}
	return a, err
}

func readHello(r *bufio.Reader) (HelloAnswer, error) {
	var a HelloAnswer
	var handshake []byte
	for {
		kind, body, err := readRecord(r)
		switch {
		case a.Version != 0 && (err != nil || kind != recordHandshake):
			return a, nil // the hello is what counts
		case errors.Is(err, errClear):
			line := string(body)
			a.Clear = &line
			return a, nil
		case errors.Is(err, errSSL2):
			return ssl2Answer(body), nil
		case err != nil:
			return a, err
		case kind == recordAlert && len(body) == 2:
			if warning := body[0] == 1 && body[1] != 0; warning {
				continue
			}
			a.Alert = &body[1]
			return a, nil
		case kind != recordHandshake:
			a.Record = kind
			return a, nil
		}
		handshake = append(handshake, body...)
		var done bool
		if handshake, done = a.take(handshake); done || len(handshake) > longestHandshake {
			return a, nil
		}
	}
}

// longestHandshake is more than a chain of certificates needs.
const longestHandshake = 1 << 20

var (
	errClear = errors.New("no record of TLS but text")
	errSSL2  = errors.New("a record of SSL 2.0")
)

// readRecord reads one record; text in clear, and what SSL 2.0 says, come with
// an error that says so.
func readRecord(r *bufio.Reader) (kind byte, body []byte, err error) {
	first, err := r.Peek(1)
	if err != nil {
		return 0, nil, err
	}
	switch {
	case first[0]&0x80 != 0:
		var header [2]byte
		if _, err := io.ReadFull(r, header[:]); err != nil {
			return 0, nil, err
		}
		body = make([]byte, int(header[0]&0x7f)<<8|int(header[1]))
		n, _ := io.ReadFull(r, body)
		return 0, body[:n], errSSL2
	case first[0] < recordChangeCipherSpec || first[0] > 24: // RFC 6520 is the last
		line, err := ReadLine(r, maxReplyLine)
		if err != nil { // a line that does not end says as much
			line = first
		}
		return 0, append([]byte(nil), line...), errClear
	}
	var header [5]byte // RFC 8446 5.1: type, version, length
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return 0, nil, err
	}
	body = make([]byte, binary.BigEndian.Uint16(header[3:]))
	_, err = io.ReadFull(r, body)
	return header[0], body, err
}

// ssl2Answer is a SERVER-HELLO, or an error, which SSL 2.0 has no alerts for.
func ssl2Answer(body []byte) HelloAnswer {
	if len(body) > 0 && body[0] == 4 {
		return HelloAnswer{Version: VersionSSL20}
	}
	failure := byte(40)
	return HelloAnswer{Alert: &failure}
}

// take takes the whole messages out of what has come; done is that no more is
// wanted.
func (a *HelloAnswer) take(handshake fields) (rest fields, done bool) {
	for !done {
		kind, body, whole := handshake.message()
		if !whole {
			break
		}
		switch kind {
		case 2:
			a.serverHello(body)
			done = a.Version > tls.VersionTLS12
		case 12:
			a.keyExchange(body)
		case 14: // ServerHelloDone
			done = true
		}
	}
	return handshake, done
}

// helloRetry is the random of a HelloRetryRequest (RFC 8446 4.1.3).
const helloRetry = "\xCF\x21\xAD\x74\xE5\x9A\x61\x11\xBE\x1D\x8C\x02\x1E\x65\xB8\x91\xC2\xA2\x11\x16\x7A\xBB\x8C\x5E\x07\x9E\x09\xE2\xC8\xA8\x33\x9C"

func (a *HelloAnswer) serverHello(body fields) {
	a.Version = body.number()
	random := string(body.octets(32))
	a.Retry = random == helloRetry
	a.Downgraded = strings.HasSuffix(random, "DOWNGRD\x01") || strings.HasSuffix(random, "DOWNGRD\x00")
	body.short() // the session
	a.Suite = body.number()
	if c := body.octets(1); len(c) == 1 {
		a.Compression = c[0]
	}
	for extensions := body.long(); len(extensions) > 0; {
		kind, data := extensions.number(), extensions.long()
		a.Extensions = append(a.Extensions, kind)
		switch kind {
		case extSupportedVersions:
			a.Version = data.number()
		case extKeyShare:
			a.Group = data.number()
		case extALPN:
			names := data.long()
			a.ALPN = string(names.short())
		}
	}
}

// keyExchange is a ServerKeyExchange: of a named curve (RFC 8422 5.4), or with
// a prime (RFC 5246 7.4.3).
func (a *HelloAnswer) keyExchange(body fields) {
	if finite := a.Suite < 0xc000 || a.Suite == 0xccaa; !finite {
		if curve := body.octets(1); len(curve) == 1 && curve[0] == 3 {
			a.Group = body.number()
		}
		return
	}
	prime := body.long()
	for len(prime) > 0 && prime[0] == 0 {
		prime = prime[1:]
	}
	if len(prime) > 0 {
		a.PrimeBits = 8*(len(prime)-1) + bits.Len8(prime[0])
	}
}

// fields reads fields off the front; what is too short is empty.
type fields []byte

func (f *fields) octets(n int) []byte {
	if n > len(*f) {
		*f = nil
		return nil
	}
	head := (*f)[:n]
	*f = (*f)[n:]
	return head
}

func (f *fields) number() uint16 {
	if b := f.octets(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

// short and long have their length before them, in one octet and in two.
func (f *fields) short() fields {
	if b := f.octets(1); b != nil {
		return f.octets(int(b[0]))
	}
	return nil
}

func (f *fields) long() fields { return f.octets(int(f.number())) }

// message reads a message of the handshake, whose length is of three octets
// (RFC 8446 4). Of one that is not whole yet it reads nothing.
func (f *fields) message() (kind byte, body fields, whole bool) {
	b := *f
	if len(b) < 4 {
		return 0, nil, false
	}
	length := int(b[1])<<16 | int(b[2])<<8 | int(b[3])
	if len(b) < 4+length {
		return 0, nil, false
	}
	*f = b[4+length:]
	return b[0], b[4 : 4+length], true
}
