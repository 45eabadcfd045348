package login

import (
	"strings"
)

// Cell is one experiment of the matrix: one client, in one manner of logging
// in, against a server in one state.
type Cell struct {
	Flavour    Flavour    `json:"flavour"`
	Protocol   Protocol   `json:"protocol"`
	Transport  Transport  `json:"transport"`
	Mechanism  Mechanism  `json:"mechanism"`
	Setting    Setting    `json:"setting"`
	Profile    string     `json:"profile"` // with its settings state: "curl+sasl-ir"
	Database   Database   `json:"database"`
	Override   Override   `json:"override"`
	Credential Credential `json:"credential"`
}

// ID names the cell. It is unchanged between releases: people keep it in
// lists of expectations.
func (c Cell) ID() string {
	return strings.Join([]string{
		string(c.Flavour), string(c.Protocol), string(c.Transport), c.Mechanism.Segment(), c.Setting.String(),
		c.Profile, string(c.Database), string(c.Override), string(c.Credential),
	}, "/")
}

// Policy is what the cell's server is given: the cell's own mechanism has the
// setting and all others are denied; in an auto cell each of known has it.
// A declared policy is returned as it is.
func (c Cell) Policy(declared Policy, known []Mechanism) Policy {
	switch {
	case c.Setting == Declared:
		return declared
	case c.Mechanism == Auto:
		return Every(known, c.Setting)
	default:
		return Only(c.Mechanism, c.Setting)
	}
}

// SplitProfile divides "curl+sasl-ir" into profile and variant; the variant
// is "" for the settings that the client is installed with.
func SplitProfile(name string) (profile, variant string) {
	profile, variant, _ = strings.Cut(name, "+")
	return profile, variant
}
