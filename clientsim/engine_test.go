package clientsim_test

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/certs"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

var plainLeaf = certs.Leaf{Names: []string{login.DefaultIdentity}}

// What ends a login before the server has answered.
func TestBroken(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		transport login.Transport
		script    []string
		want      login.Outcome
		attempted bool
		why       string
	}{
		{"no greeting", login.Plain, nil, login.Dropped, false, "hung up at once"},
		{"greeting refuses", login.Plain, []string{"S -ERR busy", "C QUIT", "S +OK"}, login.Refused, false, "nobody was asked to log in"},
		{"no POP3", login.Plain, []string{"S 220 mail"}, login.Dropped, false, "an answer that is none"},
		{"dropped at USER", login.Plain, []string{"S +OK", "C USER <user>"}, login.Dropped, true, "no answer is no refusal"},
		{"dropped at PASS", login.Plain, []string{"S +OK", "C USER <user>", "S +OK", "C PASS <secret>"}, login.Dropped, true, "no answer is no refusal"},
		{"dropped at QUIT", login.Plain, []string{"S +OK", "C USER <user>", "S -ERR no"}, login.Refused, true, "the login had been answered"},
		{"no TLS on the TLS port", login.TLS, []string{"S +OK mail.example.test speaks no TLS here"}, login.NoTLS, false, "the handshake failed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newScripted(t, tt.script, login.UserPass, plainLeaf)
			got := clientsim.Login(t.Context(), configFor(t, conversation{profile: "outlook", protocol: login.POP3,
				transport: tt.transport, mechanism: login.UserPass}, s))
			o := got.Observation
			if o.Outcome != tt.want || o.Attempted != tt.attempted {
				t.Errorf("%s: %s (%s), attempted %v; want %s, %v", tt.why, o.Outcome, o.Detail, o.Attempted, tt.want, tt.attempted)
			}
			if o.Outcome == login.Dropped && (o.Reply != "" || o.Detail == "") {
				t.Errorf("dropped with reply %q, detail %q", o.Reply, o.Detail)
			}
			_ = s.Close()
		})
	}
}

