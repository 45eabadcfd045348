package certs

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestIssue(t *testing.T) {
	authority := makeFiles().authority
	rows := []struct {
		name string
		why  string
		leaf Leaf
		host string                         // the name to verify
		want x509.InvalidReason             // how verification fails; -1 = it does not
		fail func(error) bool               // where it fails otherwise
		look func(*x509.Certificate) string // what is wrong with the certificate, or ""
	}{
		{
			name: "one name", why: "the ordinary server", leaf: Leaf{Names: []string{"mail.example.test"}}, host: "mail.example.test", want: -1,
			look: func(c *x509.Certificate) string {
				switch {
				case c.Subject.CommonName != "mail.example.test":
					return "common name is not the first name"
				case c.IsCA:
					return "a leaf is an authority"
				case !slices.Equal(c.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}):
					return "extended key usage is not serverAuth alone"
				case c.KeyUsage != x509.KeyUsageDigitalSignature:
					return "an ECDSA key does more than sign"
				case c.SerialNumber.Sign() <= 0 || c.SerialNumber.BitLen() > 129 || c.SerialNumber.BitLen() < 64:
					return "serial number is not about 128 bits: " + c.SerialNumber.String()
				}
				return ""
			},
		},
		{name: "other name", why: "a client must complain", leaf: Leaf{Names: []string{"other.example.test"}}, host: "mail.example.test", fail: is[x509.HostnameError]},
		{name: "wildcard", why: "the document's own example", leaf: Leaf{Names: []string{"*.example.test"}}, host: "mail.example.test", want: -1},
		{
			name: "address", why: "run listens on loopback", leaf: Leaf{Names: []string{"mail.example.test", "127.0.0.1", "::1"}}, host: "127.0.0.1", want: -1,
			look: func(c *x509.Certificate) string {
				if len(c.IPAddresses) != 2 || len(c.DNSNames) != 1 {
					return fmt.Sprint("names went the wrong way: ", c.DNSNames, c.IPAddresses)
				}
				return ""
			},
		},
		{
			name: "common name only", why: "old certificates", leaf: Leaf{Names: []string{"mail.example.test"}, CNOnly: true}, host: "mail.example.test", fail: is[x509.HostnameError],
			look: func(c *x509.Certificate) string {
				if len(c.DNSNames)+len(c.IPAddresses) > 0 || c.Subject.CommonName == "" {
					return "names where none should be"
				}
				return ""
			},
		},
		{
			name: "common name apart", why: "cn-only matching must be told from the rest", leaf: Leaf{CommonName: "cn.example.test", Names: []string{"san.example.test"}}, host: "san.example.test", want: -1,
			look: func(c *x509.Certificate) string {
				if c.Subject.CommonName != "cn.example.test" || slices.Contains(c.DNSNames, "cn.example.test") {
					return "common name is not apart"
				}
				return ""
			},
		},
		{name: "common name without names", why: "it is then the only name", leaf: Leaf{CommonName: "mail.example.test"}, host: "mail.example.test", want: -1},
		{name: "expired", why: "a client must complain", leaf: Leaf{Names: []string{"mail.example.test"}, NotAfter: present.Add(-24 * time.Hour)}, host: "mail.example.test", want: x509.Expired},
		{name: "not yet", why: "so too", leaf: Leaf{Names: []string{"mail.example.test"}, NotBefore: present.AddDate(5, 0, 0)}, host: "mail.example.test", want: x509.Expired},
		{name: "self-signed", why: "not the authority's work", leaf: Leaf{Names: []string{"mail.example.test"}, SelfSigned: true}, host: "mail.example.test", fail: is[x509.UnknownAuthorityError]},
		{
			name: "client", why: "it logs in with it, and is no server", leaf: Leaf{CommonName: "alice", CNOnly: true, Client: true, Mailboxes: []string{"alice@example.test"}}, want: x509.IncompatibleUsage,
			look: func(c *x509.Certificate) string {
				switch {
				case !slices.Equal(c.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}):
					return "extended key usage is not clientAuth alone"
				case c.Subject.CommonName != "alice" || !slices.Equal(c.EmailAddresses, []string{"alice@example.test"}) || len(c.DNSNames) > 0:
					return fmt.Sprint("names went the wrong way: ", c.Subject, c.EmailAddresses, c.DNSNames)
				case c.KeyUsage != x509.KeyUsageDigitalSignature:
					return "the key does more than sign"
				}
				return ""
			},
		},
		{
			name: "shared RSA key", why: "the old suites need it, and it is slow to make", leaf: Leaf{Names: []string{"mail.example.test"}, PrivateKey: sharedRSA()}, host: "mail.example.test", want: -1,
			look: func(c *x509.Certificate) string {
				if !samePublic(c.PublicKey, sharedRSA().Public()) || c.KeyUsage&x509.KeyUsageKeyEncipherment == 0 {
					return "not the key that was handed in, or not for RSA key exchange"
				}
				return ""
			},
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			pair, err := authority.Issue(row.leaf)
			if err != nil {
				t.Fatal(err)
			}
			loaded, err := pair.TLS()
			if err != nil {
				t.Fatalf("pair does not load: %v", err)
			}
			if len(loaded.Certificate) != 1 {
				t.Errorf("chain has %d certificates, want the leaf alone", len(loaded.Certificate))
			}
			_, err = loaded.Leaf.Verify(x509.VerifyOptions{DNSName: row.host, Roots: authority.Pool(), CurrentTime: present})
			var invalid x509.CertificateInvalidError
			switch {
			case row.fail != nil:
				if !row.fail(err) {
					t.Errorf("%s: verified with %v", row.why, err)
				}
			case row.want == -1:
				if err != nil {
					t.Errorf("%s: %v", row.why, err)
				}
			case !errors.As(err, &invalid) || invalid.Reason != row.want:
				t.Errorf("%s: verified with %v, want reason %v", row.why, err, row.want)
			}
			if row.look != nil {
				if wrong := row.look(loaded.Leaf); wrong != "" {
					t.Errorf("%s: %s", row.why, wrong)
				}
			}
		})
	}
}

