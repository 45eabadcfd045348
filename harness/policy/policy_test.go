package policy_test

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/harness/policy"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

// files is a folder for Load.
func files(texts map[string]string) func(string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		if text, ok := texts[name]; ok {
			return []byte(text), nil
		}
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
}

func TestLoad(t *testing.T) {
	folder := files(map[string]string{
		"modern": "policy: {PLAIN: allow}", "./modern": "policy: {PLAIN: allow}", "modern.yaml": "policy: {PLAIN: allow}", "mine": "policy: {PLAIN: allow}",
		"open.yaml": "policy: {PLAIN: Unknown, LOGIN: deny}\npop3: {APOP: unknown}", "empty.yaml": "",
	})
	for _, row := range []struct {
		name, why string
		plain     login.Setting
		err       string
	}{
		{name: "modern", why: "a built-in name wins over a file", plain: login.Secure},
		{name: "MODERN", why: "in any letter case", plain: login.Secure},
		{name: "modern@2026.1", why: "with its version", plain: login.Secure},
		{name: "./modern", why: "a path separator makes it a file", plain: login.Allow},
		{name: "modern.yaml", why: "and so does the ending", plain: login.Allow},
		{name: "mine", why: "what is no built-in name is a file", plain: login.Allow},
		{name: "modren", why: "neither", err: `unknown policy "modren", did you mean "modern"? (known: modern, intermediate, legacy, rfc8314, wingate-example), and there is no file of that name`},
		{name: "modern@2020.1", why: "no such version", err: `policy modern has no version "2020.1", but 2026.1`},
		{name: "other.yaml", why: "no such file", err: "policy: open other.yaml: file does not exist"},
		{name: "open.yaml", why: "an observed policy is not yet one to keep", err: "policy open.yaml, nobody has tried PLAIN, APOP in pop3: write deny, secure or allow in place of unknown"},
		{name: "empty.yaml", why: "a mistake", err: "policy empty.yaml says nothing"},
	} {
		p, err := policy.Load(row.name, folder)
		if row.err != "" {
			if err == nil || !strings.Contains(err.Error(), row.err) {
				t.Errorf("%s (%s): %v, want %s", row.name, row.why, err, row.err)
			}
			continue
		}
		if err != nil || p.For(login.SMTP, login.PLAIN) != row.plain {
			t.Errorf("%s (%s): PLAIN %s, %v", row.name, row.why, p.For(login.SMTP, login.PLAIN), err)
		}
	}
	broken := errors.New("the disk is gone")
	if _, err := policy.Load("mine", func(string) ([]byte, error) { return nil, broken }); !errors.Is(err, broken) {
		t.Errorf("a file that cannot be read: %v", err)
	}
}

// What a built-in policy says of each mechanism; a change here is a new version.
func TestBuiltins(t *testing.T) {
	var got []string
	for _, b := range policy.Builtins() {
		line := b.ID() + ":"
		for _, s := range []login.Setting{login.Secure, login.Allow} {
			var names []string
			for _, m := range mech.Names() {
				if b.Policy.For("", m) == s {
					names = append(names, string(m))
				}
			}
			line += fmt.Sprintf(" %s %s;", s, strings.Join(names, " "))
		}
		got = append(got, line)
	}
	compare(t, got, settingsOfBuiltins)
}

var settingsOfBuiltins = []string{
	"modern@2026.1: secure USER/PASS PLAIN OAUTHBEARER XOAUTH2 SCRAM-SHA-1 SCRAM-SHA-1-PLUS SCRAM-SHA-256 SCRAM-SHA-256-PLUS EXTERNAL GSSAPI; allow ;",
	"intermediate@2026.1: secure USER/PASS APOP LOGIN PLAIN OAUTHBEARER XOAUTH2 CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-1-PLUS SCRAM-SHA-256 SCRAM-SHA-256-PLUS EXTERNAL GSSAPI; allow ;",
	"legacy@2026.1: secure USER/PASS LOGIN PLAIN OAUTHBEARER XOAUTH2 DIGEST-MD5 NTLM SCRAM-SHA-1-PLUS SCRAM-SHA-256-PLUS EXTERNAL GSSAPI; allow APOP CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256;",
	"rfc8314@2026.1: secure USER/PASS APOP LOGIN PLAIN OAUTHBEARER XOAUTH2 CRAM-MD5 DIGEST-MD5 NTLM SCRAM-SHA-1 SCRAM-SHA-1-PLUS SCRAM-SHA-256 SCRAM-SHA-256-PLUS EXTERNAL GSSAPI; allow ;",
	"wingate-example@2026.1: secure USER/PASS PLAIN; allow APOP CRAM-MD5 NTLM;",
}

// Whom each built-in policy loses, and who needs a setting.
func TestWhomBuiltinsLose(t *testing.T) {
	var got []string
	for _, b := range policy.Builtins() {
		lost := map[policy.Standing][]string{}
		for _, c := range policy.Explain(b.Policy, nil, clients(), nil).Clients {
			lost[c.Standing] = append(lost[c.Standing], c.Profile)
		}
		for _, s := range []policy.Standing{policy.Lost, policy.NeedsSetting} {
			got = append(got, fmt.Sprintf("%s %s: %s", b.ID(), s, strings.Join(lost[s], " ")))
		}
		got = append(got, fmt.Sprintf("%s keep working: %d", b.ID(), len(lost[policy.Keeps])))
	}
	compare(t, got, lostByBuiltins)
}