// silent is a server that accepts and says nothing.
func silent(t *testing.T) *scripted {
	t.Helper()
	s := newScripted(t, []string{"C never comes"}, login.UserPass, plainLeaf)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestLimit(t *testing.T) {
	t.Parallel()
	c := configFor(t, conversation{profile: "outlook", protocol: login.POP3, transport: login.Plain, mechanism: login.Auto}, silent(t))
	c.Limit = 20 * time.Millisecond
	if o := clientsim.Login(t.Context(), c).Observation; o.Outcome != login.Dropped || !strings.Contains(o.Detail, "timeout") {
		t.Errorf("%s (%s)", o.Outcome, o.Detail)
	}
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	c := configFor(t, conversation{profile: "outlook", protocol: login.POP3, transport: login.Plain, mechanism: login.Auto}, silent(t))
	ctx, cancel := context.WithCancelCause(t.Context())
	door := &dialed{scripted: c.Door.(*scripted), then: func() { cancel(errors.New("somebody pressed a key")) }}
	c.Door = door
	o := clientsim.Login(ctx, c).Observation
	if o.Outcome != login.Error || o.Detail != "interrupted: somebody pressed a key" {
		t.Errorf("%s (%s)", o.Outcome, o.Detail)
	}
}

// dialed does something once a connection is there.
type dialed struct {
	*scripted
	then func()
}

func (d *dialed) Dial(ctx context.Context, p login.Protocol, t login.Transport) (net.Conn, error) {
	conn, err := d.scripted.Dial(ctx, p, t)
	d.then()
	return conn, err
}

// shut is a door that does not open.
type shut struct{ err error }

func (s shut) Dial(context.Context, login.Protocol, login.Transport) (net.Conn, error) {
	return nil, s.err
}
func (shut) Authority() *x509.CertPool { return nil }
func (shut) Record() []login.Record    { return nil }
func (shut) Close() error              { return nil }

func TestShutDoor(t *testing.T) {
	t.Parallel()
	closed := &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	for _, tt := range []struct {
		name      string
		transport login.Transport
		err       error
		want      login.Outcome
		why       string
	}{
		{"closed, plain", login.Plain, closed, login.Error, "no server, no statement"},
		{"closed, STARTTLS", login.StartTLS, closed, login.NoTLS, "the port is closed"},
		{"closed, TLS", login.TLS, closed, login.NoTLS, "the port is closed"},
		{"ours, TLS", login.TLS, syscall.EMFILE, login.Error, "we have no descriptor left"},
	} {
		c := clientsim.Config{Profile: profile(t, "eudora"), Protocol: login.POP3, Transport: tt.transport,
			Mechanism: login.Auto, Door: shut{tt.err}, Secrets: secrets}
		got := clientsim.Login(t.Context(), c)
		if got.Observation.Outcome != tt.want || got.Taps != nil {
			t.Errorf("%s: %s, want %s: %s", tt.name, got.Observation.Outcome, tt.want, tt.why)
		}
	}
}

func TestOursToAnswerFor(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, profile, transport, mechanism, want string }{
		{"transport it cannot", "outlook", "starttls", "auto", `profile outlook cannot do pop3 over "starttls"`},
		{"mechanism it does not know", "outlook", "plain", "APOP", `profile outlook does not know "APOP" in pop3`},
		{"mechanism nobody knows", "probe", "plain", "X-MADE-UP", `profile probe does not know "X-MADE-UP" in pop3`},
		{"a probe has no choice", "probe", "plain", "auto", "profile probe has no choice of its own in pop3"},
	} {
		c := clientsim.Config{Profile: profile(t, tt.profile), Protocol: login.POP3, Transport: login.Transport(tt.transport),
			Mechanism: login.Mechanism(tt.mechanism), Door: shut{}}
		o := clientsim.Login(t.Context(), c).Observation
		if o.Outcome != login.Error || o.Detail != tt.want {
			t.Errorf("%s: %s (%s), want error (%s)", tt.name, o.Outcome, o.Detail, tt.want)
		}
	}
}

// What is hidden in the transcript is what crossed the wire.
func TestSecretsCross(t *testing.T) {
	t.Parallel()
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	for _, tt := range []struct {
		name       string
		profile    string
		protocol   login.Protocol
		mechanism  login.Mechanism
		credential login.Credential
		script     []string
		want       []string // the lines of the client that hold something
	}{
		{"PLAIN", "probe", login.SMTP, login.PLAIN, login.WithAccount,
			[]string{"S 220", "C", "S 250 x", "C", "S 334 ", "C", "S 235", "C", "S 221"},
			[]string{b64("\x00canaryname\x00canary-Pass-1")}},
		{"LOGIN, wrong password", "probe", login.SMTP, login.LOGIN, login.WithWrong,
			[]string{"S 220", "C", "S 250 x", "C", "S 334 VXNlcm5hbWU6", "C", "S 334 UGFzc3dvcmQ6", "C", "S 535", "C", "S 221"},
			[]string{b64("canaryname"), b64("canary-Wrong-3")}},
		{"USER and PASS, override", "outlook", login.POP3, login.UserPass, login.WithOverride,
			[]string{"S +OK", "C", "S +OK", "C", "S +OK", "C", "S +OK"},
			[]string{"USER canaryname", "PASS canary-Over-2"}},
		{"CRAM-MD5", "eudora", login.SMTP, login.CRAMMD5, login.WithAccount,
			[]string{"S 220", "C", "S 250-x", "S 250 AUTH CRAM-MD5", "C", "S 334 <challenge>", "C", "S 235", "C", "S 221"},
			[]string{b64(proof(t, login.CRAMMD5))}},
		{"APOP", "eudora", login.POP3, login.APOP, login.WithAccount,
			[]string{"S +OK <challenge>", "C", "S +OK", "C", "S +OK"},
			[]string{"APOP " + proof(t, login.APOP)}},
		{"APOP without timestamp", "probe", login.POP3, login.APOP, login.WithAccount,
			[]string{"S +OK", "C", "S -ERR", "C", "S +OK"},
			[]string{"APOP canaryname 00000000000000000000000000000000"}},
		{"leak", "eudora-7-win", login.SMTP, login.LOGIN, login.WithAccount,
			[]string{"S 220", "C", "S 250-x", "S 250 AUTH LOGIN", "C", "S 504", "C", "S 500", "C", "S 500", "C", "S 221"},
			[]string{b64("canaryname"), b64("canary-Pass-1")}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newScripted(t, tt.script, tt.mechanism, plainLeaf)
			c := configFor(t, conversation{profile: tt.profile, protocol: tt.protocol, transport: login.Plain, mechanism: tt.mechanism}, s)
			c.Credential, c.Rand = tt.credential, zero{}
			got := clientsim.Login(t.Context(), c)
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			for _, want := range tt.want {
				if !slices.Contains(s.heard, want) {
					t.Errorf("the server did not hear %q in %q", want, s.heard)
				}
			}
			showsNoSecret(t, got)
		})
	}
}

