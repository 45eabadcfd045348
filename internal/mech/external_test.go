package mech

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// The certificate of the published exchanges was shown in TLS before them.
func init() {
	published[login.EXTERNAL] = func(half any, v vector) {
		if s, ok := half.(*externalServer); ok {
			s.config.Certificate = &x509.Certificate{EmailAddresses: []string{v.username}}
		}
	}
}

func withCommonName(name string) *x509.Certificate {
	return &x509.Certificate{Subject: pkix.Name{CommonName: name}}
}

func TestCertificateName(t *testing.T) {
	for _, row := range []struct {
		name        string
		certificate *x509.Certificate
		want        string
	}{
		{"none", nil, ""},
		{"nameless", &x509.Certificate{}, ""},
		{"common name", withCommonName("alice"), "alice"},
		{"mailbox", &x509.Certificate{EmailAddresses: []string{"alice@example.test"}}, "alice@example.test"},
		{"both", &x509.Certificate{Subject: pkix.Name{CommonName: "bob"}, EmailAddresses: []string{"alice@example.test", "c@example.test"}}, "alice@example.test"},
		{"host name", &x509.Certificate{DNSNames: []string{"alice"}}, ""},
	} {
		if got := CertificateName(row.certificate); got != row.want {
			t.Errorf("%s: %q", row.name, got)
		}
	}
}

func TestEXTERNAL(t *testing.T) {
	for _, row := range []struct {
		name        string
		certificate *x509.Certificate
		message     string
		username    string
		want        error
		reason      string
	}{
		{"own identity", withCommonName("alice"), "", "alice", nil, ""},
		{"the same identity", withCommonName("alice"), "alice", "alice", nil, ""},
		{"letter case", withCommonName("alice"), "ALICE", "ALICE", nil, ""},

		{"no certificate", nil, "", "", ErrCredentials, "no certificate"},
		{"no certificate, but an identity", nil, "alice", "alice", ErrCredentials, "no certificate"},
		{"nameless certificate", &x509.Certificate{}, "", "", ErrCredentials, "names nobody"},
		{"nameless certificate and an identity", &x509.Certificate{}, "alice", "alice", ErrCredentials, "names nobody"},
		{"another's identity", withCommonName("alice"), "bob", "bob", ErrCredentials, "another account"},
		{"of nobody here", withCommonName("carol"), "", "carol", ErrCredentials, "no account"},
		{"of nobody here, somebody's identity", withCommonName("carol"), "alice", "alice", ErrCredentials, "another account"},
		{"nobody's identity", withCommonName("alice"), "carol", "carol", ErrCredentials, "no account"},
		{"NUL", withCommonName("alice"), "al\x00ice", "", ErrMalformed, ""},
		{"not UTF-8", withCommonName("alice"), "al\xffice", "", ErrMalformed, ""},
	} {
		config := testConfig("", "")
		var steps []string
		config.Known = func(name string) bool {
			steps = append(steps, name)
			return slices.Contains([]string{"alice", "bob"}, strings.ToLower(name))
		}
		config.Certificate = row.certificate
		for _, initial := range []bool{true, false} {
			s := EXTERNAL.Server(config)
			steps = nil
			if !initial {
				if challenge, done, err := s.Next(nil); err != nil || done || challenge == nil || len(challenge) > 0 {
					t.Errorf("%s: asks with %q, done %v, %v", row.name, challenge, done, err)
				}
			}
			_, done, err := s.Next([]byte(row.message))
			if !done || !errors.Is(err, row.want) || row.want != nil && !strings.Contains(err.Error(), row.reason) {
				t.Errorf("%s: done %v, %v", row.name, done, err)
			}
			if s.Username() != row.username {
				t.Errorf("%s: name %q", row.name, s.Username())
			}
			if row.want != ErrMalformed && !slices.Equal(steps, []string{row.username}) {
				t.Errorf("%s: asked about %q", row.name, steps)
			}
		}
	}
}

// The halves agree for any name; with another's certificate nobody gets in.
func TestEXTERNALHalvesAgree(t *testing.T) {
	names := rapid.StringMatching(`[^\x00]{1,20}`)
	rapid.Check(t, func(t *rapid.T) {
		name := names.Draw(t, "name")
		server := testConfig(name, "")
		for _, authzid := range []string{"", name} {
			server.Certificate = withCommonName(name)
			if err := exchange(t, EXTERNAL, ClientConfig{Authzid: authzid}, server, same); err != nil {
				t.Fatalf("as %q: %v", authzid, err)
			}
			server.Certificate = withCommonName(name + "x")
			if err := exchange(t, EXTERNAL, ClientConfig{Authzid: authzid}, server, same); !errors.Is(err, ErrCredentials) {
				t.Fatalf("as %q, with another's certificate: %v", authzid, err)
			}
		}
	})
}

// An identity cut short is another one; cut to nothing it is the own one.
func TestEXTERNALTruncated(t *testing.T) {
	for keep := 1; keep < len("alice"); keep++ {
		server := testConfig("alice", "")
		server.Certificate = withCommonName("alice")
		err := exchange(t, EXTERNAL, ClientConfig{Authzid: "alice"}, server, func(b []byte) []byte { return b[:keep] })
		if !errors.Is(err, ErrCredentials) {
			t.Errorf("%d octets: %v", keep, err)
		}
	}
}

func FuzzEXTERNAL(f *testing.F) {
	f.Add([]byte(""), "alice")
	f.Add([]byte("alice"), "alice")
	f.Add([]byte("al\x00ice"), "alice")
	f.Fuzz(func(t *testing.T, message []byte, name string) {
		config := testConfig("alice", "")
		config.Certificate = withCommonName(name)
		_, done, err := EXTERNAL.Server(config).Next(message)
		switch {
		case !done:
			t.Fatal("not done")
		case err == nil && (!strings.EqualFold(name, "alice") || len(message) > 0 && !strings.EqualFold(string(message), "alice")):
			t.Fatal("accepted") // a name is the account's in any letter case
		case err != nil && !errors.Is(err, ErrCredentials) && !errors.Is(err, ErrMalformed):
			t.Fatal(err)
		}
	})
}
