package certs

import (
	"bytes"
	"testing"
)

// What goes into a file comes out of it again.
func TestEncode(t *testing.T) {
	f := makeFiles()
	root := f.authority.cert
	chain := Pair{CertPEM: join(f.pair.CertPEM, f.authority.PEM()), KeyPEM: f.pair.KeyPEM}
	rows := []struct {
		name string
		file []byte
		have Format
		want Pair
	}{
		{"PKCS#7", must(EncodePKCS7(f.leaf)), FormatDERPKCS7, Pair{CertPEM: f.pair.CertPEM}},
		{"PKCS#7 with the authority", must(EncodePKCS7(f.leaf, root)), FormatDERPKCS7, Pair{CertPEM: chain.CertPEM}},
		{"PKCS#12", must(EncodePKCS12(f.pair, password)), FormatPKCS12, f.pair},
		{"PKCS#12 with the authority", must(EncodePKCS12(chain, password)), FormatPKCS12, chain},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if have := Detect(row.file); have != row.have {
				t.Errorf("detected as %s", have)
			}
			got, err := Convert(row.file, password)
			if err != nil || !bytes.Equal(got.CertPEM, row.want.CertPEM) || !bytes.Equal(got.KeyPEM, row.want.KeyPEM) {
				t.Errorf("certificates are\n%swant\n%s(%v), or the key is not the one", got.CertPEM, row.want.CertPEM, err)
			}
		})
	}
}

func TestEncodeRefuses(t *testing.T) {
	f := makeFiles()
	if _, err := EncodePKCS7(); err == nil {
		t.Error("PKCS#7 without certificates was made")
	} else {
		wantTidy(t, err)
	}
	stranger := must(SelfSigned(Leaf{CommonName: "stranger.test"}, present)).KeyPEM
	rows := []struct {
		name string
		pair Pair
		want Kind
	}{
		{"no certificate", Pair{KeyPEM: f.pair.KeyPEM}, KindEmpty},
		{"no key", Pair{CertPEM: f.pair.CertPEM}, KindEmpty},
		{"another's key", Pair{CertPEM: f.pair.CertPEM, KeyPEM: stranger}, KindKeyMismatch},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			_, err := EncodePKCS12(row.pair, password)
			wantKind(t, err, row.want)
		})
	}
}

// Other programs read these files too.
func TestOpenSSLReadsWhatIsEncoded(t *testing.T) {
	f := makeFiles()
	b := newBench(t)
	b.write("file.p7b", f.derPKCS7)
	b.write("file.p12", f.pkcs12)
	for _, args := range []string{"pkcs7 -inform DER -in file.p7b -print_certs", "pkcs12 -in file.p12 -passin env:P -nodes"} {
		out := []byte(b.must(args))
		for name, want := range map[string][]byte{"leaf": f.pair.CertPEM, "authority": f.authority.PEM()} {
			if !bytes.Contains(out, want) {
				t.Errorf("openssl %s: no %s in\n%s", args, name, out)
			}
		}
	}
}
