package login

import (
	"slices"
	"testing"
)

// cell is the plain case that rows depart from.
func cell(change func(*Cell)) Cell {
	c := Cell{Flavour: Classic, Protocol: POP3, Transport: Plain, Mechanism: UserPass, Setting: Allow,
		Profile: "somebody", Database: WinGate, Override: NoOverride, Credential: WithAccount}
	change(&c)
	return c
}

// looking is a client that looks for everything but USER/PASS.
func looking() ClientFacts {
	return ClientFacts{
		Profile: "somebody", NTLM: NTLMv2, ChecksChain: true, ChecksDates: true, NameMatch: MatchSuffix,
		Protocols: map[Protocol]ProtocolFacts{
			SMTP: {Looks: []Mechanism{PLAIN, LOGIN, CRAMMD5, NTLM, GSSAPI}, Chooses: []Mechanism{CRAMMD5, PLAIN},
				ChoosesInClear: []Mechanism{CRAMMD5, PLAIN}},
			POP3: {Looks: []Mechanism{PLAIN, LOGIN, CRAMMD5, NTLM, GSSAPI, APOP}, Chooses: []Mechanism{CRAMMD5, APOP, UserPass},
				ChoosesInClear: []Mechanism{CRAMMD5, APOP, UserPass}},
		},
	}
}

// neverEncrypts is a client that is told to say STLS and logs in clear.
func neverEncrypts(f *ClientFacts) {
	p := f.Protocols[POP3]
	p.NeverEncrypts = true
	f.Protocols[POP3] = p
}

