package reports

import (
	"slices"
	"strings"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// A report made by hand: clients as the document has them, cells as the oracle
// foretells them, and whatever a test spoils on top.

type client struct {
	facts      login.ClientFacts
	mechanisms map[login.Protocol][]login.Mechanism
	noSTLS     bool
	// windowsFirst offers the logged-on Windows user before the account.
	windowsFirst bool
}

var pop3SASL = []login.Mechanism{login.UserPass, login.APOP, login.PLAIN, login.LOGIN, login.CRAMMD5, login.NTLM, login.GSSAPI}

var smtpSASL = []login.Mechanism{login.PLAIN, login.LOGIN, login.CRAMMD5, login.NTLM, login.GSSAPI}

func newClient(name string, smtp, pop3 []login.Mechanism) client {
	return client{
		facts: login.ClientFacts{
			Profile: name, NTLM: login.NTLMSession,
			Protocols: map[login.Protocol]login.ProtocolFacts{
				login.SMTP: {Looks: smtpSASL, Chooses: smtp, ChoosesInClear: smtp},
				login.POP3: {Looks: []login.Mechanism{login.APOP, login.NTLM, login.CRAMMD5, login.GSSAPI}, Chooses: pop3, ChoosesInClear: pop3},
			},
		},
		mechanisms: map[login.Protocol][]login.Mechanism{login.SMTP: smtp, login.POP3: pop3},
	}
}

func clients() []client {
	ms := func(all ...login.Mechanism) []login.Mechanism { return all }
	outlook := newClient("outlook", ms(login.NTLM), ms(login.UserPass, login.NTLM))
	express := newClient("outlook-express", ms(login.NTLM), ms(login.UserPass, login.NTLM))
	express6 := newClient("outlook-express-6", ms(login.NTLM, login.LOGIN), ms(login.UserPass, login.NTLM))
	for _, c := range []*client{&outlook, &express, &express6} {
		c.noSTLS, c.windowsFirst = true, true
	}
	express6.facts.NoTLS12 = true
	eudora := newClient("eudora", ms(login.CRAMMD5, login.PLAIN, login.GSSAPI), ms(login.CRAMMD5, login.APOP, login.UserPass, login.GSSAPI))
	eudora7 := newClient("eudora-7-win", ms(login.CRAMMD5, login.PLAIN, login.GSSAPI), ms(login.APOP, login.UserPass, login.GSSAPI))
	eudora7.facts.NoTLS12 = true
	probe := newClient("probe", smtpSASL, pop3SASL)
	probe.facts.TriesAnyway, probe.facts.NTLM = true, login.NTLMv2
	return []client{probe, outlook, express, eudora, eudora7, express6}
}

// transports that the client can be configured for.
func (c client) transports(p login.Protocol) []login.Transport {
	if c.noSTLS && p == login.POP3 {
		return []login.Transport{login.Plain, login.TLS}
	}
	return login.Transports()
}

func (c client) lacks() []login.Lack {
	var all []login.Lack
	for p, ms := range map[login.Protocol][]login.Mechanism{login.SMTP: smtpSASL, login.POP3: pop3SASL} {
		for _, m := range ms {
			if !slices.Contains(c.mechanisms[p], m) {
				all = append(all, login.Lack{Profile: c.facts.Profile, Protocol: p, Mechanism: m})
			}
		}
	}
	if c.noSTLS {
		all = append(all, login.Lack{Profile: c.facts.Profile, Protocol: login.POP3, Transport: login.StartTLS})
	}
	slices.SortFunc(all, func(a, b login.Lack) int {
		return strings.Compare(string(a.Protocol+login.Protocol(a.Mechanism)), string(b.Protocol+login.Protocol(b.Mechanism)))
	})
	return all
}

// emptyReport is a run that was interrupted before anything was done.
func emptyReport() login.Report {
	return login.Report{
		Schema: login.Schema, Tool: "mailmatrix test", Catalogue: "2026.1", Vantage: "127.0.0.1", Seed: 7,
		Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Targets: []login.TargetResult{{Name: "reference", Kind: "reference"}},
	}
}

// runReport is a run of these clients with these settings, all as expected.
// Under a policy every mechanism of it is allowed inside TLS only.
func runReport(settings []login.Setting, only ...string) login.Report {
	r := emptyReport()
	r.Complete, r.ElapsedMS = true, 9400
	for _, c := range clients() {
		if len(only) > 0 && !slices.Contains(only, c.facts.Profile) {
			continue
		}
		r.Lacks = append(r.Lacks, c.lacks()...)
		for _, flavour := range login.Flavours() {
			for _, p := range login.Protocols() {
				for _, t := range c.transports(p) {
					for _, s := range settings {
						ms := append(slices.Clone(c.mechanisms[p]), login.Auto)
						if s == login.Declared && !c.facts.TriesAnyway {
							ms = []login.Mechanism{login.Auto}
						} else if c.facts.TriesAnyway {
							ms = c.mechanisms[p]
						}
						for _, m := range ms {
							for _, d := range []login.Database{login.WinGate, login.NT} {
								r.Cells = append(r.Cells, c.cell(login.Cell{
									Flavour: flavour, Protocol: p, Transport: t, Mechanism: m, Setting: s,
									Profile: c.facts.Profile, Database: d, Override: login.NoOverride, Credential: login.WithAccount,
								}))
							}
						}
					}
				}
			}
		}
	}
	for _, id := range []string{"known-login/classic/smtp/plain", "made-up-mechanism/classic/smtp/plain", "canary/classic/smtp/plain"} {
		for _, when := range []string{"first", "last"} {
			outcome := "accepted"
			if strings.HasPrefix(id, "made-up") {
				outcome = "refused"
			}
			r.Scenarios = append(r.Scenarios, login.ScenarioResult{
				ID: "scenario/control/" + id + "/" + when, Kind: login.KindControl, Protocol: login.SMTP, Transport: login.Plain,
				Expected: []string{outcome}, Outcome: outcome, Verdict: login.Pass,
			})
		}
	}
	r.Count()
	return r
}

// testPolicy is the one behind the setting "policy".
var testPolicy = login.Policy{Common: map[login.Mechanism]login.Setting{
	login.PLAIN: login.Secure, login.UserPass: login.Secure, login.NTLM: login.Allow, login.CRAMMD5: login.Allow,
}}

func (c client) cell(at login.Cell) login.CellResult {
	e := login.ByDocument{Policy: testPolicy}.Expect(at, c.facts)
	got := login.CellResult{
		ID: at.ID(), Flavour: at.Flavour, Protocol: at.Protocol, Transport: at.Transport, Mechanism: at.Mechanism,
		Setting: at.Setting, Profile: at.Profile, Database: at.Database, Override: at.Override, Credential: at.Credential,
		Offered: e.Offered, Outcome: e.Outcomes[0], Expected: e.Outcomes, Exposure: login.Strongest(e.Exposures), Verdict: login.Pass,
		Refs: e.Refs, Confidence: login.Vendor, Basis: "measured", ElapsedMS: 1.25,
	}
	got.Attempted = got.Outcome != login.NotOffered && got.Outcome != login.NoTLS
	if got.Attempted {
		got.Used = at.Mechanism
		if at.Mechanism == login.Auto {
			got.Used = e.Used
		}
	}
	if got.Outcome == login.RefusedCredentials && got.Used == login.NTLM {
		got.Reason = "ntlm: too weak a response: NTLM2-session, and NTLMv2 is the minimum"
	}
	shown := login.Exposure{
		Class: got.Exposure, Mechanism: got.Used, When: login.OnSuccess, Transport: at.Transport, Secret: login.SecretAccount,
	}
	if got.Outcome != login.LoggedIn {
		shown.When = login.BeforeRefusal
	}
	if got.Exposure > login.ShowsNothing {
		if c.windowsFirst && got.Used == login.NTLM {
			windows := shown
			windows.When, windows.Secret = login.BeforeRefusal, login.SecretWindowsUser
			got.Exposures = append(got.Exposures, windows)
		}
		got.Exposures = append(got.Exposures, shown)
	}
	return got
}

// spoil gives the cell with this ID another result.
func spoil(r *login.Report, id string, g login.Ruling, o login.Outcome, said ...string) {
	i := slices.IndexFunc(r.Cells, func(c login.CellResult) bool { return c.ID == id })
	if i < 0 {
		panic("no cell " + id)
	}
	c := &r.Cells[i]
	c.Rule(g)
	c.Outcome = o
	c.Transcript = keep(r, said...)
	r.Count()
}

// keep adds a transcript to the table.
func keep(r *login.Report, said ...string) *int {
	if len(said) == 0 {
		return nil
	}
	var row []int
	for _, line := range said {
		at := slices.Index(r.Lines, line)
		if at < 0 {
			at = len(r.Lines)
			r.Lines = append(r.Lines, line)
		}
		row = append(row, at)
	}
	r.Transcripts = append(r.Transcripts, row)
	at := len(r.Transcripts) - 1
	return &at
}

func fullReport() login.Report { return runReport(login.Settings()) }

func failingReport() login.Report {
	r := fullReport()
	spoil(&r, "classic/smtp/plain/PLAIN/secure/eudora/wingate/none/account",
		login.Ruling{Verdict: login.Fail, Reason: "expected not-offered, saw logged-in: 235 2.7.0 welcome", WronglyAccepted: true},
		login.LoggedIn,
		"S 220 mail.example.test ESMTP", "C EHLO client.example.test", "S 250-mail.example.test", "S 250-STARTTLS",
		"S 250 AUTH PLAIN", "C AUTH PLAIN", "S 334 ", "C <secret>", "S 235 2.7.0 welcome \x1b[31m")
	spoil(&r, "classic/pop3/starttls/APOP/allow/eudora/wingate/none/account",
		login.Ruling{Verdict: login.Fail, Reason: "expected logged-in, saw refused-policy: -ERR no | <b>not</b> here", WronglyRefused: true},
		login.RefusedPolicy,
		"S +OK ready <challenge>", "C STLS", "S +OK go ahead", "C+ APOP <user> <proof>", "S+ -ERR no | <b>not</b> here")
	spoil(&r, "modern/smtp/tls/NTLM/allow/outlook/nt/none/account",
		login.Ruling{Verdict: login.Broken, Reason: "the harness failed: dial tcp: refused"}, login.Error)
	return r
}

func narrowReport() login.Report {
	r := runReport([]login.Setting{login.Secure}, "outlook")
	r.Selection = map[string][]string{"profile": {"outlook"}, "setting": {"secure"}}
	return r
}

func databaseReport() login.Report {
	r := fullReport()
	r.Selection = map[string][]string{"database": {"nt"}}
	r.Cells = slices.DeleteFunc(r.Cells, func(c login.CellResult) bool { return c.Database != login.NT })
	r.Count()
	return r
}

func policyReport() login.Report { return runReport([]login.Setting{login.Declared}) }

func interruptedReport() login.Report {
	r := fullReport()
	r.Complete = false
	r.Cells = r.Cells[:len(r.Cells)*2/3]
	r.NotTested = []login.NotTested{{What: "the last third", Why: login.WhyOperator, Flag: ""}}
	r.Count()
	return r
}

// smallReport has one of everything.
func smallReport() login.Report {
	r := failingReport()
	kept := []string{
		"classic/pop3/plain/USER-PASS/allow/outlook/wingate/none/account",
		"classic/smtp/plain/PLAIN/secure/eudora/wingate/none/account",
		"classic/pop3/starttls/APOP/allow/eudora/wingate/none/account",
		"modern/smtp/tls/NTLM/allow/outlook/nt/none/account",
		"classic/smtp/plain/NTLM/allow/outlook/nt/none/account",
		"classic/smtp/tls/auto/secure/eudora-7-win/nt/none/account",
		"classic/smtp/plain/LOGIN/deny/probe/nt/none/account",
	}
	r.Cells = slices.DeleteFunc(r.Cells, func(c login.CellResult) bool { return !slices.Contains(kept, c.ID) })
	spoil(&r, "classic/smtp/plain/LOGIN/deny/probe/nt/none/account",
		login.Ruling{Verdict: login.Warn, Reason: `right refusal, wrong code: expected "504 5.5.4", got "503 no"`}, login.RefusedPolicy,
		"S 220 mail.example.test ESMTP", "C AUTH LOGIN", "S 503 no")
	foretold := r.Cells[0]
	foretold.Basis, foretold.Verdict, foretold.Outcome, foretold.ID = login.Predicted, login.Unjudged, "", "predicted/"+foretold.ID
	foretold.Variant, foretold.Exposures = "sasl-ir", nil
	r.Cells = append(r.Cells, foretold)
	r.Lacks = r.Lacks[:1]
	r.Scenarios = append(r.Scenarios[:1], login.ScenarioResult{
		ID: "scenario/certificate/wildcard/a.b.example.test/default/eudora/smtp/starttls", Kind: "certificate",
		Profile: "eudora", Protocol: login.SMTP, Transport: login.StartTLS, Expected: []string{"accepted"}, Outcome: "error",
		Verdict: login.Skip, Why: login.WhyCannot, Reason: "this target cannot show another certificate",
	})
	yes := true
	r.Targets[0].Doors = []login.DoorResult{{
		Protocol: login.SMTP, Address: "192.0.2.1:587", Stages: map[login.Stage]string{login.StageConnect: login.StageOK, login.StageBanner: login.StageOK},
		Policy: map[login.Mechanism]login.Setting{login.PLAIN: login.Secure, login.APOP: login.Unknown},
		Transports: []login.TransportResult{{Transport: login.Plain, Mechanisms: []login.MechanismResult{
			{Mechanism: login.PLAIN, Offered: &yes, Setting: login.Unknown, Evidence: "250-AUTH PLAIN LOGIN"},
		}}},
	}}
	r.Cases = []login.CaseResult{{ID: "both/policy/003", Title: "No secret is asked for in clear", Level: "MUST", Verdict: login.Pass, Refs: []string{"RFC 4954 4"}}}
	r.Clients = []login.ClientDescription{{
		Profile: "curl", Title: "curl", Family: "curl", Version: "7.88.1", Facts: map[login.Confidence]int{login.Observed: 3, login.Assumed: 1},
		Protocols: []login.ClientManners{{
			Protocol: login.SMTP,
			Floors: map[login.Encryption]login.Floor{
				login.EncryptRequired: {}, login.EncryptIfAvailable: {Rung: login.RungWeak, Gives: login.ShowsPassword},
			},
			Denials: map[string]login.Denial{
				"504": {Does: login.DoesNext, Shows: login.ShowsPassword}, login.AnswerClose: {Does: login.DoesGiveUp},
			},
		}},
	}}
	r.Cases = append(r.Cases, login.CaseResult{ID: "smtp/auth/003", Level: "SHOULD", Verdict: login.Fail, Reason: "expected 503, got 502 5.5.1",
		Excused: "older than RFC 4954", Refs: []string{"RFC 4954 4"}, Transcript: keep(&r, "C AUTH PLAIN", "S 502 5.5.1 no")})
	r.Expectations = []login.ExcuseProblem{{Pattern: "smtp/auth/0*@smtp", Problem: login.ExcusePass, Entry: "known.yaml:3",
		Reason: "unexpected pass: it says fail, and all 2 results pass; take the entry out"}}
	r.NotTested = []login.NotTested{{What: "a fourth wrong password", Why: login.WhyBudget, Flag: "--max-failures"}}
	r.Selection = map[string][]string{"protocol": {"smtp", "pop3"}}
	r.Count()
	return r
}
