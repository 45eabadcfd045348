package scenarios

import (
	"context"
	"fmt"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// startups hand the server certificates that it must refuse by name, and
// none at all.
func startups() []Scenario {
	var all []Scenario
	for _, f := range []struct {
		id, refusal string
		kind        login.CertificateKind
	}{
		{"der-certificate", "der", login.CertDER},
		{"pkcs7-certificate", "pkcs7", login.CertPKCS7},
		{"pkcs12-certificate", "pkcs12", login.CertPKCS12},
		{"encrypted-key", "encrypted-key", login.CertEncryptedKey},
		{"key-mismatch", "key-mismatch", login.CertKeyMismatch},
		{"expired-certificate", "expired", login.CertExpiredFile},
	} {
		all = append(all, Scenario{
			ID: "scenario/startup/" + f.id, Kind: login.KindStartup,
			Setup: login.Setup{Flavour: login.Classic, Database: login.WinGate,
				Certificate: login.Certificate{Kind: f.kind}},
			MayNotStart: true,
			Expected:    []string{"refused-" + f.refusal},
			Refs:        []string{"WinGate Mail Security: Certificates"},
			Run:         startOrRefuse,
		})
	}
	for _, p := range login.Protocols() {
		all = append(all, Scenario{
			ID: fmt.Sprintf("scenario/startup/no-certificate/%s", p), Kind: login.KindStartup,
			Protocol: p, Transport: login.Plain,
			Setup: login.Setup{Flavour: login.Classic, Database: login.WinGate,
				Policy:      login.Every([]login.Mechanism{login.PLAIN, login.UserPass}, login.Secure),
				Certificate: login.Certificate{Kind: login.CertNone}},
			Expected: []string{"secure refused, no TLS offered"},
			Refs:     []string{"WinGate Mail Security: Certificates"},
			Run:      withoutCertificate(p),
		})
	}
	return all
}

func startOrRefuse(_ context.Context, s *Session) (string, error) {
	if s.Refused == nil {
		return "started", nil
	}
	return "refused-" + s.Refused.Kind, nil
}

// withoutCertificate: no TLS is to be had, so Secure refuses everywhere.
func withoutCertificate(p login.Protocol) func(context.Context, *Session) (string, error) {
	return func(ctx context.Context, s *Session) (string, error) {
		c, err := s.Open(ctx, p, login.Plain)
		if err != nil {
			return "", err
		}
		defer c.Quit()
		tls := "no TLS offered"
		if c.Offers("STARTTLS") || c.Offers("STLS") {
			tls = "TLS offered"
		}
		got, err := c.LogIn(s.Secrets.Name, s.Secrets.Password)
		return fmt.Sprintf("secure %s, %s", accepted(got), tls), err
	}
}
