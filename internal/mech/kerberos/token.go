package kerberos

import (
	"bytes"
	"encoding/asn1"
	"fmt"
)

// tokenID says which message a token holds (RFC 4121 4.1).
type tokenID [2]byte

var (
	idRequest = tokenID{1, 0} // KRB_AP_REQ
	idReply   = tokenID{2, 0} // KRB_AP_REP
)

// mechanismOID is 1.2.840.113554.1.2.2, Kerberos V5 (RFC 4121 4.1), in DER.
var mechanismOID = []byte{0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02}

// frame puts a message into a token: mechanism, then kind, then message
// (RFC 2743 3.1, RFC 4121 4.1).
func frame(id tokenID, message []byte) ([]byte, error) {
	content := bytes.Join([][]byte{mechanismOID, id[:], message}, nil)
	return asn1.Marshal(asn1.RawValue{Class: asn1.ClassApplication, Tag: 0, IsCompound: true, Bytes: content})
}

// unframe takes the message out of a token, which has nothing behind it.
func unframe(id tokenID, token []byte) ([]byte, error) {
	var content asn1.RawValue
	rest, err := asn1.Unmarshal(token, &content)
	if err != nil || len(rest) > 0 || content.Class != asn1.ClassApplication || content.Tag != 0 || !content.IsCompound {
		return nil, fmt.Errorf("%w: no token of the GSS-API", ErrMalformed)
	}
	inner, ours := bytes.CutPrefix(content.Bytes, mechanismOID)
	if !ours {
		return nil, fmt.Errorf("%w: a token of another mechanism", ErrMalformed)
	}
	message, expected := bytes.CutPrefix(inner, id[:])
	if !expected {
		return nil, fmt.Errorf("%w: another token was expected", ErrMalformed)
	}
	return message, nil
}
