package login

import (
	"fmt"
	"maps"
	"slices"
)

// Setting is what an administrator chose for one mechanism. The zero value is
// Deny: a forgotten setting never permits.
type Setting uint8

const (
	Deny   Setting = iota // refused everywhere
	Secure                // permitted inside TLS only
	Allow                 // permitted everywhere

	// Unknown is for observed policies: nobody tried. It permits nothing.
	Unknown
	// Declared stands in a cell whose settings come from a policy given as a
	// whole; it is spelled "policy". By itself it permits nothing.
	Declared
)

var settingNames = []string{"deny", "secure", "allow", "unknown", "policy"}

// Settings lists what an administrator can choose, in the document's order.
func Settings() []Setting { return []Setting{Deny, Allow, Secure} }

func (s Setting) String() string               { return settingNames[s] }
func (s Setting) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText accepts any spelled setting, "unknown" and "policy" included.
func (s *Setting) UnmarshalText(b []byte) error { return parseIndex("setting", b, settingNames, s) }

// ParseSetting accepts the three that an administrator can choose.
func ParseSetting(s string) (Setting, error) {
	var names []string
	for _, setting := range Settings() {
		names = append(names, setting.String())
	}
	name, err := ParseName("setting", s, names)
	if err != nil {
		return Deny, err
	}
	return Settings()[slices.Index(names, name)], nil
}

// Permits is the whole rule of a setting.
func (s Setting) Permits(t Transport) bool {
	return s == Allow || s == Secure && t.Encrypted()
}

// Policy is a setting for each mechanism. What it does not name is Deny. The
// zero value denies everything.
type Policy struct {
	Common map[Mechanism]Setting
	// Own holds the maps of a single protocol; they win over Common.
	Own map[Protocol]map[Mechanism]Setting
}

// Only is the policy that sets one mechanism and denies all others.
func Only(m Mechanism, s Setting) Policy {
	return Policy{Common: map[Mechanism]Setting{m: s}}
}

// Every is the policy that gives each of the mechanisms the same setting.
func Every(ms []Mechanism, s Setting) Policy {
	p := Policy{Common: make(map[Mechanism]Setting, len(ms))}
	for _, m := range ms {
		p.Common[m] = s
	}
	return p
}

// For is the setting of m in protocol p.
func (p Policy) For(pr Protocol, m Mechanism) Setting {
	if s, ok := p.Own[pr][m]; ok {
		return s
	}
	return p.Common[m]
}

// Mechanisms names those that the policy mentions, sorted.
func (p Policy) Mechanisms() []Mechanism {
	named := maps.Clone(p.Common)
	for _, own := range p.Own {
		if named == nil {
			named = map[Mechanism]Setting{}
		}
		maps.Copy(named, own)
	}
	return slices.Sorted(maps.Keys(named))
}

func (p Policy) String() string {
	return fmt.Sprintf("%v %v", p.Common, p.Own)
}
