package ledger

import (
	"slices"
	"testing"

	"github.com/mailmatrix/mailmatrix/harness/remote/budget"
	"github.com/mailmatrix/mailmatrix/harness/remote/reach"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// known is what a row knows: o offered, s starts, c completes; in capitals yes,
// in small letters no.
func known(m login.Mechanism, letters string) login.MechanismResult {
	r := login.MechanismResult{Mechanism: m}
	for _, l := range letters {
		switch l {
		case 'O', 'o':
			r.Offered = new(l == 'O')
		case 'S', 's':
			r.Starts = new(l == 'S')
		case 'C', 'c':
			r.Completes = new(l == 'C')
		}
	}
	return r
}

func TestSettings(t *testing.T) {
	const none = "-" // there is no such link
	for _, row := range []struct {
		name, why          string
		mechanism          login.Mechanism
		clear, startTLS, i string
		want               login.Setting
	}{
		{"listed everywhere", "the list is believed until it is tried", login.PLAIN, "O", "O", none, login.Allow},
		{"listed inside TLS", "who reads the list sees secure", login.PLAIN, "o", "O", none, login.Secure},
		{"refused in clear", "tried", login.PLAIN, "Osc", "O", none, login.Secure},
		{"hidden in clear", "tried, and taken", login.PLAIN, "oS", "O", none, login.Allow},
		{"listed in clear alone", "TLS takes nothing away that a policy could say", login.PLAIN, "O", "o", none, login.Allow},
		{"listed nowhere", "not offered is not yet denied", login.PLAIN, "o", "o", none, login.Unknown},
		{"refused in clear, hidden inside TLS", "half a proof", login.PLAIN, "osc", "o", none, login.Unknown},
		{"refused everywhere", "denied", login.PLAIN, "osc", "osc", none, login.Deny},
		{"offered and refused everywhere", "denied, whatever the list says", login.PLAIN, "Osc", "OSc", none, login.Deny},
		{"no TLS, refused", "all the links that there are", login.PLAIN, "sc", none, none, login.Deny},
		{"no list in clear", "nobody knows what is there", login.PLAIN, "", "O", none, login.Unknown},
		{"no list at all", "nobody knows", login.PLAIN, "", "", none, login.Unknown},
		{"995", "there is no clear link", login.PLAIN, none, none, "O", login.Secure},
		{"995, refused", "denied there", login.PLAIN, none, none, "sc", login.Deny},
		{"995, not listed", "not tried", login.PLAIN, none, none, "o", login.Unknown},
		{"a timestamp before STLS", "it may be for those who log in inside TLS", login.APOP, "O", "O", none, login.Unknown},
		{"a timestamp without STLS", "there is nothing else to be meant", login.APOP, "O", none, none, login.Allow},
		{"APOP refused in clear", "the timestamp was for those inside", login.APOP, "Oc", "OC", none, login.Secure},
		{"APOP taken in clear", "tried", login.APOP, "OC", "O", none, login.Allow},
		{"no timestamp", "no APOP", login.APOP, "oc", "oc", none, login.Deny},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := login.DoorResult{Protocol: login.POP3}
			for tr, letters := range map[login.Transport]string{login.Plain: row.clear, login.StartTLS: row.startTLS, login.TLS: row.i} {
				if letters != none {
					d.Transports = append(d.Transports, login.TransportResult{Transport: tr, Mechanisms: []login.MechanismResult{known(row.mechanism, letters)}})
				}
			}
			Settings(&d)
			if got := d.Policy[row.mechanism]; got != row.want {
				t.Errorf("%s, want %s; %s", got, row.want, row.why)
			}
			for _, link := range d.Transports {
				if got := link.Mechanisms[0].Setting; got != row.want {
					t.Errorf("%s: %s, want %s", link.Transport, got, row.want)
				}
			}
			if got, ok := d.Policy[login.NTLM]; !ok || got != login.Unknown {
				t.Errorf("of what no row tells: %s, %v", got, ok)
			}
		})
	}
	silent := login.DoorResult{Protocol: login.SMTP}
	if Settings(&silent); len(silent.Policy) > 0 {
		t.Errorf("a door without links: %v", silent.Policy)
	}
}

