package certs

import (
	"crypto/x509"
	"errors"

	"software.sslmate.com/src/go-pkcs12"
)

// maxIterations bounds the rounds of key derivation that a file may ask for, some seconds' work: OpenSSL writes 2048, careful
// people a million, only a hostile or damaged file more.
const maxIterations = 10_000_000

// parsePKCS12 reads a PKCS#12 file with one key and its certificates (RFC 7292), in the present encryptions and those of the 1990s.
func parsePKCS12(b []byte, password string) (contents, error) {
	if iterations(b) > maxIterations {
		return contents{}, errors.New("it asks for more than ten million rounds of key derivation")
	}
	key, leaf, others, err := pkcs12.DecodeChain(b, password)
	switch {
	case errors.Is(err, pkcs12.ErrIncorrectPassword), errors.Is(err, pkcs12.ErrDecryption):
		return contents{}, errPassword
	case err != nil && isIndefinite(b):
		return contents{}, errors.New("it is BER with indefinite lengths: convert it with `openssl pkcs12 -in FILE -out FILE.pem`")
	case err != nil:
		return contents{}, err
	}
	signer, err := asSigner(key)
	if err != nil {
		return contents{}, err
	}
	return contents{certs: append([]*x509.Certificate{leaf}, others...), key: signer}, nil
}

// EncodePKCS12 writes a pair as a PKCS#12 file (.pfx, .p12), encrypted with AES-256 as OpenSSL 3 does it. What [Load] would refuse
// about the pair is the same error here, save that nobody asks when it is valid.
func EncodePKCS12(p Pair, password string) ([]byte, error) {
	chain, key, err := readPair(p.CertPEM, p.KeyPEM)
	if err != nil {
		return nil, err
	}
	return pkcs12.Modern2023.Encode(key, chain[0], chain[1:], password)
}
