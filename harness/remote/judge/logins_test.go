package judge

import (
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// TestLoginAskedFor: whoever asks for a login is told where none came about.
func TestLoginAskedFor(t *testing.T) {
	stranger := with(smtp("25", link(login.StartTLS, "PLAIN y--")), elsewhere)
	said := func(d login.DoorResult, reply string) login.DoorResult {
		d.Transports[0].Mechanisms[0].Reply = reply
		return d
	}
	for _, c := range []struct {
		name, why string
		e         Evidence
		at        string // "" is no finding
		reason    string
	}{
		{"refused everywhere", "the ledger believes no refusal before a login", Evidence{Login: true, Passwords: 1,
			Doors: []login.DoorResult{smtp("25", link(login.StartTLS, "PLAIN n--")), said(smtp("587", link(login.StartTLS, "PLAIN yy-")), "535 5.7.8 no")}},
			"smtp/587", "no login of the account has succeeded"},
		{"put off", "an answer, and none that blames the password", Evidence{Login: true, Passwords: 1,
			Doors: []login.DoorResult{said(smtp("587", link(login.StartTLS, "PLAIN y--")), "454 4.7.0 try later")}}, "smtp/587", "no login of the account has succeeded"},
		{"it hung once the password was said", "that says nothing of the password", Evidence{Login: true, Passwords: 1,
			Doors: []login.DoorResult{smtp("587", link(login.StartTLS, "PLAIN yy-", "LOGIN y--"))}}, "smtp/587", "no login came to an answer"},
		{"it hung, and another mechanism was refused before", "what was probed or inferred is no login", Evidence{Login: true, Passwords: 1,
			Doors: []login.DoorResult{smtp("587", link(login.StartTLS, "PLAIN y--")), with(said(smtp("25", link(login.StartTLS, "CRAM-MD5 nnn")), "504 5.5.4 no"),
				func(d *login.DoorResult) { d.Transports[0].Mechanisms[0].Evidence = login.EvidenceInferred })}}, "smtp/587", "no login came to an answer"},
		{"refused everywhere in a laboratory", "the rows are decided, and the password may be wrong", Evidence{Login: true, Passwords: 2,
			Doors: []login.DoorResult{smtp("587", link(login.StartTLS, "PLAIN yyn"))}}, "smtp/587", "no login of the account has succeeded"},
		{"none was tried", "its certificate is bad, or the budget was spent", Evidence{Login: true,
			Doors: []login.DoorResult{smtp("587", link(login.StartTLS, "PLAIN y--"))}}, "smtp/587", "no login was tried"},
		{"no list", "a POP3 server without CAPA may take USER", Evidence{Login: true, Passwords: 1,
			Doors: []login.DoorResult{said(pop3("995", link(login.TLS, "USER/PASS ---")), "-ERR no")}}, "pop3/995", "no login of the account has succeeded"},
		{"one succeeded", "then the account is right", Evidence{Login: true, Passwords: 2,
			Doors: []login.DoorResult{smtp("587", link(login.StartTLS, "PLAIN yyy", "LOGIN yyn"))}}, "", ""},
		{"no way to log in", "a server that only takes mail in has answered", Evidence{Login: true,
			Doors: []login.DoorResult{smtp("25", link(login.StartTLS, "PLAIN n--", "LOGIN nnn"))}}, "", ""},
		{"not asked for", "", Evidence{Doors: []login.DoorResult{smtp("587", link(login.StartTLS, "PLAIN y--"))}}, "", ""},
		{"only a stranger offers logins", "it hears no secret", Evidence{Login: true, Doors: []login.DoorResult{stranger},
			Strangers: map[int]bool{0: true}}, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var found []Judged
			for _, r := range All(c.e) {
				if strings.HasPrefix(r.ID, "scenario/door/login/") {
					found = append(found, r)
				}
			}
			report := login.Report{Complete: true}
			for _, r := range found {
				report.Scenarios = append(report.Scenarios, r.ScenarioResult)
			}
			switch {
			case c.at == "" && len(found) > 0, c.at != "" && len(found) != 1:
				t.Fatalf("%s: %d findings", c.why, len(found))
			case c.at == "":
			case found[0].ID != "scenario/door/login/"+c.at || found[0].Verdict != login.Skip || found[0].Why != login.WhyInconclusive ||
				!strings.HasPrefix(found[0].Reason, c.reason):
				t.Errorf("%s: %+v", c.why, found[0].ScenarioResult)
			case report.UndecidedLogin() != found[0].Reason:
				t.Errorf("the report does not know it for an open question: %q", report.UndecidedLogin())
			}
		})
	}
}
