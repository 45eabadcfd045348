package reports

import (
	"slices"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// reads is the setting that the doors show for m: the one that most have, and
// who differs. That nothing is known of a door is no difference, nor that one
// which is TLS from the first octet lets nobody in without it: beside doors with
// a clear link of which nothing is known, it decides nothing.
func (o *offers) reads(doors []*login.DoorResult, m login.Mechanism) (text string, mixed bool) {
	ports := map[login.Setting][]string{}
	all := []login.Setting{login.Secure, login.Deny, login.Allow}
	known := false
	clear := func(s login.Setting) bool {
		return slices.ContainsFunc(doors, func(d *login.DoorResult) bool {
			shown, is := d.Policy[m]
			return is && !d.Implicit && shown == s
		})
	}
	allowed := clear(login.Allow) && !clear(login.Secure)
	open := clear(login.Unknown) && !slices.ContainsFunc(all, clear)
	for _, d := range doors {
		if s, is := d.Policy[m]; is {
			known = true
			switch {
			case !d.Implicit || s != login.Secure:
			case allowed:
				s = login.Allow
			case open:
				s = login.Unknown
			}
			ports[s] = append(ports[s], o.names[d])
		}
	}
	if !known {
		return "", false
	}
	most := login.Unknown
	for _, s := range all {
		if len(ports[s]) > len(ports[most]) || most == login.Unknown && len(ports[s]) > 0 {
			most = s
		}
	}
	if most == login.Unknown {
		return "unknown: " + whyUnknown(doors, m), false
	}
	text = most.String()
	for _, s := range all {
		if s != most && len(ports[s]) > 0 {
			text += ", but " + list(ports[s]) + ": " + s.String()
			mixed = true
		}
	}
	return text, mixed
}

// whyUnknown is what nobody has done to find out.
func whyUnknown(doors []*login.DoorResult, m login.Mechanism) string {
	listed := false
	for _, d := range doors {
		if triedInClearAlone(d, m) {
			return "not tried inside TLS"
		}
		for _, t := range d.Transports {
			offered := t.Of(m).Offered
			listed = listed || offered != nil && *offered
		}
	}
	if listed {
		return "not tried"
	}
	return "not offered, not tried"
}

// triedInClearAlone: of the links of the door, somebody has asked at the clear
// one, and at none inside TLS.
func triedInClearAlone(d *login.DoorResult, m login.Mechanism) bool {
	links, asked := map[bool]bool{}, map[bool]bool{} // by whether they are encrypted
	for _, t := range d.Transports {
		links[t.Transport.Encrypted()] = true
		if r := t.Of(m); r.Reply != "" && (r.Starts != nil || r.Completes != nil) {
			asked[t.Transport.Encrypted()] = true
		}
	}
	return asked[false] && links[true] && !asked[true]
}
