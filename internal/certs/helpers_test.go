package certs

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"strings"
	"sync"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"
)

// present is the moment at which all tests happen.
var present = time.Date(2026, time.June, 1, 12, 0, 0, 0, time.UTC)

// password must turn up in no error text.
const password = "Tr0ub4dor&3-canary"

// sharedRSA is one RSA key for all tests, since making one is slow.
var sharedRSA = sync.OnceValue(func() crypto.Signer {
	key, err := NewKey(RSA)
	if err != nil {
		panic(err)
	}
	return key
})

// files is one certificate with its key, its authority and its request, in every format.
type files struct {
	authority *Authority
	pair      Pair
	leaf      *x509.Certificate
	key       crypto.Signer

	derCert, derKey, derPKCS1, derSEC1, derCSR        []byte
	derPKCS7, pemPKCS7, berPKCS7, signedPKCS7         []byte
	pkcs12, pkcs12DES, pkcs12RC2, berPKCS12           []byte
	encryptedDER, encryptedPEM, encryptedOld, pemCSR  []byte
	pemSEC1, combined, mislabelledPKCS7, certWithText []byte
}

// makeFiles makes them once; tests must not change what is in them.
var makeFiles = sync.OnceValue(func() files {
	var f files
	f.authority = must(NewAuthority("test authority", present))
	f.key = must(NewKey(ECDSA))
	f.pair = must(f.authority.Issue(Leaf{Names: []string{"mail.example.test"}, PrivateKey: f.key}))
	f.leaf = must(f.pair.TLS()).Leaf
	root := f.authority.cert

	f.derCert = f.leaf.Raw
	f.derKey = block(f.pair.KeyPEM).Bytes
	f.derPKCS1 = pkcs1(sharedRSA())
	f.derSEC1 = sec1(f.key)
	f.pemSEC1 = armour("EC PRIVATE KEY", f.derSEC1)
	f.derCSR = must(x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "mail.example.test"}}, f.key))
	f.pemCSR = armour("CERTIFICATE REQUEST", f.derCSR)
	f.combined = join(f.pemSEC1, f.pair.CertPEM, f.authority.PEM())
	f.certWithText = join([]byte("subject=CN = mail.example.test\n\n"), f.pair.CertPEM)

	f.derPKCS7 = must(EncodePKCS7(root, f.leaf)) // the root first, as `openssl crl2pkcs7` may
	f.pemPKCS7 = armour("PKCS7", f.derPKCS7)
	f.mislabelledPKCS7 = armour("CERTIFICATE", f.derPKCS7)
	f.signedPKCS7 = withContent(f.derPKCS7, []byte("a signed message"))
	f.berPKCS7 = indefinite(f.derPKCS7)

	f.pkcs12 = must(EncodePKCS12(Pair{CertPEM: join(f.pair.CertPEM, f.authority.PEM()), KeyPEM: f.pair.KeyPEM}, password))
	f.pkcs12DES = must(pkcs12.LegacyDES.Encode(f.key, f.leaf, []*x509.Certificate{root}, password))
	f.pkcs12RC2 = must(pkcs12.LegacyRC2.Encode(f.key, f.leaf, []*x509.Certificate{root}, password))
	f.berPKCS12 = indefinite(f.pkcs12)

	f.encryptedDER = encrypt(f.derKey, scheme{oidAES256CBC, oidHMACSHA256, 2048})
	f.encryptedPEM = armour("ENCRYPTED PRIVATE KEY", f.encryptedDER)
	//nolint:staticcheck // SA1019: old keys are encrypted like this
	f.encryptedOld = pem.EncodeToMemory(must(x509.EncryptPEMBlock(rand.Reader, "EC PRIVATE KEY", f.derSEC1, []byte(password), x509.PEMCipherAES128)))
	return f
})

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func armour(label string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der})
}

func block(b []byte) *pem.Block {
	first, _ := pem.Decode(b)
	return first
}

// rewrite changes what is inside PKCS#7 signed data.
func rewrite(pkcs7 []byte, change func(*signedData)) []byte {
	var outer contentInfo
	var signed signedData
	must(asn1.Unmarshal(pkcs7, &outer))
	must(asn1.Unmarshal(outer.Content.Bytes, &signed))
	change(&signed)
	return must(asn1.Marshal(contentInfo{Type: outer.Type, Content: tagged(must(asn1.Marshal(signed)))}))
}

// withContent puts something to be signed into it.
func withContent(pkcs7, content []byte) []byte {
	return rewrite(pkcs7, func(s *signedData) { s.Content.Content = tagged(must(asn1.Marshal(content))) })
}

// indefinite gives the outermost element an indefinite length.
func indefinite(der []byte) []byte {
	e, _, _ := next(der, maxDepth)
	return join([]byte{e.tag, 0x80}, e.body, []byte{0, 0})
}

// wantKind fails unless err is a refusal of that kind; no error text may show the password or break the house style.
func wantKind(t *testing.T, err error, want Kind) {
	t.Helper()
	if err == nil {
		t.Fatalf("accepted, want a refusal of kind %q", want)
	}
	got, ok := KindOf(err)
	if !ok || got != want {
		t.Errorf("KindOf(%v) = %q, %v, want %q", err, got, ok, want)
	}
	wantTidy(t, err)
}

// wantTidy checks what holds for every error text.
func wantTidy(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	text := err.Error()
	if strings.Contains(text, password) {
		t.Errorf("error shows the password: %v", err)
	}
	if text == "" || strings.HasSuffix(text, ".") || strings.Contains(text, "\n") {
		t.Errorf("error is not one line without a final stop: %q", text)
	}
}