func is[E error](err error) bool {
	var e E
	return errors.As(err, &e)
}

func TestIssueRefuses(t *testing.T) {
	rows := []struct {
		name string
		why  string
		leaf Leaf
	}{
		{"no name", "the zero leaf is nobody's", Leaf{}},
		{"ends before it begins", "no verifier would take it", Leaf{Names: []string{"a.test"}, NotBefore: present, NotAfter: present.Add(-time.Second)}},
		{"unknown kind of key", "a mistake of the caller", Leaf{Names: []string{"a.test"}, Key: RSA + 1}},
		{"name outside ASCII", "X.509 cannot hold it", Leaf{Names: []string{"bücher.test"}}},
		{"mailbox outside ASCII", "X.509 cannot hold it", Leaf{CommonName: "a", CNOnly: true, Mailboxes: []string{"bücher@a.test"}}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			_, err := makeFiles().authority.Issue(row.leaf)
			if err == nil {
				t.Fatalf("accepted: %s", row.why)
			}
			wantTidy(t, err)
		})
	}
	if _, err := NewAuthority("", present); err == nil {
		t.Error("an authority without a name was made")
	}
}

func TestValidityDefaults(t *testing.T) {
	ago, later := present.AddDate(-3, 0, 0), present.AddDate(3, 0, 0)
	rows := []struct {
		name                string
		why                 string
		leaf                Leaf
		notBefore, notAfter time.Time
	}{
		{"both zero", "around the present", Leaf{}, present.Add(-time.Hour), present.Add(leafLife)},
		{"ended long ago", "it began before that", Leaf{NotAfter: ago}, ago.Add(-leafLife), ago},
		{"begins later", "it ends after that", Leaf{NotBefore: later}, later, later.Add(leafLife)},
		{"began long ago", "it is valid still", Leaf{NotBefore: ago}, ago, present.Add(leafLife)},
		{"ends later", "it is valid already", Leaf{NotAfter: later}, present.Add(-time.Hour), later},
		{"both set", "taken as they are", Leaf{NotBefore: ago, NotAfter: later}, ago, later},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			notBefore, notAfter, err := row.leaf.validity(present)
			if err != nil || !notBefore.Equal(row.notBefore) || !notAfter.Equal(row.notAfter) {
				t.Errorf("%s: %v to %v (%v), want %v to %v", row.why, notBefore, notAfter, err, row.notBefore, row.notAfter)
			}
		})
	}
}