func TestByDocument(t *testing.T) {
	for _, row := range []struct {
		name, why string
		change    func(*Cell)
		facts     func(*ClientFacts)
		outcome   Outcome
		shows     ExposureClass
		used      Mechanism
	}{
		{name: "allowed in clear", why: "Allow permits everywhere", change: func(*Cell) {},
			outcome: LoggedIn, shows: ShowsPassword},
		{name: "denied blind", why: "USER is sent without looking, and shows the name",
			change:  func(c *Cell) { c.Setting = Deny },
			outcome: RefusedPolicy, shows: ShowsIdentity},
		{name: "secure on plain", why: "Secure refuses on plain",
			change:  func(c *Cell) { c.Setting = Secure },
			outcome: RefusedPolicy, shows: ShowsIdentity},
		{name: "secure inside TLS", why: "Secure permits there, and nothing is readable",
			change:  func(c *Cell) { c.Setting, c.Transport = Secure, StartTLS },
			outcome: LoggedIn, shows: ShowsNothing},
		{name: "no implicit TLS", why: "the document's server has none",
			change:  func(c *Cell) { c.Transport = TLS },
			outcome: NoTLS, shows: ShowsNothing},
		{name: "implicit TLS", why: "the modern flavour has it",
			change:  func(c *Cell) { c.Transport, c.Flavour = TLS, Modern },
			outcome: LoggedIn, shows: ShowsNothing},
		{name: "encryption before policy", why: "the first that applies decides",
			change:  func(c *Cell) { c.Transport, c.Setting = TLS, Deny },
			outcome: NoTLS, shows: ShowsNothing},
		{name: "old client, modern server", why: "no version in common",
			change:  func(c *Cell) { c.Transport, c.Flavour = StartTLS, Modern },
			facts:   func(f *ClientFacts) { f.NoTLS12 = true },
			outcome: NoTLS, shows: ShowsNothing},
		{name: "policy before availability", why: "the order of the contract, seen by the probe",
			change:  func(c *Cell) { c.Mechanism, c.Setting = NTLM, Deny },
			facts:   func(f *ClientFacts) { f.TriesAnyway = true },
			outcome: RefusedPolicy, shows: ShowsNothing},
		{name: "NTLM in wingate", why: "the NTLM method is not available",
			change:  func(c *Cell) { c.Mechanism = NTLM },
			facts:   func(f *ClientFacts) { f.TriesAnyway = true },
			outcome: RefusedUnavailable, shows: ShowsNothing},
		{name: "NTLM in nt", why: "it is what the operating system can check",
			change:  func(c *Cell) { c.Mechanism, c.Database = NTLM, NT },
			outcome: LoggedIn, shows: ShowsVerifier},
		{name: "NTLM looked for and missing", why: "who looks does not try",
			change:  func(c *Cell) { c.Mechanism = NTLM },
			outcome: NotOffered, shows: ShowsNothing},
		{name: "weak NTLM, modern", why: "the minimum there is NTLMv2",
			change:  func(c *Cell) { c.Mechanism, c.Database, c.Flavour = NTLM, NT, Modern },
			facts:   func(f *ClientFacts) { f.NTLM = NTLMSession },
			outcome: RefusedCredentials, shows: ShowsVerifier},
		{name: "weak NTLM, classic", why: "the minimum there is NTLMv1",
			change:  func(c *Cell) { c.Mechanism, c.Database = NTLM, NT },
			facts:   func(f *ClientFacts) { f.NTLM = NTLMSession },
			outcome: LoggedIn, shows: ShowsVerifier},
		{name: "APOP secure in clear", why: "the timestamp comes before STLS: the digest is out when it is refused",
			change:  func(c *Cell) { c.Mechanism, c.Setting = APOP, Secure },
			outcome: RefusedPolicy, shows: ShowsVerifier},
		{name: "APOP denied", why: "no timestamp, no try",
			change:  func(c *Cell) { c.Mechanism, c.Setting = APOP, Deny },
			outcome: NotOffered, shows: ShowsNothing},
		{name: "APOP denied, probe", why: "a digest over nothing shows the name alone",
			change:  func(c *Cell) { c.Mechanism, c.Setting = APOP, Deny },
			facts:   func(f *ClientFacts) { f.TriesAnyway = true },
			outcome: RefusedPolicy, shows: ShowsIdentity},
		{name: "APOP in nt", why: "not available without an override",
			change:  func(c *Cell) { c.Mechanism, c.Database = APOP, NT },
			outcome: NotOffered, shows: ShowsNothing},
		{name: "second chance", why: "nt checks APOP against the override password",
			change: func(c *Cell) {
				c.Mechanism, c.Database, c.Override, c.Credential = APOP, NT, OverrideSet, WithOverride
			},
			outcome: LoggedIn, shows: ShowsVerifier},
		{name: "second chance, own password", why: "it checks against the override, not the account",
			change: func(c *Cell) {
				c.Mechanism, c.Database, c.Override = CRAMMD5, NT, OverrideSet
			},
			outcome: RefusedCredentials, shows: ShowsVerifier},
		{name: "no second chance over SMTP", why: "the override is POP3's",
			change: func(c *Cell) {
				c.Protocol, c.Mechanism, c.Database, c.Override = SMTP, CRAMMD5, NT, OverrideSet
			},
			outcome: NotOffered, shows: ShowsNothing},
		{name: "override MUST be used", why: "the normal password will not work with USER/PASS",
			change:  func(c *Cell) { c.Override = OverrideSet },
			outcome: RefusedCredentials, shows: ShowsPassword},
		{name: "override with USER/PASS", why: "this password is the one that must be used",
			change:  func(c *Cell) { c.Override, c.Credential = OverrideSet, WithOverride },
			outcome: LoggedIn, shows: ShowsPassword},
		{name: "override with PLAIN", why: "our reading: it checks the account's own",
			change: func(c *Cell) {
				c.Mechanism, c.Override, c.Credential = PLAIN, OverrideSet, WithOverride
			},
			outcome: RefusedCredentials, shows: ShowsPassword},
		{name: "wingate CRAM-MD5 with override", why: "it checks the account password only",
			change:  func(c *Cell) { c.Mechanism, c.Override = CRAMMD5, OverrideSet },
			outcome: LoggedIn, shows: ShowsVerifier},
		{name: "override over SMTP", why: "it must never work there",
			change: func(c *Cell) {
				c.Protocol, c.Mechanism, c.Override, c.Credential = SMTP, PLAIN, OverrideSet, WithOverride
			},
			outcome: RefusedCredentials, shows: ShowsPassword},
		{name: "wrong password", why: "refused at the end",
			change:  func(c *Cell) { c.Credential = WithWrong },
			outcome: RefusedCredentials, shows: ShowsPassword},
		{name: "Kerberos", why: "not available",
			change:  func(c *Cell) { c.Mechanism = GSSAPI },
			outcome: NotOffered, shows: ShowsNothing},
		{name: "Kerberos, probe", why: "not available, and policy allows it",
			change:  func(c *Cell) { c.Mechanism = GSSAPI },
			facts:   func(f *ClientFacts) { f.TriesAnyway = true },
			outcome: RefusedUnavailable, shows: ShowsNothing},
		{name: "auto takes the first offered", why: "CRAM-MD5 before APOP",
			change:  func(c *Cell) { c.Mechanism = Auto },
			outcome: LoggedIn, shows: ShowsVerifier, used: CRAMMD5},
		{name: "auto is misled by the timestamp", why: "Secure shows it before STLS",
			change:  func(c *Cell) { c.Mechanism, c.Setting = Auto, Secure },
			outcome: RefusedPolicy, shows: ShowsVerifier, used: APOP},
		{name: "auto ends with what it sends blind", why: "USER/PASS is not looked for",
			change:  func(c *Cell) { c.Mechanism, c.Setting = Auto, Deny },
			outcome: RefusedPolicy, shows: ShowsIdentity, used: UserPass},
		{name: "auto finds nothing", why: "over SMTP everything is looked for",
			change:  func(c *Cell) { c.Protocol, c.Mechanism, c.Setting = SMTP, Auto, Deny },
			outcome: NotOffered, shows: ShowsNothing},
		{name: "initial response", why: "it is out before the refusal",
			change: func(c *Cell) { c.Protocol, c.Mechanism, c.Setting = SMTP, PLAIN, Deny },
			facts: func(f *ClientFacts) {
				f.TriesAnyway, f.Protocols = true, map[Protocol]ProtocolFacts{SMTP: {Initial: []Mechanism{PLAIN}}}
			},
			outcome: RefusedPolicy, shows: ShowsPassword},
		{name: "STARTTLS before EHLO", why: "out of order, and refused as such",
			change: func(c *Cell) { c.Protocol, c.Transport, c.Mechanism = SMTP, StartTLS, PLAIN },
			facts: func(f *ClientFacts) {
				f.Protocols = map[Protocol]ProtocolFacts{SMTP: {Looks: []Mechanism{PLAIN}, BeforeHello: true}}
			},
			outcome: NoTLS, shows: ShowsNothing},
		{name: "nobody", why: "who presents nothing presents nothing wrong",
			change:  func(c *Cell) { c.Mechanism, c.Database, c.Credential = ANONYMOUS, Full, WithWrong },
			outcome: LoggedIn, shows: ShowsNothing},
		{name: "told to encrypt, and does not", why: "it is in clear, where Secure refuses, and the name is out by then",
			change:  func(c *Cell) { c.Setting, c.Transport = Secure, StartTLS },
			facts:   neverEncrypts,
			outcome: RefusedPolicy, shows: ShowsIdentity},
		{name: "a proof that is always wrong", why: "it is made of nobody's password, which a listener learns nothing from",
			change: func(c *Cell) { c.Mechanism, c.Database = NTLM, NT },
			facts: func(f *ClientFacts) {
				f.Protocols = map[Protocol]ProtocolFacts{POP3: {Looks: []Mechanism{NTLM}, WrongProof: []Mechanism{NTLM}}}
			},
			outcome: RefusedCredentials, shows: ShowsIdentity},
	} {
		t.Run(row.name, func(t *testing.T) {
			facts := looking()
			if row.facts != nil {
				row.facts(&facts)
			}
			got := ByDocument{}.Expect(cell(row.change), facts)
			if len(got.Outcomes) != 1 || got.Outcomes[0] != row.outcome || got.Exposures == nil || Strongest(got.Exposures) != row.shows || got.Used != row.used {
				t.Errorf("expects %v, shows %v, uses %q; want %v, %v, %q: %s",
					got.Outcomes, got.Exposures, got.Used, row.outcome, row.shows, row.used, row.why)
			}
		})
	}
}