func TestRows(t *testing.T) {
	at := func(p login.Protocol, greeting string, capabilities ...string) []login.MechanismResult {
		l := reach.Look{Door: reach.Door{Protocol: p}, Greeting: greeting}
		return offers(l, reach.Link{Open: true, Capabilities: capabilities, Mechanisms: []login.Mechanism{login.PLAIN, login.UserPass}})
	}
	stamp := "+OK ready <challenge>"
	for _, row := range []struct {
		name, why string
		rows      []login.MechanismResult
		mechanism login.Mechanism
		offered   string
		evidence  string
	}{
		{"listed", "the line as it came", at(login.SMTP, "", "SIZE", "AUTH PLAIN", "HELP"), login.PLAIN, "true", "250-AUTH PLAIN"},
		{"the last line", "RFC 5321 4.2.1", at(login.SMTP, "", "SIZE", "AUTH PLAIN"), login.PLAIN, "true", "250 AUTH PLAIN"},
		{"not listed", "the line that could have it", at(login.SMTP, "", "AUTH PLAIN", "HELP"), login.LOGIN, "false", "250-AUTH PLAIN"},
		{"two lines", "the one that has it", at(login.SMTP, "", "AUTH=LOGIN", "AUTH PLAIN", "HELP"), login.PLAIN, "true", "250-AUTH PLAIN"},
		{"no AUTH", "nothing to show", at(login.SMTP, "", "SIZE"), login.PLAIN, "true", ""},
		{"no list", "nothing is known", at(login.SMTP, ""), login.PLAIN, "null", ""},
		{"USER", "a line of its own", at(login.POP3, "", "UIDL", "USER", "SASL PLAIN"), login.UserPass, "true", "USER"},
		{"SASL", "RFC 5034 3", at(login.POP3, "", "UIDL", "USER", "SASL PLAIN"), login.PLAIN, "true", "SASL PLAIN"},
		{"APOP", "the greeting says it, without CAPA too", at(login.POP3, stamp), login.APOP, "true", stamp},
		{"no APOP", "the greeting says it", at(login.POP3, "+OK ready", "USER"), login.APOP, "false", "+OK ready"},
	} {
		t.Run(row.name, func(t *testing.T) {
			i := slices.IndexFunc(row.rows, func(r login.MechanismResult) bool { return r.Mechanism == row.mechanism })
			if got := row.rows[i]; shownBool(got.Offered) != row.offered || got.Evidence != row.evidence || got.Setting != login.Unknown {
				t.Errorf("%s %q, want %s %q; %s", shownBool(got.Offered), got.Evidence, row.offered, row.evidence, row.why)
			}
		})
	}
	if rows := at(login.SMTP, stamp, "AUTH PLAIN"); slices.ContainsFunc(rows, func(r login.MechanismResult) bool { return r.Mechanism == login.APOP }) {
		t.Error("APOP in SMTP")
	}
}

// invented is a look at a door that nobody has.
func invented(port uint16, p login.Protocol, implicit bool, offered ...login.Mechanism) reach.Look {
	l := reach.Look{Door: reach.Door{Protocol: p, Port: port, Implicit: implicit, Typed: true}, Links: map[login.Transport]reach.Link{}}
	for _, tr := range l.Door.Transports() {
		l.Links[tr] = reach.Link{Open: true, Verified: tr.Encrypted(), Capabilities: []string{"AUTH"}, Mechanisms: offered}
	}
	return l
}

// What a check costs is known before anything is sent.
func TestCost(t *testing.T) {
	looks := []reach.Look{invented(587, login.SMTP, false, login.PLAIN), invented(995, login.POP3, true, login.UserPass)}
	for _, row := range []struct {
		name, why string
		config    Config
		want      login.Effort
	}{
		{"lists", "the looks have been paid for", Config{}, login.Effort{}},
		{
			"probe", "on 587 a made-up one and 3 more, two to a connection; on 995 USER", Config{Probe: true},
			login.Effort{Connections: 3, Trips: 2*3 + 6 + 5*2, Auths: 4},
		},
		{
			"login", "PLAIN and USER/PASS", Config{Login: true},
			login.Effort{Connections: 2, Trips: 2 * (6 + 5), Passwords: 2, Auths: 2},
		},
		{
			"more failures", "all that is hidden, and what is offered", Config{Probe: true, Budget: budget.New(budget.Limits{Auths: 1000}, nil)},
			login.Effort{Connections: 24, Trips: 208, Auths: 44},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			row.config.Looks = looks
			if got := Cost(row.config); got != row.want {
				t.Errorf("%+v, want %+v; %s", got, row.want, row.why)
			}
		})
	}
}

// The order of worth: the clear links' hidden passwords first, of these USER, and
// port 25 after the doors for logins; what is offered last.
func TestOrder(t *testing.T) {
	c := Config{Probe: true, Budget: budget.New(budget.Limits{}, nil), Looks: []reach.Look{
		invented(25, login.SMTP, false), invented(465, login.SMTP, true), invented(110, login.POP3, false, login.PLAIN), invented(587, login.SMTP, false),
	}}
	all := questions(c, lists(c.Looks))
	want := []question{
		{place{2, login.Plain}, login.UserPass},
		{place{3, login.Plain}, login.LOGIN}, {place{3, login.Plain}, login.PLAIN},
		{place{0, login.Plain}, login.LOGIN}, {place{0, login.Plain}, login.PLAIN},
		{place{2, login.Plain}, login.LOGIN},
	}
	for i := range want {
		if all[i] != want[i] {
			t.Errorf("question %d: %v, want %v", i, all[i], want[i])
		}
	}
	if last := all[len(all)-1]; last != (question{place{2, login.StartTLS}, login.PLAIN}) {
		t.Errorf("the last: %v", last)
	}
}
