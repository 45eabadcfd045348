package certs

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"strings"
	"testing"

	"software.sslmate.com/src/go-pkcs12"
)

func TestConvert(t *testing.T) {
	f := makeFiles()
	root := f.authority.PEM()
	chain := join(f.pair.CertPEM, root)
	stranger := must(SelfSigned(Leaf{CommonName: "stranger.test"}, present)).CertPEM
	encrypted := func(cipher, prf string) []byte { return encrypt(f.derKey, scheme{cipher, prf, 1000}) }
	rows := []struct {
		name string
		why  string
		in   []byte
		cert []byte // nil = none
		key  bool
	}{
		{"DER certificate", "what a browser saves", f.derCert, f.pair.CertPEM, false},
		{"DER key", "it goes with that certificate", f.derKey, nil, true},
		{"DER SEC 1 key", "another encoding of it", f.derSEC1, nil, true},
		{"PKCS#7 DER", "the root comes first in it: the leaf is put first", f.derPKCS7, chain, false},
		{"PKCS#7 PEM", "the same in armour", f.pemPKCS7, chain, false},
		{"PKCS#7 labelled as a certificate", "the same again", f.mislabelledPKCS7, chain, false},
		{"PKCS#7 with empty content", "some writers do that", withContent(f.derPKCS7, []byte{}), chain, false},
		{"PKCS#12", "AES", f.pkcs12, chain, true},
		{"PKCS#12 triple DES", "Windows before 2019", f.pkcs12DES, chain, true},
		{"PKCS#12 RC2", "OpenSSL before 3", f.pkcs12RC2, chain, true},
		{"PKCS#12 upside down", "the key says which certificate is the leaf", must(pkcs12.Modern2023.Encode(f.key, f.authority.cert, []*x509.Certificate{f.leaf}, password)), chain, true},
		{"encrypted key DER", "PKCS#8 without armour", f.encryptedDER, nil, true},
		{"encrypted key PEM", "OpenSSL 3's choice", f.encryptedPEM, nil, true},
		{"encrypted key by header", "OpenSSL before 1", f.encryptedOld, nil, true},
		{"AES-128, SHA-1", "OpenSSL 1.0's choice", encrypted(oidAES128CBC, oidHMACSHA1), nil, true},
		{"AES-192, SHA-1 by omission", "the default of the standard", encrypted(oidAES192CBC, ""), nil, true},
		{"AES-256, SHA-224", "a variant", encrypted(oidAES256CBC, oidHMACSHA224), nil, true},
		{"AES-256, SHA-384", "a variant", encrypted(oidAES256CBC, oidHMACSHA384), nil, true},
		{"AES-256, SHA-512", "a variant", encrypted(oidAES256CBC, oidHMACSHA512), nil, true},
		{"triple DES", "the old default", encrypted(oidDESEDE3CBC, oidHMACSHA256), nil, true},
		{"encrypted key and certificate", "one file with both", join(f.encryptedPEM, f.pair.CertPEM), f.pair.CertPEM, true},
		{"all that was PEM before", "SEC 1 becomes PKCS#8, the rest stays", f.combined, chain, true},
		{"upside down, each twice", "put in order, kept once", join(root, f.pair.CertPEM, root, f.pair.CertPEM), chain, false},
		{"request beside the certificate", "left out", join(f.pemCSR, f.pair.CertPEM), f.pair.CertPEM, false},
		{"two chains mixed", "each is put in order", join(root, stranger, f.pair.CertPEM), join(stranger, chain), false},
		{"the key twice", "it is one key", join(f.pemSEC1, f.pair.KeyPEM), nil, true},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			got, err := Convert(row.in, password)
			if err != nil {
				t.Fatalf("%s: %v", row.why, err)
			}
			if !bytes.Equal(got.CertPEM, row.cert) {
				t.Errorf("%s: certificates are\n%swant\n%s", row.why, got.CertPEM, row.cert)
			}
			want := f.pair.KeyPEM
			if !row.key {
				want = nil
			}
			if !bytes.Equal(got.KeyPEM, want) {
				t.Errorf("%s: key is not the PKCS#8 one, or is where none should be", row.why)
			}
			if again, err := Convert(join(got.CertPEM, got.KeyPEM), ""); err != nil || !bytes.Equal(again.CertPEM, got.CertPEM) || !bytes.Equal(again.KeyPEM, got.KeyPEM) {
				t.Errorf("converting the result changes it: %v", err)
			}
		})
	}
}