// Rule 2, offered equals accepted: what the list must show, where the client
// looks into one.
func TestByDocumentOffered(t *testing.T) {
	yes, no := true, false
	for _, row := range []struct {
		name   string
		change func(*Cell)
		want   *bool
	}{
		{"sent blind", func(*Cell) {}, nil},
		{"permitted", func(c *Cell) { c.Mechanism = CRAMMD5 }, &yes},
		{"denied", func(c *Cell) { c.Mechanism, c.Setting = CRAMMD5, Deny }, &no},
		{"secure, in clear", func(c *Cell) { c.Mechanism, c.Setting = CRAMMD5, Secure }, &no},
		{"secure, inside TLS", func(c *Cell) { c.Mechanism, c.Setting, c.Transport = CRAMMD5, Secure, StartTLS }, &yes},
		{"not available", func(c *Cell) { c.Mechanism = NTLM }, &no},
		{"second chance", func(c *Cell) { c.Mechanism, c.Database, c.Override = CRAMMD5, NT, OverrideSet }, &yes},
		{"timestamp, although secure", func(c *Cell) { c.Mechanism, c.Setting = APOP, Secure }, &yes},
		{"timestamp, denied", func(c *Cell) { c.Mechanism, c.Setting = APOP, Deny }, &no},
		{"Kerberos", func(c *Cell) { c.Mechanism = GSSAPI }, &no},
	} {
		got := ByDocument{}.Expect(cell(row.change), looking()).Offered
		if (got == nil) != (row.want == nil) || got != nil && *got != *row.want {
			t.Errorf("%s: %v, want %v", row.name, got, row.want)
		}
	}
}

