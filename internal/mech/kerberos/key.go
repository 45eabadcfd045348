package kerberos

import (
	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/types"
)

// keySizes are the encryption types that are taken, and how long their keys
// are (RFC 3962 7, RFC 8009 5). The older ones are withdrawn (RFC 6649,
// RFC 8429), and RC4 has Wrap tokens of a kind of its own (RFC 4757 7.3).
var keySizes = map[int32]int{
	etypeID.AES128_CTS_HMAC_SHA1_96:    16,
	etypeID.AES256_CTS_HMAC_SHA1_96:    32,
	etypeID.AES128_CTS_HMAC_SHA256_128: 16,
	etypeID.AES256_CTS_HMAC_SHA384_192: 32,
}

// usable reports whether k is a whole key of such a type.
func usable(k types.EncryptionKey) bool {
	size, known := keySizes[k.KeyType]
	return known && len(k.KeyValue) == size
}

// decrypt opens what was encrypted in k for this usage (RFC 4120 7.5.1).
func decrypt(d types.EncryptedData, k types.EncryptionKey, usage uint32) (plain []byte, ok bool) {
	if !usable(k) || d.EType != k.KeyType {
		return nil, false
	}
	et, err := crypto.GetEtype(k.KeyType)
	// The library cuts confounder and checksum off without looking.
	if err != nil || len(d.Cipher) < et.GetConfounderByteSize()+et.GetHMACBitLength()/8 {
		return nil, false
	}
	plain, err = et.DecryptMessage(k.KeyValue, d.Cipher, usage)
	return plain, err == nil
}

// encrypt encrypts in k for the usage. It names no version of the key, since
// only long-lived keys have one (RFC 4120 5.2.9).
func encrypt(plain []byte, k types.EncryptionKey, usage uint32) (types.EncryptedData, error) {
	return crypto.GetEncryptedData(plain, k, usage, 0)
}

// checksum is the keyed checksum of data that goes with the type of k
// (RFC 3961 4).
func checksum(k types.EncryptionKey, data []byte, usage uint32) ([]byte, error) {
	et, err := crypto.GetEtype(k.KeyType)
	if err != nil {
		return nil, err
	}
	return et.GetChecksumHash(k.KeyValue, data, usage)
}
