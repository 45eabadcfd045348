package clientcases

import (
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/recording"
)

// Situation is a server in a posture, and a client that is told how to encrypt
// and whom to trust. The name says all of it: situations of one name are one.
type Situation struct {
	// Case is the posture and the client's settings in the form of the
	// recordings; Doc is what is wrong, in a few words.
	recording.Case
	// Departs is what that form cannot say of the server.
	Departs login.Script
	// Twin is the same without what is wrong. What a client does there too is its
	// way, and no sin.
	Twin *Situation
	// Group: of the situations of one group the first counts that the client can
	// be in.
	Group string
	// Lax: the client is free to go on without TLS, so a failure is a warning.
	Lax bool
}

// Setup is the state that puts a server into the posture. It takes in clients
// of any age, and any response of NTLM, so that they show what they do.
func (s Situation) Setup(secrets login.Secrets) login.Setup {
	setup := s.Case.Setup(secrets)
	script := setup.Posture.Script
	script.WeakestNTLM = login.NTLMLM
	script.Greets, script.Timestamp, script.Answers = s.Departs.Greets, s.Departs.Timestamp, s.Departs.Answers
	script.Injects, script.Bends, script.ClearPort = s.Departs.Injects, s.Departs.Bends, s.Departs.ClearPort
	script.NewestTLS = s.Departs.NewestTLS
	if s.Mode != recording.Implicit {
		setup.Flavour = login.Classic // with a certificate for who knows RSA alone
	} else if script.NewestTLS == "" {
		script.NewestTLS = login.TLS13
	}
	return setup
}

// option changes a situation that is being written down.
type option func(*Situation)

// in is a situation of the name; the client is told to encrypt as mode says, and
// trusts the server's authority.
func in(p login.Protocol, mode recording.Mode, name, doc string, options ...option) Situation {
	s := Situation{Case: recording.Case{Protocol: p, Mode: mode, Trust: recording.TrustAuthority, Doc: doc,
		Spec: recording.Spec{TLS: offersTLS[mode], Mechs: every, APOP: p == login.POP3}}}
	if mode == recording.Off {
		s.Trust = recording.TrustDefault
	}
	for _, o := range options {
		o(&s)
	}
	if s.Spec.TLS == "none" {
		s.Spec.Cert = ""
	}
	s.Name = strings.Join([]string{string(p), name, string(mode)}, "-")
	s.Doc += settings[mode]
	return s
}

// offersTLS is what a server offers to clients that are told so.
var offersTLS = map[recording.Mode]string{
	recording.Off: "none", recording.Opportunistic: "starttls", recording.Required: "starttls", recording.Implicit: "implicit",
}

// settings are what the client is told, behind what is wrong.
var settings = map[recording.Mode]string{
	recording.Off: ", TLS off", recording.Opportunistic: ", TLS if available", recording.Required: ", TLS required",
	recording.Implicit: ", TLS from the start",
}

// every is what is listed where nothing else is said: what hides the password
// first.
var every = []string{"SCRAM-SHA-256", "SCRAM-SHA-1", "DIGEST-MD5", "CRAM-MD5", "NTLM", "XOAUTH2", "OAUTHBEARER", "LOGIN", "PLAIN"}

// required are situations for a client that must encrypt by STARTTLS or STLS,
// or for who has no such setting one for which it is free to.
func required(p login.Protocol, name, doc string, options ...option) []Situation {
	group := name
	strict, lax := in(p, recording.Required, name, doc, options...), in(p, recording.Opportunistic, name, doc, options...)
	strict.Group, lax.Group, lax.Lax = group, group, true
	return []Situation{strict, lax}
}

// encrypted are situations for a client that encrypts: by STARTTLS or STLS, and
// from the first octet, each for who has the setting.
func encrypted(p login.Protocol, name, doc string, options ...option) []Situation {
	return []Situation{in(p, recording.Required, name, doc, options...), in(p, recording.Implicit, name, doc, options...)}
}

// anyhow are situations of which the first counts that the client has a setting
// for.
func anyhow(p login.Protocol, name, doc string, options ...option) []Situation {
	var all []Situation
	for _, mode := range []recording.Mode{recording.Required, recording.Implicit, recording.Off} {
		s := in(p, mode, name, doc, options...)
		s.Group = name
		all = append(all, s)
	}
	return all
}

// The words of a situation.

func noTLS(s *Situation)     { s.Spec.TLS = "none" }
func noCAPA(s *Situation)    { no := false; s.Spec.CAPA = &no }
func listsAUTH(s *Situation) { yes := true; s.Spec.AuthList = &yes }
func noHello(s *Situation)   { no := false; s.Spec.EHLOReject, s.Spec.NeedAuth = true, &no }
func anyMail(s *Situation)   { no := false; s.Spec.NeedAuth = &no }
func noUSER(s *Situation)    { no := false; s.Spec.User = &no }
func noAPOP(s *Situation)    { s.Spec.APOP = false }

// asInstalled: the client was not told whom to trust.
func asInstalled(s *Situation) { s.Trust = recording.TrustDefault }

func certificate(kind string) option { return func(s *Situation) { s.Spec.Cert = kind } }

// lists are the mechanisms, on a clear link and inside TLS.
func lists(names ...string) option {
	return func(s *Situation) { s.Spec.Mechs = append([]string{}, names...) }
}

// listsInside are those inside TLS, where they are others.
func listsInside(names ...string) option {
	return func(s *Situation) { s.Spec.MechsTLS = append([]string{}, names...) }
}

// refuses are answers to the command of a mechanism, rejects those to the end of
// its exchange; "*" stands for all.
func refuses(mechanism, reply string) option {
	return func(s *Situation) { s.Spec.Refuse = with(s.Spec.Refuse, mechanism, reply) }
}

func rejects(mechanism, reply string) option {
	return func(s *Situation) { s.Spec.Reject = with(s.Spec.Reject, mechanism, reply) }
}

func with(replies map[string]string, mechanism, reply string) map[string]string {
	all := map[string]string{mechanism: reply}
	for m, r := range replies {
		all[m] = r
	}
	return all
}

func departs(d login.Script) option { return func(s *Situation) { s.Departs = d } }

func answers(verb string, lines ...string) option {
	return departs(login.Script{Answers: map[string][]string{verb: lines}})
}

func bends(b login.Bend, mechanisms ...login.Mechanism) option {
	all := map[login.Mechanism]login.Bend{}
	for _, m := range mechanisms {
		all[m] = b
	}
	return departs(login.Script{Bends: all})
}

// twin gives each situation one without what the options say.
func twin(situations []Situation, name, doc string, options ...option) []Situation {
	for i, s := range situations {
		t := in(s.Protocol, s.Mode, name, doc, options...)
		situations[i].Twin = &t
	}
	return situations
}

// controls are good servers for a client with the settings of a situation. One
// that trusts as installed may be told of the authority, or to take anything.
func controls(s Situation) []Situation {
	if s.Mode == recording.Off {
		return []Situation{good(s.Protocol, s.Mode)}
	}
	return []Situation{good(s.Protocol, s.Mode), in(s.Protocol, s.Mode, "good-unchecked", "a good server", passwords, func(s *Situation) { s.Trust = recording.TrustAnything })}
}

// good is a good server: whoever has a password can log in.
func good(p login.Protocol, mode recording.Mode) Situation {
	return in(p, mode, "good", "a good server", passwords)
}

func passwords(s *Situation) {
	lists("SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "NTLM", "LOGIN", "PLAIN")(s)
}
