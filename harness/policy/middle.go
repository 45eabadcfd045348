package policy

import (
	"slices"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Middle is what a man in the middle can get of a client, who may take away
// from a server what he likes: no policy keeps him from it.
type Middle struct {
	// Set is how the client has to be told to encrypt, for the policy to let it
	// in: required wherever it can be.
	Set  login.Encryption `json:"set"`
	Rung login.Rung       `json:"rung,omitempty"`
	// Gives is what he gets there.
	Gives login.ExposureClass `json:"gives"`
}

// middle follows from how the client has to be set, and from the floor that
// was measured in that setting. A client that has a port of its own for TLS and
// no STARTTLS has no floor: there its certificate check decides.
func (s subject) middle(a Access) Middle {
	m := Middle{Set: login.EncryptOff}
	if a.Encrypted() {
		m.Set = login.EncryptRequired
	}
	floor, known := floorOf(s.described, s.profile.ID(), a.Protocol, m.Set)
	facts := s.facts.Protocols[a.Protocol]
	switch {
	case a.Standing == Lost:
	case known:
		m.Rung, m.Gives = floor.Rung, floor.Gives
	case m.Set == login.EncryptOff:
		for _, w := range a.Ways {
			m.Gives = max(m.Gives, login.Strongest(w.Exposures))
		}
	case !s.facts.ChecksChain || facts.Unchecked && a.Set == nil:
		m.Rung, m.Gives = login.RungCertificate, login.ShowsPassword
	}
	return m
}

func floorOf(described []login.ClientDescription, profile string, p login.Protocol, e login.Encryption) (login.Floor, bool) {
	for _, c := range described {
		if c.Profile != profile {
			continue
		}
		if i := slices.IndexFunc(c.Protocols, func(m login.ClientManners) bool { return m.Protocol == p }); i >= 0 {
			floor, ok := c.Protocols[i].Floors[e]
			return floor, ok
		}
	}
	return login.Floor{}, false
}
