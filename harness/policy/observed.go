package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

// Observed is the policy that the doors of a server show.
type Observed struct {
	Policy login.Policy
	// Open counts the settings that nobody knows, and Differing those among
	// them in which the doors do not agree.
	Open, Differing int
	// Silent are the protocols in which no door speaks: nothing is said of them.
	Silent  []login.Protocol
	remarks map[login.Protocol]map[login.Mechanism]string
}

// Remark is what a setting rests on.
func (o Observed) Remark(p login.Protocol, m login.Mechanism) string { return o.remarks[p][m] }

// Observe merges what the doors of each protocol show. Where they differ, the
// setting is unknown, and the remark says which door shows what.
func Observe(doors []login.DoorResult) Observed {
	o := Observed{Policy: login.Policy{Own: map[login.Protocol]map[login.Mechanism]login.Setting{}},
		remarks: map[login.Protocol]map[login.Mechanism]string{}}
	for _, p := range login.Protocols() {
		speaking := slices.DeleteFunc(slices.Clone(doors), func(d login.DoorResult) bool { return d.Protocol != p || !d.Speaks() })
		if len(speaking) == 0 {
			o.Silent = append(o.Silent, p)
			continue
		}
		o.Policy.Own[p], o.remarks[p] = map[login.Mechanism]login.Setting{}, map[login.Mechanism]string{}
		for _, m := range mech.All() {
			if m.In(p) {
				o.merge(p, m.Name, speaking)
			}
		}
	}
	return o
}

func (o *Observed) merge(p login.Protocol, m login.Mechanism, doors []login.DoorResult) {
	var shown []string
	settings := map[login.Setting]bool{}
	for _, d := range doors {
		s := at(d, m)
		settings[s] = true
		shown = append(shown, fmt.Sprintf("port %s: %s", d.Port(), s))
	}
	setting := at(doors[0], m)
	switch {
	case len(settings) == 2 && settings[login.Unknown]:
		setting = login.Unknown
		o.remarks[p][m] = "not known at every door: " + strings.Join(shown, ", ")
	case len(settings) > 1:
		setting = login.Unknown
		o.Differing++
		o.remarks[p][m] = "the doors differ: " + strings.Join(shown, ", ")
	case setting == login.Unknown:
		o.remarks[p][m] = "nobody tried: " + evidence(doors, m)
	default:
		o.remarks[p][m] = evidence(doors, m)
	}
	if setting == login.Unknown {
		o.Open++
	}
	o.Policy.Own[p][m] = setting
}

// at is what a door shows; one that says nothing of a mechanism was not asked.
func at(d login.DoorResult, m login.Mechanism) login.Setting {
	if s, ok := d.Policy[m]; ok {
		return s
	}
	return login.Unknown
}

// evidence is the line on which a setting rests: an answer before a list.
func evidence(doors []login.DoorResult, m login.Mechanism) string {
	for _, d := range doors {
		for _, t := range d.Transports {
			r := t.Of(m)
			for _, line := range []string{r.Reply, r.Evidence} {
				if line != "" && line != login.EvidenceInferred {
					return fmt.Sprintf("port %s, %s: %s", d.Port(), t.Transport, line)
				}
			}
		}
	}
	return "not in any list"
}

// Doors says what is open behind the doors of a server that was looked at.
func Doors(doors []login.DoorResult) Open {
	return func(p login.Protocol, t login.Transport) bool {
		return slices.ContainsFunc(doors, func(d login.DoorResult) bool {
			_, there := d.Transport(t)
			return d.Protocol == p && d.Speaks() && there
		})
	}
}
