package remote

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"net"
	"regexp"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/harness/remote/budget"
	"github.com/mailmatrix/mailmatrix/harness/remote/reach"
	"github.com/mailmatrix/mailmatrix/internal/certs"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
	"github.com/mailmatrix/mailmatrix/internal/wire"
	"github.com/mailmatrix/mailmatrix/server"
)

// sink is a connection that keeps what is written.
type sink struct {
	net.Conn
	said   bytes.Buffer
	closed bool
}

func (s *sink) Write(b []byte) (int, error) { return s.said.Write(b) }
func (s *sink) Close() error                { s.closed = true; return nil }

func TestGuardLetsThrough(t *testing.T) {
	record := func(kind byte, text string) string { return string([]byte{kind, 3, 3, 0, byte(len(text))}) + text }
	for _, row := range []struct {
		name, why string
		p         login.Protocol
		verified  bool
		says      string
		passes    bool
	}{
		{"hello", "", login.SMTP, false, "EHLO a.example\r\n", true},
		{"small letters", "letter case is free (RFC 5321 2.4)", login.SMTP, false, "starttls\r\n", true},
		{"pipelined", "", login.POP3, false, "CAPA\r\nSTLS\r\n", true},
		{"a question", "AUTH alone asks for the list (MS-OXPOP3 1.7)", login.POP3, false, "AUTH\r\n", true},
		{"handshake", "", login.SMTP, false, record(22, "hello"), true},
		{"verified", "what is said inside TLS that we trust", login.SMTP, true, record(23, "sealed"), true},
		{"login", "", login.SMTP, false, "AUTH PLAIN\r\n", false},
		{"list of SMTP", "it is no question there", login.SMTP, false, "AUTH\r\n", false},
		{"name", "", login.POP3, false, "USER alice\r\n", false},
		{"password", "", login.POP3, false, "PASS secret\r\n", false},
		{"proof", "", login.POP3, false, "APOP alice 0123\r\n", false},
		{"answer", "what follows a challenge", login.SMTP, false, "c2VjcmV0\r\n", false},
		{"empty answer", "", login.SMTP, false, "\r\n", false},
		{"behind", "a login pipelined behind what is harmless", login.POP3, false, "CAPA\r\nUSER alice\r\n", false},
		{"half a line", "the rest may be anything", login.SMTP, false, "EHLO", false},
		{"unverified", "nobody has seen the certificate", login.SMTP, false, record(22, "x") + record(23, "sealed"), false},
		{"half a record", "", login.SMTP, true, record(23, "sealed")[:8], false},
		{"behind a record", "", login.SMTP, true, record(23, "sealed") + "AUTH PLAIN x\r\n", false},
		{"nothing", "", login.SMTP, true, "", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			under := &sink{}
			g := &guard{verified: row.verified}
			conn := &guarded{under, g, row.p}
			_, err := conn.Write([]byte(row.says))
			if passes := err == nil; passes != row.passes || under.closed == row.passes || (under.said.Len() > 0) != row.passes {
				t.Errorf("%s: passes %v, closed %v, %q was sent", row.why, passes, under.closed, under.said.String())
			}
		})
	}
}

// Once it has stopped something nothing passes any more.
func TestGuardStays(t *testing.T) {
	under := &sink{}
	g := &guard{verified: true}
	conn := &guarded{under, g, login.SMTP}
	if _, err := conn.Write([]byte("AUTH PLAIN\r\n")); err == nil {
		t.Error("a login passes in clear")
	}
	if _, err := conn.Write([]byte("QUIT\r\n")); err == nil || under.said.Len() > 0 {
		t.Errorf("%q passes after it", under.said.String())
	}
	if _, err := g.Dial(t.Context(), login.SMTP, login.TLS); err == nil {
		t.Error("another connection is opened")
	}
}

// tapped keeps what is sent through a door.
type tapped struct {
	wire.Door
	taps []*wire.Tap
}

func (d *tapped) Dial(ctx context.Context, p login.Protocol, t login.Transport) (net.Conn, error) {
	conn, err := d.Door.Dial(ctx, p, t)
	if err != nil {
		return nil, err
	}
	d.taps = append(d.taps, wire.NewTap(conn))
	return d.taps[len(d.taps)-1], nil
}

func (d *tapped) said() []byte {
	var all []byte
	for _, tap := range d.taps {
		all = append(all, tap.Octets(false)...)
	}
	return all
}

