package main

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/certs"
)

// A certificate is made, looked at, and not replaced unasked; its key is for
// its owner alone.
func TestCertGenerate(t *testing.T) {
	folder := t.TempDir()
	cert, key := filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	generate := []string{"cert", "generate", "--name", "*.example.test", "--out", cert, "--key-out", key}
	if status, _, says := mailmatrix(t, generate...); status != 0 {
		t.Fatalf("exit status %d, says %s", status, says)
	}
	if info, err := os.Stat(key); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key: %v, %v", info.Mode(), err)
	}
	if status, out, _ := mailmatrix(t, "cert", "inspect", cert); status != 0 || !strings.Contains(out, "*.example.test") {
		t.Errorf("exit status %d, output %s", status, out)
	}
	if status, _, says := mailmatrix(t, generate...); status != 2 || !strings.Contains(says, "exists") {
		t.Errorf("exit status %d, says %s", status, says)
	}
	if status, _, says := mailmatrix(t, append(generate, "--force")...); status != 0 {
		t.Errorf("exit status %d, says %s", status, says)
	}
}

// What needs a password asks for it wherever it stands in the file, and never
// shows it.
func TestCertConvert(t *testing.T) {
	const password = "canary-pass"
	pair, err := certs.SelfSigned(certs.Leaf{Names: []string{"mail.example.test"}}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	locked := lock(t, pair.KeyPEM, password)
	secret := file(t, "password", password+"\n")
	for name, text := range map[string]string{
		"key first": locked + string(pair.CertPEM), "certificate first": string(pair.CertPEM) + locked,
	} {
		t.Run(name, func(t *testing.T) {
			in, out := file(t, "in.pem", text), filepath.Join(t.TempDir(), "out.pem")
			status, _, says := mailmatrix(t, "cert", "convert", "--in", in, "--out", out, "--password-file", secret)
			if status != 0 {
				t.Fatalf("exit status %d, says %s", status, says)
			}
			data, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := certs.Load(data, data, time.Now()); err != nil {
				t.Errorf("a server does not take it: %v", err)
			}
			if info, err := os.Stat(out); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("it holds a key, and its mode is %v, %v", info.Mode(), err)
			}
			for _, wrong := range [][]string{{}, {"--password-file", file(t, "wrong", "canary-wrong\n")}} {
				args := append([]string{"cert", "convert", "--in", in, "--out", out + "2"}, wrong...)
				if status, _, says := mailmatrix(t, args...); status != 2 || strings.Contains(says, "canary") {
					t.Errorf("%v: exit status %d, says %s", wrong, status, says)
				}
			}
		})
	}
}

// lock encrypts a key as old tools did.
func lock(t *testing.T, keyPEM []byte, password string) string {
	t.Helper()
	block, _ := pem.Decode(keyPEM)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	locked, err := x509.EncryptPEMBlock(strings.NewReader(strings.Repeat("x", 64)), "PRIVATE KEY", der, []byte(password), x509.PEMCipherAES128) //nolint:staticcheck // what old tools made is what is tested
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(locked))
}
