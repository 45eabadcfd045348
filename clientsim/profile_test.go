package clientsim_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

func TestBuiltIn(t *testing.T) {
	t.Parallel()
	var names []string
	for _, p := range clientsim.All() {
		names = append(names, p.Name)
		for _, v := range p.Variants() { // read only now
			if got, err := clientsim.Get(v.ID()); err != nil || got.ID() != p.Name+"+"+v.Variant {
				t.Errorf("%s: %s, %v", v.ID(), got, err)
			}
		}
	}
	if !slices.IsSorted(names) {
		t.Errorf("profiles %v, want them sorted", names)
	}
	for _, name := range []string{"eudora", "eudora-7-win", "outlook", "outlook-express", "outlook-express-6", "probe"} {
		if !slices.Contains(names, name) {
			t.Errorf("profiles %v, want %s among them", names, name)
		}
	}
}

func TestGet(t *testing.T) {
	t.Parallel()
	if p, err := clientsim.Get("Outlook"); err != nil || p.Name != "outlook" {
		t.Errorf("got %v, %v", p, err)
	}
	if _, err := clientsim.Get("eudroa"); err == nil || !strings.Contains(err.Error(), `did you mean "eudora"`) {
		t.Errorf("got %v", err)
	}
}

// The document's table is written twice: here, and in the files.
func TestDocument(t *testing.T) {
	t.Parallel()
	for _, row := range login.Document() {
		p := profile(t, row.Profile)
		if got := p.Mechanisms(row.Protocol); !sameSet(got, row.Mechanisms) {
			t.Errorf("%s, %s: mechanisms %v, the document has %v", row.Profile, row.Protocol, got, row.Mechanisms)
		}
		if got := p.Transports(row.Protocol); !slices.Equal(got, row.Transports) {
			t.Errorf("%s, %s: transports %v, the document has %v", row.Profile, row.Protocol, got, row.Transports)
		}
	}
}

func TestFacts(t *testing.T) {
	t.Parallel()
	type mechanisms = []login.Mechanism
	for _, tt := range []struct {
		profile    string
		smtp, pop3 mechanisms // looked for
		smtpAuto   mechanisms
		pop3Auto   mechanisms
		leaks      mechanisms
		ntlm       login.NTLMKind
		tls10      bool
		names      login.NameMatch
		why        string
	}{
		{profile: "outlook", smtp: mechanisms{login.NTLM}, pop3: mechanisms{login.NTLM},
			smtpAuto: mechanisms{login.NTLM}, pop3Auto: mechanisms{login.UserPass},
			ntlm: login.NTLMSession, names: login.MatchSuffix, why: "the document, and the contract's section 6"},
		{profile: "outlook-express", smtp: mechanisms{login.NTLM}, pop3: mechanisms{login.NTLM},
			smtpAuto: mechanisms{login.NTLM}, pop3Auto: mechanisms{login.UserPass},
			ntlm: login.NTLMSession, names: login.MatchSuffix, why: "as Outlook"},
		{profile: "outlook-express-6", smtp: mechanisms{login.LOGIN, login.NTLM}, pop3: mechanisms{login.NTLM},
			smtpAuto: mechanisms{login.LOGIN}, pop3Auto: mechanisms{login.UserPass},
			ntlm: login.NTLMSession, tls10: true, names: login.MatchSuffix, why: "LOGIN over SMTP; stops at TLS 1.0"},
		{profile: "eudora", smtp: mechanisms{login.CRAMMD5, login.GSSAPI, login.PLAIN},
			pop3:     mechanisms{login.APOP, login.CRAMMD5, login.GSSAPI},
			smtpAuto: mechanisms{login.CRAMMD5, login.PLAIN},
			pop3Auto: mechanisms{login.CRAMMD5, login.APOP, login.UserPass},
			names:    login.MatchSuffix, why: "the document, and the contract's section 6"},
		{profile: "eudora-7-win", smtp: mechanisms{login.CRAMMD5, login.GSSAPI, login.LOGIN, login.PLAIN},
			pop3:     mechanisms{login.APOP, login.GSSAPI},
			smtpAuto: mechanisms{login.CRAMMD5, login.LOGIN, login.PLAIN}, pop3Auto: mechanisms{login.UserPass},
			leaks: mechanisms{login.LOGIN, login.PLAIN}, tls10: true, names: login.MatchNone, why: "its source"},
		{profile: "probe", smtp: every(login.SMTP), pop3: every(login.POP3),
			ntlm: login.NTLMv2, names: login.MatchOneLabel, why: "it looks for everything"},
	} {
		t.Run(tt.profile, func(t *testing.T) {
			t.Parallel()
			f := profile(t, tt.profile).Facts()
			smtp, pop3 := f.Protocols[login.SMTP], f.Protocols[login.POP3]
			same := sameSet(smtp.Looks, tt.smtp) && sameSet(pop3.Looks, tt.pop3) &&
				slices.Equal(smtp.Chooses, tt.smtpAuto) && slices.Equal(pop3.Chooses, tt.pop3Auto) &&
				slices.Equal(smtp.AfterRefusal, tt.leaks) && len(pop3.AfterRefusal) == 0 &&
				f.NTLM == tt.ntlm && f.NoTLS12 == tt.tls10 && f.NameMatch == tt.names && f.ChecksChain && f.ChecksDates &&
				f.TriesAnyway == (tt.profile == "probe")
			if !same {
				t.Errorf("%s: got %+v", tt.why, f)
			}
		})
	}
}

