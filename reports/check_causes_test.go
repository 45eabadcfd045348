package reports

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
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
