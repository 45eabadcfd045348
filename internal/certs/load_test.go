package certs

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestLoad(t *testing.T) {
	f := makeFiles()
	rsaPair := must(f.authority.Issue(Leaf{Names: []string{"mail.example.test"}, PrivateKey: sharedRSA()}))
	rows := []struct {
		name      string
		why       string
		cert, key []byte
		chain     int
	}{
		{"PKCS#8 key", "what this package writes", f.pair.CertPEM, f.pair.KeyPEM, 1},
		{"SEC 1 key", "what openssl ecparam writes", f.pair.CertPEM, f.pemSEC1, 1},
		{"PKCS#1 key", "what openssl genrsa wrote for decades", rsaPair.CertPEM, armour("RSA PRIVATE KEY", f.derPKCS1), 1},
		{"one file for both", "common on mail servers", f.combined, f.combined, 2},
		{"text before the block", "openssl x509 -text writes it", f.certWithText, f.pair.KeyPEM, 1},
		{"parameters before the key", "openssl ecparam -genkey writes them", f.pair.CertPEM, join(armour("EC PARAMETERS", []byte{6, 0}), f.pemSEC1), 1},
		{"byte order mark", "Windows editors put it there", join([]byte("\xef\xbb\xbf"), f.pair.CertPEM), f.pair.KeyPEM, 1},
		{"CRLF", "Windows again", crlf(f.pair.CertPEM), crlf(f.pair.KeyPEM), 1},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			loaded, err := Load(row.cert, row.key, present)
			if err != nil {
				t.Fatalf("%s: %v", row.why, err)
			}
			if len(loaded.Certificate) != row.chain || loaded.Leaf == nil || loaded.PrivateKey == nil {
				t.Errorf("%s: chain of %d, leaf %v", row.why, len(loaded.Certificate), loaded.Leaf)
			}
		})
	}
}

func crlf(b []byte) []byte { return []byte(strings.ReplaceAll(string(b), "\n", "\r\n")) }