var lostByBuiltins = []string{
	"modern@2026.1 lost: eudora-6-mac eudora-7-win gsasl outlook outlook-2003 outlook-express outlook-express-5 outlook-express-6 phpmailer-pop3",
	"modern@2026.1 needs-setting: getmail6 outlook-2016 ruby-pop",
	"modern@2026.1 keep working: 41",
	"intermediate@2026.1 lost: eudora-6-mac eudora-7-win gsasl outlook outlook-2003 outlook-express outlook-express-5 outlook-express-6 phpmailer-pop3",
	"intermediate@2026.1 needs-setting: getmail6 outlook-2016 ruby-pop",
	"intermediate@2026.1 keep working: 41",
	"legacy@2026.1 lost: outlook outlook-2003 outlook-express outlook-express-5 outlook-express-6 phpmailer-pop3",
	"legacy@2026.1 needs-setting: eudora-7-win getmail6 outlook-2016 ruby-pop",
	"legacy@2026.1 keep working: 43",
	"rfc8314@2026.1 lost: eudora-6-mac eudora-7-win gsasl outlook outlook-2003 outlook-express outlook-express-5 outlook-express-6 phpmailer-pop3",
	"rfc8314@2026.1 needs-setting: getmail6 outlook-2016 ruby-pop",
	"rfc8314@2026.1 keep working: 41",
	"wingate-example@2026.1 lost: outlook outlook-2003 outlook-express outlook-express-5 outlook-express-6 phpmailer-pop3",
	"wingate-example@2026.1 needs-setting: eudora-7-win getmail6 outlook-2016 ruby-pop",
	"wingate-example@2026.1 keep working: 43",
}

func compare(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// What is written is read back as it was.
func TestWriteRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := policies(t)
		text := policy.Write(p, []string{rapid.String().Draw(t, "head")}, func(login.Protocol, login.Mechanism) string {
			return rapid.String().Draw(t, "remark")
		})
		back, err := harness.LoadPolicy("written", text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		for _, protocol := range login.Protocols() {
			for _, m := range mech.All() {
				if m.In(protocol) && back.For(protocol, m.Name) != p.For(protocol, m.Name) {
					t.Errorf("%s %s: %s became %s\n%s", protocol, m.Name, p.For(protocol, m.Name), back.For(protocol, m.Name), text)
				}
			}
		}
	})
}

func TestParseUsers(t *testing.T) {
	users, err := policy.ParseUsers("u.csv", []byte("client,weight\n# the old ones\noutlook , 120\r\n\n\"eudora\": 3 # two desks\n"))
	if err != nil || len(users) != 2 || users[0].Profile.Name != "outlook" || users[0].Weight != 120 || users[1].Profile.Name != "eudora" || users[1].Weight != 3 {
		t.Errorf("%v %v", users, err)
	}
	for _, row := range []struct{ text, want string }{
		{"", "users u.csv names nobody"},
		{"client,weight\n", "names nobody"},
		{"outlook: 1\noutlok: 2", `u.csv, line 2: unknown profile "outlok", did you mean "outlook"?`},
		{"outlook", "line 1: this is no `client: weight`"},
		{"\noutlook: many", `line 2: the weight of outlook is "many": a whole number from 1 to 1000000000 is wanted`},
		{"outlook: 0", "whole number"},
		{"outlook: -3", "whole number"},
		{"outlook: 1.5", "whole number"},
		{"outlook: 9999999999999999999", "whole number"},
		{"outlook: 1\nOutlook: 2", "line 2: outlook is named twice"},
		{"probe: 1", "line 1: probe is no client"},
	} {
		if _, err := policy.ParseUsers("u.csv", []byte(row.text)); err == nil || !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, want %s", row.text, err, row.want)
		}
	}
}

func FuzzParseUsers(f *testing.F) {
	f.Add([]byte("client,weight\noutlook: 1\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		users, err := policy.ParseUsers("u", data)
		if (err == nil) != (len(users) > 0) {
			t.Errorf("%d users, %v", len(users), err)
		}
	})
}

// Every client can log in with a password somewhere, so none is lost because
// what wants more is not searched.
func TestEveryClientHasAPassword(t *testing.T) {
	for _, c := range clients() {
		for _, p := range login.Protocols() {
			if known := c.Mechanisms(p); len(known) > 0 && !slices.ContainsFunc(known, func(m login.Mechanism) bool {
				impl, _ := mech.Get(m)
				return impl.Presents == login.PresentsPassword
			}) {
				t.Errorf("%s, %s", c.Name, p)
			}
		}
	}
}

// A closed door is no way, whatever the policy.
func TestClosedDoors(t *testing.T) {
	secure := login.Every(mech.Names(), login.Secure)
	outlook, err := clientsim.Get("outlook-2016")
	if err != nil {
		t.Fatal(err)
	}
	closed := func(p login.Protocol, t login.Transport) bool { return t != login.TLS }
	e := policy.Explain(secure, closed, []clientsim.Profile{outlook}, nil)
	a, ok := e.Clients[0].In(login.POP3)
	if !ok || a.Standing != policy.Lost {
		t.Errorf("without 995 Outlook's POP3 is %+v", a)
	}
	if _, ok := a.On(login.TLS); ok {
		t.Error("there is a way through a closed door")
	}
}
