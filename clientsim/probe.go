package clientsim

import (
	"encoding/hex"
	"io"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

// knowEverything gives the probe each mechanism that there is, and a place to
// look for it: a new mechanism is probed without another line anywhere.
func (s *sheet) knowEverything() {
	for _, protocol := range login.Protocols() {
		p := s.in(protocol)
		if p == nil {
			continue
		}
		p.Mechanisms = map[login.Mechanism]mechanismSheet{}
		for _, m := range mech.All() {
			if m.In(protocol) {
				p.Mechanisms[m.Name] = mechanismSheet{Looks: whereProbeLooks(protocol, m.Name),
					Confidence: login.Source, Source: "clientsim/probe.go"}
			}
		}
	}
}

func whereProbeLooks(protocol login.Protocol, m login.Mechanism) look {
	switch {
	case protocol == login.SMTP:
		return lookEHLO
	case m == login.APOP:
		return lookTimestamp
	default:
		return lookCAPA
	}
}

// randomDigest stands in for the digest of APOP where the server gave no
// timestamp to make one from: it must be refused, and it shows nothing.
func randomDigest(rand io.Reader) (string, error) {
	var digest [16]byte
	if _, err := io.ReadFull(rand, digest[:]); err != nil {
		return "", err
	}
	return hex.EncodeToString(digest[:]), nil
}
