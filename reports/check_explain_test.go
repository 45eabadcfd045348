package reports

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/harness/policy"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
	reference "github.com/mailmatrix/mailmatrix/server"
)

// Of the same server, `check` and `policy explain` say the same: who works as it
// comes, who needs a setting, who is lost. Explain alone knows of a mechanism that
// a user can choose: a check has no cell for that.
func TestGuestsAgreeWithExplain(t *testing.T) {
	standIn, err := reference.NewReference()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = standIn.Close() }()
	standings := map[fate]policy.Standing{
		faresWell: policy.Keeps, faresInClear: policy.Keeps, wantsSetting: policy.NeedsSetting, staysOut: policy.Lost,
	}
	starttls, implicit := []login.Transport{login.Plain, login.StartTLS}, []login.Transport{login.TLS}
	for _, c := range []struct {
		name   string
		policy string
		links  []login.Transport
	}{
		{"all doors", "rfc8314", login.Transports()},
		{"no implicit TLS", "modern", starttls},
		{"nothing else", "intermediate", implicit},
		{"logins in clear", "legacy", login.Transports()},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := policy.Load(c.policy, os.ReadFile)
			if err != nil {
				t.Fatal(err)
			}
			r := foretoldReport(t, standIn, p, c.links)
			open := func(_ login.Protocol, at login.Transport) bool { return slices.Contains(c.links, at) }
			explained := map[string]policy.Client{}
			for _, client := range policy.Explain(p, open, clientsim.All(), nil).Clients {
				explained[client.Profile] = client
			}
			counts := map[policy.Standing]int{}
			for _, g := range guests(&r) {
				client, known := explained[g.id]
				chosen := slices.ContainsFunc(client.Access, func(a policy.Access) bool { return a.Set != nil && a.Set.Mechanism != "" })
				got := standings[g.fate]
				counts[got]++
				if known && !chosen && got != client.Standing {
					t.Errorf("%s is %s here (%s), and %s there", g.id, got, strings.Join(g.reasons(), "; "), client.Standing)
				}
			}
			if all := counts[policy.Keeps] + counts[policy.NeedsSetting] + counts[policy.Lost]; all < 40 {
				t.Errorf("there are %d clients", all)
			}
		})
	}
}

// foretoldReport is a server with the policy, and with those links for both
// protocols.
func foretoldReport(t *testing.T, standIn harness.Target, p login.Policy, at []login.Transport) login.Report {
	t.Helper()
	r := remoteReport("192.0.2.10")
	for protocol, ports := range map[login.Protocol][2]int{login.SMTP: {587, 465}, login.POP3: {110, 995}} {
		picture := harness.Picture{Protocol: protocol, Setting: login.Unknown, Links: map[login.Transport]harness.PictureLink{}}
		byPort := map[int]links{}
		for _, link := range at {
			var takes []login.Mechanism
			for _, m := range mech.All() {
				if m.In(protocol) && p.For(protocol, m.Name).Permits(link) {
					takes = append(takes, m.Name)
				}
			}
			picture.Links[link] = harness.PictureLink{Lists: takes, Takes: takes}
			port := ports[0]
			if link == login.TLS {
				port = ports[1]
			}
			if byPort[port] == nil {
				byPort[port] = links{}
			}
			byPort[port][link] = takes
		}
		for port, listed := range byPort {
			door(&r, protocol, port, "", listed)
		}
		foretold, err := harness.Foretell(t.Context(), standIn, picture, clientsim.All(), 8)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range foretold {
			r.Cells = append(r.Cells, f.CellResult)
		}
	}
	return r
}
