package scenarios

import (
	"context"
	"fmt"
	"slices"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// shownCertificate is a certificate with the name under which the client
// looks for the server.
type shownCertificate struct {
	id   string
	kind login.CertificateKind
	host string
	// trusted and current say what a chain check must find.
	trusted, current bool
	// matches names the rules of comparison by which the host matches.
	matches []login.NameMatch
}

var everyRule = []login.NameMatch{login.MatchSuffix, login.MatchOneLabel, login.MatchCNOnly, login.MatchNone}

// certificatesShown is written by hand from the document ("*.qbik.com ... any
// name that ends in qbik.com"), from RFC 9525 6.3 and from what the sources
// say of a client that reads the common name only.
var certificatesShown = []shownCertificate{
	{"valid", login.CertValid, "mail.example.test", true, true, everyRule},
	{"self-signed", login.CertSelfSigned, "mail.example.test", false, true, everyRule},
	{"other-name", login.CertOtherName, "mail.example.test", true, true, []login.NameMatch{login.MatchNone}},
	{"expired", login.CertExpired, "mail.example.test", true, false, everyRule},
	{"wildcard/mail.example.test", login.CertWildcard, "mail.example.test", true, true, everyRule},
	{"wildcard/example.test", login.CertWildcard, "example.test", true, true,
		[]login.NameMatch{login.MatchSuffix, login.MatchNone}},
	{"wildcard/a.b.example.test", login.CertWildcard, "a.b.example.test", true, true,
		[]login.NameMatch{login.MatchSuffix, login.MatchCNOnly, login.MatchNone}},
	{"wildcard/notexample.test", login.CertWildcard, "notexample.test", true, true,
		[]login.NameMatch{login.MatchNone}},
}

// certificates cross what the server shows with what the client was told.
func certificates(profiles []clientsim.Profile) []Scenario {
	var all []Scenario
	for _, p := range profiles {
		facts := p.Facts()
		for _, protocol := range login.Protocols() {
			for _, t := range tried(p, protocol) {
				// Who never says STLS is shown none.
				if !t.Encrypted() || t == login.StartTLS && facts.Protocols[protocol].NeverEncrypts {
					continue
				}
				for _, shows := range certificatesShown {
					for _, told := range []bool{false, true} {
						all = append(all, certificate(p, facts, protocol, t, shows, told))
					}
				}
			}
		}
	}
	return all
}

func certificate(p clientsim.Profile, facts login.ClientFacts, protocol login.Protocol, t login.Transport,
	shows shownCertificate, told bool,
) Scenario {
	how, trust := "default", clientsim.TrustStore
	if told {
		how, trust = "trusted", clientsim.TrustAnything
	}
	if t == login.StartTLS && facts.Protocols[protocol].Unchecked {
		facts.ChecksChain, facts.ChecksDates, facts.NameMatch = false, false, login.MatchNone
	}
	// STARTTLS is tried on the document's server; it has no implicit TLS.
	flavour := login.Classic
	if t == login.TLS {
		flavour = login.Modern
	}
	return Scenario{
		ID:      fmt.Sprintf("scenario/certificate/%s/%s/%s/%s/%s", shows.id, how, p.ID(), protocol, t),
		Kind:    login.KindCertificate,
		Profile: p.ID(), Protocol: protocol, Transport: t,
		Setup: login.Setup{Flavour: flavour, Database: login.WinGate,
			Policy:      login.Every(p.Mechanisms(protocol), login.Secure),
			Certificate: login.Certificate{Kind: shows.kind}},
		Expected: []string{certificateExpected(facts, flavour, shows, told)},
		Shown:    shown(login.ShowsNothing),
		Refs:     []string{"WinGate Mail Security: Certificates", "RFC 9525 6.3", "RFC 8314 3.3"},
		Run: func(ctx context.Context, s *Session) (string, error) {
			got := s.Login(ctx, clientsim.Config{Profile: p, Protocol: protocol, Transport: t,
				Mechanism: anyMechanism(p, protocol), Host: shows.host, Trust: trust, Credential: login.WithAccount})
			outcome, err := s.outcome(got)
			switch login.Outcome(outcome) {
			case login.NoTLS, login.CertRejected, login.Dropped:
				return outcome, err
			default: // whether it then got in is the matrix's business
				return CertificateTaken, err
			}
		},
	}
}

// CertificateTaken is the outcome in which the client went on to log in.
const CertificateTaken = "certificate-accepted"

func certificateExpected(f login.ClientFacts, flavour login.Flavour, shows shownCertificate, told bool) string {
	switch {
	case f.NoTLS12 && flavour == login.Modern:
		return string(login.NoTLS)
	case told && f.CanTrust:
		return CertificateTaken
	case (shows.trusted || !f.ChecksChain) && (shows.current || !f.ChecksDates) && slices.Contains(shows.matches, f.NameMatch):
		return CertificateTaken
	default:
		return string(login.CertRejected)
	}
}
