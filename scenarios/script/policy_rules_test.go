package script

import (
	"slices"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// What is never offered is not known to be denied, and a timestamp says nothing
// where TLS can still come.
func TestObserved(t *testing.T) {
	s := &Survey{Links: map[login.Transport]Offer{
		login.Plain: {Open: true, Capabilities: []string{"STLS", "SASL CRAM-MD5"}, Mechanisms: []login.Mechanism{login.APOP, login.CRAMMD5}},
		login.StartTLS: {Open: true, Capabilities: []string{"USER", "SASL PLAIN CRAM-MD5"},
			Mechanisms: []login.Mechanism{login.UserPass, login.APOP, login.PLAIN, login.CRAMMD5}},
		login.TLS: {},
	}}
	for m, want := range map[login.Mechanism]login.Setting{
		login.CRAMMD5: login.Allow, login.PLAIN: login.Secure, login.UserPass: login.Secure, login.APOP: login.Secure, login.NTLM: login.Unknown,
	} {
		if got := s.Observed(m); got != want {
			t.Errorf("%s is %s, want %s", m, got, want)
		}
	}
	for _, row := range []struct {
		t    login.Transport
		m    login.Mechanism
		want bool
	}{
		{login.Plain, login.APOP, true}, {login.StartTLS, login.APOP, false},
		{login.Plain, login.PLAIN, false}, {login.TLS, login.PLAIN, true},
	} {
		if got := s.Silent(row.t, row.m); got != row.want {
			t.Errorf("%s is silent on %s: %v", row.t, row.m, got)
		}
	}
}

func TestShown(t *testing.T) {
	o := Offer{Capabilities: []string{"AUTH PLAIN", "auth=LOGIN ntlm", "AUTH="}, Mechanisms: []login.Mechanism{login.PLAIN}}
	if got, want := o.Shown(), []login.Mechanism{login.PLAIN, login.LOGIN, login.NTLM}; !slices.Equal(got, want) {
		t.Errorf("shows %v, want %v", got, want)
	}
}

// A loop over some mechanisms costs those, and one over the first costs one.
func TestCostOfLoops(t *testing.T) {
	all := func(*Play, login.Mechanism) bool { return true }
	for name, c := range map[string]struct {
		step Step
		want Cost
	}{
		"among":    {Among([]login.Mechanism{login.PLAIN, login.UserPass}, all, Open(), Begin().Pass(Refused)), Cost{Connections: 1, Auths: 1}},
		"first":    {WithFirst(all, Open(), Begin().Pass(Refused)), Cost{Connections: 1, Auths: 1}},
		"call off": {Group(Open(), Begin().Pass(Solicited), CallOff()), Cost{Connections: 1, Auths: 1}},
	} {
		if got := (Case{ID: "smtp/x/001", Steps: []Step{c.step}}).CostOver(login.SMTP); got != c.want {
			t.Errorf("%s costs %+v, want %+v", name, got, c.want)
		}
	}
}
