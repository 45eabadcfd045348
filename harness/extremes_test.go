package harness_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/certs"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// Against a server that accepts everything, and one that refuses everything,
// the failing cells are exactly those where the oracle expects otherwise.
func TestExtremes(t *testing.T) {
	grid := harness.Grid{Profiles: measured}
	if testing.Short() { // a quarter of it
		grid.Databases = []login.Database{login.Full}
	}
	p := onlyCells(plan(t, grid))
	for _, row := range []struct {
		name    string
		accepts bool
	}{
		{"accepts everything", true},
		{"refuses everything", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			target := newExtreme(t, row.accepts)
			report := harness.Run(context.Background(), p, harness.Config{Target: target})
			failed := 0
			for i, c := range report.Cells {
				j := p.Jobs[i]
				want, used := extremeOutcome(j, row.accepts)
				if c.Outcome != want || c.Used != used {
					t.Errorf("%s: %s with %q, such a server means %s with %q", c.ID, c.Outcome, c.Used, want, used)
					continue
				}
				otherwise := !slices.Contains(j.Expect.Outcomes, want) ||
					j.Expect.Used != "" && j.Expect.Used != used ||
					j.Expect.Offered != nil && *j.Expect.Offered != row.accepts ||
					row.accepts && used == login.NTLM && j.Profile.Facts().WindowsUserFirst // whom nobody knows
				if otherwise != (c.Verdict == login.Fail) {
					t.Errorf("%s: verdict %s (%s), the oracle expects %v", c.ID, c.Verdict, c.Reason, j.Expect.Outcomes)
				}
				if c.Verdict == login.Fail {
					failed++
				}
			}
			if failed == 0 || failed == len(p.Jobs) {
				t.Errorf("%d of %d cells fail", failed, len(p.Jobs))
			}
			t.Logf("%d of %d cells fail", failed, len(p.Jobs))
		})
	}
}

// extremeOutcome is what such a server means for a cell, and the mechanism
// that is then used.
func extremeOutcome(j harness.Job, accepts bool) (login.Outcome, login.Mechanism) {
	facts, p, m := j.Profile.Facts(), j.Cell.Protocol, j.Cell.Mechanism
	if m == login.Auto {
		m = ""
		for _, choice := range facts.Protocols[p].Chooses {
			if m == "" && (accepts || !facts.LooksFor(p, choice)) { // all is offered, or nothing
				m = choice
			}
		}
	}
	switch {
	case accepts:
		return login.LoggedIn, m
	case m == "" || facts.LooksFor(p, m) && !facts.TriesAnyway:
		return login.NotOffered, ""
	default:
		return login.RefusedPolicy, m
	}
}

// extreme is a server that says yes, or no, to everybody. It is written apart
// from the reference server, and takes any TLS version on any port.
type extreme struct {
	accepts   bool
	listeners map[extremePort]net.Listener
	config    *tls.Config
	pool      *x509.CertPool
	running   sync.WaitGroup
	issuer    harness.Issuer
	// password is that of the only account: to show what there is to be seen,
	// an exchange must go on as far as the client lets it.
	password atomic.Pointer[string]
}

type extremePort struct {
	protocol login.Protocol
	implicit bool
}

func newExtreme(t *testing.T, accepts bool) *extreme {
	authority, err := certs.NewAuthority("extreme", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	e := &extreme{accepts: accepts, issuer: reference(t), listeners: map[extremePort]net.Listener{}, pool: authority.Pool(),
		config: &tls.Config{MinVersion: tls.VersionTLS10, SessionTicketsDisabled: true}}
	for _, suites := range [][]*tls.CipherSuite{tls.CipherSuites(), tls.InsecureCipherSuites()} {
		for _, s := range suites {
			e.config.CipherSuites = append(e.config.CipherSuites, s.ID)
		}
	}
	e.config.Certificates = leaves(t, authority)
	for _, p := range login.Protocols() {
		for _, implicit := range []bool{false, true} {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			port := extremePort{p, implicit}
			e.listeners[port] = l
			e.running.Go(func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					e.running.Go(func() { e.session(c, port) })
				}
			})
		}
	}
	t.Cleanup(func() {
		for _, l := range e.listeners {
			_ = l.Close()
		}
		e.running.Wait()
	})
	return e
}

func (e *extreme) Name() string { return "extreme" }

func (e *extreme) Issue(account string, flaw login.Flaw) (login.Issued, error) {
	return e.issuer.Issue(account, flaw)
}

func (e *extreme) Under(_ context.Context, setup login.Setup) (wire.Door, error) {
	e.password.Store(&setup.Accounts[0].Password)
	return &extremeDoor{e}, nil
}

// leaves are a certificate for today's clients and one for those that know RSA
// only.
func leaves(t testing.TB, authority *certs.Authority) []tls.Certificate {
	t.Helper()
	var all []tls.Certificate
	for _, kind := range []certs.KeyKind{certs.ECDSA, certs.RSA} {
		pair, err := authority.Issue(certs.Leaf{Names: []string{login.DefaultIdentity}, Key: kind})
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := pair.TLS()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, leaf)
	}
	return all
}

