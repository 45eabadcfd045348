package reports

import (
	"slices"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

func TestEntry(t *testing.T) {
	yes, no := true, false
	row := func(m login.Mechanism, offered, starts, completes *bool) login.MechanismResult {
		return login.MechanismResult{Mechanism: m, Offered: offered, Starts: starts, Completes: completes}
	}
	answered := func(r login.MechanismResult) login.MechanismResult { r.Reply = "504 5.5.4 no"; return r }
	for _, c := range []struct {
		name string
		link login.Transport
		row  login.MechanismResult
		want string
	}{
		{"listed, in clear, and the password is readable", login.Plain, row(login.PLAIN, &yes, nil, nil), "YES"},
		{"the same inside TLS", login.StartTLS, row(login.PLAIN, &yes, nil, nil), "yes"},
		{"a proof in clear is no password", login.Plain, row(login.CRAMMD5, &yes, nil, nil), "yes"},
		{"a token is as good as a password", login.Plain, row(login.XOAUTH2, &yes, nil, nil), "YES"},
		{"not listed, not tried", login.Plain, row(login.PLAIN, &no, nil, nil), "-"},
		{"no list, not tried", login.Plain, row(login.PLAIN, nil, nil, nil), "?"},
		{"no list, and taken up", login.Plain, row(login.UserPass, nil, &yes, nil), "YES"},
		{"not listed, and taken up in clear", login.Plain, row(login.LOGIN, &no, &yes, nil), "HIDDEN"},
		{"not listed, and a login completed", login.TLS, row(login.LOGIN, &no, &yes, &yes), "hidden"},
		{"not listed, refused", login.TLS, answered(row(login.LOGIN, &no, &no, &no)), "no"},
		{"not listed, which tells all", login.Plain, row(login.APOP, &no, nil, &no), "-"},
		{"no list, refused", login.TLS, row(login.LOGIN, nil, &no, nil), "no"},
		{"listed, refused", login.TLS, row(login.LOGIN, &yes, &no, nil), "fails"},
		{"listed, and the right password refused", login.TLS, row(login.LOGIN, &yes, &yes, &no), "fails"},
		{"listed, and a login completed", login.TLS, row(login.LOGIN, &yes, nil, &yes), "works"},
	} {
		link := login.TransportResult{Transport: c.link, Mechanisms: []login.MechanismResult{c.row}}
		if got := offered(&link, c.row.Mechanism); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if got := offered(&login.TransportResult{}, login.APOP); got != "" {
		t.Errorf("a mechanism that the protocol has not is %q", got)
	}
}

func TestReadsAs(t *testing.T) {
	type ports map[string]login.Setting
	for _, c := range []struct {
		name  string
		ports ports
		want  string
	}{
		{"all the same", ports{"587": login.Secure, "465": login.Secure}, "secure"},
		{"one differs", ports{"25": login.Allow, "587": login.Secure, "465": login.Secure}, "secure, but 25: allow"},
		{"one against one: the better is taken for what is meant", ports{"25": login.Allow, "587": login.Secure}, "secure, but 25: allow"},
		{"nothing is known of one", ports{"25": login.Unknown, "587": login.Secure}, "secure"},
		{"TLS from the first octet does not speak for a door with a clear link", ports{"110": login.Unknown, "465": login.Secure}, "unknown: not offered, not tried"},
		{"nor does it where another door speaks", ports{"25": login.Unknown, "465": login.Secure, "587": login.Allow}, "allow"},
		{"that is of one mind with it", ports{"25": login.Unknown, "465": login.Secure, "587": login.Secure}, "secure"},
		{"alone it is all that there is", ports{"465": login.Secure}, "secure"},
		{"nothing is known", ports{"25": login.Unknown}, "unknown: not offered, not tried"},
		{"denied", ports{"25": login.Deny}, "deny"},
		{"three ways", ports{"25": login.Deny, "465": login.Secure, "587": login.Secure, "110": login.Allow}, "secure, but 25: deny, but 110: allow"},
		{"no such mechanism", nil, ""},
		{"TLS from the first octet, which cannot say more", ports{"465": login.Secure, "587": login.Allow}, "allow"},
		{"all the same with two that can", ports{"465": login.Secure, "587": login.Secure, "25": login.Allow}, "secure, but 25: allow"},
	} {
		o := offers{names: map[*login.DoorResult]string{}}
		var doors []*login.DoorResult
		for _, port := range []string{"25", "465", "587", "110"} {
			d := &login.DoorResult{Address: "192.0.2.1:" + port, Implicit: port == "465", Policy: map[login.Mechanism]login.Setting{}}
			if s, is := c.ports[port]; is {
				d.Policy[login.PLAIN] = s
			}
			o.names[d] = port
			doors = append(doors, d)
		}
		if got, mixed := o.reads(doors, login.PLAIN); got != c.want || mixed != strings.Contains(got, "but") {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// Asked in clear and refused, it may yet be taken inside TLS: somebody did try.
func TestReadsAsHalfTried(t *testing.T) {
	yes, no := true, false
	for _, c := range []struct {
		name         string
		clear        login.MechanismResult
		inside, want string
	}{
		{"refused in clear", login.MechanismResult{Starts: &no, Reply: "504 no"}, "", "unknown: not tried inside TLS"},
		{"the same, and inside TLS nobody can tell", login.MechanismResult{Starts: &no, Reply: "504 no"}, "454 later", "unknown: not offered, not tried"},
		{"listed, which proves nothing of APOP", login.MechanismResult{Offered: &yes}, "", "unknown: not tried"},
		{"nobody was asked", login.MechanismResult{Completes: &no}, "", "unknown: not offered, not tried"},
	} {
		c.clear.Mechanism = login.APOP
		inside := login.MechanismResult{Mechanism: login.APOP, Reply: c.inside}
		if c.inside != "" {
			inside.Starts = &no
		}
		d := login.DoorResult{Policy: map[login.Mechanism]login.Setting{login.APOP: login.Unknown}, Transports: []login.TransportResult{
			{Transport: login.Plain, Mechanisms: []login.MechanismResult{c.clear}},
			{Transport: login.StartTLS, Mechanisms: []login.MechanismResult{inside}},
		}}
		if got, _ := (&offers{}).reads([]*login.DoorResult{&d}, login.APOP); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// What is in clear, and what is odd, is never cut off for what is in order.
func TestRowsAreInOrderOfInterest(t *testing.T) {
	r := remoteReport("192.0.2.10")
	yes, no := true, false
	d := door(&r, login.SMTP, 587, "", links{login.Plain: {login.CRAMMD5}, login.StartTLS: {login.PLAIN, login.LOGIN, login.CRAMMD5, login.NTLM}})
	try(d, login.StartTLS, login.NTLM, &no, nil, "504 no")
	try(d, login.StartTLS, login.EXTERNAL, &yes, nil, "334 ")
	door(&r, login.SMTP, 25, "", links{login.Plain: {login.XOAUTH2}, login.StartTLS: {login.XOAUTH2}})
	var got []string
	o := offersOf(&r.Targets[0])
	for _, row := range o.rows {
		got = append(got, row.label)
	}
	want := []string{"XOAUTH2", "CRAM-MD5", "NTLM", "EXTERNAL", "PLAIN", "LOGIN"}
	if len(got) < len(want) || !slices.Equal(got[:len(want)], want) {
		t.Errorf("%v, want %v first", got, want)
	}
	for _, c := range []struct {
		most int
		want []string
	}{
		{7, []string{"XOAUTH2", "CRAM-MD5", "NTLM", "EXTERNAL", "PLAIN", "LOGIN"}},
		{6, []string{"XOAUTH2", "CRAM-MD5", "NTLM", "EXTERNAL", "PLAIN, LOGIN"}},
		{3, []string{"XOAUTH2", "CRAM-MD5"}},
	} {
		o := offersOf(&r.Targets[0])
		o.shorten(c.most)
		if len(o.rows) != c.most {
			t.Errorf("%d rows, want %d", len(o.rows), c.most)
		}
		for i, want := range c.want {
			if o.rows[i].label != want {
				t.Errorf("of %d rows, number %d is %s, want %s", c.most, i, o.rows[i].label, want)
			}
		}
	}
}

func TestLabelOf(t *testing.T) {
	for _, c := range []struct {
		ms   []login.Mechanism
		want string
	}{
		{[]login.Mechanism{login.PLAIN}, "PLAIN"},
		{[]login.Mechanism{login.PLAIN, login.LOGIN}, "PLAIN, LOGIN"},
		{[]login.Mechanism{login.PLAIN, login.LOGIN, login.CRAMMD5, login.NTLM}, "PLAIN, LOGIN +2"},
		{[]login.Mechanism{login.SCRAMSHA256PLUS, login.OAUTHBEARER}, "OAUTHBEARER +1"},
	} {
		if got := labelOf(c.ms); got != c.want || len(got) >= offersLead-1 {
			t.Errorf("%v: %q, want %q", c.ms, got, c.want)
		}
	}
}

func TestLegend(t *testing.T) {
	row := func(m login.Mechanism, entries ...string) offerRow {
		return offerRow{mechanisms: []login.Mechanism{m}, entries: entries}
	}
	for _, c := range []struct {
		name string
		rows []offerRow
		want string
	}{
		{"nothing to explain", []offerRow{row(login.PLAIN, "yes", "-")}, ""},
		{"a password", []offerRow{row(login.PLAIN, "YES"), row(login.XOAUTH2, "YES")}, "YES: the password itself, in clear"},
		{"a token", []offerRow{row(login.XOAUTH2, "YES")}, "YES: the token itself, in clear"},
		{"two things at once", []offerRow{row(login.PLAIN, "HIDDEN")}, "HIDDEN: the password itself, in clear|hidden: not listed, but accepted"},
	} {
		if got := strings.Join((&offers{rows: c.rows}).legend(), "|"); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestSilent(t *testing.T) {
	door := func(port string, found login.Found, stage login.Stage, status, why string) login.DoorResult {
		d := login.DoorResult{Protocol: login.SMTP, Address: "192.0.2.1:" + port, Found: found, Stages: map[login.Stage]string{}}
		if stage != login.StageConnect {
			d.Stages[login.StageConnect] = login.StageOK
		}
		d.Stages[stage] = status
		if why != "" {
			d.Explained = map[login.Stage]string{stage: why}
		}
		return d
	}
	const named, guessed = login.FoundNamed, login.FoundPort
	for _, c := range []struct {
		name  string
		doors []login.DoorResult
		want  string
	}{
		{"guessed, and nobody listens", []login.DoorResult{
			door("587", guessed, login.StageConnect, "refused", "nobody listens"), door("465", guessed, login.StageConnect, "timeout", "no answer"),
		}, "587 refused, 465 timeout"},
		{"guessed, and somebody else is there", []login.DoorResult{door("465", guessed, login.StageHandshake, "speaks-clear", "it begins in clear")}, "port 465: it begins in clear"},
		{"named, explained", []login.DoorResult{door("12525", named, login.StageBanner, "not-mail", "a web server is there")}, "port 12525 (named): a web server is there"},
		{"named, and nobody knows why", []login.DoorResult{door("12525", named, login.StageBanner, "closed", "")}, "port 12525 (named): banner closed"},
	} {
		if got := strings.Join(silent(&login.TargetResult{Doors: c.doors}, false), "|"); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