var loginVerb = regexp.MustCompile(`(?im)^(AUTH .*|USER|PASS|APOP)`)

// No client says anything of a login to a server that has lost TLS since it was
// looked at, or has another certificate; and without the guard some would.
func TestGuardHoldsEveryClient(t *testing.T) {
	reference, err := server.NewReference()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = reference.Close() })
	other, err := certs.NewAuthority("somebody else", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	secrets := login.Secrets{Name: "alice.canary", Password: "Opensesame-7Q-canary"}
	for _, attack := range []struct {
		name  string
		setup func(*login.Setup)
	}{
		{"stripped", func(s *login.Setup) { s.Posture.StartTLS = login.TLSStripped }},
		{"other certificate", func(s *login.Setup) { s.Certificate.Kind = login.CertSelfSigned }},
	} {
		t.Run(attack.name, func(t *testing.T) {
			setup := login.Setup{Flavour: login.Modern, Database: login.Full, Policy: login.Every(mech.Names(), login.Allow),
				Accounts: []login.Account{secrets.Account(login.NoOverride)}}
			attack.setup(&setup)
			careless := 0
			for _, client := range clientsim.All() {
				for _, p := range login.Protocols() {
					for _, tr := range client.Transports(p) {
						if !tr.Encrypted() || client.Probe() || len(client.Mechanisms(p)) == 0 || tr == login.TLS && setup.Posture.StartTLS != "" {
							continue
						}
						attempt := func(guards bool) (login.Outcome, int, []byte) {
							door, err := reference.Under(t.Context(), setup)
							if err != nil {
								t.Fatal(err)
							}
							below := &tapped{Door: door}
							config := clientsim.Config{Profile: client, Protocol: p, Transport: tr, Mechanism: login.Auto, Door: below,
								Host: login.DefaultIdentity, Secrets: secrets, Credential: login.WithAccount, Rand: rand.Reader, Limit: 5 * time.Second}
							if guards {
								way := &guard{Door: below, trust: reach.Trust{Roots: other.Pool()}, host: login.DefaultIdentity, now: time.Now}
								config.Door, config.Verify, config.Once = way, way.verify, true
							}
							seen := clientsim.Login(context.Background(), config)
							if err := door.Close(); err != nil {
								t.Fatal(err)
							}
							return seen.Observation.Outcome, len(door.Record()), below.said()
						}
						if _, heard, _ := attempt(false); heard > 0 {
							careless++
						}
						outcome, heard, said := attempt(true)
						if heard > 0 || outcome == login.LoggedIn {
							t.Errorf("%s, %s over %s: the server heard %d logins: %s", client, p, tr, heard, outcome)
						}
						if verb := loginVerb.Find(said); verb != nil {
							t.Errorf("%s, %s over %s: said %q in clear", client, p, tr, verb)
						}
					}
				}
			}
			if careless < 2 {
				t.Errorf("only %d clients would have said something", careless)
			}
		})
	}
}

// What the account holds is found in whatever form a server echoes it.
func TestVeil(t *testing.T) {
	secrets := login.Secrets{Name: "al", Password: "pa5s", Issued: login.Issued{Token: "t0ken-canary"}}
	hidden := searcher(secrets)
	for _, row := range []struct{ name, line, want string }{
		{"plain", "535 no pa5s", "535 <a secret, echoed>"},
		{"other case", "535 no PA5S", "535 <a secret, echoed>"},
		{"base64, short", "535 cGE1cw==", "535 <a secret, echoed>"},
		{"hex, short", "535 70613573", "535 <a secret, echoed>"},
		{"in a PLAIN line", "535 AGFsAHBhNXM=", "535 <a secret, echoed>"},
		{"token", "-ERR user=al auth=Bearer t0ken-canary", "-ERR <a secret, echoed>"},
		{"no code", "pa5s", "<a secret, echoed>"},
		{"glued to the code", "535-pa5s", "535-<a secret, echoed>"},
		{"nothing", "235 welcome", "235 welcome"},
	} {
		if got := hidden.Veil(row.line); got != row.want {
			t.Errorf("%s: %q", row.name, got)
		}
		if got := hidden.VeilAll([]string{"S+ " + row.line})[0]; got != "S+ "+row.want {
			t.Errorf("%s: %q", row.name, got)
		}
	}
}