// extremeDoor records every refusal as one of policy.
type extremeDoor struct{ *extreme }

func (d *extremeDoor) Dial(ctx context.Context, p login.Protocol, t login.Transport) (net.Conn, error) {
	var dialer net.Dialer
	return dialer.DialContext(ctx, "tcp", d.listeners[extremePort{p, t == login.TLS}].Addr().String())
}

func (d *extremeDoor) Authority() *x509.CertPool { return d.pool }
func (d *extremeDoor) Close() error              { return nil }

func (d *extremeDoor) Record() []login.Record {
	if d.accepts {
		return []login.Record{{}}
	}
	return []login.Record{{Refusal: login.ByPolicy}}
}

func (e *extreme) session(c net.Conn, port extremePort) {
	defer func() { _ = c.Close() }()
	if port.implicit {
		c = tls.Server(c, e.config)
	}
	in := bufio.NewReader(c)
	say := func(line string) { _, _ = fmt.Fprintf(c, "%s\r\n", line) }
	hear := func() string {
		line, _ := in.ReadString('\n')
		return strings.TrimRight(line, "\r\n")
	}
	yes, no, ask, bad := "235 2.7.0 yes", "504 5.5.4 no", "334 ", "250 2.0.0 well"
	timestamp := "<1.2@" + login.DefaultIdentity + ">"
	if port.protocol == login.POP3 {
		yes, no, ask, bad = "+OK yes", "-ERR no", "+ ", "+OK well"
	}
	switch {
	case port.protocol == login.SMTP:
		say("220 extreme")
	case e.accepts:
		say("+OK extreme " + timestamp)
	default:
		say("+OK extreme")
	}
	names := allNames()
	answer := no
	if e.accepts {
		answer = yes
	}
	for {
		words := strings.Fields(hear())
		if len(words) == 0 {
			return
		}
		switch command := strings.ToUpper(words[0]); {
		case command == "EHLO" && e.accepts:
			say("250-extreme\r\n250-STARTTLS\r\n250 AUTH " + names)
		case command == "EHLO":
			say("250-extreme\r\n250 STARTTLS")
		case command == "CAPA" && e.accepts:
			say("+OK\r\nSTLS\r\nUSER\r\nSASL " + names + "\r\n.")
		case command == "CAPA":
			say("+OK\r\nSTLS\r\n.")
		case command == "STARTTLS", command == "STLS":
			say(map[login.Protocol]string{login.SMTP: "220 go", login.POP3: "+OK go"}[port.protocol])
			c = tls.Server(c, e.config)
			in = bufio.NewReader(c)
		case command == "AUTH" && len(words) == 1 && e.accepts:
			say("+OK\r\n" + strings.ReplaceAll(names, " ", "\r\n") + "\r\n.")
		case command == "AUTH" && len(words) == 1:
			say("+OK\r\n.")
		case command == "AUTH" && e.accepts:
			e.exchange(port.protocol, login.Mechanism(words[1]), hear, func(challenge []byte) {
				say(ask + base64.StdEncoding.EncodeToString(challenge))
			})
			say(answer)
		case command == "USER" && e.accepts:
			say(bad)
		case command == "AUTH", command == "USER", command == "PASS", command == "APOP":
			say(answer)
		case command == "QUIT":
			say(map[login.Protocol]string{login.SMTP: "221 bye", login.POP3: "+OK bye"}[port.protocol])
			return
		default:
			say(bad)
		}
	}
}

// allNames are the SASL mechanisms, as lists have them.
func allNames() string {
	names := slices.DeleteFunc(mech.Names(), func(m login.Mechanism) bool { return m == login.UserPass || m == login.APOP })
	return strings.Trim(fmt.Sprint(names), "[]")
}

// exchange asks for every message that the mechanism has, and looks at none.
func (e *extreme) exchange(p login.Protocol, m login.Mechanism, hear func() string, ask func([]byte)) {
	impl, ok := mech.Get(m)
	if !ok {
		return
	}
	half := impl.Server(mech.ServerConfig{Protocol: p, Identity: login.DefaultIdentity, Rand: rand.Reader, Now: time.Now,
		Lookup: func(string) (string, bool) { return *e.password.Load(), true },
		Check:  func(string, string) bool { return true },
		Keys: func(_ string, hash mech.Hash) (mech.StoredKeys, bool) {
			keys, err := mech.NewStoredKeys(hash, *e.password.Load(), []byte("of the extreme"), mech.DefaultRounds)
			return keys, err == nil
		},
		Known: func(string) bool { return true },
		Token: func(string) (string, error) { return "", mech.ErrCredentials }})
	var message []byte
	for {
		challenge, done, err := half.Next(message)
		if done || err != nil {
			return
		}
		ask(challenge)
		message, _ = base64.StdEncoding.DecodeString(hear())
	}
}