// Rule 3: the exact codes.
func TestByDocumentReplies(t *testing.T) {
	for _, row := range []struct {
		protocol Protocol
		outcome  Outcome
		right    string
		wrong    string
	}{
		{SMTP, LoggedIn, "235 2.7.0 in", "235 2.0.0 in"},
		{SMTP, RefusedPolicy, "504 5.5.4 no", "535 5.7.8 no"},
		{SMTP, RefusedUnavailable, "504 5.5.4 no", "534 5.7.9 no"},
		{SMTP, RefusedCredentials, "535 5.7.8 no", "454 4.7.0 no"},
		{POP3, LoggedIn, "+OK", "-ERR"},
		{POP3, RefusedPolicy, "-ERR no", "-ERR [AUTH] no"},
		{POP3, RefusedUnavailable, "-ERR", "-ERR [SYS/PERM] no"},
		{POP3, RefusedCredentials, "-ERR [AUTH] no", "-ERR no"},
	} {
		form, ok := ByDocument{}.Expect(cell(func(c *Cell) { c.Protocol = row.protocol }), looking()).Replies[row.outcome]
		if !ok || !form.matches(row.right) || form.matches(row.wrong) {
			t.Errorf("%s %s: %q takes %q: %v, %q: %v", row.protocol, row.outcome, form, row.right, form.matches(row.right),
				row.wrong, form.matches(row.wrong))
		}
	}
}

