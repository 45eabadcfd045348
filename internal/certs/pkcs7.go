package certs

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
)

var (
	oidData       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidSignedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
)

// contentInfo is RFC 2315 s7; RFC 5652 s3 calls it the same.
type contentInfo struct {
	Type    asn1.ObjectIdentifier
	Content asn1.RawValue `asn1:"explicit,optional,tag:0"`
}

// signedData is RFC 2315 s9.1.
type signedData struct {
	Version      int
	Digests      asn1.RawValue `asn1:"set"`
	Content      contentInfo
	Certificates asn1.RawValue `asn1:"optional,tag:0"`
	Revocations  asn1.RawValue `asn1:"optional,tag:1"`
	Signers      asn1.RawValue `asn1:"set"`
}

// parsePKCS7 returns the certificates of a PKCS#7 structure that has nothing else: signed data without content and without
// signers, as .p7b files are (RFC 2315 s9, the degenerate case; RFC 5652 s5.2). What is really signed or encrypted is refused.
func parsePKCS7(b []byte) ([]*x509.Certificate, error) {
	certs, err := parseCertsOnly(b)
	if err != nil && isIndefinite(b) {
		return nil, errors.New("it is BER with indefinite lengths: write it anew with" +
			" `openssl pkcs7 -print_certs -in FILE -out FILE.pem`, with -inform DER unless it is PEM")
	}
	return certs, err
}

func parseCertsOnly(b []byte) ([]*x509.Certificate, error) {
	var outer contentInfo
	if err := unmarshal(b, &outer); err != nil {
		return nil, err
	}
	if !outer.Type.Equal(oidSignedData) {
		return nil, fmt.Errorf("content type %s holds no certificates", outer.Type)
	}
	var signed signedData
	if err := unmarshal(outer.Content.Bytes, &signed); err != nil {
		return nil, err
	}
	if !signed.Content.Type.Equal(oidData) || hasContent(signed.Content.Content.Bytes) || len(signed.Signers.Bytes) > 0 {
		return nil, errors.New("it is a signed message, not a file of certificates")
	}
	certs, err := x509.ParseCertificates(signed.Certificates.Bytes)
	if err == nil && len(certs) == 0 {
		err = errors.New("it holds no certificates")
	}
	return certs, err
}

// hasContent says whether anything is signed. Some writers put an empty octet string where nothing should be.
func hasContent(explicit []byte) bool {
	e, _, ok := next(explicit, maxDepth)
	return len(explicit) > 0 && (!ok || len(e.body) > 0)
}

// EncodePKCS7 writes certificates, in the order given, as PKCS#7 that holds nothing else (.p7b): what parsePKCS7 reads, in DER.
// It is an error if there are none.
func EncodePKCS7(certificates ...*x509.Certificate) ([]byte, error) {
	if len(certificates) == 0 {
		return nil, errors.New("make PKCS#7: no certificates")
	}
	var raw []byte
	for _, c := range certificates {
		raw = append(raw, c.Raw...)
	}
	none := asn1.RawValue{Class: asn1.ClassUniversal, Tag: asn1.TagSet, IsCompound: true}
	signed, err := asn1.Marshal(signedData{
		Version:      1,
		Digests:      none,
		Content:      contentInfo{Type: oidData},
		Certificates: tagged(raw),
		Signers:      none,
	})
	if err != nil {
		return nil, fmt.Errorf("make PKCS#7: %w", err)
	}
	return asn1.Marshal(contentInfo{Type: oidSignedData, Content: tagged(signed)})
}

// tagged puts the tag [0] around elements.
func tagged(elements []byte) asn1.RawValue {
	return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: elements}
}

// unmarshal is asn1.Unmarshal for a structure that must fill b.
func unmarshal(b []byte, into any) error {
	rest, err := asn1.Unmarshal(b, into)
	if err == nil && len(rest) > 0 {
		err = errors.New("there is something behind the end")
	}
	return err
}