func TestSelfSigned(t *testing.T) {
	long := strings.Repeat("a", 63) + ".example.test"
	rows := []struct {
		name string
		why  string
		leaf Leaf
		want []string // the subject alternative names; nil = refused
		says string   // what the refusal mentions
	}{
		{"plain", "the usual", Leaf{CommonName: "mail.example.test"}, []string{"mail.example.test"}, ""},
		{"single label", "the document's WorkPC1", Leaf{CommonName: "WorkPC1"}, []string{"WorkPC1"}, ""},
		{"wildcard", "the document's *.qbik.com", Leaf{CommonName: "*.example.test"}, []string{"*.example.test"}, ""},
		{"names alone", "the first is the common name", Leaf{Names: []string{"a.test", "b.test"}}, []string{"a.test", "b.test"}, ""},
		{"common name not among the names", "it is put there", Leaf{CommonName: "a.test", Names: []string{"b.test"}}, []string{"a.test", "b.test"}, ""},
		{"long name beside a short common name", "names may be long", Leaf{CommonName: "a.test", Names: []string{long}}, []string{"a.test", long}, ""},

		{"nothing", "a common name is demanded", Leaf{}, nil, "common name"},
		{"empty name", "a label is empty", Leaf{Names: []string{"a.test", ""}}, nil, "label is empty"},
		{"double dot", "a label is empty", Leaf{CommonName: "mail..test"}, nil, "label is empty"},
		{"final dot", "not the form of certificates", Leaf{CommonName: "mail.test."}, nil, "label is empty"},
		{"space", "no host name", Leaf{CommonName: "mail example.test"}, nil, "' '"},
		{"control character", "no host name", Leaf{CommonName: "mail\n.test"}, nil, `'\n'`},
		{"underscore", "no host name", Leaf{CommonName: "my_mail.test"}, nil, "'_'"},
		{"outside ASCII", "must be written as xn--", Leaf{CommonName: "bücher.test"}, nil, "xn--"},
		{"wildcard alone", "matches nothing", Leaf{CommonName: "*"}, nil, "domain"},
		{"wildcard and dot", "matches nothing", Leaf{CommonName: "*."}, nil, "domain"},
		{"wildcard inside a label", "clients ignore it", Leaf{CommonName: "m*.example.test"}, nil, "wildcard"},
		{"wildcard further right", "clients ignore it", Leaf{CommonName: "mail.*.test"}, nil, "wildcard"},
		{"two wildcards", "clients ignore it", Leaf{CommonName: "*.*.test"}, nil, "wildcard"},
		{"hyphen first", "no host name", Leaf{CommonName: "-mail.test"}, nil, "hyphen"},
		{"long label", "DNS has 63 octets", Leaf{CommonName: strings.Repeat("a", 64) + ".test"}, nil, "63"},
		{"long name", "DNS has 253 characters", Leaf{Names: []string{"a.test", strings.Repeat("a.", 125) + "test"}}, nil, "253"},
		{"long common name", "X.509 has 64 characters", Leaf{CommonName: long}, nil, "64"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			pair, err := SelfSigned(row.leaf, present)
			wantTidy(t, err)
			if row.want == nil {
				if err == nil || !strings.Contains(err.Error(), row.says) {
					t.Errorf("%s: got error %v, want one about %q", row.why, err, row.says)
				}
				return
			}
			if err != nil {
				t.Fatalf("%s: %v", row.why, err)
			}
			loaded, err := Load(pair.CertPEM, pair.KeyPEM, present)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(loaded.Leaf.DNSNames, row.want) {
				t.Errorf("%s: names are %q, want %q", row.why, loaded.Leaf.DNSNames, row.want)
			}
			if !isSelfSigned(loaded.Leaf) {
				t.Error("not signed by its own key")
			}
			roots := x509.NewCertPool()
			roots.AddCert(loaded.Leaf)
			if _, err := loaded.Leaf.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: present}); err != nil {
				t.Errorf("a client told to trust it does not: %v", err)
			}
		})
	}
}

func TestNewKey(t *testing.T) {
	if k, err := NewKey(ECDSA); err != nil || k.(*ecdsa.PrivateKey).Curve.Params().BitSize != 256 {
		t.Errorf("ECDSA is not P-256: %v", err)
	}
	if k := sharedRSA().(*rsa.PrivateKey); k.N.BitLen() != 2048 {
		t.Errorf("RSA has %d bits, want 2048", k.N.BitLen())
	}
	if _, err := NewKey(RSA + 1); err == nil {
		t.Error("a key of unknown kind was made")
	}
	if k := (Leaf{}).Key; k != ECDSA || k.String() != "ECDSA" {
		t.Errorf("zero kind is %s", k)
	}
}