func TestEntry(t *testing.T) {
	for _, row := range []struct {
		name, why string
		p         login.Protocol
		lines     []string
		want      entry
	}{
		{"all well", "", login.SMTP, []string{"S 220 hi", "C EHLO a", "S 250-x", "S 250 STARTTLS", "C STARTTLS", "S 220 go"}, entry{}},
		{"no TLS", "", login.POP3, []string{"S +OK", "C STLS", "S -ERR unknown"}, entry{startTLS: "-ERR unknown"}},
		{"no hello", "", login.SMTP, []string{"S 220 hi", "C EHLO a", "S 550 go away"}, entry{hello: "550 go away"}},
		{"enough", "wherever it is said", login.SMTP, []string{"S 220 hi", "C+ AUTH PLAIN <secret>", "S+ 421 too many"}, entry{enough: "421 too many"}},
		{"in POP3 it is text", "", login.POP3, []string{"S 421 too many"}, entry{}},
		{"a login", "that is no part of the way in", login.SMTP, []string{"C+ AUTH PLAIN <secret>", "S+ 535 no"}, entry{}},
		{"empty", "", login.SMTP, []string{"S ", "C "}, entry{}},
	} {
		if got := entryOf(row.p, row.lines); got != row.want {
			t.Errorf("%s: %s: %+v", row.name, row.why, got)
		}
	}
}

// What went wrong between the look and the login is told from what went wrong
// with the login.
func TestLiveRuling(t *testing.T) {
	plain := []string{"S 220 hi", "C EHLO a", "S 250 x"}
	for _, row := range []struct {
		name, why string
		way       guard
		outcome   login.Outcome
		tried     bool
		lines     []string
		reply     string
		want      login.Verdict
		over      bool
	}{
		{"in", "", guard{encrypts: true}, login.LoggedIn, true, nil, "235 in", login.Pass, false},
		{"held back", "", guard{what: stripped}, login.Dropped, false, plain, "", login.Fail, true},
		{"gives up", "a client that insists on TLS says nothing more", guard{}, login.NoTLS, false, plain, "", login.Fail, true},
		{"sees nothing", "one that goes on in clear may find nothing there", guard{}, login.NotOffered, false, plain, "", login.Fail, true},
		{"refuses TLS", "", guard{}, login.NoTLS, false, append(plain, "C STARTTLS", "S 502 no"), "", login.Fail, true},
		{"no TLS now", "RFC 3207 4 has a code for it", guard{}, login.NoTLS, false, append(plain, "C STARTTLS", "S 454 later"), "", login.Skip, true},
		{"no hello", "without one nobody knows of TLS", guard{}, login.NoTLS, false, []string{"S 220 hi", "C EHLO a", "S 550 no"}, "", login.Warn, false},
		{"handshake", "it cannot agree on a version: nobody stands between", guard{encrypts: true}, login.NoTLS, false, plain, "", login.Warn, false},
		{"certificate", "it minds what we do not", guard{encrypts: true}, login.CertRejected, false, plain, "", login.Warn, false},
		{"turned away", "", guard{}, login.Refused, false, []string{"S 554 no"}, "554 no", login.Warn, true},
		{"enough", "", guard{encrypts: true}, login.NotOffered, false, []string{"S 220 hi", "C EHLO a", "S 421 no"}, "", login.Skip, true},
		{"no connection", "", guard{unreached: errors.New("refused")}, login.NoTLS, false, nil, "", login.Skip, true},
		{"hung up", "", guard{encrypts: true}, login.Dropped, true, plain, "", login.Skip, true},
		{"refused", "", guard{encrypts: true}, login.RefusedCredentials, true, plain, "535 no", login.Warn, true},
		{"later", "", guard{encrypts: true}, login.Refused, true, plain, "454 later", login.Skip, true},
		{"ours", "", guard{}, login.Error, false, nil, "", login.Broken, true},
	} {
		l := &live{check: &check{budget: budget.New(budget.Limits{}, nil)}}
		f := harness.Foretold{Lines: row.lines}
		f.Protocol, f.Transport, f.Outcome, f.Attempted = login.SMTP, login.StartTLS, row.outcome, row.tried
		l.rule(&f, reach.Door{Host: "a.example", Port: 587}, &row.way, row.reply, "")
		if f.Verdict != row.want || (l.over != "") != row.over {
			t.Errorf("%s: %s: %s %q, over %q", row.name, row.why, f.Verdict, f.Reason, l.over)
		}
	}
}
