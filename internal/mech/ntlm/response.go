package ntlm

import (
	"crypto/des"
	"crypto/hmac"
	"crypto/md5"
	"encoding/binary"
	"time"

	"golang.org/x/crypto/md4" //nolint:staticcheck // the protocol demands it
)

// Secret is what a server has to know of a password: enough to check a response of every kind. Whoever holds it can also
// answer in the user's name; it needs the care that the password needs.
type Secret struct {
	NT    [16]byte
	LM    [16]byte
	HasLM bool // false where the password has no LM hash, and an LM response never verifies
}

// NewSecret makes a password's secret.
func NewSecret(password string) Secret {
	lm, ok := LMHash(password)
	return Secret{NT: NTHash(password), LM: lm, HasLM: ok}
}

// NTHash is NTOWFv1 (3.3.1): MD4 over the password in UTF-16LE, without a salt. A server may keep it.
func NTHash(password string) [16]byte {
	h := md4.New()
	h.Write(toUTF16(password))
	var sum [16]byte
	h.Sum(sum[:0])
	return sum
}

// LMHash is LMOWFv1 (3.3.1): each half of the password, in upper case and filled up to seven bytes, encrypts a constant.
// There is none for a password of more than 14 characters; beyond ASCII it would depend on the client's code page, so we
// make none either.
func LMHash(password string) (hash [16]byte, ok bool) {
	var key [14]byte
	if len(password) > len(key) {
		return hash, false
	}
	for i := range len(password) {
		c := password[i]
		if c > 0x7F {
			return hash, false
		}
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		key[i] = c
	}
	constant := []byte("KGS!@#$%")
	encrypt(hash[:8], constant, [7]byte(key[:7]))
	encrypt(hash[8:], constant, [7]byte(key[7:]))
	return hash, true
}

// desl is DESL (6): the hash, filled up to 21 bytes, makes three keys, and each encrypts the challenge. It is the LM
// response where the hash is the LM hash, and the NTLMv1 response where it is the NT hash.
func desl(hash [16]byte, challenge [8]byte) (response [24]byte) {
	var keys [21]byte
	copy(keys[:], hash[:])
	for i := range 3 {
		encrypt(response[8*i:8*i+8], challenge[:], [7]byte(keys[7*i:]))
	}
	return response
}

// sessionResponse is NTLMv1 with extended session security (3.3.1): it answers a hash of both challenges.
func sessionResponse(ntHash [16]byte, server, client [8]byte) [24]byte {
	var both [16]byte
	copy(both[:8], server[:])
	copy(both[8:], client[:])
	sum := md5.Sum(both[:])
	return desl(ntHash, [8]byte(sum[:]))
}

// encrypt is DES with a key of 56 bits.
func encrypt(dst, src []byte, key [7]byte) {
	spread := spreadKey(key)
	if block, err := des.NewCipher(spread[:]); err == nil { // eight bytes are always a key
		block.Encrypt(dst, src)
	}
}

// spreadKey puts the 56 bits into the upper seven of each of eight bytes; the lowest is DES's parity, which nobody checks.
func spreadKey(key [7]byte) (spread [8]byte) {
	var bits uint64
	for _, b := range key {
		bits = bits<<8 | uint64(b)
	}
	for i := range spread {
		spread[i] = byte(bits>>(49-7*i)) << 1
	}
	return spread
}

// v2Key is NTOWFv2, which is LMOWFv2 too (3.3.2). The user's name counts in upper case, the domain as the client sent it.
func v2Key(ntHash [16]byte, user, domain string) [16]byte {
	name := make([]byte, 0, 2*(len(user)+len(domain))+16)
	return hmacMD5(ntHash, appendUTF16(appendUTF16(name, upper(user)), domain))
}

const (
	proofSize = 16 // NTProofStr: the part of an NTLMv2 response that proves something
	blobFixed = 28 // what precedes the attributes in the rest of it (2.2.2.7)
)

// v2Blob is the client's half of what an NTLMv2 response is computed over: "temp" in 3.3.2.
func v2Blob(filetime uint64, client [8]byte, targetInfo []byte) []byte {
	blob := make([]byte, 0, blobFixed+len(targetInfo)+4)
	blob = append(blob, 1, 1, 0, 0, 0, 0, 0, 0) // this version and the highest known, both 1
	blob = binary.LittleEndian.AppendUint64(blob, filetime)
	blob = append(blob, client[:]...)
	blob = append(blob, 0, 0, 0, 0)
	blob = append(blob, targetInfo...)
	return append(blob, 0, 0, 0, 0)
}

// v2Proof is NTProofStr (3.3.2). With the client's challenge in place of a blob it is the LMv2 response's first part.
func v2Proof(key [16]byte, server [8]byte, blob []byte) [16]byte {
	return hmacMD5(key, server[:], blob)
}

func hmacMD5(key [16]byte, parts ...[]byte) [16]byte {
	h := hmac.New(md5.New, key[:])
	for _, part := range parts {
		h.Write(part)
	}
	var sum [16]byte
	h.Sum(sum[:0])
	return sum
}

// toFiletime is Windows's clock: steps of 100 ns since 1601.
func toFiletime(t time.Time) uint64 {
	const epoch = 11_644_473_600 // seconds from 1601 to 1970
	return uint64(t.Unix()+epoch)*10_000_000 + uint64(t.Nanosecond())/100
}
