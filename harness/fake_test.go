package harness_test

import (
	"bufio"
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// fake is an SMTP server in clear that answers each line by a function.
type fake struct {
	answer func(line string) string
	record []login.Record
}

func (fake) Name() string { return "fake" }

func (f fake) Under(_ context.Context, s login.Setup) (wire.Door, error) {
	if s.Posture != (login.Posture{}) || s.Certificate.Kind != login.CertValid || s.Trust.DemandAuth {
		return nil, &login.CannotError{What: "do this"}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	d := &fakeDoor{fake: f, listener: l}
	d.running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			d.running.Go(func() { d.session(c) })
		}
	})
	return d, nil
}

type fakeDoor struct {
	fake
	listener net.Listener
	running  sync.WaitGroup
}

func (d *fakeDoor) session(c net.Conn) {
	defer func() { _ = c.Close() }()
	_, _ = fmt.Fprint(c, "220 fake\r\n")
	for in := bufio.NewScanner(c); in.Scan(); {
		_, _ = fmt.Fprintf(c, "%s\r\n", d.answer(in.Text()))
	}
}

func (d *fakeDoor) Dial(ctx context.Context, p login.Protocol, t login.Transport) (net.Conn, error) {
	if p != login.SMTP || t != login.Plain {
		return nil, &login.CannotError{What: fmt.Sprintf("speak %s on %s", p, t)}
	}
	var dialer net.Dialer
	return dialer.DialContext(ctx, "tcp", d.listener.Addr().String())
}

func (d *fakeDoor) Authority() *x509.CertPool { return nil }
func (d *fakeDoor) Record() []login.Record    { return d.record }

func (d *fakeDoor) Close() error {
	err := d.listener.Close()
	d.running.Wait()
	return err
}

// fakePlan is what a fake can be measured by: PLAIN over SMTP in clear.
func fakePlan(t *testing.T) harness.Plan {
	return plan(t, harness.Grid{Profiles: []string{"probe"}, Flavours: []login.Flavour{login.Modern},
		Protocols: []login.Protocol{login.SMTP}, Transports: []login.Transport{login.Plain},
		Mechanisms: []login.Mechanism{login.PLAIN}, Settings: []login.Setting{login.Allow},
		Databases: []login.Database{login.WinGate}, Overrides: []login.Override{login.NoOverride},
		Credentials: []login.Credential{login.WithWrong}})
}

// talkative answers as a server does, and auth decides the rest.
func talkative(auth func(line string) string) func(string) string {
	return func(line string) string {
		switch {
		case strings.HasPrefix(line, "EHLO"):
			return "250-fake\r\n250 AUTH PLAIN"
		case line == "AUTH PLAIN":
			return "334 "
		case line == "QUIT":
			return "221 bye"
		default:
			return auth(line)
		}
	}
}

// A server that has no record is judged by its codes.
func TestNoRecord(t *testing.T) {
	for _, row := range []struct {
		name, command, message string
		want                   login.Outcome
	}{
		{"asked, then wrong", "334 ", "535 5.7.8 wrong", login.RefusedCredentials},
		{"asked, then later", "334 ", "454 4.7.0 later", login.Refused},
		{"at the command, wrong", "535 5.7.8 wrong", "", login.RefusedCredentials},
		{"at the command", "504 5.5.4 no", "", login.Refused},
	} {
		answer := func(line string) string {
			if line == "AUTH PLAIN" {
				return row.command
			}
			return talkative(func(string) string { return row.message })(line)
		}
		report := harness.Run(context.Background(), onlyCells(fakePlan(t)), harness.Config{Target: fake{answer: answer}})
		if got := report.Cells[0].Outcome; got != row.want {
			t.Errorf("%s: %s, want %s", row.name, got, row.want)
		}
	}
}

// A server that repeats what it was told shows no secret in a report.
func TestEchoedSecret(t *testing.T) {
	const seed = 5
	p := fakePlan(t)
	report := harness.Run(context.Background(), p, harness.Config{Seed: seed, Transcripts: harness.KeepAll,
		Target: fake{answer: talkative(func(line string) string { return "500 what is " + line })}})
	s := harness.SecretsOf(seed)
	search := wire.NewSearcher(wire.Needle{Name: "password", Text: s.Password}, wire.Needle{Name: "wrong", Text: s.Wrong})
	if found := search.Find(fmt.Appendf(nil, "%+v", report)); len(found) > 0 {
		t.Errorf("the report shows %v", found)
	}
	if !strings.Contains(strings.Join(report.Lines, "\n"), "echoed") {
		t.Errorf("nothing was echoed:\n%s", strings.Join(report.Lines, "\n"))
	}
}

// The controls notice a server that proves nothing.
func TestControlsCanFail(t *testing.T) {
	for _, row := range []struct {
		name   string
		answer func(string) string
		fails  string
	}{
		{"asks for the secret of a mechanism that does not exist", talkative(func(line string) string {
			if strings.HasPrefix(line, "AUTH X-") {
				return "334 "
			}
			return "235 2.7.0 in"
		}), "scenario/control/made-up-mechanism/modern/smtp/plain/first"},
		{"refuses the login that must work", talkative(func(string) string { return "535 5.7.8 no" }),
			"scenario/control/known-login/modern/smtp/plain/first"},
	} {
		report := harness.Run(context.Background(), fakePlan(t), harness.Config{Target: fake{answer: row.answer}})
		if report.ExitStatus() != 2 {
			t.Errorf("%s: exit status %d", row.name, report.ExitStatus())
		}
		for _, s := range report.Scenarios {
			if s.ID == row.fails && s.Verdict != login.Fail {
				t.Errorf("%s: %s is %s", row.name, s.ID, s.Verdict)
			}
		}
	}
}
