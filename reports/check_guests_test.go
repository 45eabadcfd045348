package reports

import (
	"slices"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

func TestFaring(t *testing.T) {
	cell := func(variant string, at login.Transport, o login.Outcome) *login.CellResult {
		return &login.CellResult{Variant: variant, Transport: at, Outcome: o}
	}
	both := []link{{login.StartTLS, "587"}, {login.TLS, "465"}}
	for _, c := range []struct {
		name  string
		links []link
		cells []*login.CellResult
		fate  fate
		how   string
	}{
		{"every way", both, []*login.CellResult{cell("", login.StartTLS, login.LoggedIn), cell("", login.TLS, login.LoggedIn)}, faresWell, ""},
		{"the one way that there is", both[:1], []*login.CellResult{cell("", login.StartTLS, login.LoggedIn), cell("", login.TLS, login.NoTLS)}, faresWell, ""},
		{"one of two", both, []*login.CellResult{cell("", login.TLS, login.LoggedIn)}, wantsSetting, "SSL/TLS, 465"},
		{
			"a variant", both, []*login.CellResult{cell("", login.TLS, login.NotOffered), cell("NTLM", login.TLS, login.LoggedIn)}, wantsSetting, "set to NTLM",
		},
		{"in clear alone", both, []*login.CellResult{cell("", login.Plain, login.LoggedIn), cell("", login.TLS, login.NoTLS)}, faresInClear, "no TLS in common"},
		{"in clear, as the server has no TLS", nil, []*login.CellResult{cell("", login.Plain, login.LoggedIn)}, faresInClear, "no TLS in common"},
		{"nothing in common", both, []*login.CellResult{cell("", login.TLS, login.NotOffered)}, staysOut, "nothing offered that it knows"},
		{"too old", both, []*login.CellResult{cell("", login.TLS, login.NoTLS)}, staysOut, "no TLS in common"},
		{"a certificate that it refuses", both, []*login.CellResult{cell("", login.TLS, login.CertRejected)}, staysOut, "does not take the certificate"},
		{"no TLS of its own", both, []*login.CellResult{cell("", login.Plain, login.NotOffered)}, staysOut, "no TLS in common"},
	} {
		if fate, how := faring(c.cells, c.links); fate != c.fate || how != c.how {
			t.Errorf("%s: %d %q, want %d %q", c.name, fate, how, c.fate, c.how)
		}
	}
}

func TestPort25IsNoWayIn(t *testing.T) {
	r := remoteReport("192.0.2.10")
	door(&r, login.SMTP, 25, "", links{login.Plain: nil, login.StartTLS: plainLogin})
	if got := encrypted(&r, login.SMTP); !slices.Equal(got, []link{{login.StartTLS, "25"}}) {
		t.Errorf("with 25 alone: %v", got)
	}
	door(&r, login.SMTP, 587, "", links{login.Plain: nil, login.StartTLS: plainLogin})
	if got := encrypted(&r, login.SMTP); !slices.Equal(got, []link{{login.StartTLS, "587"}}) {
		t.Errorf("with 587: %v", got)
	}
}

func TestForetoldCountsNowhere(t *testing.T) {
	r := checkReport()
	if r.Sum().Unjudged > 0 || r.Totals.Cells > 0 {
		t.Errorf("totals %+v", r.Sum())
	}
	if out := string(written(t, "junit", r, Options{})); strings.Contains(out, "outlook-2016") || !strings.Contains(out, "scenario/door/clear/smtp/25/plain") {
		t.Error("JUnit has a foretold login, or lacks a door")
	}
}

// Where nearly everybody is in a group, why says more than who.
func TestWhom(t *testing.T) {
	members := func(names ...string) []guest {
		var all []guest
		for _, name := range names {
			all = append(all, guest{name: name, protocols: 1, how: map[login.Protocol]string{login.SMTP: "no TLS in common"}})
		}
		return all
	}
	few := guestGroup{members: members("a", "b"), mostly: "no TLS in common"}
	many := guestGroup{members: members("a", "b", "c", "d", "e"), mostly: "no TLS in common"}
	for _, c := range []struct {
		group guestGroup
		of    int
		most  int
		want  string
	}{
		{few, 5, 3, "a (no TLS in common), b (no TLS in common)"},
		{many, 20, 3, "mostly no TLS in common (a, b, c, 2 more, -v)"},
		{guestGroup{members: many.members}, 20, 3, "a, b, c, 2 more (-v)"},
		{many, 6, 3, "mostly no TLS in common"},
		{guestGroup{members: members("a")}, 1, 9, "a (no TLS in common)"},
		{guestGroup{members: many.members}, 6, 3, ""},
	} {
		if got := c.group.whom(c.of, c.most); got != c.want {
			t.Errorf("%d of %d: %q, want %q", len(c.group.members), c.of, got, c.want)
		}
	}
}

// What is the same in every protocol of a client needs none named.
func TestGuestReasons(t *testing.T) {
	for _, c := range []struct {
		name string
		g    guest
		want string
	}{
		{"nothing", guest{name: "x", protocols: 2}, "x"},
		{"one of two", guest{name: "x", protocols: 2, how: map[login.Protocol]string{login.POP3: "a"}}, "x (POP3: a)"},
		{"one of one", guest{name: "x", protocols: 1, how: map[login.Protocol]string{login.POP3: "a"}}, "x (a)"},
		{"the same in both", guest{name: "x", protocols: 2, how: map[login.Protocol]string{login.SMTP: "a", login.POP3: "a"}}, "x (a)"},
		{"two", guest{name: "x", protocols: 2, how: map[login.Protocol]string{login.SMTP: "a", login.POP3: "b"}}, "x (SMTP: a; POP3: b)"},
	} {
		if got := c.g.String(); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
