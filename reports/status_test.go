package reports

import (
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// TestIncomplete: where nobody can say, the screen says why, and what to do.
func TestIncomplete(t *testing.T) {
	allClosed := remoteReport("192.0.2.10")
	closed(&allClosed, login.SMTP, 25, login.FoundPort, "refused")
	closed(&allClosed, login.POP3, 110, login.FoundPort, "refused")
	found(&allClosed, "open/smtp/25", 0, "", login.Ruling{Verdict: login.Pass, Reason: "port 25 does not answer: nothing listens there"}, nil, nil)
	refused := conformingReport()
	found(&refused, "login/pop3/110", 0, "", login.Ruling{
		Verdict: login.Skip, Why: login.WhyInconclusive, Reason: "no login of the account has succeeded: check its name and its password",
	}, nil, nil)
	lost := remoteReport("192.0.2.10")
	closed(&lost, login.SMTP, 587, login.FoundNamed, login.StageOK)
	lost.Targets[0].Doors[0].Stages[login.StageBanner], lost.Targets[0].Doors[0].Stages[login.StageHello] = login.StageOK, "silent"
	lost.Targets[0].Doors[0].Explained = map[login.Stage]string{login.StageHello: "the server greets and then does not answer EHLO"}
	found(&lost, "open/smtp/587", 0, "", login.Ruling{Verdict: login.Skip, Why: login.WhyInconclusive, Reason: "port 587 does not answer"}, nil, nil)
	alone := conformingReport()
	alone.Cases = nil
	alone.Targets[0].Effort.Stopped = "192.0.2.10:25 said \"421 go away\""
	unasked := conformingReport()
	unasked.Targets[0].Effort.Stopped = "192.0.2.10:25 said \"421 go away\""
	requirement(&unasked, "smtp/x/1", "X", login.Must, login.Ruling{Verdict: login.Pass})
	closed(&unasked, login.SMTP, 465, login.FoundPort, login.ConnectStopped)
	for _, c := range []struct {
		name, why string
		report    login.Report
		want      []string
	}{
		{"no door answers", "nothing was seen that could conform", allClosed,
			[]string{"INCOMPLETE", "no door of mail.example.com answers: check the name,", "name its door, as smtp://HOST:PORT", "no door answers", "exit status 2"}},
		{"a named door is silent", "the door says more than the server", silentReport(),
			[]string{"INCOMPLETE", "the door that was asked for does not answer: 192.0.2.10:587", "exit status 2"}},
		{"a named door greets and no more", "the sentence says where it fell silent", lost,
			[]string{"INCOMPLETE", "the door that was asked for does not answer: 192.0.2.10:587", "the server greets and then does not answer EHLO", "exit status 2"}},
		{"left alone at once", "nothing was decided", alone,
			[]string{"INCOMPLETE", "the server was left alone before anything was decided: 192.0.2.10:25 said", "exit status 2"}},
		{"left alone before a door", "nobody knows what it would have shown", unasked,
			[]string{"INCOMPLETE", "the server was left alone before 192.0.2.10:465 was asked: 192.0.2.10:25 said", "exit status 2"}},
		{"every login was refused", "the question asked is open", refused,
			[]string{"INCOMPLETE", "no login of the account has succeeded: check its name and its password", "exit status 2"}},
	} {
		c.report.Count()
		screen := strings.Join(strings.Fields(string(written(t, "text", c.report, Options{Width: 120}))), " ")
		for _, want := range c.want {
			if !strings.Contains(screen, want) {
				t.Errorf("%s: %s: %q is missing from\n%s", c.name, c.why, want, written(t, "text", c.report, Options{Width: 120}))
			}
		}
	}
}
