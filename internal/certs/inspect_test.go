package certs

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestInspect(t *testing.T) {
	f := makeFiles()
	info, err := Inspect(f.combined, present)
	if err != nil {
		t.Fatal(err)
	}
	if len(info.Certificates) != 2 {
		t.Fatalf("found %d certificates, want 2", len(info.Certificates))
	}
	leaf, root := info.Certificates[0], info.Certificates[1]
	if leaf.Subject != "CN=mail.example.test" || leaf.Issuer != "CN=test authority" || leaf.CommonName != "mail.example.test" || !slices.Equal(leaf.Names, []string{"mail.example.test"}) {
		t.Errorf("leaf is called %+v", leaf)
	}
	if leaf.KeyAlgorithm != "ECDSA" || leaf.KeyCurve != "P-256" || leaf.KeyBits != 256 {
		t.Errorf("leaf's key is %s %s %d", leaf.KeyAlgorithm, leaf.KeyCurve, leaf.KeyBits)
	}
	if leaf.DaysLeft != 397 || leaf.SelfSigned || leaf.Authority || leaf.Wildcard || len(leaf.Warnings) > 0 {
		t.Errorf("leaf is %+v", leaf)
	}
	if !root.SelfSigned || !root.Authority || len(root.Warnings) > 0 {
		t.Errorf("root is %+v", root)
	}
	if leaf.Fingerprint != Fingerprint(f.derCert) || !strings.HasPrefix(leaf.Fingerprint, "sha256:") || len(leaf.Fingerprint) != 7+64 {
		t.Errorf("fingerprint is %s", leaf.Fingerprint)
	}
	if out := string(must(json.Marshal(info))); strings.Contains(out, "null") || !strings.Contains(out, `"days_left":397`) {
		t.Errorf("JSON has null or lacks a field: %s", out)
	}
	_, err = Inspect(f.derCert, present)
	wantKind(t, err, KindDER)
	_, err = Inspect(f.pair.KeyPEM, present)
	wantKind(t, err, KindNoCertificate)
}

func TestInspectWarns(t *testing.T) {
	f := makeFiles()
	issue := func(l Leaf) []byte {
		if l.PrivateKey == nil {
			l.PrivateKey = f.key
		}
		return must(f.authority.Issue(l)).CertPEM
	}
	weak := must(rsa.GenerateKey(rand.Reader, 1024))
	day := 24 * time.Hour
	rows := []struct {
		name string
		why  string
		in   []byte
		want []string // a part of each warning for the first certificate, in order
	}{
		{"in order", "nothing to say", issue(Leaf{Names: []string{"a.test"}}), nil},
		{"address", "addresses are names too", issue(Leaf{Names: []string{"127.0.0.1"}}), nil},
		{"common name only", "the document's time", issue(Leaf{Names: []string{"a.test"}, CNOnly: true}), []string{"no subject alternative names"}},
		{"common name apart", "old and new clients see different names", issue(Leaf{CommonName: "b.test", Names: []string{"a.test"}}), []string{`"b.test" is not among`}},
		{"common name is prose", "nobody takes it for a host", issue(Leaf{CommonName: "Example Ltd", Names: []string{"a.test"}}), nil},
		{"common name in other case", "DNS does not care", issue(Leaf{CommonName: "A.TEST", Names: []string{"a.test"}}), nil},
		{"wildcard", "the document reads it wider", issue(Leaf{Names: []string{"*.example.test"}}), []string{"neither example.test nor a.b.example.test"}},
		{"wildcard misplaced", "clients ignore it", issue(Leaf{Names: []string{"a.test", "m*.example.test"}}), []string{"elsewhere"}},
		{"self-signed", "the easy option", must(SelfSigned(Leaf{CommonName: "a.test"}, present)).CertPEM, []string{"self-signed"}},
		{"expired", "yesterday", issue(Leaf{Names: []string{"a.test"}, NotAfter: present.Add(-day)}), []string{"expired on 2026-05-31 UTC"}},
		{"soon", "nine days", issue(Leaf{Names: []string{"a.test"}, NotAfter: present.Add(9 * day)}), []string{"ends in 9 days, on 2026-06-10 UTC"}},
		{"today", "an hour", issue(Leaf{Names: []string{"a.test"}, NotAfter: present.Add(time.Hour)}), []string{"less than a day"}},
		{"not yet", "next year", issue(Leaf{Names: []string{"a.test"}, NotBefore: present.AddDate(1, 0, 0)}), []string{"not valid before 2027-06-01 UTC"}},
		{"weak key", "1024 bits", issue(Leaf{Names: []string{"a.test"}, PrivateKey: weak}), []string{"1024 bits"}},
		{"wrong issuer behind it", "no chain", join(f.pair.CertPEM, issue(Leaf{Names: []string{"a.test"}})), []string{"not this one's issuer"}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			info, err := Inspect(row.in, present)
			if err != nil {
				t.Fatal(err)
			}
			got := info.Certificates[0].Warnings
			if len(got) != len(row.want) {
				t.Fatalf("%s: warnings are %q, want %d", row.why, got, len(row.want))
			}
			for i, want := range row.want {
				if !strings.Contains(got[i], want) {
					t.Errorf("%s: warning %q lacks %q", row.why, got[i], want)
				}
			}
		})
	}
}

