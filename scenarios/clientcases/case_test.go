package clientcases

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/recording"
)

// Each case is whole, and each situation one that a server can be put into: of
// one name there is one only.
func TestAll(t *testing.T) {
	ids := regexp.MustCompile(`^client/(smtp|pop3)/[0-9]{3}$`)
	byName := map[string]Situation{}
	for _, c := range All() {
		if !ids.MatchString(c.ID) || !strings.HasSuffix(c.Says, ".") || !slices.Contains(login.Levels(), c.Level) {
			t.Errorf("%s: ID, level or %q", c.ID, c.Says)
		}
		for _, s := range Situations([]Case{c}) {
			known, twice := byName[s.Name]
			same := s
			same.Twin, same.Group, same.Lax = known.Twin, known.Group, known.Lax // how a case uses it
			if twice && !reflect.DeepEqual(same, known) {
				t.Errorf("two situations are called %s", s.Name)
			}
			byName[s.Name] = s
			if s.Protocol != c.Protocol() || s.Doc == "" {
				t.Errorf("%s, %s: %s, %q", c.ID, s.Name, s.Protocol, s.Doc)
			}
			data, err := json.Marshal(recording.Cases{s.Name: s.Case})
			if err == nil {
				_, err = recording.ReadCases(bytes.NewReader(data))
			}
			if err != nil {
				t.Errorf("%s: %v", s.Name, err)
			}
		}
	}
	if len(byName) < 150 {
		t.Errorf("%d situations", len(byName))
	}
}

func TestWatch(t *testing.T) {
	for _, row := range []struct {
		name     string
		protocol login.Protocol
		heard    []string
		want     []Try
		says     []string // the verbs
	}{
		{"two attempts", login.SMTP, []string{"C EHLO a", "S 250 AUTH CRAM-MD5 PLAIN", "C AUTH CRAM-MD5", "S 334 PGFAYj4=", "C YSBi", "S 535 5.7.8 no",
			"C AUTH PLAIN AGEAYg==", "S 235 in", "C MAIL FROM:<a@b>"},
			[]Try{{Mechanism: login.CRAMMD5, Answers: 1, Reply: "535"}, {Mechanism: login.PLAIN, Answers: 1, Accepted: true}},
			[]string{"EHLO", "AUTH", "AUTH", "MAIL"}},
		{"broken off", login.SMTP, []string{"C auth cram-md5", "S 334 !!!", "C *", "S 501 no", "C QUIT"},
			[]Try{{Mechanism: login.CRAMMD5, Cancelled: true, Reply: "501"}}, []string{"AUTH", "QUIT"}},
		{"an empty answer is none", login.SMTP, []string{"C AUTH XOAUTH2 dG9rZW4=", "S 334 e30=", "C ", "S 535 no"},
			[]Try{{Mechanism: login.XOAUTH2, Answers: 1, Reply: "535"}}, []string{"AUTH"}},
		{"forgotten that it was asked", login.SMTP, []string{"C AUTH CRAM-MD5", "S 334 !!!", "C RSET", "S 501 no"},
			[]Try{{Mechanism: login.CRAMMD5}}, []string{"AUTH", "RSET"}},
		{"no answer from the server", login.SMTP, []string{"C AUTH LOGIN"}, []Try{{Mechanism: login.LOGIN}}, []string{"AUTH"}},
		{"inside TLS", login.SMTP, []string{"C STARTTLS", "S 220 go", "C+ AUTH PLAIN AGEAYg==", "S+ 454 no"},
			[]Try{{Mechanism: login.PLAIN, Encrypted: true, Answers: 1, Reply: "454"}}, []string{"STARTTLS", "AUTH"}},
		{"USER and PASS", login.POP3, []string{"S +OK <a@b>", "C USER a", "S +OK", "C PASS b", "S +OK in", "C STAT"},
			[]Try{{Mechanism: login.UserPass, Answers: 1, Accepted: true}}, []string{"USER", "PASS", "STAT"}},
		{"USER refused, and PASS all the same", login.POP3, []string{"C USER a", "S -ERR no", "C PASS b", "S -ERR no"},
			[]Try{{Mechanism: login.UserPass, Reply: "-ERR no"}, {Mechanism: login.UserPass, Answers: 1, Reply: "-ERR no"}}, []string{"USER", "PASS"}},
		{"APOP", login.POP3, []string{"C APOP a 0123", "S -ERR [AUTH] no"}, []Try{{Mechanism: login.APOP, Answers: 1, Reply: "-ERR [AUTH] no"}}, []string{"APOP"}},
		{"a question is no attempt", login.POP3, []string{"C AUTH", "S +OK", "S PLAIN", "S .", "C AUTH PLAIN", "S + ", "C AGEAYg==", "S +OK"},
			[]Try{{Mechanism: login.PLAIN, Answers: 1, Accepted: true}}, []string{"AUTH", "AUTH"}},
	} {
		did := Sabotage{Heard: row.heard}.Conduct(row.protocol)
		var says []string
		for i := range did.Tries {
			did.Tries[i].line, did.Tries[i].Connection = 0, 0
		}
		for _, s := range did.Said {
			if s.Verb != "" {
				says = append(says, s.Verb)
			}
		}
		if !slices.Equal(did.Tries, row.want) || !slices.Equal(says, row.says) || did.Connections != 1 {
			t.Errorf("%s: %+v, %q", row.name, did.Tries, says)
		}
	}
}

