package remote_test

import (
	"bufio"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/harness/remote"
	"github.com/mailmatrix/mailmatrix/internal/certs"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/server"
)

// front is a port behind which the server can be exchanged.
type front struct {
	door string
	// to is where connections go.
	to atomic.Value // func(net.Conn)
}

// newFront listens for a scheme; everything goes to first.
func newFront(t testing.TB, scheme string, first func(net.Conn)) *front {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	f := &front{door: fmt.Sprintf("%s://%s:%d", scheme, host, l.Addr().(*net.TCPAddr).Port)}
	f.to.Store(first)
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer func() { _ = conn.Close() }()
				_ = conn.SetDeadline(time.Now().Add(elsewhen))
				f.to.Load().(func(net.Conn))(conn)
			})
		}
	})
	t.Cleanup(func() { _ = l.Close(); serving.Wait() })
	return f
}

// switches exchanges the server once the ledger is judged: what follows are the
// clients' own logins.
func (f *front) switches(o *remote.Options, then func(net.Conn)) {
	o.Told = func(fact remote.Fact) {
		if fact.Scenario != nil {
			f.to.Store(then)
		}
	}
}

// passesOn is the door of a site.
func passesOn(door string) func(net.Conn) {
	port := door[strings.LastIndexByte(door, ':')+1:]
	return func(conn net.Conn) {
		up, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err != nil {
			return
		}
		defer func() { _ = up.Close() }()
		go func() { _, _ = io.Copy(up, conn); _ = up.Close() }()
		_, _ = io.Copy(conn, up)
	}
}

// scripted is SMTP inside TLS in which AUTH is answered as the test wants. auths
// counts them.
func scripted(t testing.TB, auths *atomic.Int32, answer string) func(net.Conn) {
	t.Helper()
	a, err := authority()
	must(t, err)
	pair, err := a.Issue(certs.Leaf{Names: []string{host}})
	must(t, err)
	certificate, err := pair.TLS()
	must(t, err)
	return func(raw net.Conn) {
		conn := tls.Server(raw, &tls.Config{Certificates: []tls.Certificate{certificate}})
		say := func(lines string) { _, _ = conn.Write([]byte(lines)) }
		say("220 mail.example.test ESMTP\r\n")
		for lines := bufio.NewScanner(conn); lines.Scan(); {
			switch verb, _, _ := strings.Cut(strings.ToUpper(lines.Text()), " "); verb {
			case "EHLO":
				say("250-mail.example.test\r\n250 AUTH PLAIN LOGIN SCRAM-SHA-256\r\n")
			case "QUIT":
				say("221 bye\r\n")
				return
			case "AUTH":
				auths.Add(1)
				if answer == "" {
					return
				}
				say(answer + "\r\n")
			default:
				say("500 what\r\n")
			}
		}
	}
}

func measured(r login.Report) []login.CellResult {
	return slices.DeleteFunc(slices.Clone(r.Cells), func(c login.CellResult) bool { return c.Basis != "measured" })
}

func untested(r login.Report) string {
	var b strings.Builder
	for _, n := range r.NotTested {
		fmt.Fprintf(&b, "%s [%s %s]\n", n.What, n.Why, n.Flag)
	}
	return b.String()
}

// door is the site's of a scheme.
func (s *site) door(scheme string) string {
	return s.doors[slices.IndexFunc(s.doors, func(d string) bool { return strings.HasPrefix(d, scheme+":") })]
}

// Who comes between after the look hears nothing, and is seen.
func TestAttackedBehindTheLook(t *testing.T) {
	for _, row := range []struct {
		name, scheme string
		setup        func() login.Setup
		others       bool // the certificate is nobody's
		says         string
	}{
		{"stripped", "smtp", func() login.Setup {
			setup := login.Setup{Flavour: login.Modern, Database: login.Full, Policy: login.Every([]login.Mechanism{login.PLAIN, login.LOGIN}, login.Allow)}
			setup.Posture.StartTLS = login.TLSStripped
			return setup
		}, false, "the way to TLS was gone"},
		{"stripped", "pop3", func() login.Setup {
			setup := login.Setup{Flavour: login.Modern, Database: login.Full, Policy: login.Every([]login.Mechanism{login.PLAIN, login.UserPass}, login.Allow)}
			setup.Posture.StartTLS = login.TLSStripped
			return setup
		}, false, "the way to TLS was gone"},
		{"other certificate", "smtp", usual, true, "the certificate changed"},
		{"other certificate", "smtps", usual, true, "the certificate changed"},
		{"other certificate", "pop3s", usual, true, "the certificate changed"},
	} {
		t.Run(row.name+" "+row.scheme, func(t *testing.T) {
			honest := start(t, usual())
			var opts []server.Option
			if row.others {
				opts = append(opts, server.WithCertificate(selfSigned(t)))
			}
			attacker := start(t, row.setup(), opts...)
			between := newFront(t, row.scheme, passesOn(honest.door(row.scheme)))
			o := honest.options(t)
			o.Login = true
			between.switches(&o, passesOn(attacker.door(row.scheme)))
			report := check(t, []string{between.door}, o)
			for _, verb := range []string{"AUTH", "USER", "PASS", "APOP"} {
				if n := attacker.heard.verbs()[verb]; n > 0 {
					t.Errorf("it was sent %d %s", n, verb)
				}
			}
			cells := measured(report)
			if len(cells) != 1 || cells[0].Verdict != login.Fail || !strings.Contains(cells[0].Reason, row.says) {
				t.Errorf("live: %+v", cells)
			}
			if report.ExitStatus() != 1 || !strings.Contains(untested(report), "do the other foretold clients really log in?") {
				t.Errorf("exit status %d\n%s\n%s", report.ExitStatus(), said(report), untested(report))
			}
		})
	}
}

