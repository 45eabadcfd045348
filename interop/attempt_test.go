package interop

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
	"github.com/mailmatrix/mailmatrix/server"
)

// attempt is one login: who is asked for what, in which state of the server.
type attempt struct {
	flavour    login.Flavour
	protocol   login.Protocol
	transport  login.Transport
	mechanism  login.Mechanism
	setting    login.Setting
	credential login.Credential
}

func (a attempt) String() string {
	mechanism := strings.ReplaceAll(string(a.mechanism), "/", "-")
	return fmt.Sprintf("%s/%s/%s/%s/%s/%s", a.flavour, a.protocol, a.transport, mechanism, a.setting, a.credential)
}

// password is what the peer is given.
func (a attempt) password() string { return secrets.Presented(a.credential) }

// issued is what the peer is given where it is no password. A token is wrong
// if it is forged; but a certificate is if it is a stranger's, since with a
// forged one the server would not offer EXTERNAL at all.
func (a attempt) issued(t testing.TB, r *reference) login.Issued {
	t.Helper()
	name, flaw := secrets.Name, login.Flawless
	switch {
	case a.credential != login.WithWrong:
	case a.mechanism == login.EXTERNAL:
		name = nobody
	default:
		flaw = login.Forged
	}
	issued, err := r.Issue(name, flaw)
	if err != nil {
		t.Fatal(err)
	}
	return issued
}

// nobody has no account.
const nobody = "mallory"

// setup is the server's: the mechanism alone has the setting, and the
// database is the first that can check it.
func (a attempt) setup() login.Setup {
	databases := []login.Database{login.WinGate, login.NT, login.Full}
	can := func(d login.Database) bool { return server.DatabaseChecks(d)[a.mechanism] != "" }
	database := databases[slices.IndexFunc(databases, can)]
	return login.Setup{Flavour: a.flavour, Database: database, Policy: login.Only(a.mechanism, a.setting)}
}

// A message for another domain, for peers that cannot log in over SMTP without
// sending mail. Who is not logged in may not relay, so a peer that goes on
// without a login fails.
const (
	sender   = "alice@example.test"
	stranger = "bob@example.net"
	letter   = "From: alice@example.test\r\nTo: bob@example.net\r\nSubject: interop\r\n\r\nGood morning.\r\n"
)

// peer is a program that logs in, and what is known of it.
type peer struct {
	program, debian string
	// has are the logins that the peer shares with the reference server. Each
	// mechanism is tried on each transport of its protocol.
	has map[login.Protocol]ways
	// ntlm is the kind of response that the peer sends.
	ntlm login.NTLMKind
	// lacks is what it shares not, with the reason.
	lacks []lack
	// login runs the program once.
	login func(t *testing.T, program string, a attempt, r *reference) result
}

// ways are a peer's manners of logging in with one protocol.
type ways struct {
	transports []login.Transport
	mechanisms []login.Mechanism
	// blind are the mechanisms that the peer sends without looking whether
	// they are offered.
	blind []login.Mechanism
}

// on are the transports on which the mechanism is tried: what rests on TLS,
// inside TLS alone.
func (w ways) on(m login.Mechanism) []login.Transport {
	if !traits(m).NeedsTLS {
		return w.transports
	}
	return slices.DeleteFunc(slices.Clone(w.transports), func(t login.Transport) bool { return !t.Encrypted() })
}

// traits are those of a mechanism that exists.
func traits(m login.Mechanism) login.Traits {
	impl, ok := mech.Get(m)
	if !ok {
		panic("nobody has written " + string(m))
	}
	return impl.Traits
}

// lack is something that a peer does not have.
type lack struct{ what, why string }

