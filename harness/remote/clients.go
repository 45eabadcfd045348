package remote

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// clients foretells who can log in, by a stand-in that looks like the server,
// and sees for itself what can be seen without harm.
func (c *check) clients(ctx context.Context) error {
	if c.StandIn == nil {
		return nil
	}
	if lab, ok := c.StandIn.(harness.Laboratory); ok {
		if err := c.manners(ctx, lab); err != nil {
			return err
		}
	}
	live := &live{check: c}
	for _, g := range c.groups() {
		for _, p := range c.protocols(g) {
			if g.relay && c.users(p) {
				continue // clients log in elsewhere
			}
			if err := c.clientsOf(ctx, g, p, live); err != nil {
				return err
			}
		}
		if !g.relay {
			break // the further hosts are not where users were sent
		}
	}
	return ctx.Err()
}

// manners says of each client how it behaves where a server goes wrong, or
// somebody stands between.
func (c *check) manners(ctx context.Context, lab harness.Laboratory) error {
	book, err := harness.Manners(ctx, lab, clientsim.All(), 8)
	if err != nil {
		return err
	}
	for _, client := range book.Clients {
		for _, m := range client.Protocols { // their conversations are with nobody's server
			for e, floor := range m.Floors {
				floor.Transcript = nil
				m.Floors[e] = floor
			}
			for answer, denial := range m.Denials {
				denial.Transcript = nil
				m.Denials[answer] = denial
			}
		}
	}
	c.report.Clients = book.Clients
	return nil
}

// users reports whether there is a door for users of the protocol.
func (c *check) users(p login.Protocol) bool {
	return slices.ContainsFunc(c.groups(), func(g group) bool { return !g.relay && slices.Contains(c.protocols(g), p) })
}

func (c *check) clientsOf(ctx context.Context, g group, p login.Protocol, live *live) error {
	picture := c.picture(g, p)
	if len(picture.Links) == 0 { // it greets, and lets nobody see what it offers
		c.leave(fmt.Sprintf("who can log in at %s by %s? nothing is known of what it offers", c.looks[g.doors[0]].Door.Host, strings.ToUpper(string(p))),
			login.WhyInconclusive, "")
		return nil
	}
	foretold, err := harness.Foretell(ctx, c.StandIn, picture, clientsim.All(), 8)
	if err != nil {
		return err
	}
	seen := live.logins(ctx, g, foretold)
	for i, f := range foretold {
		if got, tried := seen[i]; tried {
			f.CellResult, f.Lines = got.CellResult, got.Lines
		}
		f.Transcript = c.lines.Keep(f.Lines)
		c.report.Cells = append(c.report.Cells, f.CellResult)
		c.tell(Fact{Cell: &c.report.Cells[len(c.report.Cells)-1]})
	}
	return nil
}

// picture is what the group's doors of a protocol show.
func (c *check) picture(g group, p login.Protocol) harness.Picture {
	picture := harness.Picture{Protocol: p, Setting: login.Unknown, Links: map[login.Transport]harness.PictureLink{}}
	if c.Policy != nil {
		picture.Setting = login.Declared
	}
	for _, t := range login.Transports() {
		i := c.first(g, p, t)
		if i < 0 || !c.looks[i].Links[t].Open {
			continue
		}
		seen := c.looks[i].Links[t]
		rows, _ := c.doors[i].Transport(t)
		link := harness.PictureLink{Lists: seen.Mechanisms}
		for _, row := range rows.Mechanisms {
			if takes, _ := row.Takes(); takes {
				link.Takes = append(link.Takes, row.Mechanism)
			}
		}
		picture.Links[t] = link
		picture.NoList = picture.NoList || seen.Capabilities == nil
		if kind := certificateKinds[c.looks[i].Stages[login.StageCertificate]]; kind != login.CertValid {
			picture.Certificate = kind
		}
	}
	for _, r := range c.report.Cases {
		old := r.ID == "tls/version/001" && (r.Verdict == login.Fail || r.Verdict == login.Pass && r.Reason != "")
		picture.OldTLS = picture.OldTLS || old && slices.Contains(g.doors, r.Door)
	}
	return picture
}

// certificateKinds are what a stand-in shows in the place of what is wrong.
var certificateKinds = map[string]login.CertificateKind{
	login.CertificateSelfSigned: login.CertSelfSigned, login.CertificateUnknown: login.CertSelfSigned,
	login.CertificateIncomplete: login.CertSelfSigned, login.CertificateExpired: login.CertExpired,
	login.CertificateNotYet: login.CertExpired, login.CertificateOtherName: login.CertOtherName,
}
