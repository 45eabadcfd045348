package harness

import (
	"fmt"
	"slices"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
	"github.com/mailmatrix/mailmatrix/internal/recording"
)

// mechanismsTried leaves out what nobody here knows: a profile cannot name it.
func (s *spoken) mechanismsTried() []login.Mechanism {
	var known []login.Mechanism
	for _, m := range mech.All() {
		tried := func(r conversation) bool { return r.triedAt(m.Name) >= 0 }
		if m.In(s.protocol) && slices.ContainsFunc(s.runs, tried) {
			known = append(known, m.Name)
		}
	}
	return known
}

// triedAt is the place of a mechanism among the attempts; -1 is none.
func (c conversation) triedAt(m login.Mechanism) int {
	return slices.IndexFunc(c.tries, func(t try) bool { return t.mechanism == m })
}

// mechanisms says of each where the client looks for it.
func (s *spoken) mechanisms() section {
	var all section
	for _, m := range s.known {
		f := s.look(m)
		f.label = "looks"
		all.add(string(m), f)
	}
	return all
}

// look is where the client reads that it may use m. Who uses it unlisted does
// not look; who leaves it although he would use it does.
func (s *spoken) look(m login.Mechanism) *fact {
	var used, left, unlisted, noList, noCAPA []string
	asks := false
	for _, r := range s.runs {
		tried := r.triedAt(m)
		asks = asks || r.CAPA > 0
		if tried < 0 {
			if r.reachesLogin() && r.plainly() && !slices.Contains(r.offers(r.encryptedLogin()), m) {
				left = append(left, r.Case)
			}
			continue
		}
		offers := r.offers(r.tries[tried].encrypted)
		switch {
		case slices.Contains(offers, m):
			used = append(used, r.Case)
		case s.protocol == login.POP3 && r.capaRefused() && m != login.APOP:
			noCAPA = append(noCAPA, r.Case)
		case len(offers) == 0 || r.Offer.EHLOReject:
			noList = append(noList, r.Case)
		default:
			unlisted = append(unlisted, r.Case)
		}
	}
	looks := func(where string) *fact {
		if len(left) > 0 {
			return s.shown(where, left...)
		}
		f := s.shown(where, used...)
		f.confidence, f.source = login.Assumed, "not seen; it was used where it was listed: "+f.source
		return f
	}
	if s.protocol == login.SMTP {
		switch {
		case len(noList) > 0:
			return s.shown("nowhere", noList...)
		case len(unlisted) > 0:
			return s.shown("any-auth", unlisted...)
		default:
			return looks("ehlo")
		}
	}
	bare := slices.ContainsFunc(s.runs, func(r conversation) bool { return r.bareAuth() && !r.capaRefused() })
	switch {
	case m == login.APOP && len(unlisted)+len(noList) == 0:
		return looks("timestamp")
	case len(unlisted)+len(noList) > 0:
		return s.shown("nowhere", append(unlisted, noList...)...)
	case bare && isSASL(m):
		return looks("auth-list")
	case !asks:
		return s.shown("nowhere", append(used, noCAPA...)...)
	case len(noCAPA) > 0:
		return s.shown("capa-if-any", noCAPA...)
	default:
		return looks("capa")
	}
}

func (c conversation) bareAuth() bool {
	return slices.ContainsFunc(c.said, func(l said) bool { return l.verb == "AUTH" && !l.begins && len(l.text) == len("AUTH") })
}

// preferences are which mechanism came before which, with the case that shows
// it.
type preferences map[[2]login.Mechanism]string

// prefers reads them off the attempts: what is tried comes before what could
// have been. Channel is "" for both.
func (s *spoken) prefers(channel string) preferences {
	before := preferences{}
	once := len(s.saslOnce()) > 0
	for _, r := range s.runs {
		for i, t := range r.tries {
			if channel != "" && t.encrypted != (channel == recording.Encrypted) {
				continue
			}
			for _, m := range r.offers(t.encrypted) {
				tried := r.triedAt(m)
				switch {
				case m == t.mechanism || !slices.Contains(s.known, m) || tried >= 0 && tried < i:
				case isSASL(m) && (!r.plainly() || once && isSASL(r.tries[0].mechanism)): // it could not have been
					if i == 0 && r.plainly() {
						before[[2]login.Mechanism{t.mechanism, m}] = r.Case
					}
				case m == login.APOP && r.StartTLSSent > 0 && t.encrypted: // some forget the greeting then
				default:
					before[[2]login.Mechanism{t.mechanism, m}] = r.Case
				}
			}
		}
	}
	return before
}

