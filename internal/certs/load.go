package certs

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"time"
)

// Load makes a certificate ready for a server. It demands X.509 in PEM, leaf first, and the leaf's private key in PEM, not
// encrypted; both may be the same file. The leaf must be valid at now; what comes behind it is not judged (servers
// send expired cross-signed roots on purpose).
//
// Whatever else is handed in is refused: a [*FormatError], a [*MismatchError] or a [*ValidityError], the first that applies, which
// [KindOf] tells apart.
func Load(certBytes, keyBytes []byte, now time.Time) (tls.Certificate, error) {
	chain, key, err := readPair(certBytes, keyBytes)
	if err != nil {
		return tls.Certificate{}, err
	}
	leaf := chain[0]
	if now.Before(leaf.NotBefore) || now.After(leaf.NotAfter) {
		return tls.Certificate{}, &ValidityError{Name: nameOf(leaf), NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter, At: now}
	}
	loaded := tls.Certificate{PrivateKey: key, Leaf: leaf}
	for _, cert := range chain {
		loaded.Certificate = append(loaded.Certificate, cert.Raw)
	}
	return loaded, nil
}

// readPair returns the certificates of one PEM file and the private key of another, which must be that of the first certificate.
func readPair(certBytes, keyBytes []byte) ([]*x509.Certificate, crypto.Signer, error) {
	chain, err := readCertificates(certBytes)
	if err != nil {
		return nil, nil, err
	}
	key, err := readKey(keyBytes)
	if err != nil {
		return nil, nil, err
	}
	if !samePublic(chain[0].PublicKey, key.Public()) {
		return nil, nil, mismatch(chain, key)
	}
	return chain, key, nil
}

// readCertificates returns the certificates of a PEM file, at least one.
func readCertificates(b []byte) ([]*x509.Certificate, error) {
	blocks, have := find(b, FormatPEMCertificate, FormatPEMPKCS7)
	if len(blocks) == 0 {
		return nil, &FormatError{What: WhatCertificate, Have: have}
	}
	var chain []*x509.Certificate
	for _, block := range blocks {
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, &FormatError{What: WhatCertificate, Have: FormatPEMCertificate, Err: err}
		}
		chain = append(chain, cert)
	}
	return chain, nil
}

// readKey returns the first private key of a PEM file.
func readKey(b []byte) (crypto.Signer, error) {
	blocks, have := find(b, FormatPEMKey, FormatPEMEncryptedKey)
	if len(blocks) == 0 {
		return nil, &FormatError{What: WhatKey, Have: have}
	}
	key, err := parseKey(blocks[0].Bytes)
	if err != nil {
		return nil, &FormatError{What: WhatKey, Have: FormatPEMKey, Err: err}
	}
	return key, nil
}

// find returns the PEM blocks of the wanted format. If there is none, it returns what the file has in their place: the
// format that is nearly right, if that is anywhere in it.
func find(b []byte, want, nearly Format) (found []*pem.Block, have Format) {
	have = Detect(b)
	if have == FormatPEMDamaged {
		return nil, have
	}
	blocks, _ := pemBlocks(b)
	for _, block := range blocks {
		switch detectBlock(block) {
		case want:
			found = append(found, block)
		case nearly:
			have = nearly
		}
	}
	return found, have
}

// mismatch explains that key is not the first certificate's.
func mismatch(chain []*x509.Certificate, key crypto.Signer) error {
	e := &MismatchError{Name: nameOf(chain[0]), Certificate: keyName(chain[0].PublicKey), Key: keyName(key.Public())}
	for i, cert := range chain {
		if samePublic(cert.PublicKey, key.Public()) {
			e.Position = i + 1
			break
		}
	}
	return e
}

// nameOf is what a person would call the certificate.
func nameOf(cert *x509.Certificate) string {
	switch {
	case cert.Subject.CommonName != "":
		return cert.Subject.CommonName
	case len(cert.DNSNames) > 0:
		return cert.DNSNames[0]
	case len(cert.IPAddresses) > 0:
		return cert.IPAddresses[0].String()
	}
	return cert.Subject.String()
}
