package certs

import (
	"bytes"
	"encoding/pem"
	"fmt"
)

// Format is what a file turns out to be, by its content.
type Format uint8

const (
	FormatUnknown         Format = iota // nothing that is known here; the zero value
	FormatEmpty                         // no bytes, or white space alone
	FormatPEMCertificate                // X.509 in PEM (RFC 7468 s5): what a server wants
	FormatPEMKey                        // private key in PEM: PKCS#8, PKCS#1 or SEC 1
	FormatPEMEncryptedKey               // the same, encrypted: PKCS#8 (RFC 7468 s11) or the older Proc-Type header (RFC 1421 s4.6.1.1)
	FormatPEMPKCS7                      // PKCS#7 in PEM (RFC 7468 s8), also where the label says CERTIFICATE
	FormatPEMCSR                        // certificate request in PEM (RFC 7468 s7)
	FormatPEMDamaged                    // PEM of which at least one block is cut off or garbled
	FormatDERCertificate                // X.509 in DER, often .cer or .crt
	FormatDERKey                        // private key in DER
	FormatDEREncryptedKey               // encrypted PKCS#8 in DER
	FormatDERPKCS7                      // PKCS#7 in DER or BER, often .p7b
	FormatDERCSR                        // certificate request in DER
	FormatPKCS12                        // PKCS#12 in DER or BER, often .pfx or .p12
)

// String returns the name as messages carry it: "DER certificate", "PKCS#12".
func (f Format) String() string {
	switch f {
	case FormatUnknown:
		return "unknown format"
	case FormatEmpty:
		return "empty file"
	case FormatPEMCertificate:
		return "PEM certificate"
	case FormatPEMKey:
		return "PEM private key"
	case FormatPEMEncryptedKey:
		return "PEM encrypted private key"
	case FormatPEMPKCS7:
		return "PEM PKCS#7"
	case FormatPEMCSR:
		return "PEM certificate request"
	case FormatPEMDamaged:
		return "damaged PEM"
	case FormatDERCertificate:
		return "DER certificate"
	case FormatDERKey:
		return "DER private key"
	case FormatDEREncryptedKey:
		return "DER encrypted private key"
	case FormatDERPKCS7:
		return "DER PKCS#7"
	case FormatDERCSR:
		return "DER certificate request"
	case FormatPKCS12:
		return "PKCS#12"
	}
	return fmt.Sprintf("Format(%d)", uint8(f))
}

// Detect says what b is. Of a PEM file with several blocks it names the first one that it knows. It looks at the
// structure only: a file can be of a format and still not be readable.
func Detect(b []byte) Format {
	if len(bytes.TrimSpace(b)) == 0 {
		return FormatEmpty
	}
	if f := detectDER(b); f != FormatUnknown {
		return f
	}
	blocks, whole := pemBlocks(b)
	if !whole {
		return FormatPEMDamaged
	}
	for _, block := range blocks {
		if f := detectBlock(block); f != FormatUnknown {
			return f
		}
	}
	return FormatUnknown
}

func detectDER(b []byte) Format {
	// The first member of what is inside begins where the outer contents begin.
	outer, _, _ := next(b, maxDepth)
	switch shapeOf(b) {
	case shapeSigned:
		switch shapeOf(outer.body) {
		case shapeTBS, shapeTBSVersioned:
			return FormatDERCertificate
		case shapeRequest:
			return FormatDERCSR
		}
	case shapePKCS8, shapePKCS1, shapeSEC1:
		return FormatDERKey
	case shapeEncrypted:
		return FormatDEREncryptedKey
	case shapePFX, shapePFXMac:
		return FormatPKCS12
	case shapePKCS7:
		const arc = "\x2a\x86\x48\x86\xf7\x0d\x01\x07" // 1.2.840.113549.1.7
		if oid, _, ok := next(outer.body, maxDepth); ok && bytes.HasPrefix(oid.body, []byte(arc)) {
			return FormatDERPKCS7
		}
	}
	return FormatUnknown
}

// detectBlock goes by the label, save where authorities are known to mislabel.
func detectBlock(block *pem.Block) Format {
	switch block.Type {
	case labelCertificate, "X509 CERTIFICATE":
		if detectDER(block.Bytes) == FormatDERPKCS7 {
			return FormatPEMPKCS7
		}
		return FormatPEMCertificate
	case labelKey, "RSA PRIVATE KEY", "EC PRIVATE KEY":
		if isLegacyEncrypted(block) {
			return FormatPEMEncryptedKey
		}
		return FormatPEMKey
	case "ENCRYPTED PRIVATE KEY":
		return FormatPEMEncryptedKey
	case "PKCS7", "CMS", "PKCS #7 SIGNED DATA":
		return FormatPEMPKCS7
	case "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST":
		return FormatPEMCSR
	}
	return FormatUnknown
}

// isLegacyEncrypted knows OpenSSL's own encryption of keys by the header that names the cipher (RFC 1421 s4.6.1.3).
func isLegacyEncrypted(block *pem.Block) bool { return block.Headers["DEK-Info"] != "" }

// pemBlocks returns the PEM blocks in b; text between them is allowed (RFC 7468 s2). whole is false if some block begins and
// cannot be read.
func pemBlocks(b []byte) (blocks []*pem.Block, whole bool) {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")) // the byte order mark of some editors hides the first block
	begun := bytes.Count(b, []byte("-----BEGIN "))
	for {
		var block *pem.Block
		if block, b = pem.Decode(b); block == nil {
			return blocks, len(blocks) == begun
		}
		blocks = append(blocks, block)
	}
}