func TestConvertRefuses(t *testing.T) {
	f := makeFiles()
	otherKey := must(f.authority.Issue(Leaf{Names: []string{"a.test"}})).KeyPEM
	signer := asn1.RawValue{Class: asn1.ClassUniversal, Tag: asn1.TagSet, IsCompound: true, Bytes: []byte{0x30, 0}}
	signedBySomeone := rewrite(f.derPKCS7, func(s *signedData) { s.Signers = signer })
	empty := rewrite(f.derPKCS7, func(s *signedData) { s.Certificates = asn1.RawValue{} })
	enveloped := must(asn1.Marshal(contentInfo{Type: oid("1.2.840.113549.1.7.3"), Content: tagged([]byte{0x30, 0})}))
	pbes1 := must(asn1.Marshal(encryptedPrivateKeyInfo{Data: []byte("12345678")}.with("1.2.840.113549.1.5.3")))
	endless := []byte{0x30, 17, 2, 1, 3, 0x30, 0, 0x30, 10, 0x30, 0, 4, 0, 2, 4, 0x7f, 0xff, 0xff, 0xff}
	rows := []struct {
		name string
		why  string
		in   []byte
		want Kind
		says string
	}{
		{"nothing", "nothing to convert", nil, KindEmpty, "input is empty"},
		{"prose", "nothing known", []byte("hello"), KindUnknown, "neither"},
		{"cut off", "half a file", f.pair.CertPEM[:100], KindUnknown, "cut off"},
		{"request", "only an authority can make it a certificate", f.pemCSR, KindCSR, "have an authority sign it"},
		{"DER request", "so too", f.derCSR, KindCSR, "have an authority sign it"},
		{"signed message", "it has content", f.signedPKCS7, KindPKCS7, "signed message"},
		{"detached signature", "it has a signer", signedBySomeone, KindPKCS7, "signed message"},
		{"enveloped", "it is encrypted mail", enveloped, KindPKCS7, "1.2.840.113549.1.7.3"},
		{"no certificates", "an empty .p7b", empty, KindPKCS7, "no certificates"},
		{"BER PKCS#7", "only DER is read", f.berPKCS7, KindPKCS7, "openssl pkcs7"},
		{"BER PKCS#7 in PEM", "only DER is read", armour("PKCS7", f.berPKCS7), KindPKCS7, "indefinite"},
		{"BER PKCS#12", "only DER is read", f.berPKCS12, KindPKCS12, "openssl pkcs12"},
		{"damaged certificate", "its insides are not X.509", damage(f.derCert), KindDER, "cannot be read"},
		{"PBES1", "broken, and not read", pbes1, KindEncryptedKey, "PBES1"},
		{"unknown cipher", "named by its number", encrypt(f.derKey, scheme{"1.2.3.4", "", 1000}), KindEncryptedKey, "1.2.3.4"},
		{"endless derivation", "would take hours", encrypt(f.derKey, scheme{oidAES256CBC, "", 2_000_000_000}), KindEncryptedKey, "2000000000 rounds"},
		{"endless derivation in PKCS#12", "would take hours", endless, KindPKCS12, "ten million rounds"},
		{"key that cannot sign", "no use to a server", must(x509.MarshalPKCS8PrivateKey(must(ecdh.X25519().GenerateKey(rand.Reader)))), KindDER, "must sign"},
		{"two keys", "which one?", join(f.pair.KeyPEM, otherKey), KindUnknown, "more than one"},
		{"another's key", "they do not belong together", join(f.pair.CertPEM, otherKey), KindKeyMismatch, "mail.example.test"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			_, err := Convert(row.in, password)
			wantKind(t, err, row.want)
			if err != nil && !strings.Contains(err.Error(), row.says) {
				t.Errorf("%s: message %q lacks %q", row.why, err, row.says)
			}
		})
	}
}

