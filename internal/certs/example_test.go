package certs_test

import (
	"fmt"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/certs"
)

func ExampleAuthority_Issue() {
	now := time.Date(2026, time.June, 1, 0, 0, 0, 0, time.UTC)
	authority, err := certs.NewAuthority("laboratory", now)
	if err != nil {
		panic(err)
	}
	expired, err := authority.Issue(certs.Leaf{Names: []string{"mail.example.test"}, NotAfter: now.AddDate(0, 0, -9)})
	if err != nil {
		panic(err)
	}
	_, err = certs.Load(expired.CertPEM, expired.KeyPEM, now)
	kind, _ := certs.KindOf(err)
	fmt.Println(kind)
	fmt.Println(err)
	// Output:
	// expired
	// certificate of "mail.example.test" expired on 2026-05-23 UTC
}

func ExampleInspect() {
	now := time.Date(2026, time.June, 1, 0, 0, 0, 0, time.UTC)
	pair, err := certs.SelfSigned(certs.Leaf{CommonName: "*.example.test"}, now)
	if err != nil {
		panic(err)
	}
	info, err := certs.Inspect(pair.CertPEM, now)
	if err != nil {
		panic(err)
	}
	for _, warning := range info.Certificates[0].Warnings {
		fmt.Println(warning)
	}
	// Output:
	// self-signed: clients complain until they are told to trust it
	// "*.example.test" stands for one label: it matches mail.example.test, but in modern clients neither example.test nor a.b.example.test (RFC 9525 6.3)
}
