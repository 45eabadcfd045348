package discover_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/harness/remote/discover"
	"github.com/mailmatrix/mailmatrix/harness/remote/reach"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

func named(p login.Protocol, implicit bool, host string, port uint16) reach.Door {
	return reach.Door{Protocol: p, Implicit: implicit, Host: host, Port: port, Found: login.FoundNamed, Typed: true}
}

func TestParse(t *testing.T) {
	const host = "mail.example.com"
	for _, row := range []struct {
		name, why string
		args      []string
		doors     []reach.Door
		names     []string
	}{
		{"smtp", "mail is handed in on 587", []string{"smtp://" + host}, []reach.Door{named(login.SMTP, false, host, 587)}, nil},
		{"smtps", "RFC 8314 3.3", []string{"smtps://" + host}, []reach.Door{named(login.SMTP, true, host, 465)}, nil},
		{"pop3", "RFC 1939 3", []string{"pop3://" + host}, []reach.Door{named(login.POP3, false, host, 110)}, nil},
		{"pop3s", "RFC 8314 3.2", []string{"pop3s://" + host}, []reach.Door{named(login.POP3, true, host, 995)}, nil},
		{"a port", "", []string{"smtp://" + host + ":25"}, []reach.Door{named(login.SMTP, false, host, 25)}, nil},
		{"case", "neither scheme nor host has any", []string{"SMTP://Mail.Example.COM."}, []reach.Door{named(login.SMTP, false, host, 587)}, nil},
		{"a final slash", "browsers add it", []string{"pop3://" + host + "/"}, []reach.Door{named(login.POP3, false, host, 110)}, nil},
		{"IPv4", "", []string{"smtp://192.0.2.1:2525"}, []reach.Door{named(login.SMTP, false, "192.0.2.1", 2525)}, nil},
		{"IPv6", "RFC 3986 3.2.2", []string{"smtp://[2001:DB8::1]"}, []reach.Door{named(login.SMTP, false, "2001:db8::1", 587)}, nil},
		{"IPv6 with a port", "", []string{"pop3s://[::1]:9995"}, []reach.Door{named(login.POP3, true, "::1", 9995)}, nil},
		{"a name", "", []string{host}, nil, []string{host}},
		{"an address", "", []string{"192.0.2.1"}, nil, []string{"192.0.2.1"}},
		{"IPv6 alone", "no port can follow, so brackets are not needed", []string{"2001:db8::1", "[2001:db8::2]"}, nil, []string{"2001:db8::1", "2001:db8::2"}},
		{"a mail address", "its domain is meant", []string{"alice@Example.com"}, nil, []string{"example.com"}},
		{"other scripts", "RFC 5890", []string{"smtp://münchen.example"}, []reach.Door{named(login.SMTP, false, "xn--mnchen-3ya.example", 587)}, nil},
		{"several", "all of them are one server's; each once", []string{"example.com", "smtp://" + host, "EXAMPLE.com", "smtp://" + host + ":587"},
			[]reach.Door{named(login.SMTP, false, host, 587)}, []string{"example.com"}},
		{"underscore", "in use, if wrongly", []string{"mail_1.example.com"}, nil, []string{"mail_1.example.com"}},
	} {
		got, err := discover.Parse(row.args)
		if err != nil || !slices.Equal(got.Doors, row.doors) || !slices.Equal(got.Names, row.names) {
			t.Errorf("%s: %+v, %v, want %v and %v: %s", row.name, got, err, row.doors, row.names, row.why)
		}
	}
}

