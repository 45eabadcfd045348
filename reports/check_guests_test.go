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
		{
			"that one more port is open takes nothing away", both,
			[]*login.CellResult{cell("", login.StartTLS, login.LoggedIn), cell("", login.TLS, login.CertRejected)}, faresWell, "",
		},
		{"it knows no other way than TLS from the first octet", both, []*login.CellResult{cell("", login.TLS, login.LoggedIn)}, faresWell, ""},
		{
			"its user has to choose another port", both,
			[]*login.CellResult{cell("", login.StartTLS, login.NotOffered), cell("", login.TLS, login.LoggedIn)}, wantsSetting, "SSL/TLS, 465",
		},
		{
			"a variant", both, []*login.CellResult{cell("", login.TLS, login.NotOffered), cell("NTLM", login.TLS, login.LoggedIn)}, wantsSetting, "set to NTLM",
		},
		{"in clear alone", both, []*login.CellResult{cell("", login.Plain, login.LoggedIn), cell("", login.TLS, login.NoTLS)}, faresInClear, "no TLS in common"},
		{
			"in clear as it comes, and inside TLS on request", both,
			[]*login.CellResult{cell("", login.Plain, login.LoggedIn), cell("", login.TLS, login.LoggedIn)}, faresInClear, "for TLS: SSL/TLS, 465",
		},
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
	members := func(why string, names ...string) guestGroup {
		g := guestGroup{mostly: why}
		for _, name := range names {
			member := guest{name: strings.ToUpper(name), id: name, protocols: 1}
			if why != "" {
				member.how = map[login.Protocol]string{login.SMTP: why}
			}
			g.members = append(g.members, member)
		}
		return g
	}
	few, many := members(noTLS, "a", "b"), members(noTLS, "a", "b", "c", "d", "e")
	for _, c := range []struct {
		name     string
		group    guestGroup
		of, most int
		title    bool
		want     string
	}{
		{"few", few, 5, 3, false, "a (no TLS in common), b (no TLS in common)"},
		{"few, with what people call them", few, 5, 3, true, "A (a; no TLS in common), B (b; no TLS in common)"},
		{"many", many, 20, 3, false, "mostly: no TLS in common (a, b, c, 2 more, -v)"},
		{"many, with what people call them", many, 20, 1, true, "mostly: no TLS in common (A (a), 4 more, -v)"},
		{"nearly all", many, 6, 3, false, "mostly: no TLS in common"},
		{"they are several", members(distrusts, "a", "b", "c", "d", "e"), 6, 3, false, "mostly: they do not take the certificate"},
		{"all", members(noTLS, "a"), 1, 9, false, "a (no TLS in common)"},
		{"nobody knows why", members("", "a", "b", "c", "d", "e"), 6, 3, false, ""},
	} {
		if got := c.group.whom(c.of, c.most, c.title); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// Flags take the ID, so that is never left out for want of room.
func TestGuestsAreFitted(t *testing.T) {
	g := guestGroup{}
	for _, id := range []string{"outlook-2016", "curl"} {
		g.members = append(g.members, guest{name: "The Client " + id, id: id})
	}
	for width, want := range map[int]string{
		80: "The Client outlook-2016 (outlook-2016), The Client curl (curl)", 40: "outlook-2016, curl", 3: "outlook-2016, 1 more (-v)",
	} {
		if got := g.fitting(9, width); width > 3 && got != want || width == 3 && !strings.Contains(got, "outlook-2016") {
			t.Errorf("in %d columns: %q, want %q", width, got, want)
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
		{"nothing", guest{id: "x", protocols: 2}, "x"},
		{"one of two", guest{id: "x", protocols: 2, how: map[login.Protocol]string{login.POP3: "a"}}, "x (POP3: a)"},
		{"one of one", guest{id: "x", protocols: 1, how: map[login.Protocol]string{login.POP3: "a"}}, "x (a)"},
		{"the same in both", guest{id: "x", protocols: 2, how: map[login.Protocol]string{login.SMTP: "a", login.POP3: "a"}}, "x (a)"},
		{"two", guest{id: "x", protocols: 2, how: map[login.Protocol]string{login.SMTP: "a", login.POP3: "b"}}, "x (SMTP: a; POP3: b)"},
	} {
		if got := c.g.called(false, true); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// Without TLS there is nothing that a man in the middle could take away.
func TestNobodyLeaksWithoutTLS(t *testing.T) {
	r := checkReport()
	leak := func() bool { return slices.ContainsFunc(guests(&r), func(g guest) bool { return g.leaks }) }
	if !leak() {
		t.Fatal("nobody leaks at all")
	}
	for i := range r.Targets[0].Doors {
		d := &r.Targets[0].Doors[i]
		d.Transports = slices.DeleteFunc(d.Transports, func(l login.TransportResult) bool { return l.Transport.Encrypted() })
	}
	if leak() {
		t.Error("a client shows something to a man in the middle that a listener has not heard")
	}
}

func TestGuestsTitle(t *testing.T) {
	for _, c := range []struct {
		known []login.Confidence
		want  string
	}{
		{[]login.Confidence{login.Observed}, "1 client, foretold (1 from recordings)"},
		{[]login.Confidence{login.Vendor, login.Reported, login.Source}, "3 clients, foretold (1 from source code, 2 from papers)"},
	} {
		var all []guest
		for _, known := range c.known {
			all = append(all, guest{known: known})
		}
		if got := guestsTitle(all); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
