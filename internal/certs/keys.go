package certs

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
)

const rsaBits = 2048

// KeyKind is the kind of key to make.
type KeyKind uint8

const (
	ECDSA KeyKind = iota // curve P-256; the zero value
	RSA                  // 2048 bits
)

// String returns the kind as Inspect writes it: "ECDSA", "RSA".
func (k KeyKind) String() string {
	switch k {
	case ECDSA:
		return "ECDSA"
	case RSA:
		return "RSA"
	}
	return fmt.Sprintf("KeyKind(%d)", uint8(k))
}

// NewKey makes a private key. Leaves share one through [Leaf.PrivateKey]; an RSA key takes tenths of a second. A kind that is none
// of the constants is an error.
func NewKey(kind KeyKind) (crypto.Signer, error) {
	switch kind {
	case ECDSA:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case RSA:
		return rsa.GenerateKey(rand.Reader, rsaBits)
	}
	return nil, fmt.Errorf("make key: unknown kind %s", kind)
}

// parseKey reads a private key in any of its three DER encodings, which their shape tells apart.
func parseKey(der []byte) (crypto.Signer, error) {
	var key any
	var err error
	switch shapeOf(der) {
	case shapePKCS8:
		key, err = x509.ParsePKCS8PrivateKey(der)
	case shapePKCS1:
		key, err = x509.ParsePKCS1PrivateKey(der)
	case shapeSEC1:
		key, err = x509.ParseECPrivateKey(der)
	default:
		return nil, errors.New("no private key in PKCS#8, PKCS#1 or SEC 1 encoding")
	}
	if err != nil {
		return nil, err
	}
	return asSigner(key)
}

// asSigner takes what the decoders return for the private key of a server.
func asSigner(key any) (crypto.Signer, error) {
	signer, ok := key.(crypto.Signer)
	if !ok { // X25519 and its like
		return nil, errors.New("the key can only agree on secrets, a server's must sign")
	}
	return signer, nil
}

// samePublic says whether both are the same public key.
func samePublic(a, b crypto.PublicKey) bool {
	k, ok := a.(interface{ Equal(x crypto.PublicKey) bool })
	return ok && k.Equal(b)
}

// describeKey returns algorithm, curve (ECDSA only) and size in bits; "unknown" for a key that the standard library cannot read.
func describeKey(pub crypto.PublicKey) (algorithm, curve string, bits int) {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		return "RSA", "", k.N.BitLen()
	case *ecdsa.PublicKey:
		params := k.Curve.Params()
		return "ECDSA", params.Name, params.BitSize
	case ed25519.PublicKey:
		return "Ed25519", "", 8 * len(k)
	}
	return "unknown", "", 0
}

// keyName is describeKey in two words, for messages: "RSA 2048", "ECDSA P-256", "Ed25519".
func keyName(pub crypto.PublicKey) string {
	algorithm, curve, bits := describeKey(pub)
	switch {
	case curve != "":
		return algorithm + " " + curve
	case algorithm == "RSA":
		return fmt.Sprintf("RSA %d", bits)
	}
	return algorithm
}
