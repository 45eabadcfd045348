package harness

import (
	"context"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
	"github.com/mailmatrix/mailmatrix/internal/recording"
)

// floor goes down the rungs and keeps the lowest at which the client gives
// something up.
func (b *mannersBook) floor(ctx context.Context, p clientsim.Profile, protocol login.Protocol, e login.Encryption) (login.Floor, error) {
	var floor login.Floor
	for _, rung := range login.Rungs() {
		if rung == login.RungHello && protocol != login.SMTP || e == login.EncryptOff && encryptedRung(rung) {
			continue
		}
		s, err := b.see(ctx, p, postureOf(rung, protocol, modes[e]))
		if err != nil {
			return login.Floor{}, err
		}
		gives := login.Strongest(s.shown)
		if rung == login.RungCertificate {
			gives = max(gives, givenInside(s.record))
		}
		if gives > login.ShowsIdentity {
			floor = login.Floor{Rung: rung, Gives: gives, Transcript: b.keep(s.result.Transcript)}
		}
	}
	return floor, nil
}

// encryptedRung: a client that does not encrypt never comes there.
func encryptedRung(r login.Rung) bool {
	return r == login.RungCertificate || r == login.RungHandshake || r == login.RungRefused
}

// postureOf is the server at a rung.
func postureOf(rung login.Rung, protocol login.Protocol, mode recording.Mode) recording.Case {
	no, trust := false, recording.TrustAuthority
	spec := recording.Spec{TLS: "none", Mechs: every, APOP: protocol == login.POP3}
	switch rung {
	case login.RungCertificate:
		spec.TLS, spec.Cert, trust = "starttls", "self", recording.TrustDefault // as the client is installed
	case login.RungHandshake:
		spec.TLS = "starttls-broken"
	case login.RungRefused:
		spec.TLS = "starttls-refused"
	case login.RungWeak:
		spec.Mechs, spec.APOP = weak, false
	case login.RungHello:
		spec.EHLOReject, spec.NeedAuth = true, &no
	case login.RungStripped:
	}
	return recording.Case{Name: string(rung), Protocol: protocol, Mode: mode, Trust: trust, Spec: spec}
}

// givenInside is what was given to the server inside TLS that nobody vouched
// for.
func givenInside(r recording.Record) login.ExposureClass {
	strongest := login.ShowsNothing
	for _, a := range r.Attempts {
		if a.Ch != recording.Encrypted || a.Res == recording.ResAborted {
			continue
		}
		name := login.Mechanism(a.Mech)
		if name == recording.User {
			name = login.UserPass
		}
		if m, ok := mech.Get(name); ok {
			strongest = max(strongest, m.Class)
		}
	}
	return strongest
}
