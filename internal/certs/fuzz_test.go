package certs

import (
	"bytes"
	"testing"
)

// FuzzDetectConvert: no input panics, no error shows the password, whatever converts is stable, and what is not PEM is never loaded.
func FuzzDetectConvert(f *testing.F) {
	all := makeFiles()
	for _, seed := range [][]byte{
		nil, all.pair.CertPEM, all.pair.KeyPEM, all.combined, all.derCert, all.derKey, all.derPKCS1, all.derSEC1, all.derCSR, all.pemCSR,
		all.derPKCS7, all.pemPKCS7, all.berPKCS7, all.signedPKCS7, all.mislabelledPKCS7, all.pkcs12, all.pkcs12DES, all.pkcs12RC2,
		all.berPKCS12, all.encryptedDER, all.encryptedPEM, all.encryptedOld, all.certWithText,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		have := Detect(in)
		pair, err := Convert(in, password)
		wantTidy(t, err)
		if err == nil {
			again, err := Convert(join(pair.CertPEM, pair.KeyPEM), "")
			if err != nil || !bytes.Equal(again.CertPEM, pair.CertPEM) || !bytes.Equal(again.KeyPEM, pair.KeyPEM) {
				t.Errorf("converting the result changes it: %v", err)
			}
		}
		if _, err := Load(in, in, present); err == nil && have != FormatPEMCertificate && have != FormatPEMKey {
			t.Errorf("loaded what is %s", have)
		} else {
			wantTidy(t, err)
		}
		_, err = Inspect(in, present)
		wantTidy(t, err)
	})
}
