package policy

import (
	"cmp"
	"fmt"
	"maps"
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
		for _, m := range mech.In(p) {
			o.merge(p, m, speaking)
		}
	}
	return o
}

func (o *Observed) merge(p login.Protocol, m login.Mechanism, doors []login.DoorResult) {
	var shown []string
	settings := map[login.Setting]bool{}
	// Secure at a port for TLS alone may be Allow: there is no clear link to tell.
	either := false
	for _, d := range doors {
		s := at(d, m)
		if d.Implicit && s == login.Secure {
			either = true
		} else {
			settings[s] = true
		}
		shown = append(shown, fmt.Sprintf("port %s: %s", d.Port(), s))
	}
	if either && !settings[login.Allow] {
		settings[login.Secure] = true
	}
	setting := slices.Collect(maps.Keys(settings))[0]
	switch {
	case len(settings) == 2 && settings[login.Unknown]:
		setting = login.Unknown
		o.remarks[p][m] = "not known at every door: " + strings.Join(shown, ", ")
	case len(settings) > 1:
		setting = login.Unknown
		o.Differing++
		o.remarks[p][m] = "the doors differ: " + strings.Join(shown, ", ")
	default:
		o.remarks[p][m] = evidence(doors, m, setting)
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

// evidence is the line on which a setting rests.
func evidence(doors []login.DoorResult, m login.Mechanism, s login.Setting) string {
	switch s {
	case login.Allow:
		return line(doors, m, func(t login.Transport, r login.MechanismResult) string {
			if takes, _ := r.Takes(); takes && !t.Encrypted() {
				return named(r)
			}
			return ""
		})
	case login.Secure:
		text := line(doors, m, func(t login.Transport, r login.MechanismResult) string {
			if takes, _ := r.Takes(); takes && t.Encrypted() {
				return named(r)
			}
			return ""
		})
		if slices.ContainsFunc(doors, func(d login.DoorResult) bool { return untriedInClear(d, m) }) {
			text = "not offered in clear, not tried there; " + text
		}
		return text
	case login.Deny:
		return line(doors, m, func(_ login.Transport, r login.MechanismResult) string { return cmp.Or(r.Reply, r.Evidence) })
	default:
		if reply := line(doors, m, func(_ login.Transport, r login.MechanismResult) string { return r.Reply }); reply != nowhere {
			return "undecided: " + reply
		}
		return "nobody tried: " + line(doors, m, func(_ login.Transport, r login.MechanismResult) string { return r.Evidence })
	}
}

// nowhere: there is no line.
const nowhere = "not in any list"

// line is the first that say returns of a row, with its place. Of APOP, which
// the greeting has to offer (RFC 1939 7), it is that the greeting does not.
func line(doors []login.DoorResult, m login.Mechanism, say func(login.Transport, login.MechanismResult) string) string {
	for _, d := range doors {
		for _, t := range d.Transports {
			r := t.Of(m)
			switch text := say(t.Transport, r); {
			case text == "":
			case m == login.APOP && text != r.Reply && r.Offered != nil && !*r.Offered:
				return fmt.Sprintf("port %s: no timestamp in the greeting", d.Port())
			case text != login.EvidenceInferred:
				return fmt.Sprintf("port %s, %s: %s", d.Port(), t.Transport, text)
			}
		}
	}
	return nowhere
}

// named is the line that names the mechanism, or the answer that took it up.
func named(r login.MechanismResult) string {
	if r.Offered == nil || !*r.Offered || r.Evidence == login.EvidenceInferred {
		return r.Reply
	}
	words := strings.Fields(r.Evidence)
	i := slices.IndexFunc(words, func(w string) bool { return strings.EqualFold(w, string(r.Mechanism)) })
	if i < 1 || len(words) <= few {
		return r.Evidence
	}
	// A long list, short enough for its place.
	short := words[0]
	if i > 1 {
		short += " ..."
	}
	short += " " + words[i]
	if i < len(words)-1 {
		short += " ..."
	}
	return short
}

// few are so many words that a list is quoted whole.
const few = 4

// untriedInClear: the door has a clear link, and that it takes nobody there is
// by its list alone.
func untriedInClear(d login.DoorResult, m login.Mechanism) bool {
	t, ok := d.Transport(login.Plain)
	r := t.Of(m)
	return ok && r.Starts == nil && r.Completes == nil
}

// Unseen are the protocols of which no door was named or found.
func Unseen(doors []login.DoorResult) []login.Protocol {
	return slices.DeleteFunc(login.Protocols(), func(p login.Protocol) bool {
		return slices.ContainsFunc(doors, func(d login.DoorResult) bool { return d.Protocol == p })
	})
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
