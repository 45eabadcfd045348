package certs

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"slices"
)

// Convert turns a file into what [Load] accepts: certificates as PEM, leaf first, each followed by its issuer, and the key as
// PKCS#8 PEM without encryption. It reads DER, PKCS#7 that holds certificates only, PKCS#12, encrypted keys, and PEM that mixes
// any of these; a part that the file has not is nil in the pair. The password is looked at only where something is encrypted.
//
// A wrong or missing password is a [*PasswordError], a key that belongs to none of the certificates a [*MismatchError], and
// whatever cannot be converted a [*FormatError] that says why.
func Convert(in []byte, password string) (Pair, error) {
	have := Detect(in)
	var found contents
	var err error
	switch have {
	case FormatPEMCertificate, FormatPEMKey, FormatPEMEncryptedKey, FormatPEMPKCS7, FormatPEMCSR:
		found, err = readPEM(in, password)
	default:
		found, err = readPart(have, &pem.Block{Bytes: in}, password)
	}
	if err != nil {
		return Pair{}, err
	}
	return found.pair()
}

// contents is what a file held.
type contents struct {
	certs []*x509.Certificate
	key   crypto.Signer // nil = none
}

// readPEM gathers all blocks of a PEM file. Requests, parameters and the like are left out, unless there is nothing else.
func readPEM(in []byte, password string) (contents, error) {
	var all contents
	blocks, _ := pemBlocks(in)
	for _, block := range blocks {
		have := detectBlock(block)
		if have == FormatPEMCSR || have == FormatUnknown {
			continue
		}
		part, err := readPart(have, block, password)
		if err != nil {
			return contents{}, err
		}
		all.certs = append(all.certs, part.certs...)
		switch {
		case part.key == nil:
		case all.key == nil:
			all.key = part.key
		case !samePublic(all.key.Public(), part.key.Public()):
			return contents{}, &FormatError{What: WhatInput, Have: have, Err: errors.New("the file holds more than one private key")}
		}
	}
	if len(all.certs) == 0 && all.key == nil {
		return contents{}, &FormatError{What: WhatInput, Have: Detect(in)}
	}
	return all, nil
}

// readPart reads one block of PEM, or a whole file of another format wrapped as one.
func readPart(have Format, block *pem.Block, password string) (contents, error) {
	var found contents
	var err error
	switch have {
	case FormatPEMCertificate, FormatDERCertificate:
		var cert *x509.Certificate
		cert, err = x509.ParseCertificate(block.Bytes)
		found.certs = []*x509.Certificate{cert}
	case FormatPEMPKCS7, FormatDERPKCS7:
		found.certs, err = parsePKCS7(block.Bytes)
	case FormatPEMKey, FormatDERKey:
		found.key, err = parseKey(block.Bytes)
	case FormatPEMEncryptedKey, FormatDEREncryptedKey:
		found.key, err = decryptKey(block, password)
	case FormatPKCS12:
		found, err = parsePKCS12(block.Bytes, password)
	default:
		return contents{}, &FormatError{What: WhatInput, Have: have}
	}
	switch {
	case errors.Is(err, errPassword):
		return contents{}, &PasswordError{Have: have, Missing: password == ""}
	case err != nil:
		return contents{}, &FormatError{What: WhatInput, Have: have, Err: err}
	}
	return found, nil
}

// errPassword is what the decrypting functions return for a password that does not fit.
var errPassword = errors.New("wrong password")

// pair writes the contents as PEM.
func (c contents) pair() (Pair, error) {
	var p Pair
	chain := leafFirst(c.certs, c.key)
	for _, cert := range chain {
		p.CertPEM = append(p.CertPEM, encodeCertificates(cert.Raw)...)
	}
	if c.key == nil {
		return p, nil
	}
	if len(chain) > 0 && !samePublic(chain[0].PublicKey, c.key.Public()) {
		return Pair{}, mismatch(chain, c.key)
	}
	var err error
	p.KeyPEM, err = encodeKey(c.key)
	return p, err
}

// leafFirst orders certificates as a TLS server sends them (RFC 5246 s7.4.2): the leaf, then each one's issuer. Certificates that
// are not of that chain follow in chains of their own; one that occurs twice is kept once.
func leafFirst(certs []*x509.Certificate, key crypto.Signer) []*x509.Certificate {
	left := slices.Clone(certs)
	var ordered []*x509.Certificate
	for len(left) > 0 {
		for i := indexLeaf(left, key); i >= 0; {
			link := left[i]
			ordered = append(ordered, link)
			left = slices.DeleteFunc(left, link.Equal)
			i = slices.IndexFunc(left, func(c *x509.Certificate) bool { return issued(c, link) })
		}
	}
	return ordered
}

// indexLeaf finds the certificate that the key belongs to; failing that, the first that issued none of the others; failing that,
// the first. There must be one.
func indexLeaf(certs []*x509.Certificate, key crypto.Signer) int {
	if key != nil {
		belongs := func(c *x509.Certificate) bool { return samePublic(c.PublicKey, key.Public()) }
		if i := slices.IndexFunc(certs, belongs); i >= 0 {
			return i
		}
	}
	issuedNone := func(c *x509.Certificate) bool {
		return !slices.ContainsFunc(certs, func(other *x509.Certificate) bool { return !c.Equal(other) && issued(c, other) })
	}
	if i := slices.IndexFunc(certs, issuedNone); i >= 0 {
		return i
	}
	return 0
}

// issued says whether parent seems to have issued child: by name, and by key identifier where both give one (RFC 5280
// s4.2.1.1). The signature is not checked: this decides an order, nothing more.
func issued(parent, child *x509.Certificate) bool {
	if !bytes.Equal(parent.RawSubject, child.RawIssuer) {
		return false
	}
	return len(parent.SubjectKeyId) == 0 || len(child.AuthorityKeyId) == 0 || bytes.Equal(parent.SubjectKeyId, child.AuthorityKeyId)
}