// TestParseRefuses: one line for each mistake, that says what to do.
func TestParseRefuses(t *testing.T) {
	for _, row := range []struct{ name, arg, says string }{
		{"empty", "", "not empty"},
		{"a space", "mail example.com", "no spaces"},
		{"a line end", "mail.example.com\nQUIT", "no spaces"},
		{"IMAP", "imaps://mail.example.com", "IMAP is not judged"},
		{"the web", "https://mail.example.com", "write smtp://"},
		{"a path", "smtp://mail.example.com/inbox", "leave out what follows"},
		{"a query", "smtp://mail.example.com?x=1", "leave out what follows"},
		{"a path behind a name", "mail.example.com/inbox", "leave out what follows"},
		{"a user", "smtp://alice@mail.example.com", "leave out what is before the @"},
		{"a password", "smtp://alice:xyzzy@mail.example.com", "leave out what is before the @"},
		{"a password with an @", "smtp://alice:xyzzy@xyzzy@mail.example.com", "leave out what is before the @"},
		{"a password in another scheme", "http://alice:xyzzy@mail.example.com/", "write smtp://"},
		{"a password and a space", "smtp://alice:xyzzy xyzzy@mail.example.com", "no spaces"},
		{"a password without a scheme", "alice:xyzzy@example.com", "leave out what is before the @"},
		{"port 0", "smtp://mail.example.com:0", "1 to 65535"},
		{"port 65536", "smtp://mail.example.com:65536", "1 to 65535"},
		{"no port", "smtp://mail.example.com:", "1 to 65535"},
		{"a word for a port", "smtp://mail.example.com:smtp", "1 to 65535"},
		{"a bare port", "mail.example.com:587", "nobody knows what is spoken on a bare port"},
		{"no host", "smtp://", "the host is missing"},
		{"no host but a port", "smtp://:25", "the host is missing"},
		{"no domain", "alice@", "the host is missing"},
		{"IPv6 without brackets", "smtp://2001:db8::1", "needs brackets"},
		{"half a bracket", "smtp://[::1", "written as [2001:db8::1]"},
		{"a name in brackets", "smtp://[mail.example.com]", "no IPv6 address"},
		{"no address", "192.0.2.256", "neither a host name nor an address"},
		{"an empty label", "mail..example.com", "no host name"},
		{"a hyphen in front", "smtp://-mail.example.com", "no host name"},
		{"a flag", "--probe=x", "no host name"},
		{"long", strings.Repeat("a.", 127) + "com", "at most 253"},
		{"a long label", strings.Repeat("a", 64) + ".com", "no host name"},
		{"control", "mail\x1b[2J.example.com", "no spaces"},
	} {
		asked, err := discover.Parse([]string{row.arg})
		if err == nil || !strings.Contains(err.Error(), row.says) || strings.ContainsAny(err.Error(), "\r\n\x1b") {
			t.Errorf("%s: %+v, %v, want %q", row.name, asked, err, row.says)
			continue
		}
		if strings.Contains(err.Error(), "xyzzy") {
			t.Errorf("%s shows the password: %v", row.name, err)
		}
	}
	if _, err := discover.Parse(nil); err == nil || !strings.Contains(err.Error(), "smtp://") {
		t.Errorf("nothing named: %v", err)
	}
	if _, err := discover.Parse([]string{"a b", "example.com", "imap://x"}); err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("two mistakes, two lines: %v", err)
	}
}

// Whatever is typed, it is understood or refused in a line, and what stands
// before an "@" is never shown.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"smtp://mail.example.com:587", "pop3s://[::1]", "alice@example.com", "smtp://a:b@c", "x:1", "ü.test", "fe80::1%eth0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, arg string) {
		asked, err := discover.Parse([]string{arg})
		if err != nil {
			if strings.ContainsAny(err.Error(), "\r\n") {
				t.Errorf("%q: more than a line: %q", arg, err)
			}
		} else if len(asked.Doors)+len(asked.Names) != 1 {
			t.Errorf("%q: %+v", arg, asked)
		}
		if strings.ContainsAny(arg, "@") {
			return
		}
		_, err = discover.Parse([]string{"smtp://alice:xyzzy@" + arg})
		if err == nil || strings.Contains(err.Error(), "xyzzy") {
			t.Errorf("%q: a password is taken, or shown: %v", arg, err)
		}
	})
}