// test asks the peer for everything that it shares with the server, and notes
// what it lacks.
func (p peer) test(t *testing.T) {
	program := need(t, p.program, p.debian)
	t.Parallel()
	for _, l := range p.lacks {
		t.Logf("%s lacks %s: %s", p.program, l.what, l.why)
	}
	for _, a := range p.attempts() {
		t.Run(a.String(), func(t *testing.T) {
			t.Parallel()
			r := start(t, a.setup())
			got := p.login(t, program, a, r)
			for _, wrong := range p.judge(t, a, r, got) {
				t.Errorf("%s: %s", p.program, wrong)
			}
			if t.Failed() {
				t.Logf("%s said: %v", p.program, got)
			}
		})
	}
}

// attempts are the questions, for each protocol, transport and mechanism: in
// under allow, in under secure inside TLS only, never under deny, never with
// what is wrong, if anything can be. NTLM is asked in both flavours, since
// they differ in the kinds of response that they take.
func (p peer) attempts() []attempt {
	questions := []struct {
		setting    login.Setting
		credential login.Credential
	}{
		{login.Allow, login.WithAccount},
		{login.Allow, login.WithWrong},
		{login.Deny, login.WithAccount},
		{login.Secure, login.WithAccount},
	}
	var all []attempt
	for _, protocol := range slices.Sorted(maps.Keys(p.has)) {
		for _, mechanism := range p.has[protocol].mechanisms {
			for _, transport := range p.has[protocol].on(mechanism) {
				for _, q := range questions {
					if !slices.Contains(traits(mechanism).Credentials(login.NoOverride), q.credential) {
						continue
					}
					a := attempt{login.Modern, protocol, transport, mechanism, q.setting, q.credential}
					all = append(all, a)
					// The classic server has no implicit TLS.
					if mechanism == login.NTLM && transport != login.TLS {
						a.flavour = login.Classic
						all = append(all, a)
					}
				}
			}
		}
	}
	return all
}

// expected is how the server must answer, by policy first and credentials
// last.
func (p peer) expected(a attempt) login.Refusal {
	switch {
	case !a.setting.Permits(a.transport):
		return login.ByPolicy
	case a.credential == login.WithWrong, p.tooWeak(a):
		return login.ByCredentials
	default:
		return login.NotRefused
	}
}

// tooWeak: the modern server takes NTLMv2 only.
func (p peer) tooWeak(a attempt) bool {
	return a.mechanism == login.NTLM && a.flavour == login.Modern && p.ntlm.Below(login.NTLMv2)
}

// judge compares what was expected with the server's record and with what the
// program made of the answer. It returns what is wrong.
func (p peer) judge(t testing.TB, a attempt, r *reference, got result) (wrong []string) {
	complain := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	want := p.expected(a)
	records := r.record(t)
	if r.accepted.Load() == 0 {
		complain("it did not connect")
	}
	if in := want == login.NotRefused; in != (got.status == 0) {
		complain("want a login: %t, exit status %d", in, got.status)
	}
	if want == login.ByPolicy && !p.sends(a) {
		// It looked, did not find the mechanism, and must not have tried.
		if len(records) != 0 {
			complain("it tried what was not offered to it: %+v", records)
		}
		return wrong
	}
	if len(records) != 1 {
		complain("want one login in the record, got %+v", records)
		return wrong
	}
	record := records[0]
	if record.Protocol != a.protocol || record.Mechanism != a.mechanism || record.Encrypted != a.transport.Encrypted() {
		complain("another login than the one asked for: %+v", record)
	}
	if record.Refusal != want {
		complain("want refusal %q, got %q (%s)", want, record.Refusal, record.Reason)
	}
	if want == login.ByCredentials && p.tooWeak(a) && !strings.Contains(record.Reason, string(p.ntlm)) {
		complain("the reason names no %s: %q", p.ntlm, record.Reason)
	}
	return wrong
}

// sends reports whether the peer sends the mechanism's command although the
// server would refuse it.
func (p peer) sends(a attempt) bool {
	if a.mechanism == login.APOP {
		// The timestamp is shown before STLS already, so it is no promise.
		return a.setting == login.Secure
	}
	return slices.Contains(p.has[a.protocol].blind, a.mechanism)
}
