package mech

import (
	"encoding/hex"
	"fmt"
	"io"
)

// timestamp is a challenge in the form of a message-id, as RFC 2195 2 and
// RFC 1939 7 have it: never the same twice, and naming the server.
func timestamp(c ServerConfig) ([]byte, error) {
	var nonce [12]byte
	if _, err := io.ReadFull(c.Rand, nonce[:]); err != nil {
		return nil, fmt.Errorf("nonce: %w", err)
	}
	return fmt.Appendf(nil, "<%s.%d@%s>", hex.EncodeToString(nonce[:]), c.Now().Unix(), c.Identity), nil
}
