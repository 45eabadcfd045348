package harness

import (
	"slices"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/recording"
)

// addManners adds what the client does where a login does not go as it wants.
func (s *spoken) addManners(all *section) {
	all.add("after-refusal", s.afterRefusal())
	unoffered, noCommon := s.nothingFits()
	all.add("unoffered", unoffered.fact(s.deriver))
	all.add("no-common", noCommon.fact(s.deriver))

	refused, rejected, exhausted := s.refusals()
	all.add("refused", refused.fact(s.deriver))
	all.add("rejected", rejected.fact(s.deriver))
	all.add("exhausted", exhausted.fact(s.deriver))
	s.addRetries(all)
	s.addUnable(all)

	var stray votes
	for _, r := range s.runs {
		for _, t := range r.tries {
			if slices.Equal(t.surplus, []string{"*"}) {
				stray.add("*", r.Case)
			}
		}
	}
	if cases := stray.cases["*"]; len(cases) > 0 {
		all.add("stray-cancel", s.shown(true, cases...))
	}
}

// nothingFits is what it does where no list is there, or nothing in it that it
// uses.
func (s *spoken) nothingFits() (unoffered, noCommon votes) {
	for _, r := range s.runs {
		if len(r.tries) > 0 || !r.reachesLogin() || r.Offer.EHLOReject || r.Offer.Lower || r.Offer.AuthEqOnly {
			continue
		}
		listed := slices.DeleteFunc(r.offers(r.encryptedLogin()), func(m login.Mechanism) bool { return m == login.APOP })
		if len(listed) == 0 || r.capaRefused() {
			unoffered.add(r.withoutTry(), r.Case)
		} else {
			noCommon.add(r.withoutTry(), r.Case)
		}
	}
	return unoffered, noCommon
}

// refusals are the reactions to a refused command and to a rejected login. Who
// goes on to the next mechanism stops in the end: that is another fact.
func (s *spoken) refusals() (refused, rejected, exhausted votes) {
	stops := func(reaction string) bool { return reaction == "close" || reaction == "quit" || reaction == "go-on" }
	var refusedStops, rejectedStops votes
	for _, r := range s.runs {
		for i, t := range r.tries {
			if t.result == recording.ResOK || t.result == recording.ResAborted {
				continue
			}
			goes, ends := &rejected, &rejectedStops
			if !t.asked && !t.inResponse {
				goes, ends = &refused, &refusedStops
			}
			if reaction := r.afterTry(i); stops(reaction) {
				ends.add(reaction, r.Case)
				if !s.somethingLeft(r, i) {
					exhausted.add(reaction, r.Case)
				}
			} else {
				goes.add(reaction, r.Case)
			}
		}
	}
	if len(refused.values)+len(rejected.values) == 0 {
		exhausted = votes{}
	}
	if len(refused.values) == 0 {
		refused = refusedStops
	}
	if len(rejected.values) == 0 {
		rejected = rejectedStops
	}
	return refused, rejected, exhausted
}

// somethingLeft: it could have tried another after that attempt.
func (s *spoken) somethingLeft(r conversation, i int) bool {
	return slices.ContainsFunc(r.offers(r.tries[i].encrypted), func(m login.Mechanism) bool {
		return slices.Contains(s.known, m) && r.triedAt(m) < 0
	})
}

// afterRefusal are the mechanisms whose messages come all the same.
func (s *spoken) afterRefusal() *fact {
	carriesOn := []login.Mechanism{}
	var cases []string
	for _, r := range s.runs {
		for _, t := range r.tries {
			if t.asked || t.inResponse || t.result == recording.ResOK || t.result == recording.ResAborted {
				continue
			}
			cases = append(cases, r.Case)
			if len(t.surplus) > 0 && t.surplus[0] != "*" && !slices.Contains(carriesOn, t.mechanism) {
				carriesOn = append(carriesOn, t.mechanism)
			}
		}
	}
	// Of other mechanisms what comes next depends on a challenge.
	carriesOn = slices.DeleteFunc(carriesOn, func(m login.Mechanism) bool { return m != login.PLAIN && m != login.LOGIN })
	if len(cases) == 0 {
		return assumed(carriesOn)
	}
	return s.shown(carriesOn, cases...)
}

// addRetries adds what it tries again.
func (s *spoken) addRetries(all *section) {
	var again section
	var cases []string
	for _, m := range s.known {
		most := 0
		for _, r := range s.runs {
			for _, t := range r.tries {
				if t.mechanism == m && t.repeats > 0 {
					most = max(most, t.repeats)
					cases = append(cases, r.Case)
				}
			}
		}
		if most > 0 {
			again.add(string(m), most)
		}
	}
	if len(again) > 0 {
		all.add("retries", s.shown(again, cases...))
	}
}

// addUnable adds what it does for want of a ticket or a token.
func (s *spoken) addUnable(all *section) {
	var unable, cancels votes
	for _, r := range s.runs {
		for i, t := range r.tries {
			if t.result != recording.ResAborted || !slices.Contains([]login.Mechanism{login.GSSAPI, login.XOAUTH2, login.OAUTHBEARER}, t.mechanism) {
				continue
			}
			unable.add(r.afterTry(i), r.Case)
			if said := r.said[t.next-1]; said.text == "*" {
				cancels.add("star", r.Case)
			}
		}
	}
	all.add("unable", unable.fact(s.deriver))
	all.add("unable-cancels", cancels.fact(s.deriver))
}
