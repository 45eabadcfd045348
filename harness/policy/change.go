package policy

import (
	"maps"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// with is the policy with another setting for a mechanism: in one protocol, or
// everywhere where protocol is "".
func with(p login.Policy, protocol login.Protocol, m login.Mechanism, s login.Setting) login.Policy {
	changed := login.Policy{Common: maps.Clone(p.Common), Own: map[login.Protocol]map[login.Mechanism]login.Setting{}}
	for pr, own := range p.Own {
		changed.Own[pr] = maps.Clone(own)
	}
	if protocol != "" {
		if changed.Own[protocol] == nil {
			changed.Own[protocol] = map[login.Mechanism]login.Setting{}
		}
		changed.Own[protocol][m] = s
		return changed
	}
	if changed.Common == nil {
		changed.Common = map[login.Mechanism]login.Setting{}
	}
	changed.Common[m] = s
	for _, own := range changed.Own {
		delete(own, m)
	}
	return changed
}
