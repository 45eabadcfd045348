package reports

import (
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
		{"nothing is known", ports{"25": login.Unknown}, "unknown: not offered, not tried"},
		{"denied", ports{"25": login.Deny}, "deny"},
		{"three ways", ports{"25": login.Deny, "465": login.Secure, "587": login.Secure, "110": login.Allow}, "secure, but 25: deny, but 110: allow"},
		{"no such mechanism", nil, ""},
	} {
		o := offers{names: map[*login.DoorResult]string{}}
		var doors []*login.DoorResult
		for _, port := range []string{"25", "465", "587", "110"} {
			d := &login.DoorResult{Address: "192.0.2.1:" + port, Policy: map[login.Mechanism]login.Setting{}}
			if s, is := c.ports[port]; is {
				d.Policy[login.PLAIN] = s
			}
			o.names[d] = port
			doors = append(doors, d)
		}
		if got := o.reads(doors, login.PLAIN); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestPasswordsKeepTheirRows(t *testing.T) {
	r := crowdedReport()
	for _, size := range sizes {
		o := offersOf(&r.Targets[0])
		all := 0
		for _, row := range o.rows {
			all += len(row.mechanisms)
		}
		o.shorten(size.rows)
		if len(o.rows) > size.rows {
			t.Errorf("%d rows, at most %d are wanted", len(o.rows), size.rows)
		}
		for i, want := range []string{"PLAIN", "LOGIN", "USER/PASS"} {
			if i < size.rows-1 && o.rows[i].label != want {
				t.Errorf("with %d rows, row %d is %s, want %s", size.rows, i, o.rows[i].label, want)
			}
		}
	}
}
