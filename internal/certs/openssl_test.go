package certs

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// bench is a folder with the test files in it, in which openssl runs.
type bench struct {
	t   *testing.T
	dir string
}

// newBench skips the test where openssl is missing.
func newBench(t *testing.T) bench {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("openssl not found: install package openssl")
	}
	f := makeFiles()
	b := bench{t, t.TempDir()}
	b.write("cert.pem", f.pair.CertPEM)
	b.write("key.pem", f.pair.KeyPEM)
	b.write("ca.pem", f.authority.PEM())
	b.write("rsa.pem", armour("RSA PRIVATE KEY", f.derPKCS1))
	return b
}

func (b bench) write(name string, content []byte) {
	b.t.Helper()
	if err := os.WriteFile(filepath.Join(b.dir, name), content, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

func (b bench) read(name string) []byte {
	b.t.Helper()
	content, err := os.ReadFile(filepath.Join(b.dir, name))
	if err != nil {
		b.t.Fatal(err)
	}
	return content
}

// run calls openssl with the words of args and returns what it says. The test password is in the environment as P.
func (b bench) run(args string) (string, error) {
	b.t.Helper()
	cmd := exec.CommandContext(b.t.Context(), "openssl", strings.Fields(args)...)
	cmd.Dir = b.dir
	cmd.Env = append(os.Environ(), "P="+password)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (b bench) must(args string) string {
	b.t.Helper()
	out, err := b.run(args)
	if err != nil {
		b.t.Fatalf("openssl %s: %v\n%s", args, err, out)
	}
	return out
}

func TestConvertWhatOpenSSLWrites(t *testing.T) {
	f := makeFiles()
	chain := join(f.pair.CertPEM, f.authority.PEM())
	rsaPEM := must(encodeKey(sharedRSA()))
	rows := []struct {
		name string
		args string // writes the file "out"
		cert []byte
		key  []byte
	}{
		{"pkcs12", "pkcs12 -export -in cert.pem -inkey key.pem -certfile ca.pem -passout env:P -out out", chain, f.pair.KeyPEM},
		{"pkcs12 legacy", "pkcs12 -export -legacy -in cert.pem -inkey key.pem -certfile ca.pem -passout env:P -out out", chain, f.pair.KeyPEM},
		{"pkcs12 triple DES", "pkcs12 -export -descert -macalg sha1 -in cert.pem -inkey key.pem -passout env:P -out out", f.pair.CertPEM, f.pair.KeyPEM},
		{"pkcs12 without password on the parts", "pkcs12 -export -keypbe NONE -certpbe NONE -in cert.pem -inkey key.pem -passout env:P -out out", f.pair.CertPEM, f.pair.KeyPEM},
		{"pkcs7 DER, root first", "crl2pkcs7 -nocrl -certfile ca.pem -certfile cert.pem -outform DER -out out", chain, nil},
		{"pkcs7 PEM", "crl2pkcs7 -nocrl -certfile cert.pem -out out", f.pair.CertPEM, nil},
		{"x509 DER", "x509 -in cert.pem -outform DER -out out", f.pair.CertPEM, nil},
		{"x509 with text", "x509 -in cert.pem -text -out out", f.pair.CertPEM, nil},
		{"key DER", "pkey -in key.pem -outform DER -out out", nil, f.pair.KeyPEM},
		{"key SEC 1 DER", "ec -in key.pem -outform DER -out out", nil, f.pair.KeyPEM},
		{"key PKCS#1 DER", "rsa -in rsa.pem -traditional -outform DER -out out", nil, rsaPEM},
		{"pkcs8 aes-256-cbc", "pkcs8 -topk8 -v2 aes-256-cbc -in key.pem -passout env:P -out out", nil, f.pair.KeyPEM},
		{"pkcs8 aes-192-cbc", "pkcs8 -topk8 -v2 aes-192-cbc -in key.pem -passout env:P -out out", nil, f.pair.KeyPEM},
		{"pkcs8 aes-128-cbc, SHA-1", "pkcs8 -topk8 -v2 aes-128-cbc -v2prf hmacWithSHA1 -in key.pem -passout env:P -out out", nil, f.pair.KeyPEM},
		{"pkcs8 aes-256-cbc, SHA-512", "pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA512 -in rsa.pem -passout env:P -out out", nil, rsaPEM},
		{"pkcs8 des3", "pkcs8 -topk8 -v2 des3 -in key.pem -passout env:P -out out", nil, f.pair.KeyPEM},
		{"pkcs8 DER", "pkcs8 -topk8 -outform DER -in rsa.pem -passout env:P -out out", nil, rsaPEM},
		{"rsa by header", "rsa -aes128 -traditional -in rsa.pem -passout env:P -out out", nil, rsaPEM},
		{"rsa by header, triple DES", "rsa -des3 -traditional -in rsa.pem -passout env:P -out out", nil, rsaPEM},
		{"ec by header", "ec -aes256 -in key.pem -passout env:P -out out", nil, f.pair.KeyPEM},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := newBench(t)
			b.must(row.args)
			got, err := Convert(b.read("out"), password)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.CertPEM, row.cert) {
				t.Errorf("certificates are\n%swant\n%s", got.CertPEM, row.cert)
			}
			if !bytes.Equal(got.KeyPEM, row.key) {
				t.Error("key is not the one that went in")
			}
		})
	}
}

