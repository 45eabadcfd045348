package recording

import (
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// What the recorder and its clients were called, and whom they wrote to.
const (
	Host      = "lab.test"
	Account   = "alice@example.test"
	Password  = "s3cret-Pa55"
	Recipient = "bob@example.test"
	// Machine is the name of the clients' machine, which some say in EHLO.
	Machine = "vm"
)

// Secrets are those of the recordings' account. What is issued in place of a
// password is the server's to add.
func Secrets() login.Secrets { return login.Secrets{Name: Account, Password: Password} }

// Setup is the state that puts the reference server into the case's posture,
// as its recorder: an account with the secrets of s, one that only takes mail,
// and every mechanism that the case lists. The recorder took NTLMv1
// (the recordings of swaks, msmtp and mpop).
func (c Case) Setup(s login.Secrets) login.Setup {
	spec := c.Spec
	permitted := map[login.Mechanism]login.Setting{}
	for _, m := range append(known(spec.Mechs), known(spec.MechsTLS)...) {
		permitted[m] = login.Allow
	}
	if isTrue(spec.User, true) {
		permitted[login.UserPass] = login.Allow
	}
	if spec.APOP {
		permitted[login.APOP] = login.Allow
	}
	certificate := certificates[spec.Cert]
	if spec.TLS == "" || spec.TLS == "none" {
		certificate = login.CertNone
	}
	return login.Setup{
		Flavour: login.Modern, Database: login.Full, Identity: Host,
		Policy:      login.Policy{Common: permitted},
		Accounts:    []login.Account{s.Account(login.NoOverride), {Name: Recipient}},
		Certificate: login.Certificate{Kind: certificate},
		Posture:     login.Posture{StartTLS: stripping[spec.TLS], Script: spec.script()},
	}
}

// script is what the posture says out of the ordinary. Its list is never nil:
// what is not on it is unknown.
func (s Spec) script() *login.Script {
	script := login.Script{
		Lists: known(s.Mechs), Refuses: replies(s.Refuse), Rejects: replies(s.Reject),
		LowerCase: s.Lower, NoEHLO: s.EHLOReject, NoCAPA: !isTrue(s.CAPA, true),
		LoginBeforeMail: isTrue(s.NeedAuth, true), WeakestNTLM: login.NTLMv1, Recorder: true,
	}
	if s.MechsTLS != nil {
		script.ListsTLS = known(s.MechsTLS)
	}
	switch {
	case s.AuthEqOnly:
		script.LegacyAuth = login.LegacyOnly
	case s.AuthEq:
		script.LegacyAuth = login.LegacyToo
	}
	switch {
	case s.AuthList == nil:
	case *s.AuthList:
		script.BareAuth = login.BareAuthLists
	default:
		script.BareAuth = login.BareAuthRefused
	}
	return &script
}

// known are the mechanisms by their registered names, which are in capitals.
func known(names []string) []login.Mechanism {
	list := []login.Mechanism{}
	for _, name := range names {
		list = append(list, login.Mechanism(strings.ToUpper(name)))
	}
	return list
}

// replies by mechanism. A case names POP3's own by the command that is
// answered.
func replies(by map[string]string) map[login.Mechanism]string {
	all := map[login.Mechanism]string{}
	for name, reply := range by {
		m := login.Mechanism(strings.ToUpper(name))
		if m == "PASS" || m == "USER" {
			m = login.UserPass
		}
		all[m] = reply
	}
	return all
}

func isTrue(b *bool, otherwise bool) bool {
	if b == nil {
		return otherwise
	}
	return *b
}

// Transport is the client's port and what it insists on; opportunistic is true
// where it takes STARTTLS or STLS if it is there and goes on without.
func (c Case) Transport() (t login.Transport, opportunistic bool) {
	switch c.Mode {
	case Implicit:
		return login.TLS, false
	case Required:
		return login.StartTLS, false
	default:
		return login.Plain, c.Mode == Opportunistic
	}
}
