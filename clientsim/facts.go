package clientsim

import (
	"cmp"
	"slices"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

// Facts is what an oracle may know of the client.
func (p Profile) Facts() login.ClientFacts {
	f := login.ClientFacts{
		Profile:     p.ID(),
		TriesAnyway: p.Probe(),
		Protocols:   map[login.Protocol]login.ProtocolFacts{},
	}
	for _, protocol := range login.Protocols() {
		s := p.sheet.in(protocol)
		if s == nil {
			continue
		}
		f.Protocols[protocol] = s.facts(protocol, p.Mechanisms(protocol))
	}
	if p.sheet != nil && p.sheet.NTLM != nil {
		f.NTLM, f.WindowsUserFirst = p.sheet.NTLM.Kind.Value, p.sheet.NTLM.WindowsUserFirst.Value
	}
	if p.sheet != nil && p.sheet.TLS != nil {
		t := p.sheet.TLS
		f.NoTLS12 = t.newest() < "1.2"
		_, f.ChecksChain = t.Checks.Value[checkChain]
		_, f.ChecksDates = t.Checks.Value[checkDates]
		if _, checks := t.Checks.Value[checkName]; checks {
			f.NameMatch = t.Names.Value
		} else {
			f.NameMatch = login.MatchNone
		}
		f.CanTrust = t.CanTrust.Value
	}
	return f
}

// facts are those of one protocol; known are the mechanisms of the client.
func (s *protocolSheet) facts(protocol login.Protocol, known []login.Mechanism) login.ProtocolFacts {
	f := login.ProtocolFacts{
		Chooses:       s.Choice.Value,
		FallsTo:       s.FallsTo.or(nil),
		Unlisted:      s.Unlisted.or(""),
		PassesOver:    s.PassesOver.or(nil),
		SASLOnce:      s.SASLOnce.or(false),
		Initial:       s.inCommand(protocol),
		AfterRefusal:  s.AfterRefusal.Value,
		AfterRejected: goesOn(s.Rejected),
		AfterRefused:  goesOn(s.Refused),
		Unchecked:     s.Encryption.takesAny(),
		WrongProof:    s.WrongProof.or(nil),
		BeforeHello:   s.Encryption != nil && s.Encryption.BeforeHello.or(false),
		NeverInsists:  s.Encryption.neverInsists(),
		NeverEncrypts: protocol == login.POP3 && s.Encryption.neverInsists() && !s.findsSTLS(),
	}
	if s.Order.or(ownOrder) == serverOrder {
		// The reference server lists in the order of reports.
		f.Chooses = slices.SortedFunc(slices.Values(f.Chooses), func(a, b login.Mechanism) int {
			return cmp.Compare(slices.Index(mech.Names(), a), slices.Index(mech.Names(), b))
		})
	}
	f.ForgetsTimestamp = s.Encryption != nil && !s.Encryption.KeepsTimestamp.or(true)
	f.ChoosesInClear = s.ChoiceInClear.or(f.Chooses)
	for _, m := range known {
		looks := s.Mechanisms[m].Looks
		if looks != nowhere {
			f.Looks = append(f.Looks, m)
		}
		switch looks {
		case lookAnyAUTH:
			f.AnyListDoes = append(f.AnyListDoes, m)
		case lookSASLIfAny:
			f.BlindWithoutSASL = append(f.BlindWithoutSASL, m)
		}
		if s.Mechanisms[m].EncryptedOnly {
			f.EncryptedOnly = append(f.EncryptedOnly, m)
		}
	}
	return f
}

// findsSTLS: it is sent blind, or looked for in CAPA before there is TLS.
func (s *protocolSheet) findsSTLS() bool {
	if s.Encryption != nil && s.Encryption.Blind.or(false) || s.Lists == nil {
		return true
	}
	asks := s.Lists.CAPA.or(askWithSTLS)
	return asks != askNever && asks != askAtLogin
}

// long are the mechanisms whose first message is a token or a ticket, and too
// long for a POP3 command: see [exchange.fits].
var long = []login.Mechanism{login.OAUTHBEARER, login.XOAUTH2, login.GSSAPI}

// inCommand are the mechanisms whose first message stands in the command.
func (s *protocolSheet) inCommand(protocol login.Protocol) []login.Mechanism {
	if protocol != login.POP3 {
		return s.Initial.Value
	}
	return slices.DeleteFunc(slices.Clone(s.Initial.Value), func(m login.Mechanism) bool { return slices.Contains(long, m) })
}

// goesOn: the next mechanism is tried.
func goesOn(f *fact[reaction]) bool {
	return slices.Contains([]reaction{trying, tryingOnNew, tryingAfterQuit}, f.or(closing))
}

// Confidence is how well the weakest fact is known on which a login rests.
func (p Profile) Confidence(protocol login.Protocol, m login.Mechanism, t login.Transport) login.Confidence {
	s := p.sheet.in(protocol)
	if s == nil {
		return login.Assumed
	}
	rests := []login.Confidence{s.Transports[t].Confidence}
	used := []login.Mechanism{m}
	if m == login.Auto {
		rests = append(rests, s.Choice.Confidence)
		used = s.Choice.Value
		if s.ChoiceInClear != nil && !t.Encrypted() {
			rests = append(rests, s.ChoiceInClear.Confidence)
			used = s.ChoiceInClear.Value
		}
	}
	for _, m := range used {
		rests = append(rests, s.Mechanisms[m].Confidence)
		if speaksFirst(m) {
			rests = append(rests, s.Initial.Confidence)
		}
		if messages[m] > 0 || slices.Contains(s.AfterRefusal.Value, m) {
			rests = append(rests, s.AfterRefusal.Confidence)
		}
		if n := p.sheet.NTLM; n != nil && m == login.NTLM {
			rests = append(rests, n.Kind.Confidence, n.WindowsUserFirst.Confidence)
		}
	}
	if e := p.sheet.TLS; e != nil && t.Encrypted() {
		rests = append(rests, e.Versions.Confidence, e.Checks.Confidence, e.Names.Confidence)
	}
	return login.Weakest(rests...)
}
