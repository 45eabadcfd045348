package judge

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

// The words for what was expected and what came.
const (
	wordOffered    = "offered"
	wordNotOffered = "not-offered"
	wordAccepted   = "accepted"
	wordRefused    = "refused"
	wordOpen       = "open"
	wordAlike      = "alike"
	wordDifferent  = "different"
	wordOK         = "ok"
	wordUndecided  = "undecided"
)

// places name the doors in IDs: by the port, and where a port of a protocol
// comes a second time, by the host too.
func places(doors []login.DoorResult) []string {
	named := make([]string, len(doors))
	taken := map[string]bool{}
	for i, d := range doors {
		tries := []string{d.Port(), d.Port() + "@" + d.Host}
		for n := 0; ; n++ {
			name := tries[min(n, 1)]
			if n > 1 {
				name = fmt.Sprintf("%s#%d", tries[1], n)
			}
			name = strings.ReplaceAll(name, "/", "-")
			if key := string(d.Protocol) + "/" + name; !taken[key] {
				taken[key], named[i] = true, name
				break
			}
		}
	}
	return named
}

// where is the door in a sentence.
func (j *judging) where(i int) string {
	d := j.Doors[i]
	if slices.ContainsFunc(j.Doors, func(o login.DoorResult) bool { return o.Host != d.Host }) {
		return "port " + d.Port() + " of " + d.Host
	}
	return "port " + d.Port()
}

// link is door and transport in a sentence.
func (j *judging) link(i int, t login.Transport) string {
	switch t {
	case login.Plain:
		return j.where(i) + " without TLS"
	case login.StartTLS:
		return j.where(i) + " inside TLS"
	default:
		return j.where(i)
	}
}

// names are those of the rows.
func names(rows []login.MechanismResult) string {
	all := make([]string, len(rows))
	for i, r := range rows {
		all[i] = string(r.Mechanism)
	}
	return listed(all)
}

// listed is "a, b and c".
func listed(all []string) string {
	if len(all) < 2 {
		return strings.Join(all, "")
	}
	return strings.Join(all[:len(all)-1], ", ") + " and " + all[len(all)-1]
}

// because puts an explanation behind a sentence, where there is one.
func because(sentence, explained string) string {
	if explained == "" {
		return sentence
	}
	return sentence + ": " + explained
}

func is(b *bool) bool  { return b != nil && *b }
func not(b *bool) bool { return b != nil && !*b }

// taken: it has let somebody in, or has asked for the secret and nobody knows
// of a refusal after that.
func taken(r login.MechanismResult) bool {
	return is(r.Completes) || is(r.Starts) && !not(r.Completes)
}

// tried: an attempt says something of it.
func tried(r login.MechanismResult) bool { return r.Starts != nil || r.Completes != nil }

// class is what a login with it shows to who listens in clear. Of a mechanism
// that nobody here knows, nothing is said.
func class(m login.Mechanism) login.ExposureClass {
	known, _ := mech.Get(m)
	return known.Class
}

// strongest is the worst class among the rows.
func strongest(rows []login.MechanismResult) login.ExposureClass {
	c := login.ShowsNothing
	for _, r := range rows {
		c = max(c, class(r.Mechanism))
	}
	return c
}

// shown is what a listener gets of the rows on this transport.
func shown(t login.Transport, rows []login.MechanismResult) login.ExposureClass {
	if t.Encrypted() {
		return login.ShowsNothing
	}
	return strongest(rows)
}

// secret is the class in a sentence.
func secret(c login.ExposureClass) string {
	if c == login.ShowsToken {
		return "token"
	}
	return "password"
}

// needsTLS: without TLS there is no such mechanism.
func needsTLS(m login.Mechanism) bool {
	known, _ := mech.Get(m)
	return known.NeedsTLS
}

func pick(rows []login.MechanismResult, keep func(login.MechanismResult) bool) []login.MechanismResult {
	var kept []login.MechanismResult
	for _, r := range rows {
		if keep(r) {
			kept = append(kept, r)
		}
	}
	return kept
}

// auth is where the AUTH of a protocol is defined.
func auth(p login.Protocol) string {
	if p == login.POP3 {
		return "RFC 5034 4"
	}
	return "RFC 4954 4"
}

// upgrade is where a protocol's way to begin TLS is defined.
func upgrade(p login.Protocol) string {
	if p == login.POP3 {
		return "RFC 2595 4"
	}
	return "RFC 3207 4.2"
}

// proven reports whether some login has succeeded.
func proven(doors []login.DoorResult) bool {
	for _, d := range doors {
		for _, t := range d.Transports {
			if slices.ContainsFunc(t.Mechanisms, func(r login.MechanismResult) bool { return is(r.Completes) }) {
				return true
			}
		}
	}
	return false
}

// own are the doors of the user's own server.
func (j *judging) own() []login.DoorResult {
	var all []login.DoorResult
	for i, d := range j.Doors {
		if !j.Strangers[i] {
			all = append(all, d)
		}
	}
	return all
}

// hasTLS: TLS can be begun at the door.
func hasTLS(d login.DoorResult) bool {
	_, ok := d.Transport(login.StartTLS)
	return ok || d.Stages[login.StageStartTLS] == login.StageOK
}

// forServers: the door is where other servers bring mail (RFC 6409 3.1), and
// nobody has to log in.
func forServers(d login.DoorResult) bool {
	return d.Protocol == login.SMTP && (d.Port() == "25" || d.Found == login.FoundMX)
}
