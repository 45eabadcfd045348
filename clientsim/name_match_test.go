package clientsim

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"net"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

func TestNameMatches(t *testing.T) {
	t.Parallel()
	type names = []string
	type rules = []login.NameMatch
	const suffix, oneLabel, cnOnly, none = login.MatchSuffix, login.MatchOneLabel, login.MatchCNOnly, login.MatchNone
	for _, tt := range []struct {
		host    string
		cn      string
		sans    names
		matches rules
		why     string
	}{
		{"mail.example.test", "mail.example.test", names{"mail.example.test"}, rules{suffix, oneLabel, cnOnly, none}, "the same name"},
		{"MAIL.example.test", "mail.EXAMPLE.test", names{"mail.EXAMPLE.test"}, rules{suffix, oneLabel, cnOnly, none}, "names have no letter case"},
		{"mail.example.test.", "mail.example.test", names{"mail.example.test"}, rules{suffix, oneLabel, cnOnly, none}, "the root's dot may be written"},
		{"mail.example.test", "other.example.test", names{"other.example.test"}, rules{none}, "another name"},
		{"mail.example.test", "*.example.test", names{"*.example.test"}, rules{suffix, oneLabel, cnOnly, none}, "one label for the asterisk"},
		{"a.b.example.test", "*.example.test", names{"*.example.test"}, rules{suffix, cnOnly, none}, "two labels: the document's rule takes any name that ends so"},
		{"example.test", "*.example.test", names{"*.example.test"}, rules{suffix, none}, "no label: the name does end so"},
		{"notexample.test", "*.example.test", names{"*.example.test"}, rules{none}, "it ends so, but not at a dot"},
		{"example.test.evil.test", "*.example.test", names{"*.example.test"}, rules{none}, "the domain stands in front"},
		{"mail.example.test", "mail.example.test", nil, rules{suffix, cnOnly, none}, "a common name alone: RFC 9525 ignores it"},
		{"mail.example.test", "mail.example.test", names{"other.example.test"}, rules{cnOnly, none}, "alternative names win over the common name"},
		{"mail.example.test", "other.example.test", names{"mail.example.test"}, rules{suffix, oneLabel, none}, "cn-only ignores the alternative names"},
		{"test", "*.test", names{"*.test"}, rules{suffix, none}, "a host of one label has no parent"},
		{"mail.example.test", "m*.example.test", names{"m*.example.test"}, rules{cnOnly, none}, "an asterisk within a label: RFC 9525 takes none, a shell pattern does"},
		{"mail.example.test", "[mail.example.test", names{"x.test"}, rules{none}, "a broken pattern matches nothing"},
		{"192.0.2.1", "192.0.2.1", nil, rules{suffix, oneLabel, cnOnly, none}, "an address among the certificate's"},
		{"192.0.2.2", "x.test", nil, rules{none}, "another address"},
		{"mail.example.test", "", nil, rules{none}, "a certificate without any name"},
	} {
		c := &x509.Certificate{Subject: pkix.Name{CommonName: tt.cn}, DNSNames: tt.sans, IPAddresses: []net.IP{net.ParseIP("192.0.2.1")}}
		for _, rule := range nameRules {
			want := false
			for _, m := range tt.matches {
				want = want || m == rule
			}
			if got := nameMatches(rule, tt.host, c); got != want {
				t.Errorf("%s: host %q, CN %q, SAN %q: %v, want %v: %s", rule, tt.host, tt.cn, tt.sans, got, want, tt.why)
			}
		}
	}
}
