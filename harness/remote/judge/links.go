package judge

import (
	"slices"

	"github.com/mailmatrix/mailmatrix/harness/remote/advice"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// What must be true of a link of any server, whatever its policy is.

// cleartext: no mechanism that shows the password or a token is to be had in
// clear.
func (j *judging) cleartext(i int, l login.TransportResult) {
	if l.Transport.Encrypted() {
		return
	}
	baring := pick(l.Mechanisms, func(r login.MechanismResult) bool { return class(r.Mechanism) >= login.ShowsToken })
	known := slices.ContainsFunc(baring, func(r login.MechanismResult) bool { return r.Offered != nil || tried(r) })
	offers := pick(baring, func(r login.MechanismResult) bool { return is(r.Offered) })
	// Without a list, asking for the secret is what an offer would be.
	asks := pick(baring, func(r login.MechanismResult) bool { return r.Offered == nil && (is(r.Starts) || is(r.Completes)) })
	f := finding{topic: "cleartext", door: i, transport: l.Transport, expected: wordNotOffered,
		refs: []string{"both/policy/011", "RFC 8314 4.1", auth(j.Doors[i].Protocol)}}
	switch {
	case len(offers) > 0:
		f.about, f.outcome, f.problem = offers, wordOffered, advice.CleartextOffered
	case len(asks) > 0:
		f.about, f.outcome, f.problem = asks, wordAccepted, advice.CleartextTaken
	case known:
		f.outcome, f.ruling = wordNotOffered, login.Ruling{Verdict: login.Pass}
		j.add(f)
		return
	default:
		return
	}
	verb := map[advice.Problem]string{advice.CleartextOffered: "offers", advice.CleartextTaken: "asks for the secret of"}[f.problem]
	f.exposure = strongest(f.about)
	f.ruling = login.Ruling{Verdict: login.Fail,
		Reason: j.where(i) + " " + verb + " " + names(f.about) + " without TLS: a client that logs in there shows its " + secret(f.exposure),
		WronglyAccepted: slices.ContainsFunc(f.about, func(r login.MechanismResult) bool {
			return !not(r.Starts) && !not(r.Completes)
		})}
	j.add(f)
}

// challenges: what is sworn by a proof in clear can be guessed offline. It is a
// note: the password itself does not cross.
func (j *judging) challenges(i int, l login.TransportResult) {
	if l.Transport.Encrypted() {
		return
	}
	proofs := pick(l.Mechanisms, func(r login.MechanismResult) bool {
		return is(r.Offered) && class(r.Mechanism) == login.ShowsVerifier && !needsTLS(r.Mechanism) && !early(j.Doors[i], l.Transport, r)
	})
	if len(proofs) == 0 {
		return
	}
	j.add(finding{topic: "challenge", door: i, transport: l.Transport, about: proofs, expected: wordNotOffered, outcome: wordOffered,
		exposure: login.ShowsVerifier, refs: []string{"both/policy/011", "RFC 8314 4.1"},
		ruling: login.Ruling{Verdict: login.Pass,
			Reason: j.where(i) + " offers " + names(proofs) + " without TLS: who listens can guess passwords afterwards"}})
}

// early is APOP's timestamp in a greeting that comes before STLS: it is said
// once, and says nothing of the clear link (RFC 1939 7, RFC 2595 4).
func early(d login.DoorResult, t login.Transport, r login.MechanismResult) bool {
	return r.Mechanism == login.APOP && t == login.Plain && hasTLS(d) && !taken(r)
}

// bindings: what is bound to TLS is not to be had without it.
func (j *judging) bindings(i int, l login.TransportResult) {
	if l.Transport.Encrypted() {
		return
	}
	idle := pick(l.Mechanisms, func(r login.MechanismResult) bool { return is(r.Offered) && needsTLS(r.Mechanism) })
	if len(idle) == 0 {
		return
	}
	j.add(finding{topic: "binding", door: i, transport: l.Transport, about: idle, expected: wordNotOffered, outcome: wordOffered,
		refs: []string{"RFC 5802 6", "RFC 4422 A"}, problem: advice.SecureInClear,
		ruling: login.Ruling{Verdict: login.Warn, Reason: j.where(i) + " offers " + names(idle) + " without TLS, and without TLS there is nothing to bind it to"}})
}

// hidden: what is not offered is not taken. Where it shows a listener no more
// than what is offered there, only the list is wrong.
func (j *judging) hidden(i int, l login.TransportResult) {
	unlisted := pick(l.Mechanisms, func(r login.MechanismResult) bool { return not(r.Offered) && tried(r) })
	if len(unlisted) == 0 {
		return
	}
	offers := strongest(pick(l.Mechanisms, func(r login.MechanismResult) bool { return is(r.Offered) }))
	worse := func(r login.MechanismResult) bool {
		return !l.Transport.Encrypted() && class(r.Mechanism) >= login.ShowsVerifier && class(r.Mechanism) > offers
	}
	open := pick(unlisted, taken)
	f := finding{door: i, transport: l.Transport, expected: wordRefused, refs: []string{"both/policy/005", auth(j.Doors[i].Protocol)}}
	if holes := pick(open, worse); len(holes) > 0 {
		f := f
		f.topic, f.about, f.outcome, f.exposure, f.problem = "hidden-in-clear", holes, wordAccepted, strongest(holes), advice.HiddenTaken
		what := "can guess passwords afterwards"
		if f.exposure >= login.ShowsToken {
			f.problem, what = advice.CleartextTaken, "reads the "+secret(f.exposure)
		}
		f.refs = append([]string{"both/policy/011", "RFC 8314 4.1"}, f.refs...)
		f.ruling = login.Ruling{Verdict: login.Fail, WronglyAccepted: true,
			Reason: j.where(i) + " takes " + names(holes) + " without TLS, which it does not offer there: who listens " + what}
		j.add(f)
	}
	f.topic = "hidden"
	rest := pick(open, func(r login.MechanismResult) bool { return !worse(r) })
	if len(rest) == 0 {
		if len(open) > 0 {
			return
		}
		f.outcome, f.ruling = wordRefused, login.Ruling{Verdict: login.Pass}
		j.add(f)
		return
	}
	f.about, f.outcome, f.exposure, f.problem = rest, wordAccepted, shown(l.Transport, rest), advice.HiddenTaken
	f.ruling = login.Ruling{Verdict: login.Warn, Reason: j.link(i, l.Transport) + " takes " + names(rest) + ", which it does not offer"}
	j.add(f)
}

// offered: what is offered is taken. EXTERNAL is not asked: it is for who has
// shown a certificate.
func (j *judging) offered(i int, l login.TransportResult) {
	offers := pick(l.Mechanisms, func(r login.MechanismResult) bool {
		return is(r.Offered) && tried(r) && r.Mechanism != login.EXTERNAL && !early(j.Doors[i], l.Transport, r)
	})
	if len(offers) == 0 {
		return
	}
	refused := pick(offers, func(r login.MechanismResult) bool { return not(r.Starts) })
	failed := pick(offers, func(r login.MechanismResult) bool { return !not(r.Starts) && not(r.Completes) })
	f := finding{door: i, transport: l.Transport, expected: wordAccepted, outcome: wordRefused,
		refs: []string{"both/policy/006", auth(j.Doors[i].Protocol)}, problem: advice.OfferedRefused}
	if len(failed) > 0 {
		f := f
		f.topic, f.about = "offered-fails", failed
		f.ruling = j.rejected(j.link(i, l.Transport)+" offers "+names(failed)+" and lets nobody in", names(failed))
		j.add(f)
	}
	f.topic = "offered"
	switch {
	case len(refused) > 0:
		f.about = refused
		f.ruling = login.Ruling{Verdict: login.Warn,
			Reason: j.link(i, l.Transport) + " refuses what it offers, before it asks for a secret: " + names(refused)}
	case len(failed) > 0:
		return
	default:
		f.outcome, f.ruling = wordAccepted, login.Ruling{Verdict: login.Pass}
	}
	j.add(f)
}

// rejected rules on logins that came to nothing. As long as none has succeeded
// anywhere, the password may be the wrong one.
func (j *judging) rejected(sentence, mechanisms string) login.Ruling {
	if !j.proven {
		return login.Ruling{Verdict: login.Skip, Why: login.WhyInconclusive,
			Reason: "no login with " + mechanisms + " succeeded, but none did anywhere: the name or the password may be wrong"}
	}
	return login.Ruling{Verdict: login.Fail, WronglyRefused: true, Reason: sentence + " with credentials that are right elsewhere"}
}

// shrinks: inside TLS nothing is missing that was offered before
// (RFC 3207 4.2, RFC 2595 4: the list is asked for again). The greeting's
// timestamp and a client's certificate are no matter of the list.
func (j *judging) shrinks(i int) {
	d := j.Doors[i]
	before, ok := d.Transport(login.Plain)
	after, both := d.Transport(login.StartTLS)
	if !ok || !both {
		return
	}
	compared, missing := 0, []login.MechanismResult(nil)
	for _, r := range before.Mechanisms {
		inside := after.Of(r.Mechanism)
		if !is(r.Offered) || inside.Offered == nil || needsTLS(r.Mechanism) || r.Mechanism == login.APOP {
			continue
		}
		compared++
		if not(inside.Offered) {
			missing = append(missing, inside)
		}
	}
	f := finding{topic: "list", door: i, transport: login.StartTLS, clear: true, about: missing, expected: wordOffered,
		refs:    []string{"both/policy/009", upgrade(d.Protocol)},
		problem: advice.ListShrinks}
	switch {
	case compared == 0:
		return
	case len(missing) == 0:
		f.outcome, f.ruling = wordOffered, login.Ruling{Verdict: login.Pass}
	default:
		f.outcome = wordNotOffered
		f.ruling = login.Ruling{Verdict: login.Warn,
			Reason: j.where(i) + " offers " + names(missing) + " in clear and no more once TLS is up"}
	}
	j.add(f)
}