// No built-in client sends an initial response, so one is made that does.
func TestInitialResponse(t *testing.T) {
	t.Parallel()
	eudora := read(t, "profiles/eudora-7-win.yaml")
	eager, err := clientsim.Load("eager.yaml", []byte(strings.Replace(eudora, "value: []", "value: [PLAIN, LOGIN]", 1)))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name      string
		mechanism login.Mechanism
		user      string
		script    []string
		want      string // what the server hears
		why       string
	}{
		{"PLAIN", login.PLAIN, "u", []string{"C AUTH PLAIN <secret>", "S 235 2.7.0 ok"}, "AUTH PLAIN AHUAcA==", "all in one line"},
		{"LOGIN", login.LOGIN, "u", []string{"C AUTH LOGIN <user>", "S 334 UGFzc3dvcmQ6", "C <secret>", "S 235 2.7.0 ok"}, "AUTH LOGIN dQ==", "the name is the first message"},
		{"empty", login.LOGIN, "", []string{"C AUTH LOGIN <user>", "S 334 UGFzc3dvcmQ6", "C <secret>", "S 235 2.7.0 ok"}, "AUTH LOGIN =", "RFC 4954 4: an empty one is an equals sign"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			script := slices.Concat([]string{"S 220 mail", "C EHLO workstation1.office.example", "S 250-mail", "S 250 AUTH PLAIN LOGIN"},
				tt.script, []string{"C QUIT", "S 221 bye"})
			s := newScripted(t, script, tt.mechanism, plainLeaf)
			got := clientsim.Login(t.Context(), clientsim.Config{Profile: eager, Protocol: login.SMTP, Transport: login.Plain,
				Mechanism: tt.mechanism, Door: s, Secrets: login.Secrets{Name: tt.user, Password: "p"}, Credential: login.WithAccount})
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if !slices.Equal(got.Transcript, script) || !slices.Contains(s.heard, tt.want) || !got.Attempts[0].Initial {
				t.Errorf("%s: %q, heard %q", tt.why, got.Transcript, s.heard)
			}
		})
	}
}

// proof is the client's message over the scripts' challenge.
func proof(t *testing.T, m login.Mechanism) string {
	t.Helper()
	impl, _ := mech.Get(m)
	message, err := impl.Client(mech.ClientConfig{Username: secrets.Name, Password: secrets.Password}).Next([]byte(stamp))
	if err != nil {
		t.Fatal(err)
	}
	return string(message)
}

