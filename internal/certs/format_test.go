package certs

import "testing"

func TestDetect(t *testing.T) {
	f := makeFiles()
	rows := []struct {
		name string
		in   []byte
		want Format
	}{
		{"nothing", nil, FormatEmpty},
		{"white space", []byte(" \r\n\t"), FormatEmpty},
		{"prose", []byte("hello"), FormatUnknown},
		{"certificate", f.pair.CertPEM, FormatPEMCertificate},
		{"certificate with text", f.certWithText, FormatPEMCertificate},
		{"cut off", f.pair.CertPEM[:80], FormatPEMDamaged},
		{"key PKCS#8", f.pair.KeyPEM, FormatPEMKey},
		{"key first", f.combined, FormatPEMKey},
		{"encrypted PKCS#8", f.encryptedPEM, FormatPEMEncryptedKey},
		{"encrypted by header", f.encryptedOld, FormatPEMEncryptedKey},
		{"PKCS#7", f.pemPKCS7, FormatPEMPKCS7},
		{"PKCS#7 with the wrong label", f.mislabelledPKCS7, FormatPEMPKCS7},
		{"request", f.pemCSR, FormatPEMCSR},
		{"unknown block", armour("DH PARAMETERS", []byte{0x30, 0}), FormatUnknown},
		{"OpenSSH key", armour("OPENSSH PRIVATE KEY", []byte("openssh-key-v1")), FormatUnknown},
		{"DER certificate", f.derCert, FormatDERCertificate},
		{"DER key PKCS#8", f.derKey, FormatDERKey},
		{"DER key PKCS#1", f.derPKCS1, FormatDERKey},
		{"DER key SEC 1", f.derSEC1, FormatDERKey},
		{"DER encrypted key", f.encryptedDER, FormatDEREncryptedKey},
		{"DER PKCS#7", f.derPKCS7, FormatDERPKCS7},
		{"BER PKCS#7", f.berPKCS7, FormatDERPKCS7},
		{"signed PKCS#7", f.signedPKCS7, FormatDERPKCS7},
		{"DER request", f.derCSR, FormatDERCSR},
		{"PKCS#12", f.pkcs12, FormatPKCS12},
		{"PKCS#12 of old", f.pkcs12RC2, FormatPKCS12},
		{"BER PKCS#12", f.berPKCS12, FormatPKCS12},
		{"another sequence", []byte{0x30, 3, 2, 1, 0}, FormatUnknown},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if got := Detect(row.in); got != row.want {
				t.Errorf("got %s, want %s", got, row.want)
			}
		})
	}
}

// Every format has a name of its own, and every refusal of it a message and a kind.
func TestFormatNames(t *testing.T) {
	seen := map[string]bool{}
	for f := FormatUnknown; f <= FormatPKCS12; f++ {
		if name := f.String(); seen[name] || name == "" {
			t.Errorf("format %d has the name %q twice", f, name)
		} else {
			seen[name] = true
		}
		for _, what := range []string{WhatCertificate, WhatKey, WhatInput} {
			err := &FormatError{What: what, Have: f}
			wantTidy(t, err)
			if err.Kind() == "" {
				t.Errorf("%v has no kind", err)
			}
		}
	}
}

// Elements that lie about their length, and nesting without end, are not followed.
func TestBERBounds(t *testing.T) {
	rows := []struct {
		name string
		in   []byte
	}{
		{"one octet", []byte{0x30}},
		{"longer than the file", []byte{0x30, 5, 1}},
		{"length of lengths longer than the file", []byte{0x30, 0x83, 1}},
		{"four octets of length", []byte{0x30, 0x84, 0, 0, 0, 0}},
		{"tag of several octets", []byte{0x3f, 0x81, 1, 0}},
		{"indefinite without end", []byte{0x30, 0x80, 2, 1, 0}},
		{"indefinite and not constructed", []byte{0x04, 0x80, 0, 0}},
		{"deep", deep(maxDepth + 1)},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if e, _, ok := next(row.in, maxDepth); ok {
				t.Errorf("read as %+v", e)
			}
		})
	}
	if e, rest, ok := next(deep(maxDepth), maxDepth); !ok || len(rest) != 0 || !e.indefinite {
		t.Error("nesting as deep as allowed is not read")
	}
}

// deep is n indefinite sequences, one in the other.
func deep(n int) []byte {
	var in []byte
	for range n {
		in = append([]byte{0x30, 0x80}, append(in, 0, 0)...)
	}
	return in
}
