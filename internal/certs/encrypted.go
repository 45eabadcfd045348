package certs

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"hash"
	"strings"
)

const (
	oidPBES2  = "1.2.840.113549.1.5.13"
	oidPBKDF2 = "1.2.840.113549.1.5.12"

	oidHMACSHA1   = "1.2.840.113549.2.7"
	oidHMACSHA224 = "1.2.840.113549.2.8"
	oidHMACSHA256 = "1.2.840.113549.2.9"
	oidHMACSHA384 = "1.2.840.113549.2.10"
	oidHMACSHA512 = "1.2.840.113549.2.11"

	oidDESEDE3CBC = "1.2.840.113549.3.7"
	oidAES128CBC  = "2.16.840.1.101.3.4.1.2"
	oidAES192CBC  = "2.16.840.1.101.3.4.1.22"
	oidAES256CBC  = "2.16.840.1.101.3.4.1.42"
)

// encryptedPrivateKeyInfo is RFC 5958 s3.
type encryptedPrivateKeyInfo struct {
	Algorithm pkix.AlgorithmIdentifier
	Data      []byte
}

// pbes2Params is RFC 8018 appendix A.4.
type pbes2Params struct {
	KDF    pkix.AlgorithmIdentifier
	Cipher pkix.AlgorithmIdentifier
}

// pbkdf2Params is RFC 8018 appendix A.2.
type pbkdf2Params struct {
	Salt       []byte
	Iterations int
	KeyLength  int                      `asn1:"optional"`
	PRF        pkix.AlgorithmIdentifier `asn1:"optional"`
}

// decryptKey reads an encrypted private key in either of OpenSSL's manners.
func decryptKey(block *pem.Block, password string) (crypto.Signer, error) {
	var der []byte
	var err error
	if isLegacyEncrypted(block) {
		der, err = decryptLegacy(block, password)
	} else {
		der, err = decryptPKCS8(block.Bytes, password)
	}
	if err != nil {
		return nil, err
	}
	if shapeOf(der) == "" { // the padding looked right by chance
		return nil, errPassword
	}
	return parseKey(der)
}

// decryptLegacy opens a key encrypted by PEM headers (RFC 1421 s4.6.1.3, RFC 1423 s1, with a key derivation of OpenSSL's own).
func decryptLegacy(block *pem.Block, password string) ([]byte, error) {
	der, err := x509.DecryptPEMBlock(block, []byte(password)) //nolint:staticcheck // SA1019: weak, which is why we convert it
	if errors.Is(err, x509.IncorrectPasswordError) {
		return nil, errPassword
	}
	return der, err
}

// decryptPKCS8 opens an EncryptedPrivateKeyInfo by scheme PBES2 (RFC 8018 s6.2). What it returns is DER, or noise if the password is
// wrong and the padding happens to be right.
func decryptPKCS8(b []byte, password string) ([]byte, error) {
	var info encryptedPrivateKeyInfo
	if err := unmarshal(b, &info); err != nil {
		return nil, err
	}
	if info.Algorithm.Algorithm.String() != oidPBES2 {
		return nil, unsupported("encryption scheme", info.Algorithm)
	}
	var params pbes2Params
	if err := unmarshal(info.Algorithm.Parameters.FullBytes, &params); err != nil {
		return nil, err
	}
	newCipher, keyLength, err := cipherOf(params.Cipher)
	if err != nil {
		return nil, err
	}
	key, err := deriveKey(params.KDF, password, keyLength)
	if err != nil {
		return nil, err
	}
	block, err := newCipher(key)
	if err != nil {
		return nil, err
	}
	var iv []byte
	if err := unmarshal(params.Cipher.Parameters.FullBytes, &iv); err != nil {
		return nil, err
	}
	return decryptCBC(block, iv, info.Data)
}

// deriveKey is PBKDF2 (RFC 8018 s5.2).
func deriveKey(kdf pkix.AlgorithmIdentifier, password string, keyLength int) ([]byte, error) {
	if kdf.Algorithm.String() != oidPBKDF2 {
		return nil, unsupported("key derivation", kdf)
	}
	var params pbkdf2Params
	if err := unmarshal(kdf.Parameters.FullBytes, &params); err != nil {
		return nil, err
	}
	if params.Iterations < 1 || params.Iterations > maxIterations {
		return nil, fmt.Errorf("%d rounds of key derivation are not sensible", params.Iterations)
	}
	if params.KeyLength != 0 && params.KeyLength != keyLength {
		return nil, fmt.Errorf("derived key of %d octets does not fit the cipher", params.KeyLength)
	}
	newHash, err := hashOf(params.PRF)
	if err != nil {
		return nil, err
	}
	return pbkdf2.Key(newHash, password, params.Salt, params.Iterations, keyLength)
}

// hashOf returns the hash under the HMAC that prf names (RFC 8018 appendix B.1.2).
func hashOf(prf pkix.AlgorithmIdentifier) (func() hash.Hash, error) {
	switch prf.Algorithm.String() {
	case "", oidHMACSHA1: // left out = SHA-1
		return sha1.New, nil
	case oidHMACSHA224:
		return sha256.New224, nil
	case oidHMACSHA256:
		return sha256.New, nil
	case oidHMACSHA384:
		return sha512.New384, nil
	case oidHMACSHA512:
		return sha512.New, nil
	}
	return nil, unsupported("pseudo-random function", prf)
}

// cipherOf returns the block cipher (RFC 8018 appendix B.2) and the length of its key in octets.
func cipherOf(scheme pkix.AlgorithmIdentifier) (newCipher func([]byte) (cipher.Block, error), keyLength int, err error) {
	switch scheme.Algorithm.String() {
	case oidAES128CBC:
		return aes.NewCipher, 16, nil
	case oidAES192CBC:
		return aes.NewCipher, 24, nil
	case oidAES256CBC:
		return aes.NewCipher, 32, nil
	case oidDESEDE3CBC:
		return des.NewTripleDESCipher, 24, nil
	}
	return nil, 0, unsupported("cipher", scheme)
}

// decryptCBC decrypts and takes the padding off (RFC 8018 s6.1.1 step 4). Padding that is wrong means that the password was.
func decryptCBC(block cipher.Block, iv, data []byte) ([]byte, error) {
	size := block.BlockSize()
	if len(iv) != size || len(data) == 0 || len(data)%size != 0 {
		return nil, errors.New("the encrypted part does not fit its cipher's blocks")
	}
	plain := make([]byte, len(data))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, data)
	pad := int(plain[len(plain)-1])
	if pad < 1 || pad > size {
		return nil, errPassword
	}
	plain, padding := plain[:len(plain)-pad], plain[len(plain)-pad:]
	for _, octet := range padding {
		if int(octet) != pad {
			return nil, errPassword
		}
	}
	return plain, nil
}

// unsupported names an algorithm that is not read here, and the program that reads it.
func unsupported(role string, a pkix.AlgorithmIdentifier) error {
	oid := a.Algorithm.String()
	name := "of type"
	switch {
	case oid == "1.3.6.1.4.1.11591.4.11":
		name = "scrypt" // RFC 7914 s7
	case strings.HasPrefix(oid, "1.2.840.113549.1.5."):
		name = "PBES1" // RFC 8018 appendix A.3
	case strings.HasPrefix(oid, "1.2.840.113549.1.12.1."):
		name = "PKCS#12 PBE" // RFC 7292 appendix C
	}
	return fmt.Errorf("%s %s (%s) is not supported: decrypt it with `openssl pkcs8 -in FILE -out FILE.pem`", role, name, oid)
}
