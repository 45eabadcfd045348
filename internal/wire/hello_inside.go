package wire

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"strings"
)

// Ticket is what a server says of a session that can be resumed, where
// crypto/tls keeps it to itself.
type Ticket struct {
	// Lifetime in seconds; 0 is not said (RFC 5077 3.3).
	Lifetime uint32
	// EarlyData is how many octets may come before the handshake is over
	// (RFC 8446 4.2.10).
	EarlyData uint32
}

func (t Ticket) String() string {
	return fmt.Sprintf("ticket of %d seconds, early data %d", t.Lifetime, t.EarlyData)
}

// errUnread says that what is inside the records cannot be known here.
var errUnread = errors.New("what is inside the records cannot be read with this suite")

// Tickets are those that the server has given out so far on this connection,
// which must have a [Tap]. secrets is what crypto/tls wrote for it into
// tls.Config.KeyLogWriter.
func (c *Conn) Tickets(secrets string) ([]Ticket, error) {
	inside, err := c.inside(secrets)
	var all []Ticket
	var messages fields
	for _, r := range inside {
		if r.kind == recordHandshake {
			messages = append(messages, r.body...)
		}
	}
	// Behind a Finished of TLS 1.2, which is encrypted, nothing is to be found.
	for {
		kind, body, whole := messages.message()
		if !whole {
			return all, err
		}
		if kind == 4 && len(body) > 4 {
			all = append(all, c.ticket(body))
		}
	}
}

func (c *Conn) ticket(body fields) Ticket {
	if c.TLSState().Version < tls.VersionTLS13 {
		// RFC 5077 3.3: the ticket follows, and that is all.
		return Ticket{Lifetime: binary.BigEndian.Uint32(body.octets(4))}
	}
	return ticket13(body)
}

// ticket13 is RFC 8446 4.6.1.
func ticket13(body fields) Ticket {
	t := Ticket{Lifetime: binary.BigEndian.Uint32(body.octets(4))}
	body.octets(4) // what is added to its age
	body.short()   // nonce
	body.long()    // the ticket
	for extensions := body.long(); len(extensions) > 0; {
		kind, data := extensions.number(), extensions.long()
		if kind == extEarlyData && len(data) == 4 {
			t.EarlyData = binary.BigEndian.Uint32(data)
		}
	}
	return t
}

// Notified reports whether the server has sent a close_notify (RFC 8446 6.1),
// which crypto/tls does not tell from the bare end of a connection. It needs
// what [Conn.Tickets] needs.
func (c *Conn) Notified(secrets string) (bool, error) {
	inside, err := c.inside(secrets)
	for _, r := range inside {
		// TLS 1.2 encrypts the alert and shows that it is one: after a good
		// handshake and a good bye it can be no other.
		if r.kind == recordAlert && (r.sealed || len(r.body) == 2 && r.body[1] == 0) {
			return true, err
		}
	}
	return false, err
}

// LeaveTLS ends TLS with a close_notify and goes on in clear on the connection
// below it.
func (c *Conn) LeaveTLS() error {
	if err := c.CloseWrite(); err != nil {
		return err
	}
	c.conn, c.encrypted = c.raw, false
	c.r.Reset(c.raw)
	return nil
}

// insideRecord is a record of the server; a sealed one could not be opened.
type insideRecord struct {
	kind   byte
	body   []byte
	sealed bool
}

// inside are the server's records so far. Those that TLS 1.3 encrypts are
// opened: of those of the handshake nothing is wanted, so only the secret that
// comes after it is used.
func (c *Conn) inside(secrets string) ([]insideRecord, error) {
	tap, ok := c.raw.(*Tap)
	if !ok {
		return nil, errors.New("nobody listens on this connection")
	}
	state := c.TLSState()
	records := recordsOf(tap.Octets(true))
	if state.Version < tls.VersionTLS13 {
		sealed := false
		for i := range records {
			records[i].sealed = sealed
			sealed = sealed || records[i].kind == recordChangeCipherSpec
		}
		return clearOnly(records), nil
	}
	open, err := opener(state.CipherSuite, secrets)
	if err != nil {
		return nil, err
	}
	var all []insideRecord
	for _, r := range records {
		if r.kind != recordApplication {
			continue
		}
		if body, ok := open(r.body); ok {
			body = bytes.TrimRight(body, "\x00") // RFC 8446 5.2: padding, then the true type
			if n := len(body); n > 0 {
				all = append(all, insideRecord{kind: body[n-1], body: body[:n-1]})
			}
		}
	}
	return all, nil
}

// clearOnly leaves out what is encrypted, but for alerts: that they are there
// says enough.
func clearOnly(records []insideRecord) []insideRecord {
	var all []insideRecord
	for _, r := range records {
		if !r.sealed || r.kind == recordAlert {
			all = append(all, r)
		}
	}
	return all
}

// recordsOf finds the records. What was said in clear before them is skipped:
// TLS begins with a handshake record (RFC 8446 5.1).
func recordsOf(octets []byte) []insideRecord {
	begin := bytes.Index(octets, []byte{recordHandshake, 3})
	if begin < 0 {
		return nil
	}
	var all []insideRecord
	for rest := fields(octets[begin:]); len(rest) >= 5; {
		kind := rest.octets(1)[0]
		rest.octets(2)
		all = append(all, insideRecord{kind: kind, body: rest.long()})
	}
	return all
}

// opener opens the records that are encrypted with the secret that the log has
// for the server's data, in their order. What does not open is of another
// secret, and does not count.
func opener(suite uint16, log string) (func([]byte) ([]byte, bool), error) {
	var secret []byte
	for line := range strings.Lines(log) {
		words := strings.Fields(line)
		if len(words) == 3 && words[0] == "SERVER_TRAFFIC_SECRET_0" {
			secret, _ = hex.DecodeString(words[2])
		}
	}
	var key, iv []byte
	var err error
	switch suite {
	case tls.TLS_AES_128_GCM_SHA256:
		key, iv, err = trafficKey(sha256.New, secret, 16)
	case tls.TLS_AES_256_GCM_SHA384:
		key, iv, err = trafficKey(sha512.New384, secret, 32)
	default: // ChaCha20 is not in the standard library
		return nil, errUnread
	}
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	sequence := uint64(0)
	return func(sealed []byte) ([]byte, bool) {
		nonce := bytes.Clone(iv)
		for i, b := range binary.BigEndian.AppendUint64(nil, sequence) { // RFC 8446 5.3
			nonce[4+i] ^= b
		}
		header := []byte{recordApplication, 3, 3, byte(len(sealed) >> 8), byte(len(sealed))}
		body, err := aead.Open(nil, nonce, sealed, header)
		if err != nil {
			return nil, false
		}
		sequence++
		return body, true
	}, nil
}

// trafficKey is RFC 8446 7.3.
func trafficKey(h func() hash.Hash, secret []byte, size int) (key, iv []byte, err error) {
	if len(secret) == 0 {
		return nil, nil, errors.New("the log has no secret of the server")
	}
	label := func(name string, length int) string { // HkdfLabel, RFC 8446 7.1
		b := binary.BigEndian.AppendUint16(nil, uint16(length))
		return string(append8(append8(b, []byte("tls13 "+name)), nil))
	}
	if key, err = hkdf.Expand(h, secret, label("key", size), size); err != nil {
		return nil, nil, err
	}
	iv, err = hkdf.Expand(h, secret, label("iv", 12), 12)
	return key, iv, err
}
