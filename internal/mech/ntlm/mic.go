package ntlm

import "crypto/rc4"

// A client that was sent a timestamp protects the three messages with a message integrity code (3.1.5.1.2), so that nobody
// can change what was negotiated. The promise to do so stands inside the NTLMv2 response and cannot be taken out of it.

// promisesMIC reports whether the client said so. Attributes that cannot be read promise nothing.
func (m Authenticate) promisesMIC() bool {
	if m.Kind() != V2 {
		return false
	}
	pairs, err := ParseAVPairs(m.NTResponse[proofSize+blobFixed:])
	return err == nil && pairs.promisesMIC()
}

// v2SessionKey is the key of the code: derived from the proof (3.3.2), unless the client chose one and sent it under the
// derived key (3.2.5.1.2). Versions of MS-NLMP differ in when that is negotiated; that a key was sent decides it.
func (m Authenticate) v2SessionKey(key [16]byte) [16]byte {
	base := hmacMD5(key, m.NTResponse[:proofSize])
	if !m.Flags.Has(FlagKeyExchange) || len(m.SessionKey) != len(base) {
		return base
	}
	var exported [16]byte
	if cipher, err := rc4.NewCipher(base[:]); err == nil { // sixteen bytes are always a key
		cipher.XORKeyStream(exported[:], m.SessionKey)
	}
	return exported
}

// computeMIC is the code over type 1 and type 2 as sent and over the type 3 with zeros in the code's place.
func computeMIC(sessionKey [16]byte, negotiateAndChallenge, authenticate []byte) [micSize]byte {
	var zeros [micSize]byte
	return hmacMD5(sessionKey, negotiateAndChallenge,
		authenticate[:authenticateFixed], zeros[:], authenticate[authenticateFixed+micSize:])
}
