package judge

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/harness/remote/advice"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

// declared holds a link against the policy that the administrator declares.
// What nobody tried is no finding, and a link that keeps the policy is one.
func (j *judging) declared(i int, l login.TransportResult) {
	d := j.Doors[i]
	var (
		deniedOffered, secureOffered, deniedTaken, secureTaken, asks, missing, refused, failed []login.MechanismResult
		decided                                                                                int
	)
	for _, r := range l.Mechanisms {
		setting := j.Policy.For(d.Protocol, r.Mechanism)
		permits := setting.Permits(l.Transport) && (l.Transport.Encrypted() || !needsTLS(r.Mechanism))
		switch {
		case setting == login.Unknown, setting == login.Declared, r.Offered == nil && !tried(r):
			continue
		case r.Mechanism == login.EXTERNAL && permits && !is(r.Completes):
			continue // it is for who has shown a certificate
		}
		decided++
		switch {
		case permits && not(r.Offered) && r.Mechanism != login.EXTERNAL: // which may be listed to who shows a certificate
			missing = append(missing, r)
		case permits && not(r.Starts):
			refused = append(refused, r)
		case permits && not(r.Completes):
			failed = append(failed, r)
		case permits:
		default:
			// The contract, rule 2: the greeting comes before STLS.
			if is(r.Offered) && (setting == login.Deny || !early(d, l.Transport, r)) {
				into := &secureOffered
				if setting == login.Deny {
					into = &deniedOffered
				}
				*into = append(*into, r)
			}
			switch {
			case taken(r) && setting == login.Deny:
				deniedTaken = append(deniedTaken, r)
			case taken(r):
				secureTaken = append(secureTaken, r)
			case is(r.Starts):
				asks = append(asks, r)
			}
		}
	}
	before := len(j.out)
	link := j.link(i, l.Transport)
	breach := func(topic, outcome string, rows []login.MechanismResult, problem advice.Problem, reference, sentence string) {
		if len(rows) == 0 {
			return
		}
		j.add(finding{topic: topic, door: i, transport: l.Transport, about: rows, expected: notWord[outcome], outcome: outcome,
			exposure: shown(l.Transport, rows), refs: []string{reference, auth(d.Protocol)}, problem: problem,
			ruling: login.Ruling{Verdict: login.Fail, Reason: link + " " + sentence, WronglyAccepted: outcome == wordAccepted}})
	}
	breach("denied-taken", wordAccepted, deniedTaken, advice.DeniedTaken, "both/policy/002",
		"takes "+names(deniedTaken)+", which the policy denies")
	breach("secure-taken", wordAccepted, secureTaken, takenProblem(secureTaken), "both/policy/003",
		"takes "+names(secureTaken)+", which the policy permits inside TLS only")
	breach("denied-offered", wordOffered, deniedOffered, advice.DeniedOffered, "both/policy/001",
		"offers "+names(deniedOffered)+", which the policy denies")
	breach("secure-offered", wordOffered, secureOffered, advice.SecureInClear, "both/policy/003",
		"offers "+names(secureOffered)+", which the policy permits inside TLS only")
	j.asks(i, l.Transport, asks)
	j.missing(i, l.Transport, missing)
	for _, f := range []struct {
		topic  string
		rows   []login.MechanismResult
		ruling login.Ruling
	}{
		{"permitted-refused", refused, login.Ruling{Verdict: login.Fail, WronglyRefused: true,
			Reason: link + " refuses " + names(refused) + ", which the policy permits there"}},
		{"permitted-fails", failed, j.rejected(link+" lets nobody in by "+names(failed)+", which the policy permits there,", names(failed))},
	} {
		if len(f.rows) > 0 {
			j.add(finding{topic: f.topic, door: i, transport: l.Transport, about: f.rows, expected: wordAccepted, outcome: wordRefused,
				refs: []string{"both/policy/008", auth(d.Protocol)}, problem: advice.OfferedRefused, ruling: f.ruling})
		}
	}
	if decided > 0 && len(j.out) == before {
		j.add(finding{topic: "policy", door: i, transport: l.Transport, expected: "as-declared",
			outcome: fmt.Sprintf("as-declared: %d mechanisms", decided), refs: []string{"both/policy/009", auth(d.Protocol)},
			ruling: login.Ruling{Verdict: login.Pass}})
	}
	j.permitted(i, l)
}

// notWord is what should have been.
var notWord = map[string]string{wordAccepted: wordRefused, wordOffered: wordNotOffered}

// takenProblem is what is to be put right where it is taken outside TLS.
func takenProblem(rows []login.MechanismResult) advice.Problem {
	if strongest(rows) >= login.ShowsToken {
		return advice.CleartextTaken
	}
	return advice.DeniedTaken
}

// asks: refused in the end, but only after the secret was asked for. In clear
// the secret has crossed by then (the contract, rule 1).
func (j *judging) asks(i int, t login.Transport, rows []login.MechanismResult) {
	if len(rows) == 0 {
		return
	}
	f := finding{topic: "asks-first", door: i, transport: t, about: rows, expected: wordRefused, outcome: "refused-after-secret",
		exposure: shown(t, rows), refs: []string{"both/policy/002", "both/policy/003"}, problem: advice.DeniedTaken,
		ruling: login.Ruling{Verdict: login.Warn,
			Reason: j.link(i, t) + " asks for the secret of " + names(rows) + " before it refuses it, as the policy has it"}}
	if f.exposure >= login.ShowsToken {
		f.ruling.Verdict = login.Fail
		f.ruling.Reason += ": by then a listener has read it"
	}
	j.add(f)
}

