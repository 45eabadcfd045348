package script

import (
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"strings"
	"testing"
)

// The exchanges that are printed in RFC 5802 5 and RFC 7677 3.
func TestSCRAMProof(t *testing.T) {
	for _, c := range []struct {
		name                        string
		hash                        func() hash.Hash
		bare, challenge, final, sig string
	}{
		{"RFC 5802 5", sha1.New, "n=user,r=fyko+d2lbbFgONRv9qkxdawL",
			"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
			"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=", "rmF9pqV8S7suAoZWja4dJRkFsKQ="},
		{"RFC 7677 3", sha256.New, "n=user,r=rOprNGfwEbeRWgbNEkqO",
			"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
			"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
			"6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="},
	} {
		t.Run(c.name, func(t *testing.T) {
			salt, err := base64.StdEncoding.DecodeString(SCRAMAttribute(c.challenge, "s"))
			if err != nil {
				t.Fatal(err)
			}
			rounds, ok := SCRAMRounds(c.challenge)
			if !ok {
				t.Fatal("no iteration count")
			}
			salted, err := pbkdf2.Key(c.hash, "pencil", salt, rounds, c.hash().Size())
			if err != nil {
				t.Fatal(err)
			}
			var signature []byte
			got := SCRAMFinal{Channel: []byte("n,,"), Nonce: SCRAMAttribute(c.challenge, "r"), Proof: func(without string) (proof []byte) {
				proof, signature = scramProof(c.hash, salted, c.bare+","+c.challenge+","+without)
				return proof
			}}.Message()
			if got != c.final {
				t.Errorf("the last message is %q, want %q", got, c.final)
			}
			if b64(signature) != c.sig {
				t.Errorf("the server's signature is %s, want %s", b64(signature), c.sig)
			}
		})
	}
}

func TestSCRAMAttribute(t *testing.T) {
	const message = "r=a=b,s=QQ==,i=4096"
	for letter, want := range map[string]string{"r": "a=b", "s": "QQ==", "i": "4096", "v": ""} {
		if got := SCRAMAttribute(message, letter); got != want {
			t.Errorf("%s= is %q, want %q", letter, got, want)
		}
	}
	for _, bad := range []string{"", "r=a,s=b", "i=0", "i=-1", "i=many"} {
		if n, ok := SCRAMRounds(bad); ok {
			t.Errorf("%q has %d rounds", bad, n)
		}
	}
	if got := saslName("a=b,c"); got != "a=3Db=2Cc" || strings.Contains(got, ",") {
		t.Errorf("a name is written %q", got)
	}
}
