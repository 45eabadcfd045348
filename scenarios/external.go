package scenarios

import (
	"context"
	"crypto/tls"
	"fmt"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// clientCertificates: up to TLS 1.2 a client's certificate crosses the wire in
// clear (RFC 5246 7.3), and with it the name; TLS 1.3 encrypts it (RFC 8446 2).
func clientCertificates() []Scenario {
	var all []Scenario
	for version, class := range map[uint16]login.ExposureClass{
		tls.VersionTLS12: login.ShowsIdentity,
		tls.VersionTLS13: login.ShowsNothing,
	} {
		for _, p := range login.Protocols() {
			all = append(all, Scenario{
				ID:       fmt.Sprintf("scenario/posture/client-certificate/tls1.%d/%s", version-tls.VersionTLS10, p),
				Kind:     login.KindPosture,
				Protocol: p, Transport: login.StartTLS, Mechanism: login.EXTERNAL,
				Setup:    login.Setup{Flavour: login.Modern, Database: login.Full, Policy: login.Only(login.EXTERNAL, login.Secure)},
				Expected: []string{string(login.LoggedIn)},
				Shown:    shown(class),
				Refs:     []string{"RFC 4422 A", "RFC 5246 7.3", "RFC 8446 2"},
				Run: func(ctx context.Context, s *Session) (string, error) {
					return s.outcome(s.Login(ctx, clientsim.Config{Profile: probe(), Protocol: p, Transport: login.StartTLS,
						Mechanism: login.EXTERNAL, Credential: login.WithAccount, NewestTLS: version}))
				},
			})
		}
	}
	return all
}