// saslOnce are the cases in which it left SASL after one mechanism, although
// it knows another; none where it ever tried two.
func (s *spoken) saslOnce() (cases []string) {
	for _, r := range s.runs {
		sasl := 0
		for i, t := range r.tries {
			if isSASL(t.mechanism) {
				sasl++
			} else if sasl > 0 && slices.ContainsFunc(r.offers(t.encrypted), func(m login.Mechanism) bool {
				return isSASL(m) && slices.Contains(s.known, m) && r.triedAt(m) < 0
			}) {
				cases = append(cases, r.Case)
			}
			if sasl > 1 && r.tries[i-1].conn == t.conn {
				return nil
			}
		}
	}
	return cases
}

// order puts mechanisms into the order that the preferences want; ok is false
// where they go in a circle.
func (before preferences) order(of []login.Mechanism) (ordered []login.Mechanism, ok bool) {
	left := slices.Clone(of)
	for len(left) > 0 {
		first := slices.IndexFunc(left, func(m login.Mechanism) bool {
			return !slices.ContainsFunc(left, func(other login.Mechanism) bool { return before[[2]login.Mechanism{other, m}] != "" })
		})
		if first < 0 {
			return append(ordered, left...), false
		}
		ordered = append(ordered, left[first])
		left = slices.Delete(left, first, first+1)
	}
	return ordered, true
}

func (before preferences) cases() []string {
	var all []string
	for _, name := range before {
		all = append(all, name)
	}
	return all
}

// addChoice adds which mechanisms it picks, and in whose order.
func (s *spoken) addChoice(all *section) {
	both := s.prefers("")
	choice, ok := both.order(s.known)
	inClear, withheld := s.inClear()
	differs := len(withheld) > 0
	ofServer := !ok && s.followsServer()
	if !ok && !ofServer { // another order inside TLS
		encrypted := s.prefers(recording.Encrypted)
		if choice, ok = encrypted.order(s.known); ok {
			differs, both = true, encrypted
		}
	}
	picks := s.shown(choice, append(both.cases(), s.casesOf(s.known)...)...)
	for i := 1; i < len(choice) && !ofServer; i++ {
		if before := choice[i-1]; both[[2]login.Mechanism{before, choice[i]}] == "" {
			picks.source += fmt.Sprintf("; whether %s comes before %s is not seen", before, choice[i])
		}
	}
	all.add("choice", picks)
	if differs {
		all.add("choice-in-clear", s.shown(inClear, append(withheld, s.prefers(recording.Clear).cases()...)...))
	}
	if ofServer {
		all.add("order", s.shown("server", both.cases()...))
	}
	if cases := s.saslOnce(); len(cases) > 0 {
		all.add("sasl-once", s.shown(true, cases...))
	}
	initial := []login.Mechanism{}
	for _, m := range s.known {
		i, _ := mech.Get(m)
		if i.ClientFirst && isSASL(m) && s.mostly(m, func(t try) bool { return t.initial }) {
			initial = append(initial, m)
		}
	}
	all.add("initial", s.shown(initial, s.casesOf(s.known)...))
}

// inClear is what it uses without TLS, and the cases in which it used nothing
// although something it knows was there.
func (s *spoken) inClear() (order []login.Mechanism, withheld []string) {
	order = []login.Mechanism{}
	used := func(m login.Mechanism) bool {
		return slices.ContainsFunc(s.runs, func(r conversation) bool {
			return slices.ContainsFunc(r.tries, func(t try) bool { return t.mechanism == m && !t.encrypted })
		})
	}
	for _, r := range s.runs {
		if r.ClientTLS != recording.Off || !r.plainly() || len(r.tries) > 0 {
			continue
		}
		if slices.ContainsFunc(r.offers(false), func(m login.Mechanism) bool { return slices.Contains(s.known, m) && !used(m) }) {
			withheld = append(withheld, r.Case)
		}
	}
	ordered, _ := s.prefers(recording.Clear).order(s.known)
	for _, m := range ordered {
		if used(m) {
			order = append(order, m)
		}
	}
	return order, withheld
}

// followsServer: each time it tried them in the order in which they were
// offered.
func (s *spoken) followsServer() bool {
	for _, r := range s.runs {
		offers := r.offers(r.encryptedLogin())
		last := -1
		for _, t := range r.tries {
			at := slices.Index(offers, t.mechanism)
			if at < last {
				return false
			}
			last = at
			for _, earlier := range offers[:max(at, 0)] {
				if slices.Contains(s.known, earlier) && r.triedAt(earlier) < 0 {
					return false
				}
			}
		}
	}
	return true
}

// casesOf are those in which one of the mechanisms was tried.
func (s *spoken) casesOf(known []login.Mechanism) []string {
	var names []string
	for _, m := range known {
		for _, r := range s.runs {
			if r.triedAt(m) >= 0 {
				names = append(names, r.Case)
				break
			}
		}
	}
	return names
}

// mostly: more often than not.
func (s *spoken) mostly(m login.Mechanism, is func(try) bool) bool {
	yes, no := 0, 0
	for _, r := range s.runs {
		for _, t := range r.tries {
			switch {
			case t.mechanism != m:
			case is(t):
				yes++
			default:
				no++
			}
		}
	}
	return yes > no
}
