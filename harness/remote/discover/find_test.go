package discover_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/harness/remote/discover"
	"github.com/mailmatrix/mailmatrix/harness/remote/reach"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// shown is what was found, a line each, as the tables below have it.
func shown(f discover.Found) []string {
	var lines []string
	for _, d := range f.Doors {
		scheme := map[bool]string{false: "", true: "s"}[d.Implicit]
		line := string(d.Protocol) + scheme + "://" + d.Address() + " " + string(d.Found)
		if d.Typed {
			line += " typed"
		}
		lines = append(lines, line)
	}
	for _, e := range f.Elsewhere {
		lines = append(lines, (reach.Door{Protocol: login.Protocol(e.Protocol), Host: e.Host, Port: e.Port}).Address()+" "+e.Protocol)
	}
	return lines
}

// ports are the usual ones of a name that was typed.
func ports(host string) []string {
	return []string{
		"smtp://" + host + ":25 port typed", "smtp://" + host + ":587 port typed", "smtps://" + host + ":465 port typed",
		"pop3://" + host + ":110 port typed", "pop3s://" + host + ":995 port typed",
		host + ":143 imap", host + ":993 imaps",
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, why string
		zone      zone
		fixed     []reach.Fixed
		args      []string
		want      []string
		notes     []string // parts of them, in order
	}{
		{"a host", "its ports are guessed, and named as guessed", zone{"mail.example.test. A 192.0.2.1"}, nil, []string{"mail.example.test"},
			ports("mail.example.test"), nil},
		{"an address", "nobody is asked", nil, nil, []string{"192.0.2.1"}, ports("192.0.2.1"), nil},
		{"localhost", "RFC 6761 6.3: nobody is asked", nil, nil, []string{"localhost"}, ports("localhost"), nil},
		{"a fixed address", "nobody is asked for it", nil, []reach.Fixed{{Host: "mail.example.test", Port: 25, Addr: loopback}}, []string{"mail.example.test"},
			ports("mail.example.test"), nil},
		{"a domain", "RFC 6186, RFC 8314 5.1; MX gets port 25 alone; none of these hosts was typed",
			zone{
				"_submission._tcp.example.test. SRV 0 1 587 mail.example.test.", "_submissions._tcp.example.test. SRV 0 1 465 mail.example.test.",
				"_pop3._tcp.example.test. SRV 0 0 0 .", "_pop3s._tcp.example.test. SRV 0 1 995 pop.example.test.",
				"_imaps._tcp.example.test. SRV 0 1 993 mail.example.test.", "example.test. MX 10 mx.example.test.",
			}, nil, []string{"alice@example.test"},
			[]string{
				"smtp://mail.example.test:587 srv", "smtps://mail.example.test:465 srv", "pop3s://pop.example.test:995 srv",
				"smtp://mx.example.test:25 mx", "mail.example.test:993 imaps",
			}, []string{"example.test says by SRV that it has no pop3 service"}},
		{"priorities", "RFC 2782: the lower first, and among equals the heavier",
			zone{
				"_submission._tcp.example.test. SRV 10 1 587 c.example.test.", "_submission._tcp.example.test. SRV 0 5 587 b.example.test.",
				"_submission._tcp.example.test. SRV 0 9 587 a.example.test.", "example.test. MX 20 y.example.test.", "example.test. MX 10 z.example.test.",
			}, nil, []string{"example.test"},
			[]string{
				"smtp://a.example.test:587 srv", "smtp://b.example.test:587 srv", "smtp://c.example.test:587 srv",
				"smtp://z.example.test:25 mx", "smtp://y.example.test:25 mx",
			}, nil},
		{"found twice", "the better source stays, and what was typed stays typed",
			zone{
				"mail.example.test. A 192.0.2.1", "mail.example.test. MX 10 mail.example.test.",
				"_submission._tcp.mail.example.test. SRV 0 1 587 mail.example.test.",
			}, nil, []string{"mail.example.test"},
			[]string{
				"smtp://mail.example.test:587 srv typed", "smtp://mail.example.test:25 mx typed",
				"smtps://mail.example.test:465 port typed", "pop3://mail.example.test:110 port typed", "pop3s://mail.example.test:995 port typed",
				"mail.example.test:143 imap", "mail.example.test:993 imaps",
			}, nil},
		{"named and a domain", "the named door comes first, as it is, and its host counts as typed",
			zone{"_pop3s._tcp.example.test. SRV 0 1 995 mail.example.test.", "_submission._tcp.example.test. SRV 0 1 587 mail.example.test."}, nil,
			[]string{"example.test", "smtp://mail.example.test:587"},
			[]string{"smtp://mail.example.test:587 named typed", "pop3s://mail.example.test:995 srv typed"}, nil},
		{"two that disagree", "a named door is as its user says",
			zone{"_submission._tcp.example.test. SRV 0 1 465 mail.example.test."}, nil, []string{"example.test", "smtps://mail.example.test"},
			[]string{"smtps://mail.example.test:465 named typed"}, []string{"mail.example.test:465 begins inside TLS by your own word, and in clear by SRV"}},
		{"null MX", "RFC 7505", zone{"example.test. MX 0 .", "_pop3s._tcp.example.test. SRV 0 1 995 mail.example.test."}, nil, []string{"example.test"},
			[]string{"pop3s://mail.example.test:995 srv"}, []string{"example.test says by MX that it takes no mail (RFC 7505)"}},
		{"many", "a domain can name others' servers without end",
			zone{
				"example.test. MX 1 a.test.", "example.test. MX 2 b.test.", "example.test. MX 3 c.test.", "example.test. MX 4 d.test.",
				"example.test. MX 5 e.test.", "example.test. MX 6 f.test.",
			}, nil, []string{"example.test"},
			[]string{"smtp://a.test:25 mx", "smtp://b.test:25 mx", "smtp://c.test:25 mx", "smtp://d.test:25 mx", "smtp://e.test:25 mx"},
			[]string{"6 mail servers by MX: the first 5"}},
		{"wrong records", "an address is no host name (RFC 5321 5.1), and 0 no port",
			zone{
				"example.test. MX 1 192.0.2.1.", "_pop3._tcp.example.test. SRV 0 1 0 pop.example.test.",
				"_submission._tcp.example.test. SRV 0 1 587 mail.example.test.",
			}, nil, []string{"example.test"},
			[]string{"smtp://mail.example.test:587 srv"}, []string{"the MX of example.test", "_pop3._tcp.example.test is wrong"}},
		{"a broken zone", "one sentence, and the rest is used",
			zone{"example.test. BROKEN", "_submission._tcp.example.test. SRV 0 1 587 mail.example.test."}, nil, []string{"example.test"},
			[]string{"smtp://mail.example.test:587 srv"}, []string{"the DNS has no good answer"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			asked, err := discover.Parse(row.args)
			if err != nil {
				t.Fatal(err)
			}
			route := row.zone.route(t)
			route.Fixed = row.fixed
			found, err := discover.Find(t.Context(), asked, discover.Options{Route: route})
			if got := shown(found); err != nil || !slices.Equal(got, row.want) {
				t.Errorf("%v: %s\n%s\nwant\n%s", err, row.why, strings.Join(got, "\n"), strings.Join(row.want, "\n"))
			}
			checkNotes(t, found.Notes, row.notes)
		})
	}
}

func checkNotes(t *testing.T, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("notes %q, want %q", got, want)
	}
	for i := range want {
		if !strings.Contains(got[i], want[i]) {
			t.Errorf("note %q, want %q", got[i], want[i])
		}
	}
}

// TestFindNothing: a name with nothing at all is an error that says why.
func TestFindNothing(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, says string
		zone       zone
		within     time.Duration
	}{
		{"no such name", "nothing.test: it has no address, no MX and no SRV record", nil, patience},
		{"no mail", "takes no mail (RFC 7505)", zone{"nothing.test. MX 0 ."}, patience},
		{"no DNS", "the DNS did not answer in time when asked for the MX of nothing.test and 7 more", zone{"* SILENT"}, 300 * time.Millisecond},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), row.within)
			defer cancel()
			found, err := discover.Find(ctx, discover.Asked{Names: []string{"nothing.test", "192.0.2.1"}}, discover.Options{Route: row.zone.route(t)})
			if err == nil || !strings.Contains(err.Error(), row.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v, want %q", err, row.says)
			}
			if len(found.Doors) != 5 {
				t.Errorf("the other name's doors are found all the same: %v", found.Doors)
			}
		})
	}
}
