package harness

import (
	"context"
	"crypto/rand"
	"net"
	"slices"
	"syscall"
	"time"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// Picture is a server as its doors for one protocol show it: what a stand-in of
// ours is put into, to see what each client would do there.
type Picture struct {
	Protocol login.Protocol
	// Links are those that are open.
	Links map[login.Transport]PictureLink
	// Certificate is what is wrong with the one that is shown.
	Certificate login.CertificateKind
	// OldTLS: versions below 1.2 are spoken.
	OldTLS bool
	// NoList: EHLO or CAPA is an unknown command.
	NoList bool
	// Setting is that of the cells: [login.Unknown], or [login.Declared] where
	// the picture is of a declared policy.
	Setting login.Setting
}

// PictureLink is one of its links.
type PictureLink struct {
	// Lists are the SASL mechanisms, in the server's order.
	Lists []login.Mechanism
	// Takes are all the ways in that it takes there, POP3's own included.
	Takes []login.Mechanism
}

// setup is the state of a stand-in for clients of one transport.
func (p Picture) setup(t login.Transport, account login.Account) login.Setup {
	clear, inside := p.Links[login.Plain], p.Links[t]
	script := &login.Script{Lists: sasl(clear.Lists), ListsTLS: sasl(inside.Lists), NoEHLO: p.NoList && p.Protocol == login.SMTP,
		NoCAPA: p.NoList && p.Protocol == login.POP3}
	if p.OldTLS {
		script.NewestTLS = login.TLS13
	}
	setup := login.Setup{
		Flavour: login.Modern, Database: login.Full, Accounts: []login.Account{account},
		Certificate: login.Certificate{Kind: p.Certificate}, Posture: login.Posture{Script: script},
		Policy: login.Policy{Common: map[login.Mechanism]login.Setting{}},
	}
	if _, open := p.Links[login.StartTLS]; !open {
		setup.Posture.StartTLS = login.TLSStripped
	}
	for _, m := range inside.Takes {
		setup.Policy.Common[m] = login.Secure
	}
	for _, m := range clear.Takes {
		setup.Policy.Common[m] = login.Allow
	}
	return setup
}

// sasl is never nil: that would be a list of the stand-in's own.
func sasl(ms []login.Mechanism) []login.Mechanism {
	return slices.DeleteFunc(append([]login.Mechanism{}, ms...), func(m login.Mechanism) bool {
		return m == login.UserPass || m == login.APOP
	})
}

// Foretold is what a client would do, and the conversation in which it did so
// with the stand-in.
type Foretold struct {
	login.CellResult
	Profile clientsim.Profile
	Lines   []string
	// Refused counts the attempts that came to nothing.
	Refused int
}

// Foretell lets each client log in to a stand-in that looks like the picture,
// on each of its transports, with the mechanism of its own choice. The results
// are predicted, and judge nobody. An error is ours.
func Foretell(ctx context.Context, standIn Target, p Picture, profiles []clientsim.Profile, parallel int) ([]Foretold, error) {
	config := Config{Seed: 1}.withDefaults()
	secrets, err := issue(standIn, newSecrets(config.chance()))
	if err != nil {
		return nil, err
	}
	f := foreteller{Picture: p, standIn: standIn, secrets: secrets, ear: newEavesdropper(secrets)}
	type job struct {
		profile   clientsim.Profile
		transport login.Transport
	}
	var jobs []job
	for _, client := range profiles {
		for _, t := range client.Transports(p.Protocol) {
			if len(client.Mechanisms(p.Protocol)) > 0 && !client.Probe() {
				jobs = append(jobs, job{client, t})
			}
		}
	}
	all, errs := make([]Foretold, len(jobs)), make([]error, len(jobs))
	inParallel(ctx, len(jobs), parallel, func(i int) { all[i], errs[i] = f.client(ctx, jobs[i].profile, jobs[i].transport) })
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return all, ctx.Err()
}

type foreteller struct {
	Picture
	standIn Target
	secrets login.Secrets
	ear     *eavesdropper
}

func (f foreteller) client(ctx context.Context, p clientsim.Profile, t login.Transport) (Foretold, error) {
	cell := login.Cell{Flavour: login.Remote, Protocol: f.Protocol, Transport: t, Mechanism: login.Auto, Setting: f.Setting,
		Profile: p.ID(), Database: login.UnknownDatabase, Override: login.NoOverride, Credential: login.WithAccount}
	told := Foretold{CellResult: newCellResult(Job{Cell: cell, Profile: p}), Profile: p}
	told.Basis = login.Predicted
	opened, err := f.standIn.Under(ctx, f.setup(t, f.secrets.Account(login.NoOverride)))
	if err != nil {
		return told, err
	}
	defer func() { _ = opened.Close() }()
	if _, open := f.Links[login.Plain]; !open && t == login.Plain {
		told.Outcome, told.Reason = login.Dropped, "there is no port that begins in clear"
		return told, nil
	}
	door := pictured{opened, f.Picture}
	seen := clientsim.Login(ctx, clientsim.Config{
		Profile: p, Protocol: f.Protocol, Transport: t, Mechanism: login.Auto, Door: door, Host: login.DefaultIdentity,
		Secrets: f.secrets, Credential: login.WithAccount, Rand: rand.Reader, Now: time.Now,
	})
	o := seen.Observation
	o.Outcome = o.Outcome.Refine(opened.Record())
	for _, tap := range seen.Taps {
		o.Exposures = append(o.Exposures, f.ear.Listen(tap.Lines(), f.Protocol, t)...)
	}
	for _, a := range seen.Attempts {
		if !a.Accepted {
			told.Refused++
		}
	}
	told.Offered, told.Attempted, told.Used, told.Outcome = o.Offered, o.Attempted, o.Used, o.Outcome
	told.Exposure, told.Exposures, told.Reason = login.Strongest(o.Exposures), o.Exposures, o.Detail
	told.Lines = f.ear.search.VeilAll(seen.Transcript)
	return told, nil
}

// pictured closes the ports that the server does not have.
type pictured struct {
	wire.Door
	Picture
}

func (d pictured) Dial(ctx context.Context, p login.Protocol, t login.Transport) (net.Conn, error) {
	port := t
	if t == login.StartTLS {
		port = login.Plain // the same one
	}
	if _, open := d.Links[port]; !open {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	return d.Door.Dial(ctx, p, t)
}
