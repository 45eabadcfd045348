package ledger

import (
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

// Settings reads from the rows what policy the door shows: into each row, and
// into the door's.
func Settings(d *login.DoorResult) {
	d.Policy = map[login.Mechanism]login.Setting{}
	if len(d.Transports) == 0 {
		return
	}
	for _, m := range mech.In(d.Protocol) {
		d.Policy[m] = setting(d, m)
		for _, t := range d.Transports {
			for i := range t.Mechanisms {
				if t.Mechanisms[i].Mechanism == m {
					t.Mechanisms[i].Setting = d.Policy[m]
				}
			}
		}
	}
}

// setting reads the rows of one mechanism. What is merely not offered may be
// hidden: that proves no denial. In clear it is taken at its word where TLS has
// the mechanism, because secure is the stricter reading of what clients see.
func setting(d *login.DoorResult, m login.Mechanism) login.Setting {
	var clear, tls reading
	denied := true
	for _, t := range d.Transports {
		row := t.Of(m)
		r := read(d, t.Transport, row)
		if t.Transport.Encrypted() {
			tls = r
		} else {
			clear = r
		}
		denied = denied && r == no && (row.Starts != nil || row.Completes != nil)
	}
	switch {
	case clear == yes:
		return login.Allow
	case tls == yes && clear != unsaid:
		return login.Secure
	case denied:
		return login.Deny
	default:
		return login.Unknown
	}
}

// reading is what a row says of its link. The zero value is of a link that does
// not exist.
type reading uint8

const (
	none reading = iota
	yes
	no
	unsaid // the row does not say
)

func read(d *login.DoorResult, t login.Transport, row login.MechanismResult) reading {
	takes, known := row.Takes()
	_, startTLS := d.Transport(login.StartTLS)
	switch {
	case !known:
		return unsaid
	case row.Mechanism == login.APOP && t == login.Plain && startTLS && row.Completes == nil && takes:
		// The greeting comes once, before STLS: its timestamp may be for those
		// who log in afterwards.
		return unsaid
	case takes:
		return yes
	default:
		return no
	}
}
