package reports

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/results"
)

func TestDecisive(t *testing.T) {
	for _, c := range []struct {
		name  string
		link  login.Transport
		lines string
		want  string
	}{
		{"the line of the list that is about logins", login.Plain, "S 220 x|C EHLO y|S 250-x|S 250-AUTH PLAIN|S 250 HELP|C QUIT|S 221 bye", "S: 250-AUTH PLAIN"},
		{"in clear, what follows STARTTLS is another matter", login.Plain, "C EHLO y|S 250 AUTH LOGIN|C STARTTLS|S 220 go|C+ EHLO y|S+ 250 AUTH PLAIN", "S: 250 AUTH LOGIN"},
		{"inside TLS it is what counts", login.StartTLS, "C EHLO y|S 250 AUTH LOGIN|C STARTTLS|S 220 go|C+ EHLO y|S+ 250 AUTH PLAIN", "S: 250 AUTH PLAIN"},
		{"STARTTLS itself is refused", login.StartTLS, "C EHLO y|S 250 STARTTLS|C STARTTLS|S 454 no", "S: 454 no"},
		{"CAPA's list", login.TLS, "C+ CAPA|S+ +OK|S+ TOP|S+ SASL PLAIN|S+ .", "S: SASL PLAIN"},
		{"a list without logins", login.TLS, "C+ EHLO y|S+ 250 HELP", ""},
		{"a refusal", login.TLS, "C+ EHLO y|S+ 250 AUTH LOGIN|C+ AUTH LOGIN|S+ 504 no|C+ QUIT|S+ 221 bye", "S: 504 no"},
		{"a note of ours is nobody's word", login.TLS, "C+ AUTH LOGIN|S+ 334 |* the connection is closed", "S: 334 "},
		{"nothing was said", login.TLS, "", ""},
		{"no answer", login.TLS, "C+ AUTH LOGIN", ""},
	} {
		if got := decisive(strings.Split(c.lines, "|"), c.link); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestShellLines(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no shell")
	}
	for _, command := range []string{
		"printf %s, one", `printf %s, one 'two  and three' "four 'five'  six" seven`, `printf %s, 'a very long word that is not to be broken' b`,
	} {
		broken := strings.Join(shellLines(command, 20), "\n")
		want, err := exec.Command(sh, "-c", command).CombinedOutput()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := exec.Command(sh, "-c", broken).CombinedOutput(); err != nil || string(got) != string(want) {
			t.Errorf("%s\nsays %q, %v, and\n%s\nsays %q", broken, got, err, command, want)
		}
	}
}

func TestCausesAreTakenTogether(t *testing.T) {
	r := conformingReport()
	for _, id := range []string{"a", "b"} {
		requirement(&r, "smtp/x/"+id, "X", login.Must, login.Ruling{Verdict: login.Fail, Reason: "no"}, "RFC 1 2")
	}
	if all := causes(&r); len(all) != 1 || all[0].sources(false) != "smtp/x/a, smtp/x/b, RFC 1 2" {
		t.Errorf("%+v", all)
	}
}

// A case and the finding about its door are one: the worse verdict, in the words
// of the door.
func TestCausesAreToldOfTheDoor(t *testing.T) {
	const words = "port 587 has no TLS that works; nobody who wants TLS can log in there"
	for _, c := range []struct {
		name          string
		caseAt        int
		door, theCase login.Verdict
		want          []string
	}{
		{"the case is worse", 1, login.Warn, login.Fail, []string{"fail " + words}},
		{"the door is worse", 1, login.Fail, login.Warn, []string{"fail " + words}},
		{"of another door", 0, login.Fail, login.Fail, []string{"fail " + words, "fail there is no TLS (required: TLS is available for submission)"}},
	} {
		r := checkReport()
		r.Scenarios, r.Cases = nil, nil
		found(&r, "starttls/smtp/587", 1, "", login.Ruling{Verdict: c.door, Reason: words}, []string{"RFC 3207 4"}, nil)
		requirement(&r, "smtp/tls/001", "TLS is available for submission", login.Must, login.Ruling{Verdict: c.theCase, Reason: "there is no TLS"}, "RFC 8314 3.3")
		r.Cases[0].Door = c.caseAt
		r.Count()
		var got []string
		for _, c := range causes(&r) {
			got = append(got, c.verdict.String()+" "+c.text())
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// What does most harm is told first, however the report has it.
func TestCausesAreInOrderOfHarm(t *testing.T) {
	r := checkReport()
	r.Scenarios, r.Cases, r.Cells = nil, nil, nil
	fail := func(reason string) login.Ruling { return login.Ruling{Verdict: login.Fail, Reason: reason} }
	hole := fail("lets in")
	hole.WronglyAccepted = true
	shows := func(class login.ExposureClass) { r.Scenarios[len(r.Scenarios)-1].Exposure = class }
	r.Cells = []login.CellResult{{ID: "c", Profile: "curl", Mechanism: login.Auto, Basis: "measured", Verdict: login.Fail, Reason: "client"}}
	found(&r, "hidden/1", 0, "", login.Ruling{Verdict: login.Warn, Reason: "warn"}, nil, nil)
	found(&r, "hidden/2", 0, "", login.Ruling{Verdict: login.Warn, Reason: "warn, overheard"}, nil, nil)
	shows(login.ShowsPassword)
	found(&r, "list/smtp/587", 1, "", fail("list"), nil, nil)
	requirement(&r, "smtp/x/1", "X", login.Must, fail("case"))
	found(&r, "challenge/smtp/587", 1, "", fail("door"), nil, nil)
	shows(login.ShowsVerifier) // it can be guessed, and is not there to be read
	found(&r, "cleartext/smtp/25", 0, "", fail("token"), nil, nil)
	shows(login.ShowsToken)
	found(&r, "hidden/smtp/25", 0, "", hole, nil, nil)
	r.Count()
	var got []string
	for _, c := range causes(&r) {
		got = append(got, c.reason)
	}
	want := []string{"lets in", "token", "door", "case", "client", "list", "warn, overheard", "warn"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// What is the same at several doors is told once.
func TestCausesAreTakenTogetherOverDoors(t *testing.T) {
	const sentence = " offers LOGIN, which the policy denies"
	for _, c := range []struct {
		name       string
		topic, say string
		want       string
	}{
		{"the same", "denied-offered", "port 110" + sentence, "port 587" + sentence + "; the same on ports 110 and 995"},
		{"another topic", "secure-offered", "port 110" + sentence, "port 587" + sentence + "; the same on port 995"},
		{"other mechanisms", "denied-offered", "port 110 offers NTLM, which the policy denies", "port 587" + sentence + "; the same on port 995"},
	} {
		r := checkReport()
		r.Scenarios, r.Cases = nil, nil
		fail := func(reason string) login.Ruling { return login.Ruling{Verdict: login.Fail, Reason: reason} }
		found(&r, "denied-offered/smtp/587", 1, login.StartTLS, fail("port 587"+sentence), nil, nil)
		found(&r, c.topic+"/pop3/110", 3, login.StartTLS, fail(c.say), nil, nil)
		found(&r, "denied-offered/pop3/995", 4, login.TLS, fail("port 995"+sentence), nil, nil)
		r.Count()
		if all := causes(&r); all[0].text() != c.want {
			t.Errorf("%s: %q, want %q", c.name, all[0].text(), c.want)
		}
	}
}

// What was seen comes first, and no line says the opposite of what it means.
func TestTextOfAFinding(t *testing.T) {
	refused := []login.Outcome{login.Refused, login.RefusedPolicy, login.RefusedUnavailable}
	for _, c := range []struct {
		name string
		it   item
		want string
	}{
		{"a MUST", item{kind: "cases", title: "TLS is available", level: login.Must, reason: "there is no TLS"}, "there is no TLS (required: TLS is available)"},
		{"a SHOULD", item{kind: "cases", title: "X", level: login.Should, reason: "y"}, "y (advised: X)"},
		{"without a reason", item{kind: "cases", title: "X", level: login.Must}, "not as it should be: X"},
		{"a door", item{kind: login.KindDoor, reason: "port 25 is odd"}, "port 25 is odd"},
		{"a cell", item{kind: "cells", title: "curl over SMTP", reason: "foretold, and refused"}, "curl over SMTP: foretold, and refused"},
		{
			"whichever refusal", item{kind: "cells", title: "curl", expected: refused, reason: "expected refused or refused-policy or refused-unavailable, saw logged-in"},
			"curl: expected a refusal, saw logged-in",
		},
		{
			"one of two things", item{kind: "cells", title: "curl", expected: []login.Outcome{login.Refused, login.NoTLS}, reason: "expected refused or no-tls, saw logged-in"},
			"curl: expected refused or no-tls, saw logged-in",
		},
	} {
		if got := c.it.text(); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestShortened(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"it fits", "short", "short"},
		{"it ends where a part does", "port 25 does this: and now a long reason", "port 25 does this"},
		{"the last part that fits", "port 25: does this; and a long reason", "port 25: does this"},
		{"there is no such place", "a sentence without any such place in it", "a sentence without any such place in it"},
		{"the place is too early to say anything", "no: a sentence without another place", "no: a sentence without another place"},
	} {
		if got := shortened(c.text, 24); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// What one certificate does at three doors, and to a case of ours, is one failure
// wherever failures are counted; of two servers it is two.
func TestOneCauseIsCountedOnce(t *testing.T) {
	one := remoteReport("192.0.2.10")
	for i, at := range []int{25, 465, 995} {
		door(&one, login.SMTP, at, "", nil)
		one.Scenarios = append(one.Scenarios, login.ScenarioResult{ID: fmt.Sprintf("scenario/door/certificate/smtp/%d", at), Kind: login.KindDoor,
			Door: &i, Verdict: login.Fail, Reason: "the certificate has expired", Refs: []string{"tls/cert/001"}})
		one.Cases = append(one.Cases, login.CaseResult{ID: "tls/cert/001", Door: i, Level: login.Must, Title: "Chain verifies", Verdict: login.Fail,
			Reason: "it has expired"})
	}
	one.Count()
	other := one
	other.Targets = slices.Clone(one.Targets)
	other.Targets[0].Name = "mail.other.example"
	both, err := results.Merge([]results.Part{{Name: "one", Report: one}, {Name: "other", Report: other}})
	if err != nil {
		t.Fatal(err)
	}
	if one.Sum().Fail != 6 {
		t.Fatalf("%d results fail", one.Sum().Fail)
	}
	for _, row := range []struct {
		name   string
		report login.Report
		causes int
	}{{"one server", one, 1}, {"two servers", both, 2}} {
		if word, _ := badge(&row.report); word != count(row.causes)+" fail" {
			t.Errorf("%s: the badge says %q", row.name, word)
		}
		text := string(written(t, "annotations", row.report, Options{}))
		if n := strings.Count(text, "::error "); n != row.causes || !strings.Contains(text, ", "+count(row.causes)+" fail,") ||
			!strings.Contains(text, "%0Athe same: ") {
			t.Errorf("%s: %d errors:\n%s", row.name, n, text)
		}
	}
	if text := string(written(t, "text", one, Options{})); !strings.Contains(text, "1 fail ") {
		t.Errorf("the screen:\n%s", text)
	}
}
