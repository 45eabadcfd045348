package remote

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/harness/remote/budget"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
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
	for _, g := range c.groups() {
		for _, p := range c.protocols(g) {
			if g.relay && c.users(p) {
				continue // clients log in elsewhere
			}
			if err := c.clientsOf(ctx, g, p); err != nil {
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

func (c *check) clientsOf(ctx context.Context, g group, p login.Protocol) error {
	foretold, err := harness.Foretell(ctx, c.StandIn, c.picture(g, p), clientsim.All(), 8)
	if err != nil {
		return err
	}
	live := c.live(ctx, g, foretold)
	for i, f := range foretold {
		if got, tried := live[i]; tried {
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
		rows, _ := c.ledger.Doors[i].Transport(t)
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

// live lets clients log in to the server itself: those whose foretold exchange
// holds no refusal and no secret outside verified TLS, and of those that do the
// very same one of them. The keys are indices.
func (c *check) live(ctx context.Context, g group, foretold []harness.Foretold) map[int]harness.Foretold {
	done := map[int]harness.Foretold{}
	if !c.Login || c.Account.Secrets == nil {
		return done
	}
	password, issued, err := c.Account.Secrets()
	if err != nil {
		return done // the ledger has said so
	}
	secrets := login.Secrets{Name: c.Account.Name, Password: password, Issued: issued}
	alike := map[string]bool{}
	for i, f := range foretold {
		at := c.first(g, f.Protocol, f.Transport)
		if at < 0 || f.Outcome != login.LoggedIn || f.Refused > 0 || f.Exposure != login.ShowsNothing || !f.Transport.Encrypted() ||
			!c.looks[at].Door.Typed || !c.looks[at].Links[f.Transport].Verified || alike[exchange(f)] {
			continue
		}
		if ctx.Err() != nil {
			break
		}
		paid, err := c.budget.Reserve(budget.Password, c.Account.Name)
		if err != nil {
			c.leave("whether the foretold clients really log in", login.WhyBudget, "--max-failures N")
			break
		}
		alike[exchange(f)] = true
		got := c.one(ctx, g, c.looks[at].Door.Host, f, secrets)
		if got.Outcome == login.LoggedIn {
			paid.Accepted()
		} else {
			paid.Commit()
		}
		done[i] = got
	}
	return done
}

// exchange is what a client says, but for names: who says the same is answered
// the same.
func exchange(f harness.Foretold) string {
	said := []string{string(f.Protocol), string(f.Transport)}
	for _, line := range f.Lines {
		if !strings.HasPrefix(line, "C") {
			continue
		}
		words := strings.Fields(line)[1:]
		if len(words) > 1 && strings.EqualFold(words[0], "AUTH") {
			words[0] = strings.Join(words, " ")
		}
		said = append(said, strings.ToUpper(words[0]))
	}
	return strings.Join(said, "\n")
}

// one is a client's login to the server.
func (c *check) one(ctx context.Context, g group, host string, f harness.Foretold, secrets login.Secrets) harness.Foretold {
	seen := clientsim.Login(ctx, clientsim.Config{
		Profile: f.Profile, Protocol: f.Protocol, Transport: f.Transport, Mechanism: login.Auto, Door: c.caller.Way(c.looksOf(g)),
		Host: host, Secrets: secrets, Credential: login.WithAccount, Rand: c.Rand, Now: c.Now, Limit: c.Limit,
	})
	o := seen.Observation
	f.Basis, f.Expected = "measured", []login.Outcome{login.LoggedIn}
	f.Offered, f.Attempted, f.Used, f.Outcome, f.Reason = o.Offered, o.Attempted, o.Used, o.Outcome, ""
	f.Lines = c.hide(seen.Transcript, secrets)
	switch {
	case o.Outcome == login.LoggedIn:
		f.Verdict = login.Pass
	case wire.Temporary(f.Protocol, o.Reply):
		f.Rule(login.Ruling{Verdict: login.Skip, Why: login.WhyInconclusive, Reason: "not now: " + c.hideLine(o.Reply, secrets)})
	default:
		f.Rule(login.Ruling{Verdict: login.Warn, WronglyRefused: true,
			Reason: fmt.Sprintf("foretold that it logs in, saw %s: %s", o.Outcome, c.hideLine(o.Reply+o.Detail, secrets))})
	}
	return f
}

// hide takes the secrets out of what a server may have echoed.
func (c *check) hide(lines []string, secrets login.Secrets) []string {
	for i, line := range lines {
		lines[i] = c.hideLine(line, secrets)
	}
	return lines
}

func (*check) hideLine(line string, secrets login.Secrets) string {
	search := wire.NewSearcher(wire.Needle{Text: secrets.Password}, wire.Needle{Text: secrets.Issued.Token})
	if len(search.Find([]byte(line))) > 0 {
		return line[:1] + " <a secret, echoed>"
	}
	return line
}