func TestLoadRefuses(t *testing.T) {
	f := makeFiles()
	issue := func(l Leaf) []byte {
		l.Names, l.PrivateKey = []string{"mail.example.test"}, f.key
		return must(f.authority.Issue(l)).CertPEM
	}
	cert, key := f.pair.CertPEM, f.pair.KeyPEM
	otherKey := must(f.authority.Issue(Leaf{Names: []string{"a.test"}})).KeyPEM
	rows := []struct {
		name      string
		why       string
		cert, key []byte
		want      Kind
		says      string // words that the message must have
	}{
		{"der", "the document: PEM only", f.derCert, key, KindDER, "cert convert --in FILE --out FILE.pem"},
		{"der key", "the key too", cert, f.derKey, KindDER, "key is DER"},
		{"der pkcs1 key", "the old encoding of it", cert, f.derPKCS1, KindDER, "key is DER"},
		{"der sec1 key", "the other old encoding", cert, f.derSEC1, KindDER, "key is DER"},
		{"pkcs7 der", "authorities mail .p7b files", f.derPKCS7, key, KindPKCS7, "cert convert"},
		{"pkcs7 pem", "it looks like PEM, but is not X.509", f.pemPKCS7, key, KindPKCS7, "cert convert"},
		{"pkcs7 labelled as a certificate", "the content decides", f.mislabelledPKCS7, key, KindPKCS7, "PKCS#7"},
		{"pkcs7 ber", "recognised although it is not DER", f.berPKCS7, key, KindPKCS7, "PKCS#7"},
		{"pkcs7 beside a key", "the nearest thing to a certificate", join(key, f.pemPKCS7), key, KindPKCS7, "PKCS#7"},
		{"pkcs12", "Windows exports it", f.pkcs12, f.pkcs12, KindPKCS12, "cert convert"},
		{"pkcs12 as key", "so too", cert, f.pkcs12, KindPKCS12, "key is PKCS#12"},
		{"pkcs12 ber", "recognised although it is not DER", f.berPKCS12, key, KindPKCS12, "PKCS#12"},
		{"encrypted key", "PKCS#8", cert, f.encryptedPEM, KindEncryptedKey, "cert convert"},
		{"encrypted key, old", "Proc-Type header", cert, f.encryptedOld, KindEncryptedKey, "encrypted"},
		{"encrypted key, der", "PKCS#8 without armour", cert, f.encryptedDER, KindEncryptedKey, "encrypted"},
		{"encrypted key behind its certificate", "the nearest thing to a key", cert, join(cert, f.encryptedPEM), KindEncryptedKey, "encrypted"},
		{"key mismatch", "the wrong file", cert, otherKey, KindKeyMismatch, "mail.example.test"},
		{"key mismatch by kind", "says which kinds", cert, armour("RSA PRIVATE KEY", f.derPKCS1), KindKeyMismatch, "certificate: ECDSA P-256, key: RSA 2048"},
		{"chain upside down", "the leaf must come first", join(f.authority.PEM(), cert), key, KindKeyMismatch, "number 2"},
		{"expired", "says when", issue(Leaf{NotAfter: time.Date(2025, 12, 2, 23, 0, 0, 0, time.UTC)}), key, KindExpired, "2025-12-02 UTC"},
		{"not yet valid", "says from when", issue(Leaf{NotBefore: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)}), key, KindNotYetValid, "2027-01-01 UTC"},
		{"only a key", "no certificate in it", key, key, KindNoCertificate, "PEM private key"},
		{"only an encrypted key", "no certificate in it", f.encryptedPEM, key, KindNoCertificate, "certificate expected"},
		{"only a certificate", "no key in it", cert, cert, KindNoKey, "PEM certificate"},
		{"der certificate as key", "no key in it", cert, f.derCert, KindNoKey, "DER certificate"},
		{"request as key", "no key in it", cert, f.pemCSR, KindNoKey, "request"},
		{"request", "not signed yet", f.pemCSR, key, KindCSR, "cert generate"},
		{"der request", "so too", f.derCSR, key, KindCSR, "request"},
		{"empty certificate", "a file of no bytes", nil, key, KindEmpty, "certificate is empty"},
		{"blank key", "a file of blank lines", cert, []byte("\r\n \n"), KindEmpty, "key is empty"},
		{"garbage", "nothing known", []byte("hello, world"), key, KindUnknown, "neither PEM"},
		{"garbage as key", "nothing known", cert, []byte{0x30, 0xff, 0, 1}, KindUnknown, "key is neither"},
		{"certificate cut off", "a copy that was not complete", cert[:len(cert)-30], key, KindUnknown, "cut off"},
		{"second certificate cut off", "a chain that was not complete", join(cert, cert[:100]), key, KindUnknown, "cut off"},
		{"not X.509 inside", "the armour is right, the contents are not", armour("CERTIFICATE", []byte("hello")), key, KindUnknown, "cannot be read"},
		{"no key inside", "so too", cert, armour("PRIVATE KEY", []byte("hello")), KindUnknown, "cannot be read"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			_, err := Load(row.cert, row.key, present)
			wantKind(t, err, row.want)
			if !strings.Contains(err.Error(), row.says) {
				t.Errorf("%s: message %q lacks %q", row.why, err, row.says)
			}
		})
	}
}

// The bounds of the validity belong to it (RFC 5280 s4.1.2.5).
func TestLoadAtTheBounds(t *testing.T) {
	f := makeFiles()
	rows := []struct {
		name string
		at   time.Time
		want Kind
	}{
		{"a second before", f.leaf.NotBefore.Add(-time.Second), KindNotYetValid},
		{"first second", f.leaf.NotBefore, ""},
		{"last second", f.leaf.NotAfter, ""},
		{"a second after", f.leaf.NotAfter.Add(time.Second), KindExpired},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			_, err := Load(f.pair.CertPEM, f.pair.KeyPEM, row.at)
			if got, _ := KindOf(err); got != row.want {
				t.Errorf("got %v, want kind %q", err, row.want)
			}
		})
	}
}

func TestKindOf(t *testing.T) {
	if k, ok := KindOf(nil); ok {
		t.Errorf("nil is a refusal of kind %q", k)
	}
	if k, ok := KindOf(errors.New("disk on fire")); ok {
		t.Errorf("an error of another sort is a refusal of kind %q", k)
	}
	wrapped := errors.Join(errors.New("while starting"), &FormatError{What: WhatCertificate, Have: FormatPKCS12})
	if k, ok := KindOf(wrapped); !ok || k != KindPKCS12 {
		t.Errorf("wrapped refusal has kind %q, %v", k, ok)
	}
}
