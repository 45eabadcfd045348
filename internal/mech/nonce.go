package mech

import (
	"encoding/base64"
	"fmt"
	"io"
)

// freshNonce is 18 octets of chance in base64: more than RFC 2831 2.1.1 asks
// for, and without a comma or a quote, which would end it in a message.
func freshNonce(chance io.Reader) (string, error) {
	var nonce [18]byte
	if _, err := io.ReadFull(chance, nonce[:]); err != nil {
		return "", fmt.Errorf("nonce: %w", err)
	}
	return base64.StdEncoding.EncodeToString(nonce[:]), nil
}