// What a client takes for an offer, and whether it encrypts when it is told to:
// an oracle that knew only where it looks would foretell another login.
func TestFactsOfOffers(t *testing.T) {
	t.Parallel()
	type mechanisms = []login.Mechanism
	for _, tt := range []struct {
		profile       string
		protocol      login.Protocol
		anyList       mechanisms
		blind         mechanisms
		neverEncrypts bool
		why           string
	}{
		{profile: "nodemailer", protocol: login.SMTP, why: "as installed it chooses from the list"},
		{profile: "nodemailer+XOAUTH2", protocol: login.SMTP, anyList: mechanisms{login.XOAUTH2}, why: "what the user named is sent where there is a list"},
		{profile: "perl-net-pop3+auth", protocol: login.POP3, blind: mechanisms{login.CRAMMD5}, why: "taken for offered where no list is"},
		{profile: "fetchmail", protocol: login.POP3, why: "it sends STLS without looking"},
		{profile: "fetchmail+apop", protocol: login.POP3, neverEncrypts: true, why: "STLS belongs to protocol POP3 alone"},
		{profile: "mailutils", protocol: login.POP3, why: "it does not insist, but it looks"},
	} {
		f := profile(t, tt.profile).Facts().Protocols[tt.protocol]
		if !sameSet(f.AnyListDoes, tt.anyList) || !sameSet(f.BlindWithoutSASL, tt.blind) || f.NeverEncrypts != tt.neverEncrypts {
			t.Errorf("%s (%s): any list does for %v, blind without for %v, never encrypts: %v", tt.profile, tt.why,
				f.AnyListDoes, f.BlindWithoutSASL, f.NeverEncrypts)
		}
		for _, m := range append(tt.anyList, tt.blind...) {
			if !slices.Contains(f.Looks, m) {
				t.Errorf("%s (%s): it does not look for %s", tt.profile, tt.why, m)
			}
		}
	}
}

func TestConfidence(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		profile   string
		protocol  login.Protocol
		mechanism login.Mechanism
		transport login.Transport
		want      login.Confidence
		why       string
	}{
		{"eudora", login.SMTP, login.CRAMMD5, login.StartTLS, login.Vendor, "the document says all of it"},
		{"eudora", login.SMTP, login.PLAIN, login.Plain, login.Assumed, "that it stops at a refusal"},
		{"eudora", login.POP3, login.Auto, login.Plain, login.Assumed, "the order is our guess"},
		{"outlook", login.SMTP, login.NTLM, login.Plain, login.Assumed, "the kind of NTLM is our guess"},
		{"outlook", login.POP3, login.UserPass, login.TLS, login.Assumed, "that it speaks any version is our reading"},
		{"outlook-express-6", login.POP3, login.UserPass, login.Plain, login.Reported, "an interface description"},
		{"eudora-7-win", login.SMTP, login.LOGIN, login.StartTLS, login.Source, "all of it is in its source"},
		{"eudora-7-win", login.POP3, login.Auto, login.Plain, login.Source, "the default is in its source"},
		{"probe", login.POP3, login.APOP, login.TLS, login.Source, "it is ours"},
	} {
		if got := profile(t, tt.profile).Confidence(tt.protocol, tt.mechanism, tt.transport); got != tt.want {
			t.Errorf("%s %s %s %s: %s, want %s: %s", tt.profile, tt.protocol, tt.mechanism, tt.transport, got, tt.want, tt.why)
		}
	}
}