func (e encryptedPrivateKeyInfo) with(algorithm string) encryptedPrivateKeyInfo {
	e.Algorithm.Algorithm = oid(algorithm)
	return e
}

// damage breaks a date inside a certificate without changing its structure.
func damage(der []byte) []byte {
	return bytes.Replace(der, []byte("260601"), []byte("26xx01"), 1)
}

func TestConvertPassword(t *testing.T) {
	f := makeFiles()
	rows := []struct {
		name string
		in   []byte
	}{
		{"PKCS#12", f.pkcs12},
		{"PKCS#12 triple DES", f.pkcs12DES},
		{"PKCS#12 RC2", f.pkcs12RC2},
		{"encrypted key DER", f.encryptedDER},
		{"encrypted key PEM", f.encryptedPEM},
		{"encrypted key by header", f.encryptedOld},
	}
	for _, row := range rows {
		for _, given := range []string{"", "wrong-" + password, "\U0001F511"} {
			t.Run(row.name+"/"+given, func(t *testing.T) {
				_, err := Convert(row.in, given)
				wantTidy(t, err)
				var refused *PasswordError
				switch {
				case errors.As(err, &refused):
					if refused.Missing != (given == "") {
						t.Errorf("Missing is %v for %q", refused.Missing, given)
					}
				case given == "\U0001F511" && err != nil: // PKCS#12 cannot even spell it
				default:
					t.Errorf("got %v, want a PasswordError", err)
				}
			})
		}
	}
}

// A wrong password leaves right padding about once in 256 times: that must not look like a damaged key.
func TestWrongPasswordByChance(t *testing.T) {
	f := makeFiles()
	cheap := encrypt(f.derKey, scheme{oidAES128CBC, "", 1})
	for i := range 2000 {
		_, err := Convert(cheap, strings.Repeat("x", 1+i))
		if !is[*PasswordError](err) {
			t.Fatalf("try %d: got %v, want a PasswordError", i, err)
		}
	}
}

// PKCS#12 files name their own rounds in three places; all are counted before any work is done.
func TestIterations(t *testing.T) {
	f := makeFiles()
	many := must(pkcs12.Modern2026.WithIterations(50_000).Encode(f.key, f.leaf, nil, password))
	rows := []struct {
		name string
		in   []byte
		want int64
	}{
		{"certificate", f.derCert, 0},
		{"PKCS#12", f.pkcs12, 2 * 2048}, // the key's rounds and the certificates', the MAC's below
		{"PBMAC1", many, 2 * 50_000},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if got := iterations(row.in); got < row.want || row.want == 0 && got != 0 {
				t.Errorf("counted %d, want at least %d", got, row.want)
			}
		})
	}
	legacy := iterations(f.pkcs12DES)
	if want := int64(2*2048 + 1); legacy != want && legacy != want-1 { // a count of 1 may be left out
		t.Errorf("counted %d in the old format, want about %d", legacy, want)
	}
	for _, row := range []struct {
		body []byte
		want int64
	}{{[]byte{8, 0}, 2048}, {[]byte{0xff}, 0}, {nil, 0}, {[]byte{0x7f, 0xff, 0xff, 0xff}, 1<<31 - 1}, {[]byte{0, 0xff, 0xff, 0xff, 0xff}, 1<<31 - 1}} {
		if got := integer(row.body); got != row.want {
			t.Errorf("integer(%x) = %d, want %d", row.body, got, row.want)
		}
	}
}