func TestConvertRefusesWhatOpenSSLWrites(t *testing.T) {
	rows := []struct {
		name string
		args string
		want Kind
		says string
	}{
		{"scrypt", "pkcs8 -topk8 -scrypt -in key.pem -passout env:P -out out", KindEncryptedKey, "scrypt"},
		{"PBES1", "pkcs8 -topk8 -v1 PBE-SHA1-3DES -in key.pem -passout env:P -out out", KindEncryptedKey, "PKCS#12 PBE"},
		{"signed mail", "cms -sign -binary -nodetach -in ca.pem -signer cert.pem -inkey key.pem -outform DER -out out", KindPKCS7, "signed message"},
		{"streamed mail", "cms -sign -binary -nodetach -stream -in ca.pem -signer cert.pem -inkey key.pem -outform DER -out out", KindPKCS7, "indefinite"},
		{"pkcs12 without key", "pkcs12 -export -nokeys -in cert.pem -passout env:P -out out", KindPKCS12, "private key missing"},
		{"request", "req -new -key key.pem -subj /CN=mail.example.test -out out", KindCSR, "request"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := newBench(t)
			b.must(row.args)
			_, err := Convert(b.read("out"), password)
			wantKind(t, err, row.want)
			if err != nil && !strings.Contains(err.Error(), row.says) {
				t.Errorf("message %q lacks %q", err, row.says)
			}
		})
	}
}

// What Issue and SelfSigned make, openssl accepts too, under the name that it is for.
func TestOpenSSLAcceptsWhatIsIssued(t *testing.T) {
	authority := makeFiles().authority
	at := strconv.FormatInt(present.Unix(), 10)
	selfSigned := must(SelfSigned(Leaf{CommonName: "*.example.test"}, present))
	client := must(authority.Issue(Leaf{CommonName: "alice", CNOnly: true, Client: true, Mailboxes: []string{"alice@example.test"}}))
	rows := []struct {
		name string
		pair Pair
		ca   []byte
		args string
		says string
	}{
		{"client", client, authority.PEM(), "-purpose sslclient -verify_email alice@example.test", "OK"},
		{"client as a server", client, authority.PEM(), "", "unsuitable certificate purpose"},
		{"ECDSA", must(authority.Issue(Leaf{Names: []string{"mail.example.test"}})), authority.PEM(), "-verify_hostname mail.example.test", "OK"},
		{"RSA", must(authority.Issue(Leaf{Names: []string{"mail.example.test"}, PrivateKey: sharedRSA()})), authority.PEM(), "-verify_hostname mail.example.test", "OK"},
		{"wildcard", must(authority.Issue(Leaf{Names: []string{"*.example.test"}})), authority.PEM(), "-verify_hostname mail.example.test", "OK"},
		{"address", must(authority.Issue(Leaf{Names: []string{"127.0.0.1"}})), authority.PEM(), "-verify_ip 127.0.0.1", "OK"},
		{"common name only", must(authority.Issue(Leaf{Names: []string{"mail.example.test"}, CNOnly: true})), authority.PEM(), "-verify_hostname mail.example.test", "OK"},
		{"self-signed", selfSigned, selfSigned.CertPEM, "-verify_hostname mail.example.test", "OK"},
		{"other name", must(authority.Issue(Leaf{Names: []string{"other.test"}})), authority.PEM(), "-verify_hostname mail.example.test", "hostname mismatch"},
		{"expired", must(authority.Issue(Leaf{Names: []string{"mail.example.test"}, NotAfter: present.AddDate(0, 0, -1)})), authority.PEM(), "", "expired"},
		{"untrusted", must(authority.Issue(Leaf{Names: []string{"mail.example.test"}, SelfSigned: true})), authority.PEM(), "", "self-signed"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b := newBench(t)
			b.write("leaf.pem", row.pair.CertPEM)
			b.write("leaf.key", row.pair.KeyPEM)
			b.write("roots.pem", row.ca)
			out, err := b.run("verify -x509_strict -purpose sslserver -attime " + at + " -CAfile roots.pem " + row.args + " leaf.pem")
			if out = strings.ReplaceAll(out, "self signed", "self-signed"); !strings.Contains(out, row.says) || (err == nil) != (row.says == "OK") {
				t.Errorf("openssl says %q (%v), want %q", out, err, row.says)
			}
			b.must("x509 -in leaf.pem -noout -text")
			public := b.must("x509 -in leaf.pem -noout -pubkey")
			if got := b.must("pkey -in leaf.key -pubout"); got != public {
				t.Error("key and certificate differ in openssl's eyes")
			}
			fingerprint := b.must("x509 -in leaf.pem -noout -fingerprint -sha256")
			_, hex, _ := strings.Cut(strings.TrimSpace(fingerprint), "=")
			if got := Fingerprint(block(row.pair.CertPEM).Bytes); got != "sha256:"+strings.ToLower(strings.ReplaceAll(hex, ":", "")) {
				t.Errorf("fingerprint is %s, openssl says %s", got, fingerprint)
			}
		})
	}
}