// What an oracle is told of a client's TLS is what its file says.
func TestFactsOfTLS(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, old, with   string
		noTLS12, canTrust bool
		why               string
	}{
		{"as it is", "", "", true, true, "its newest version is 1.0"},
		{"up to 1.1", `value: ["1.0"]`, `value: ["1.0", "1.1"]`, true, true, "1.1 is still below"},
		{"up to 1.2", `value: ["1.0"]`, `value: ["1.0", "1.1", "1.2"]`, false, true, "the newest counts"},
		{"1.3 alone", `value: ["1.0"]`, `value: ["1.3"]`, false, true, "above is not below"},
		{"never trusts", "can-trust:\n    value: true", "can-trust:\n    value: false", true, false, "no dialog"},
	} {
		data := read(t, "profiles/eudora-7-win.yaml")
		if !strings.Contains(data, tt.old) {
			t.Fatalf("%s: the file has no %q", tt.name, tt.old)
		}
		p, err := clientsim.Load("mine.yaml", []byte(strings.Replace(data, tt.old, tt.with, 1)))
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if f := p.Facts(); f.NoTLS12 != tt.noTLS12 || f.CanTrust != tt.canTrust {
			t.Errorf("%s: no TLS 1.2 %v, can trust %v: %s", tt.name, f.NoTLS12, f.CanTrust, tt.why)
		}
	}
}

// What a client lacks and what it has are, together, all there is.
func TestLacks(t *testing.T) {
	t.Parallel()
	for _, p := range clientsim.All() {
		lacked := map[login.Protocol]int{}
		for _, l := range p.Lacks() {
			if l.Profile != p.Name || (l.Mechanism == "") == (l.Transport == "") {
				t.Errorf("%s: %+v", p.Name, l)
			}
			lacked[l.Protocol]++
		}
		for _, protocol := range login.Protocols() {
			has := len(p.Mechanisms(protocol)) + len(p.Transports(protocol))
			if all := len(every(protocol)) + len(login.Transports()); has+lacked[protocol] != all {
				t.Errorf("%s, %s: has %d, lacks %d, of %d", p.Name, protocol, has, lacked[protocol], all)
			}
		}
	}
	if len(profile(t, "probe").Lacks()) != 0 {
		t.Error("the probe lacks something")
	}
}

// The zero value refuses.
func TestZeroProfile(t *testing.T) {
	t.Parallel()
	var p clientsim.Profile
	if p.Probe() || p.Mechanisms(login.SMTP) != nil || p.Transports(login.POP3) != nil || p.Facts().ChecksChain {
		t.Error("the zero profile can do something")
	}
	if got := clientsim.Login(t.Context(), clientsim.Config{Profile: p}); got.Observation.Outcome != login.Error {
		t.Errorf("outcome %s", got.Observation.Outcome)
	}
}

func profile(t testing.TB, name string) clientsim.Profile {
	t.Helper()
	p, err := clientsim.Get(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func every(protocol login.Protocol) []login.Mechanism {
	var names []login.Mechanism
	for _, m := range mech.All() {
		if m.In(protocol) {
			names = append(names, m.Name)
		}
	}
	return names
}

func sameSet(a, b []login.Mechanism) bool {
	set := func(all []login.Mechanism) map[login.Mechanism]bool {
		m := map[login.Mechanism]bool{}
		for _, v := range all {
			m[v] = true
		}
		return m
	}
	return len(a) == len(b) && maps.Equal(set(a), set(b))
}
