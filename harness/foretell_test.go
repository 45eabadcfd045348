package harness_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
	"github.com/mailmatrix/mailmatrix/server"
)

// pictureOf is what a server of the policy shows in a protocol.
func pictureOf(policy login.Policy, p login.Protocol) harness.Picture {
	picture := harness.Picture{Protocol: p, Setting: login.Declared, Links: map[login.Transport]harness.PictureLink{}}
	for _, t := range login.Transports() {
		var link harness.PictureLink
		for _, m := range mech.All() {
			if m.In(p) && policy.For(p, m.Name).Permits(t) && (t.Encrypted() || !m.NeedsTLS) {
				link.Takes = append(link.Takes, m.Name)
			}
		}
		link.Lists = link.Takes
		picture.Links[t] = link
	}
	return picture
}

// What is foretold from a server's lists is what the clients then do there.
func TestForetoldIsWhatHappens(t *testing.T) {
	reference, err := server.NewReference()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reference.Close() }()
	of := func(s login.Setting, ms ...login.Mechanism) login.Policy { return login.Every(ms, s) }
	for _, row := range []struct {
		name, why string
		policy    login.Policy
	}{
		{"secure", "clients that encrypt get in, the others see nothing", of(login.Secure, login.PLAIN, login.LOGIN, login.UserPass, login.SCRAMSHA256)},
		{"allow", "everything is shown in clear", of(login.Allow, mech.Names()...)},
		{"challenge", "what hides the password, in clear as well", of(login.Allow, login.CRAMMD5, login.APOP, login.NTLM)},
		{"nothing", "nobody gets in", login.Policy{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			run := harness.Run(context.Background(), plan(t, harness.Grid{Full: true, Policy: &row.policy, Flavours: []login.Flavour{login.Modern},
				Databases: []login.Database{login.Full}}), harness.Config{Target: reference})
			happened := map[string]string{}
			for _, c := range run.Cells {
				if c.Profile != "probe" && c.Credential == login.WithAccount && c.Override == login.NoOverride {
					happened[fmt.Sprint(c.Protocol, c.Transport, c.ClientName())] = fmt.Sprint(c.Outcome, c.Used, c.Exposure)
				}
			}
			compared := 0
			for _, p := range login.Protocols() {
				foretold, err := harness.Foretell(context.Background(), reference, pictureOf(row.policy, p), clientsim.All(), 8)
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range foretold {
					at := fmt.Sprint(f.Protocol, f.Transport, f.ClientName())
					if got := fmt.Sprint(f.Outcome, f.Used, f.Exposure); got != happened[at] {
						t.Errorf("%s: %s: foretold %s, it is %s\n%q", row.why, at, got, happened[at], f.Lines)
					}
					compared++
				}
			}
			if compared < 200 {
				t.Errorf("%d cells were compared", compared)
			}
		})
	}
}

// A door that is closed, and a certificate that nobody vouches for, are seen by
// every client that minds.
func TestForetoldMindsTheDoor(t *testing.T) {
	reference, err := server.NewReference()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reference.Close() }()
	picture := pictureOf(login.Every([]login.Mechanism{login.PLAIN, login.LOGIN}, login.Secure), login.SMTP)
	delete(picture.Links, login.TLS)
	picture.Certificate = login.CertSelfSigned
	foretold, err := harness.Foretell(context.Background(), reference, picture, clientsim.All(), 8)
	if err != nil {
		t.Fatal(err)
	}
	outcomes := map[login.Transport][]login.Outcome{}
	for _, f := range foretold {
		outcomes[f.Transport] = append(outcomes[f.Transport], f.Outcome)
	}
	if got := slices.Compact(outcomes[login.TLS]); !slices.Equal(got, []login.Outcome{login.NoTLS}) {
		t.Errorf("the port for TLS is closed, and clients come to %v", got)
	}
	if !slices.Contains(outcomes[login.StartTLS], login.CertRejected) {
		t.Error("no client minds that the certificate is signed by itself")
	}
}
