package server

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/mailmatrix/mailmatrix/internal/certs"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// refusedAtStart reports whether the kind is one of the files that a server
// must refuse by name (rule 8).
func refusedAtStart(kind login.CertificateKind) bool {
	switch kind {
	case login.CertDER, login.CertPKCS7, login.CertPKCS12, login.CertEncryptedKey,
		login.CertKeyMismatch, login.CertExpiredFile:
		return true
	}
	return false
}

// files makes the certificate and key files of one of those kinds.
func (c *certificates) files(kind login.CertificateKind, identity string) (cert, key []byte, err error) {
	pair, err := c.authority.Issue(c.leaf(kind, identity))
	if err != nil {
		return nil, nil, err
	}
	cert, key = pair.CertPEM, pair.KeyPEM
	der := func(file []byte) []byte {
		block, _ := pem.Decode(file)
		return block.Bytes
	}
	switch kind {
	case login.CertDER:
		cert = der(cert)
	case login.CertPKCS7:
		cert, err = pkcs7(der(cert))
	case login.CertPKCS12:
		cert, err = pkcs12File(der(cert), der(key))
	case login.CertEncryptedKey:
		// Nobody here can open it, so what is inside does not matter.
		key = pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: der(key)})
	case login.CertKeyMismatch:
		var other certs.Pair
		other, err = c.authority.Issue(c.leaf(kind, identity))
		key = other.KeyPEM
	}
	return cert, key, err
}

// pkcs12File is a .pfx as the tools of the time make it.
func pkcs12File(cert, key []byte) ([]byte, error) {
	leaf, err := x509.ParseCertificate(cert)
	if err != nil {
		return nil, err
	}
	private, err := x509.ParsePKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pkcs12.Modern.Encode(private, leaf, nil, pkcs12.DefaultPassword)
}

var (
	oidData       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidSignedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
)

// pkcs7 is a .p7b: signed data without signatures that carries certificates
// only (RFC 2315 9.1).
func pkcs7(cert []byte) ([]byte, error) {
	type content struct{ Type asn1.ObjectIdentifier }
	inner, err := asn1.Marshal(struct {
		Version      int
		Digests      []pkix.AlgorithmIdentifier `asn1:"set"`
		Content      content
		Certificates asn1.RawValue
		Signers      []asn1.RawValue `asn1:"set"`
	}{
		Version: 1,
		Content: content{oidData},
		Certificates: asn1.RawValue{
			Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: cert},
	})
	if err != nil {
		return nil, fmt.Errorf("make PKCS#7: %w", err)
	}
	return asn1.Marshal(struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue
	}{oidSignedData, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: inner}})
}
