package kerberos

import (
	"crypto/hmac"
	"encoding/binary"
	"fmt"
	"io"
	"slices"

	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/types"
)

// Context is what both sides share once they know each other. It wraps
// messages with a checksum and without encryption, which is all that RFC 4752
// needs.
type Context struct {
	key types.EncryptionKey
	// subkey: the key is one that the acceptor asserted (RFC 4121 2).
	subkey bool
	// acceptor is which side this is.
	acceptor      bool
	send, receive uint64 // sequence numbers of the next token each way
}

// firstSequence draws the number that a side starts to count from. Some peers
// took the upper half of them for negative (RFC 4120 5.5.1), so it is left out.
func firstSequence(random io.Reader) (int64, error) {
	var b [4]byte
	_, err := io.ReadFull(random, b[:])
	return int64(binary.BigEndian.Uint32(b[:]) >> 2), err
}

// sequence is where the other side starts, even if it wrote it as negative.
func sequence(first int64) uint64 { return uint64(uint32(first)) }

// The header of a Wrap token (RFC 4121 4.2.6.2).
const (
	headerSize   = 16
	filler       = 0xff
	fromAcceptor = 1 // RFC 4121 4.2.2
	sealed       = 2
	withSubkey   = 4
)

// header is a token's, as the checksum covers it: its length (EC) and rotation
// (RRC) are taken for zero (RFC 4121 4.2.4).
func header(flags byte, sequence uint64) []byte {
	h := []byte{5, 4, flags, filler, 0, 0, 0, 0}
	return binary.BigEndian.AppendUint64(h, sequence)
}

// flags are those of a token that is sent by this side, or by the other.
func (c *Context) flags(byAcceptor bool) (flags byte, usage uint32) {
	if c.subkey {
		flags = withSubkey
	}
	if byAcceptor {
		return flags | fromAcceptor, keyusage.GSSAPI_ACCEPTOR_SEAL // RFC 4121 2
	}
	return flags, keyusage.GSSAPI_INITIATOR_SEAL
}

// Wrap makes a token of a message: header, message, checksum
// (RFC 4121 4.2.4).
func (c *Context) Wrap(message []byte) ([]byte, error) {
	flags, usage := c.flags(c.acceptor)
	h := header(flags, c.send)
	sum, err := checksum(c.key, slices.Concat(message, h), usage)
	if err != nil {
		return nil, err
	}
	c.send++
	binary.BigEndian.PutUint16(h[4:], uint16(len(sum)))
	return slices.Concat(h, message, sum), nil
}

// Unwrap takes the message out of the other side's next token.
func (c *Context) Unwrap(token []byte) ([]byte, error) {
	if len(token) < headerSize || token[0] != 5 || token[1] != 4 || token[3] != filler {
		return nil, fmt.Errorf("%w: no Wrap token", ErrMalformed)
	}
	flags, usage := c.flags(!c.acceptor)
	switch got := token[2]; {
	case got&fromAcceptor != flags&fromAcceptor:
		return nil, fmt.Errorf("%w: Wrap token: our own, come back", ErrRefused)
	case got&sealed != 0: // RFC 4752 3.1, 3.2: conf_flag is FALSE
		return nil, fmt.Errorf("%w: an encrypted Wrap token", ErrMalformed)
	case got&withSubkey != flags&withSubkey:
		return nil, fmt.Errorf("%w: Wrap token: in another key", ErrRefused)
	default:
		flags = got // RFC 4121 4.2.2: unknown flags are ignored, yet summed
	}
	sequence := binary.BigEndian.Uint64(token[8:])
	size, rotation := int(binary.BigEndian.Uint16(token[4:])), int(binary.BigEndian.Uint16(token[6:]))
	body := unrotate(token[headerSize:], rotation)
	if size > len(body) {
		return nil, fmt.Errorf("%w: a Wrap token shorter than its checksum", ErrMalformed)
	}
	message, got := body[:len(body)-size], body[len(body)-size:]
	want, err := checksum(c.key, slices.Concat(message, header(flags, sequence)), usage)
	switch {
	case err != nil:
		return nil, err
	case !hmac.Equal(got, want):
		return nil, fmt.Errorf("%w: Wrap token: its checksum is wrong", ErrRefused)
	case sequence != c.receive:
		return nil, fmt.Errorf("%w: Wrap token: out of sequence", ErrRefused)
	}
	c.receive++
	return message, nil
}

// unrotate turns what follows the header back. The count may be larger than
// what was turned (RFC 4121 4.2.5).
func unrotate(body []byte, right int) []byte {
	if len(body) == 0 {
		return body
	}
	right %= len(body)
	return slices.Concat(body[right:], body[:right])
}