// missing: permitted and not listed, so that clients which look do not find it.
// Where other servers bring mail, nobody has to log in.
func (j *judging) missing(i int, t login.Transport, rows []login.MechanismResult) {
	if !j.receives(i) {
		rows = j.lacking(i, rows)
	}
	if len(rows) == 0 {
		return
	}
	f := finding{topic: "permitted-missing", door: i, transport: t, about: rows, expected: wordOffered, outcome: wordNotOffered,
		refs: []string{"both/policy/008", auth(j.Doors[i].Protocol)}, problem: advice.NotOffered}
	if j.receives(i) {
		f.ruling = login.Ruling{Verdict: login.Pass, Reason: j.where(i) + " offers no login: it is where other servers bring mail"}
	} else {
		f.ruling = login.Ruling{Verdict: login.Fail, WronglyRefused: true,
			Reason: j.link(i, t) + " does not offer " + names(rows) + ", which the policy permits there"}
	}
	j.add(f)
}

// lacking leaves those to [judging.absent] that no door of the protocol has.
func (j *judging) lacking(i int, rows []login.MechanismResult) []login.MechanismResult {
	absent := j.nowhere(j.Doors[i].Protocol)
	return pick(rows, func(r login.MechanismResult) bool { return !slices.Contains(absent, r.Mechanism) })
}

// nowhere are the mechanisms that no door of the protocol has. A policy may well
// permit more than a server can do, as long as by a password alone somebody
// can log in; where nobody can, that is another matter.
func (j *judging) nowhere(p login.Protocol) []login.Mechanism {
	has := func(m login.Mechanism) bool {
		return slices.ContainsFunc(j.own(), func(d login.DoorResult) bool {
			return d.Protocol == p && slices.ContainsFunc(d.Transports, func(l login.TransportResult) bool {
				row := l.Of(m)
				return is(row.Offered) || taken(row)
			})
		})
	}
	var absent []login.Mechanism
	byPassword := false
	for _, m := range mech.All() {
		switch {
		case !m.In(p):
		case has(m.Name):
			byPassword = byPassword || m.Insecure()
		default:
			absent = append(absent, m.Name)
		}
	}
	return slices.DeleteFunc(absent, func(m login.Mechanism) bool { return !byPassword && class(m) == login.ShowsPassword })
}

// absent says once for a protocol what the policy permits and no door has. What
// rests on a password is missed by who has that; the rest needs somebody beside
// the server who gives it out.
func (j *judging) absent(p login.Protocol) {
	i := slices.IndexFunc(j.Doors, func(d login.DoorResult) bool { return d.Protocol == p && d.Speaks() && !forServers(d) })
	if i < 0 {
		return
	}
	var missed, needless []login.MechanismResult
	for _, m := range j.nowhere(p) {
		known, _ := mech.Get(m)
		switch {
		case !j.Policy.For(p, m).Permits(login.TLS) || m == login.EXTERNAL:
		case known.Presents == login.PresentsPassword:
			missed = append(missed, login.MechanismResult{Mechanism: m})
		default:
			needless = append(needless, login.MechanismResult{Mechanism: m})
		}
	}
	for _, f := range []struct {
		topic   string
		rows    []login.MechanismResult
		verdict login.Verdict
	}{{"permitted-absent", missed, login.Warn}, {"permitted-needless", needless, login.Pass}} {
		if len(f.rows) > 0 {
			j.add(finding{topic: f.topic, door: i, about: f.rows, expected: wordOffered, outcome: wordNotOffered,
				refs: []string{"both/policy/008", auth(p)}, problem: advice.NotOffered,
				ruling: login.Ruling{Verdict: f.verdict, Reason: "the policy permits " + names(f.rows) + ", and no " + strings.ToUpper(string(p)) + " door offers that"}})
		}
	}
}

// receives: mail comes in there from other servers, no login is offered, and
// users have another door or were not meant.
func (j *judging) receives(i int) bool {
	d := j.Doors[i]
	if !forServers(d) || offersLogin(d) {
		return false
	}
	return d.Found == login.FoundMX || slices.ContainsFunc(j.Doors, func(o login.DoorResult) bool {
		return o.Protocol == login.SMTP && o.Speaks() && !forServers(o)
	})
}

// offersLogin: on some transport there is a mechanism.
func offersLogin(d login.DoorResult) bool {
	return slices.ContainsFunc(d.Transports, func(t login.TransportResult) bool {
		return slices.ContainsFunc(t.Mechanisms, func(r login.MechanismResult) bool { return is(r.Offered) || taken(r) })
	})
}

// permitted notes what the policy lets cross in clear.
func (j *judging) permitted(i int, l login.TransportResult) {
	if l.Transport.Encrypted() {
		return
	}
	bare := pick(l.Mechanisms, func(r login.MechanismResult) bool {
		takes, _ := r.Takes()
		return takes && class(r.Mechanism) >= login.ShowsToken && j.Policy.For(j.Doors[i].Protocol, r.Mechanism) == login.Allow
	})
	if len(bare) == 0 {
		return
	}
	j.add(finding{topic: "cleartext", door: i, transport: l.Transport, about: bare, expected: wordOffered, outcome: wordOffered,
		exposure: strongest(bare), refs: []string{"both/policy/011", "RFC 8314 4.1"},
		ruling: login.Ruling{Verdict: login.Pass, Reason: "the policy lets the " + secret(strongest(bare)) + " of " + names(bare) + " cross " +
			j.link(i, l.Transport)}})
}
