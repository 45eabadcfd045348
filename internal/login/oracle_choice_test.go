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

// What a client chooses where every mechanism has the same setting: the
// database alone leaves some out.
func TestChoiceUnderOneSetting(t *testing.T) {
	yes, no := true, false
	for _, row := range []struct {
		name, why string
		facts     ProtocolFacts
		database  Database
		setting   Setting
		outcome   Outcome
		used      Mechanism
		offered   *bool
	}{
		{name: "any list does", why: "PLAIN is listed, so CRAM-MD5 is sent", database: NT, setting: Allow,
			facts:   ProtocolFacts{Looks: []Mechanism{CRAMMD5}, AnyListDoes: []Mechanism{CRAMMD5}, Chooses: []Mechanism{CRAMMD5}},
			outcome: RefusedUnavailable, used: CRAMMD5, offered: &no},
		{name: "any list does, and it is in it", why: "it is offered, and accepted", database: Full, setting: Allow,
			facts:   ProtocolFacts{Looks: []Mechanism{CRAMMD5}, AnyListDoes: []Mechanism{CRAMMD5}, Chooses: []Mechanism{CRAMMD5}},
			outcome: LoggedIn, used: CRAMMD5, offered: &yes},
		{name: "there is no list", why: "it wants to see one", database: Full, setting: Deny,
			facts:   ProtocolFacts{Looks: []Mechanism{CRAMMD5}, AnyListDoes: []Mechanism{CRAMMD5}, Chooses: []Mechanism{CRAMMD5}},
			outcome: NotOffered},
		{name: "looks beside another", why: "PLAIN is listed and CRAM-MD5 is not, so PLAIN is taken", database: NT, setting: Allow,
			facts: ProtocolFacts{Looks: []Mechanism{CRAMMD5, PLAIN}, BlindWithoutSASL: []Mechanism{CRAMMD5},
				Chooses: []Mechanism{CRAMMD5, PLAIN}},
			outcome: LoggedIn, used: PLAIN, offered: &yes},
		{name: "looks, and nothing is there", why: "it goes blind", database: NT, setting: Deny,
			facts: ProtocolFacts{Looks: []Mechanism{CRAMMD5, PLAIN}, BlindWithoutSASL: []Mechanism{CRAMMD5},
				Chooses: []Mechanism{CRAMMD5, PLAIN}},
			outcome: RefusedPolicy, used: CRAMMD5},
		{name: "nothing of its own", why: "PLAIN is listed, so it sends what it does in the place of nothing", database: NT, setting: Allow,
			facts:   ProtocolFacts{Looks: []Mechanism{CRAMMD5}, Chooses: []Mechanism{CRAMMD5}, Unlisted: CRAMMD5},
			outcome: RefusedUnavailable, used: CRAMMD5},
	} {
		row.facts.ChoosesInClear = row.facts.Chooses
		c := cell(func(c *Cell) { c.Flavour, c.Mechanism, c.Setting, c.Database = Modern, Auto, row.setting, row.database })
		e := ByDocument{}.Expect(c, ClientFacts{Profile: "somebody", Protocols: map[Protocol]ProtocolFacts{POP3: row.facts}})
		if !row.outcome.In(e.Outcomes) || e.Used != row.used {
			t.Errorf("%s (%s): %v %q, want %s %q", row.name, row.why, e.Outcomes, e.Used, row.outcome, row.used)
		}
		if row.offered == nil != (e.Offered == nil) || row.offered != nil && *row.offered != *e.Offered {
			t.Errorf("%s (%s): offered %v, want %v", row.name, row.why, e.Offered, row.offered)
		}
	}
}
