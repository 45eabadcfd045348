package store

import (
	"cmp"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// facts are those of a report, by target and ID.
type facts map[int]map[string]login.Fact

// add notes a fact. Where an ID stands for several results, such as those of two
// doors, the worst counts: by its verdict, and then by what could be read.
func (f facts) add(target int, id string, fact login.Fact) {
	if f[target] == nil {
		f[target] = map[string]login.Fact{}
	}
	if known, ok := f[target][id]; ok && cmp.Or(cmp.Compare(known.Verdict, fact.Verdict), cmp.Compare(known.Exposure, fact.Exposure)) >= 0 {
		return
	}
	f[target][id] = fact
}

func factsOf(r *login.Report) facts {
	all := facts{}
	for _, c := range r.Cells {
		all.add(c.Target, c.ID, login.Fact{Verdict: c.Verdict, Outcome: string(c.Outcome), Exposure: c.Exposure})
	}
	for _, s := range r.Scenarios {
		all.add(s.Target, s.ID, login.Fact{Verdict: s.Verdict, Outcome: s.Outcome, Exposure: s.Exposure})
	}
	for _, c := range r.Cases {
		all.add(c.Target, r.Key(c), login.Fact{Verdict: c.Verdict})
	}
	for i, t := range r.Targets {
		for _, d := range t.Doors {
			door := doorID(&t, d)
			for _, offers := range d.Transports {
				for _, m := range offers.Mechanisms {
					row := strings.Join([]string{door, string(offers.Transport), strings.ReplaceAll(string(m.Mechanism), "/", "-")}, "/")
					all.add(i, row, login.Fact{Outcome: known(m)})
				}
			}
		}
	}
	return all
}

// doorID is such as "door/smtp/587", with the address in place of the port where
// the target has two doors at that port, as for IPv4 and IPv6.
func doorID(t *login.TargetResult, d login.DoorResult) string {
	at, n := d.Port(), 0
	for _, other := range t.Doors {
		if other.Protocol == d.Protocol && other.Port() == d.Port() {
			n++
		}
	}
	if n > 1 {
		at = d.Address
	}
	return strings.Join([]string{"door", string(d.Protocol), at}, "/")
}

// known is what a door was seen to do, in words.
func known(m login.MechanismResult) string {
	var parts []string
	for _, seen := range []struct {
		is      *bool
		yes, no string
	}{
		{m.Offered, "offered", "not offered"},
		{m.Starts, "starts", "does not start"},
		{m.Completes, "completes", "does not complete"},
	} {
		switch {
		case seen.is == nil:
		case *seen.is:
			parts = append(parts, seen.yes)
		default:
			parts = append(parts, seen.no)
		}
	}
	if len(parts) == 0 {
		return "unknown"
	}
	return strings.Join(parts, ", ")
}