// Which situations count, and what comes of several.
func TestRule(t *testing.T) {
	const p = login.SMTP
	verdict := map[string]login.Ruling{} // by the beginning of the name
	c := Case{ID: "client/smtp/999", Judge: func(s Situation, _, _ Conduct) login.Ruling { return verdict[s.Name] }}
	tried := Conduct{Tries: []Try{{Mechanism: login.PLAIN}}}
	first, second := in(p, recording.Required, "first", "one"), in(p, recording.Off, "second", "two")
	both := required(p, "both", "three")
	for _, row := range []struct {
		name       string
		situations []Situation
		verdicts   map[string]login.Ruling
		cannot     []string // situations that the client cannot be in
		idle       []string // in which it does not log in
		want       login.Verdict
		why        login.Why
		reason     string
	}{
		{"nothing applies", []Situation{first}, nil, []string{"smtp-first-req"}, nil, login.Skip, login.WhyNotApplicable, "no such setting"},
		{"the worst counts", []Situation{first, second}, map[string]login.Ruling{"smtp-first-req": passed, "smtp-second-off": failed("bad")}, nil, nil, login.Fail, "", "two, TLS off: bad"},
		{"in any order", []Situation{second, first}, map[string]login.Ruling{"smtp-first-req": passed, "smtp-second-off": warned("odd")}, nil, nil, login.Warn, "", "two, TLS off: odd"},
		{"idle is less than a pass", []Situation{first, second}, map[string]login.Ruling{"smtp-first-req": idle("not there"), "smtp-second-off": passed}, nil, nil, login.Pass, "", ""},
		{"of a group the first", both, map[string]login.Ruling{"smtp-both-req": passed, "smtp-both-opp": failed("bad")}, nil, nil, login.Pass, "", ""},
		{"or the next", both, map[string]login.Ruling{"smtp-both-opp": failed("bad")}, []string{"smtp-both-req"}, nil, login.Warn, "", "only wanted if available"},
		{"who never logs in proves nothing", []Situation{first}, map[string]login.Ruling{"smtp-first-req": passed}, nil, []string{"smtp-good-req", "smtp-good-unchecked-req"}, login.Skip, login.WhyInconclusive, "does not try"},
		{"but can fail", []Situation{first}, map[string]login.Ruling{"smtp-first-req": failed("bad")}, nil, []string{"smtp-good-req", "smtp-good-unchecked-req"}, login.Fail, "", "bad"},
	} {
		c.Situations, verdict = row.situations, row.verdicts
		ruling, _, err := c.Rule(func(s Situation) (Conduct, bool, error) {
			if slices.Contains(row.idle, s.Name) {
				return Conduct{}, true, nil
			}
			return tried, !slices.Contains(row.cannot, s.Name), nil
		})
		if err != nil || ruling.Verdict != row.want || ruling.Why != row.why || !strings.Contains(ruling.Reason, row.reason) {
			t.Errorf("%s: %+v, %v", row.name, ruling, err)
		}
	}
	if _, _, err := c.Rule(func(Situation) (Conduct, bool, error) { return Conduct{}, false, errors.New("ours") }); err == nil {
		t.Error("an error of ours is lost")
	}
}