func selfSigned(t testing.TB) tls.Certificate {
	t.Helper()
	pair, err := certs.SelfSigned(certs.Leaf{Names: []string{host}, SelfSigned: true}, time.Now())
	must(t, err)
	certificate, err := pair.TLS()
	must(t, err)
	return certificate
}

// A live login that goes wrong is the last, and costs one attempt at most.
func TestLiveStopsAtTheFirst(t *testing.T) {
	for _, row := range []struct {
		name, why, answer string
		verdict           login.Verdict
		stops             bool
	}{
		{"refused", "the password may be wrong now", "535 5.7.8 no", login.Warn, false},
		{"busy", "", "421 4.7.0 too many", login.Skip, true},
		{"hangs up", "", "", login.Skip, true},
		{"later", "", "454 4.7.0 not now", login.Skip, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := start(t, usual())
			way := newFront(t, "smtps", passesOn(s.door("smtps")))
			o := s.options(t)
			o.Login = true
			var auths atomic.Int32
			way.switches(&o, scripted(t, &auths, row.answer))
			report := check(t, []string{way.door}, o)
			if n := auths.Load(); n != 1 {
				t.Errorf("%d logins were tried", n)
			}
			cells := measured(report)
			if len(cells) != 1 || cells[0].Verdict != row.verdict || cells[0].WronglyRefused != (row.verdict == login.Warn) {
				t.Errorf("%s: live: %+v", row.why, cells)
			}
			effort := report.Targets[0].Effort
			if (effort.Stopped != "") != row.stops || effort.Auths > 1 {
				t.Errorf("%s: spent %s, stopped %q", row.why, effort, effort.Stopped)
			}
			if !strings.Contains(untested(report), "do the other foretold clients really log in?") {
				t.Errorf("nobody says that the others were not tried:\n%s", untested(report))
			}
		})
	}
}

// A password that is wrong is tried once, by the ledger.
func TestWrongPasswordIsTriedOnce(t *testing.T) {
	s := start(t, usual())
	o := s.options(t)
	o.Login = true
	o.Account.Secrets = func() (string, login.Issued, error) { return "nobody's-canary", login.Issued{}, nil }
	report := check(t, []string{s.door("smtps"), s.door("smtp")}, o)
	if n := s.heard.verbs()["AUTH"]; n != 1 {
		t.Errorf("%d logins were tried", n)
	}
	if cells := measured(report); len(cells) > 0 {
		t.Errorf("live: %+v", cells)
	}
}

// Of what the account holds nothing is kept that a server says back to a client.
func TestLiveEchoIsHidden(t *testing.T) {
	echoes := []string{
		alice.Password, base64.StdEncoding.EncodeToString([]byte(alice.Password)), hex.EncodeToString([]byte(alice.Password)),
		base64.StdEncoding.EncodeToString([]byte("\x00" + alice.Name + "\x00" + alice.Password)),
	}
	s := start(t, usual())
	way := newFront(t, "smtps", passesOn(s.door("smtps")))
	o := s.options(t)
	o.Login = true
	var auths atomic.Int32
	answer := ""
	for _, echo := range echoes {
		answer += "535-" + echo + "\r\n535-not " + echo + "\r\n"
	}
	way.switches(&o, scripted(t, &auths, answer+"535 no: "+strings.Join(echoes, " ")))
	report := check(t, []string{way.door}, o)
	artefact, err := json.Marshal(report)
	must(t, err)
	for _, echo := range echoes {
		if strings.Contains(string(artefact), echo) {
			t.Errorf("the report holds %q", echo)
		}
	}
	if n := strings.Count(string(artefact), "a secret, echoed"); auths.Load() != 1 || n < 3 { // a report holds each line once
		t.Errorf("%d logins, and %d echoes were seen", auths.Load(), n)
	}
}

// A certificate that the user vouches for by its sum is one that no client here
// knows: none is blamed.
func TestPinnedIsNotTriedLive(t *testing.T) {
	certificate := selfSigned(t)
	s := start(t, usual(), server.WithCertificate(certificate))
	o := s.options(t)
	o.Login, o.Trust.Roots = true, nil
	o.Trust.Pins = [][32]byte{sha256.Sum256(certificate.Certificate[0])}
	report := check(t, []string{s.door("smtps")}, o)
	if cells := measured(report); len(cells) > 0 || !strings.Contains(untested(report), "its certificate is pinned") {
		t.Errorf("live: %+v\n%s", cells, untested(report))
	}
	if link, _ := report.Targets[0].Doors[0].Transport(login.TLS); link.Of(login.PLAIN).Completes == nil {
		t.Error("the ledger did not log in")
	}
}

// Where no hello is taken nobody knows what clients would do.
func TestNothingForetoldOfNothing(t *testing.T) {
	way := newFront(t, "smtp", func(conn net.Conn) {
		_, _ = conn.Write([]byte("220 hi\r\n"))
		if bufio.NewScanner(conn).Scan() {
			_, _ = conn.Write([]byte("421 too many\r\n"))
		}
	})
	s := start(t, usual())
	report := check(t, []string{way.door}, s.options(t))
	if len(report.Cells) > 0 || !strings.Contains(untested(report), "who can log in at "+host+" by SMTP?") {
		t.Errorf("%d cells\n%s", len(report.Cells), untested(report))
	}
}