// showsNoSecret searches everything of a result that a report may print.
func showsNoSecret(t *testing.T, got clientsim.Result) {
	t.Helper()
	search := wire.NewSearcher(wire.Needle{Name: "name", Text: secrets.Name}, wire.Needle{Name: "password", Text: secrets.Password},
		wire.Needle{Name: "wrong", Text: secrets.Wrong}, wire.Needle{Name: "override", Text: secrets.Override},
		wire.Needle{Name: "windows", Text: secrets.WindowsUser}, wire.Needle{Name: "windows password", Text: secrets.WindowsPassword})
	text := fmt.Sprintf("%q %+v %+v", got.Transcript, got.Observation, got.Attempts)
	if found := search.Find([]byte(text)); len(found) > 0 {
		t.Errorf("%v in %s", found, text)
	}
}

// An experiment may put another Windows below the client than its own.
func TestOtherNTLM(t *testing.T) {
	t.Parallel()
	script := []string{"S 220", "C", "S 250-x", "S 250 AUTH NTLM",
		"C", "S 334 ", "C", "S 334 <challenge>", "C", "S 235 2.7.0 ok", "C", "S 221"}
	for _, tt := range []struct {
		kind login.NTLMKind
		v2   bool
		why  string
	}{
		{"", true, "the probe's own"},
		{login.NTLMv1, false, "an older Windows"},
	} {
		s := newScripted(t, script, login.NTLM, plainLeaf)
		c := configFor(t, conversation{profile: "probe", protocol: login.SMTP, transport: login.Plain, mechanism: login.NTLM}, s)
		c.NTLM = tt.kind
		if o := clientsim.Login(t.Context(), c).Observation; o.Outcome != login.LoggedIn {
			t.Errorf("%s: %s (%s)", tt.why, o.Outcome, o.Detail)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		last, err := base64.StdEncoding.DecodeString(s.heard[3]) // after EHLO, AUTH and the first message
		if err != nil {
			t.Fatal(err)
		}
		// MS-NLMP 2.2.1.3: the length of the NT response stands at octet 20; in
		// version 2 it is more than the 24 octets of version 1.
		if length := binary.LittleEndian.Uint16(last[20:]); (length > 24) != tt.v2 {
			t.Errorf("%s: an NT response of %d octets", tt.why, length)
		}
	}
}

// The Windows user is offered first, and told apart.
func TestWindowsUserFirst(t *testing.T) {
	t.Parallel()
	script := []string{"S 220", "C", "S 250-x", "S 250 AUTH NTLM",
		"C", "S 334 ", "C", "S 334 <challenge>", "C", "S 535 5.7.8 no",
		"C", "S 334 ", "C", "S 334 <challenge>", "C", "S 535 5.7.8 no again", "C", "S 221"}
	s := newScripted(t, script, login.NTLM, plainLeaf)
	got := clientsim.Login(t.Context(), configFor(t, conversation{profile: "outlook", protocol: login.SMTP,
		transport: login.Plain, mechanism: login.Auto}, s))
	want := []clientsim.Attempt{
		{Mechanism: login.NTLM, Asked: true, WindowsUser: true, Reply: "535 5.7.8 no"},
		{Mechanism: login.NTLM, Asked: true, Reply: "535 5.7.8 no again"},
	}
	if !slices.Equal(got.Attempts, want) {
		t.Errorf("got %+v", got.Attempts)
	}
	if o := got.Observation; o.Outcome != login.RefusedCredentials || o.Reply != "535 5.7.8 no again" || o.Used != login.NTLM {
		t.Errorf("got %+v", o)
	}
	showsNoSecret(t, got)
	search := wire.NewSearcher(wire.Needle{Name: "windows", Text: secrets.WindowsUser}, wire.Needle{Name: "account", Text: secrets.Name})
	var order []string
	for _, heard := range got.Heard() {
		for _, n := range search.Find(heard.Line) {
			order = append(order, n.Name)
		}
	}
	if !slices.Equal(order, []string{"windows", "account"}) {
		t.Errorf("crossed the wire: %v", order)
	}
	_ = s.Close()
}