// What can be read is foretold to the letter: what, whose, and when.
func TestByDocumentExposures(t *testing.T) {
	show := func(m Mechanism, class ExposureClass, when When, secret SecretName) Exposure {
		return Exposure{Class: class, Mechanism: m, When: when, Transport: Plain, Secret: secret}
	}
	for _, row := range []struct {
		name   string
		change func(*Cell)
		facts  func(*ClientFacts)
		want   []Exposure
	}{
		{"login", func(*Cell) {}, nil, []Exposure{
			show(UserPass, ShowsIdentity, OnSuccess, SecretAccount), show(UserPass, ShowsPassword, OnSuccess, SecretAccount)}},
		{"wrong password", func(c *Cell) { c.Credential = WithWrong }, nil, []Exposure{
			show(UserPass, ShowsIdentity, BeforeRefusal, SecretAccount), show(UserPass, ShowsPassword, BeforeRefusal, SecretWrong)}},
		{"Windows user first", func(c *Cell) { c.Mechanism, c.Database = NTLM, NT },
			func(f *ClientFacts) { f.WindowsUserFirst = true }, []Exposure{
				show(NTLM, ShowsIdentity, BeforeRefusal, SecretWindowsUser), show(NTLM, ShowsVerifier, BeforeRefusal, SecretWindowsUser),
				show(NTLM, ShowsIdentity, OnSuccess, SecretAccount), show(NTLM, ShowsVerifier, OnSuccess, SecretAccount)}},
		{"after a refusal", func(c *Cell) { c.Mechanism, c.Setting = LOGIN, Deny },
			func(f *ClientFacts) {
				f.TriesAnyway, f.Protocols = true, map[Protocol]ProtocolFacts{POP3: {AfterRefusal: []Mechanism{LOGIN}}}
			}, []Exposure{
				show(LOGIN, ShowsIdentity, AfterRefusal, SecretAccount), show(LOGIN, ShowsPassword, AfterRefusal, SecretAccount)}},
		{"inside TLS", func(c *Cell) { c.Transport = StartTLS }, nil, []Exposure{}},
		{"told to encrypt, and does not", func(c *Cell) { c.Transport = StartTLS }, neverEncrypts, []Exposure{
			{ShowsIdentity, UserPass, OnSuccess, StartTLS, SecretAccount}, {ShowsPassword, UserPass, OnSuccess, StartTLS, SecretAccount}}},
		{"the override where a token is asked for", func(c *Cell) {
			c.Mechanism, c.Database, c.Override, c.Credential = XOAUTH2, Full, OverrideSet, WithOverride
		}, nil, []Exposure{
			show(XOAUTH2, ShowsIdentity, BeforeRefusal, SecretAccount), show(XOAUTH2, ShowsToken, BeforeRefusal, SecretWrong)}},
	} {
		facts := looking()
		if row.facts != nil {
			row.facts(&facts)
		}
		if got := (ByDocument{}).Expect(cell(row.change), facts).Exposures; got == nil || !slices.Equal(got, row.want) {
			t.Errorf("%s: %v, want %v", row.name, got, row.want)
		}
	}
}

// A declared policy decides by its own map of the protocol.
func TestByDocumentDeclared(t *testing.T) {
	oracle := ByDocument{Policy: Policy{
		Common: map[Mechanism]Setting{PLAIN: Allow},
		Own:    map[Protocol]map[Mechanism]Setting{SMTP: {PLAIN: Secure}},
	}}
	for _, row := range []struct {
		protocol Protocol
		want     Outcome
	}{{SMTP, RefusedPolicy}, {POP3, LoggedIn}} {
		c := cell(func(c *Cell) { c.Protocol, c.Mechanism, c.Setting = row.protocol, PLAIN, Declared })
		facts := looking()
		facts.TriesAnyway = true
		if got := oracle.Expect(c, facts).Outcomes[0]; got != row.want {
			t.Errorf("%s: expects %s, want %s", row.protocol, got, row.want)
		}
	}
}