// What neither we nor, nowadays, the standard library would sign.
func TestWarnsOfOldCertificates(t *testing.T) {
	rows := []struct {
		name string
		why  string
		cert x509.Certificate
		want string // "" = no warning
	}{
		{"SHA-1", "broken", x509.Certificate{SignatureAlgorithm: x509.SHA1WithRSA}, "SHA1-RSA"},
		{"SHA-256", "fine", x509.Certificate{SignatureAlgorithm: x509.SHA256WithRSA}, ""},
		{"for clients only", "a server must not use it", x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, "extended key usage"},
		{"for a use unknown here", "nor this one", x509.Certificate{UnknownExtKeyUsage: []asn1.ObjectIdentifier{{1, 2, 3}}}, "extended key usage"},
		{"for any use", "servers included", x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}, ""},
		{"no uses listed", "so all", x509.Certificate{}, ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			healthy := CertificateInfo{Names: []string{"a.test"}, CommonName: "a.test", DaysLeft: 100}
			got := strings.Join(warnings(&row.cert, healthy, present), "; ")
			if (got == "") != (row.want == "") || !strings.Contains(got, row.want) {
				t.Errorf("%s: warnings are %q, want one with %q", row.why, got, row.want)
			}
		})
	}
}

func TestNamesForTheEye(t *testing.T) {
	_, ed25519Key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rows := []struct{ name, got, want string }{
		{"common name", nameOf(&x509.Certificate{Subject: pkix.Name{CommonName: "a.test"}, DNSNames: []string{"b.test"}}), "a.test"},
		{"first DNS name", nameOf(&x509.Certificate{DNSNames: []string{"b.test", "c.test"}}), "b.test"},
		{"first address", nameOf(&x509.Certificate{IPAddresses: []net.IP{net.IPv6loopback}}), "::1"},
		{"subject", nameOf(&x509.Certificate{Subject: pkix.Name{Organization: []string{"Example"}}}), "O=Example"},
		{"ECDSA key", keyName(makeFiles().key.Public()), "ECDSA P-256"},
		{"RSA key", keyName(sharedRSA().Public()), "RSA 2048"},
		{"Ed25519 key", keyName(ed25519Key.Public()), "Ed25519"},
		{"other key", keyName(nil), "unknown"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if row.got != row.want {
				t.Errorf("got %q, want %q", row.got, row.want)
			}
		})
	}
}

func TestDaysBetween(t *testing.T) {
	rows := []struct {
		name string
		to   time.Time
		want int
	}{
		{"now", present, 0},
		{"a second ago", present.Add(-time.Second), -1},
		{"a day ago", present.Add(-24 * time.Hour), -1},
		{"just under a day", present.Add(24*time.Hour - time.Second), 0},
		{"a day", present.Add(24 * time.Hour), 1},
		{"no end", time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), 2912291},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if got := daysBetween(present, row.to); got != row.want {
				t.Errorf("got %d, want %d", got, row.want)
			}
		})
	}
}
