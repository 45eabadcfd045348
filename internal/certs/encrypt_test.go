package certs

import (
	"bytes"
	"crypto"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"strconv"
	"strings"
)

// scheme is how encrypt encrypts: cipher and pseudo-random function by their OIDs ("" = left out), and rounds.
type scheme struct {
	cipher, prf string
	rounds      int
}

// encrypt writes PKCS#8 encrypted by PBES2 with the test password: what `openssl pkcs8 -topk8 -v2` does, the salt apart.
func encrypt(der []byte, s scheme) []byte {
	salt := []byte("constant")
	prf := pkix.AlgorithmIdentifier{}
	if s.prf != "" {
		prf = pkix.AlgorithmIdentifier{Algorithm: oid(s.prf), Parameters: asn1.NullRawValue}
	}
	kdf := pkix.AlgorithmIdentifier{
		Algorithm:  oid(oidPBKDF2),
		Parameters: asn1.RawValue{FullBytes: must(asn1.Marshal(pbkdf2Params{Salt: salt, Iterations: s.rounds, PRF: prf}))},
	}
	sealed, iv := []byte("never decrypted!"), make([]byte, 16)
	if newCipher, length, err := cipherOf(pkix.AlgorithmIdentifier{Algorithm: oid(s.cipher)}); err == nil && s.rounds <= maxIterations {
		b := must(newCipher(must(deriveKey(kdf, password, length))))
		pad := b.BlockSize() - len(der)%b.BlockSize()
		iv, sealed = iv[:b.BlockSize()], join(der, bytes.Repeat([]byte{byte(pad)}, pad))
		cipher.NewCBCEncrypter(b, iv).CryptBlocks(sealed, sealed)
	}
	params := pbes2Params{KDF: kdf, Cipher: pkix.AlgorithmIdentifier{
		Algorithm:  oid(s.cipher),
		Parameters: asn1.RawValue{FullBytes: must(asn1.Marshal(iv))},
	}}
	return must(asn1.Marshal(encryptedPrivateKeyInfo{
		Algorithm: pkix.AlgorithmIdentifier{Algorithm: oid(oidPBES2), Parameters: asn1.RawValue{FullBytes: must(asn1.Marshal(params))}},
		Data:      sealed,
	}))
}

func oid(dotted string) asn1.ObjectIdentifier {
	var id asn1.ObjectIdentifier
	for part := range strings.SplitSeq(dotted, ".") {
		id = append(id, must(strconv.Atoi(part)))
	}
	return id
}

func pkcs1(key crypto.Signer) []byte { return x509.MarshalPKCS1PrivateKey(key.(*rsa.PrivateKey)) }

func sec1(key crypto.Signer) []byte { return must(x509.MarshalECPrivateKey(key.(*ecdsa.PrivateKey))) }
