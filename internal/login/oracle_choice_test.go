package login

import "testing"

// What a client chooses under a policy that is given as a whole, where the
// settings differ from mechanism to mechanism.
func TestChoiceUnderPolicy(t *testing.T) {
	facts := func(change func(*ProtocolFacts)) ClientFacts {
		p := ProtocolFacts{Looks: []Mechanism{CRAMMD5, PLAIN, UserPass, EXTERNAL}, Chooses: []Mechanism{CRAMMD5, PLAIN, UserPass}, AfterRejected: true}
		p.ChoosesInClear = p.Chooses
		change(&p)
		return ClientFacts{Profile: "somebody", NTLM: NTLMv2, Protocols: map[Protocol]ProtocolFacts{POP3: p}}
	}
	passesOver := func(p *ProtocolFacts) {
		p.PassesOver = map[Mechanism][]Mechanism{UserPass: {CRAMMD5, PLAIN, EXTERNAL}}
	}
	wrongOnce := func(p *ProtocolFacts) { p.WrongProof, p.SASLOnce = []Mechanism{CRAMMD5}, true }
	for _, row := range []struct {
		name, why string
		facts     func(*ProtocolFacts)
		policy    map[Mechanism]Setting
		outcome   Outcome
		used      Mechanism
	}{
		{name: "in order", why: "the first that is offered", facts: func(*ProtocolFacts) {},
			policy: map[Mechanism]Setting{PLAIN: Allow, UserPass: Allow}, outcome: LoggedIn, used: PLAIN},
		{name: "not passed over", why: "nothing beside it is seen", facts: passesOver,
			policy: map[Mechanism]Setting{UserPass: Allow}, outcome: LoggedIn, used: UserPass},
		{name: "passed over", why: "PLAIN is seen, and in this order it is not chosen", facts: func(p *ProtocolFacts) {
			passesOver(p)
			p.Chooses = []Mechanism{UserPass}
		}, policy: map[Mechanism]Setting{PLAIN: Allow, UserPass: Allow}, outcome: NotOffered},
		{name: "EXTERNAL unseen", why: "who shows no certificate is not offered it", facts: passesOver,
			policy: map[Mechanism]Setting{EXTERNAL: Allow, UserPass: Allow}, outcome: LoggedIn, used: UserPass},
		{name: "one SASL mechanism", why: "PLAIN is not tried after CRAM-MD5 came to nothing", facts: wrongOnce,
			policy: map[Mechanism]Setting{CRAMMD5: Allow, PLAIN: Allow, UserPass: Allow}, outcome: LoggedIn, used: UserPass},
		{name: "one that is not offered", why: "it was not tried, so PLAIN is", facts: wrongOnce,
			policy: map[Mechanism]Setting{PLAIN: Allow, UserPass: Allow}, outcome: LoggedIn, used: PLAIN},
	} {
		c := cell(func(c *Cell) {
			c.Flavour, c.Transport, c.Mechanism, c.Setting, c.Database = Modern, StartTLS, Auto, Declared, Full
		})
		e := ByDocument{Policy: Policy{Common: row.policy}}.Expect(c, facts(row.facts))
		if !row.outcome.In(e.Outcomes) || e.Used != row.used {
			t.Errorf("%s (%s): %v %q, want %s %q", row.name, row.why, e.Outcomes, e.Used, row.outcome, row.used)
		}
	}
}
