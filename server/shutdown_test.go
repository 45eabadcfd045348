package server

import (
	"context"
	"errors"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"
	"github.com/onsi/gomega/gleak"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// TestShutdown: every session is told between two commands, Serve returns,
// and nothing is left running.
func TestShutdown(t *testing.T) {
	before := gleak.Goroutines()
	g := gomega.NewWithT(t)
	s, err := New(open(), withStore(testStore))
	if err != nil {
		t.Fatal(err)
	}
	site := &site{Server: s, t: t, ports: map[port]string{}}
	served := make(chan error, 2)
	for _, p := range login.Protocols() {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		site.ports[port{p, false}] = l.Addr().String()
		go func() { served <- s.Serve(l, p, false) }()
	}
	states := map[string]*peer{"421 4.3.2 ": site.smtp(login.Plain), "421 4.3.2 shutting": site.smtp(login.StartTLS),
		"421 4.3.2 shutting down": site.smtp(login.Plain), "421 4.3.2 shutting down,": site.smtp(login.Plain),
		"-ERR [SYS/TEMP] ": site.pop3(login.Plain), "-ERR [SYS/TEMP] shutting": site.pop3(login.StartTLS)}
	states["-ERR [SYS/TEMP] shutting"].list() // the server's side of the handshake has ended too
	states["421 4.3.2 shutting down"].want("AUTH LOGIN", "334 ")
	inData := states["421 4.3.2 shutting down,"]
	converse(t, inData, "", []exchange{{"MAIL FROM:<>", "250 "}, {"RCPT TO:<alice@example.test>", "250 "}, {"DATA", "354 "}})
	states["-ERR [SYS/TEMP] "].enter(login.UserPass, alice)

	closed := make(chan error)
	go func() { closed <- s.Close() }()
	for begins, c := range states {
		c.wantRead(begins)
		c.wantRead("EOF")
		_ = c.conn.Close()
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := <-served; !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
	}
	near, far := net.Pipe()
	s.ServeConn(far, login.SMTP, false)
	if _, err := near.Read(make([]byte, 1)); err == nil {
		t.Error("a closed server spoke")
	}
	g.Eventually(gleak.Goroutines, patience, time.Millisecond).ShouldNot(gleak.HaveLeaked(before))
}

// TestShutdownInTime: a session that does not listen is cut when the time is
// over.
func TestShutdownInTime(t *testing.T) {
	s, err := New(open(), withStore(testStore))
	if err != nil {
		t.Fatal(err)
	}
	near, far := net.Pipe() // nobody reads the greeting
	done := make(chan struct{})
	go func() { s.ServeConn(far, login.SMTP, false); close(done) }()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	<-done
	_ = near.Close()
}

// TestReference: doors into many servers behind the same ports, each with
// its own setup, at once; a port that is really closed; and honest counts.
func TestReference(t *testing.T) {
	before := gleak.Goroutines()
	g := gomega.NewWithT(t)
	r, err := NewReference()
	if err != nil {
		t.Fatal(err)
	}
	const cells = 40
	t.Run("cells", func(t *testing.T) {
		for i := range cells {
			t.Run("cell", func(t *testing.T) {
				t.Parallel()
				setup := open()
				setup.Policy = login.Only(login.PLAIN, login.Settings()[i%3])
				setup.Flavour = login.Flavours()[i%2]
				visit(t, r, setup)
			})
		}
	})
	if got := r.Counts(); got.Accepts != 2*cells+cells/2 || got.Handshakes != cells+cells/2 {
		t.Errorf("counts %+v", got)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	g.Eventually(gleak.Goroutines, patience, time.Millisecond).ShouldNot(gleak.HaveLeaked(before))
}

// visit logs in over each transport of one door.
func visit(t *testing.T, r *Reference, setup login.Setup) {
	t.Helper()
	door, err := r.Under(t.Context(), setup)
	if err != nil {
		t.Fatal(err)
	}
	for _, transport := range login.Transports() {
		conn, err := door.Dial(t.Context(), login.SMTP, transport)
		if transport == login.TLS && setup.Flavour == login.Classic {
			if err == nil || !strings.Contains(err.Error(), "connection refused") {
				t.Errorf("classic, TLS: %v", err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		c := newPeer(t, conn, login.SMTP)
		config := clientTLS()
		config.RootCAs = door.Authority()
		if transport == login.TLS {
			c.handshake(config)
		}
		c.wantRead("220 ")
		c.list()
		if transport == login.StartTLS {
			c.want("STARTTLS", "220 ")
			c.handshake(config)
			c.list()
		}
		answer, _ := c.logIn(login.PLAIN, "alice", "wonderland")
		if want := setup.Policy.For(login.SMTP, login.PLAIN).Permits(transport); accepted(answer) != want {
			t.Errorf("%s %s: %s", setup.Policy, transport, answer)
		}
		c.quit()
	}
	if got := len(door.Record()); got != 3 && (got != 2 || setup.Flavour != login.Classic) {
		t.Errorf("%d records", got)
	}
	if err := door.Close(); err != nil {
		t.Error(err)
	}
	if _, err := door.Dial(t.Context(), login.SMTP, login.Plain); !errors.Is(err, ErrClosed) {
		t.Errorf("dialling a closed door: %v", err)
	}
}

// TestDoorRelayed: a door tells scenarios whom the server relays for.
func TestDoorRelayed(t *testing.T) {
	r, err := NewReference()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	door, err := r.Under(t.Context(), open())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = door.Close() }()
	teller := door.(interface{ Relayed() []login.Relay })
	if got := teller.Relayed(); len(got) != 0 {
		t.Errorf("relayed before anything was sent: %+v", got)
	}
	conn, err := door.Dial(t.Context(), login.SMTP, login.Plain)
	if err != nil {
		t.Fatal(err)
	}
	c := newPeer(t, conn, login.SMTP)
	c.read()
	c.list()
	c.enter(login.PLAIN, alice).mail("somebody@elsewhere.example", "x")
	c.quit()
	want := []login.Relay{{Account: "alice", To: []string{"somebody@elsewhere.example"}}}
	if got := teller.Relayed(); !reflect.DeepEqual(got, want) {
		t.Errorf("relayed %+v, want %+v", got, want)
	}
}

// TestReferenceSlowDown: the posture is virtual, nobody waits.
func TestReferenceSlowDown(t *testing.T) {
	r, err := NewReference()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	door, err := r.Under(t.Context(), slow())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := door.Dial(t.Context(), login.POP3, login.Plain)
	if err != nil {
		t.Fatal(err)
	}
	c := newPeer(t, conn, login.POP3)
	c.read()
	began := time.Now()
	for range 3 {
		c.logIn(login.UserPass, "alice", "wrong")
	}
	c.wantRead("EOF")
	if time.Since(began) > time.Second {
		t.Error("somebody waited")
	}
	for i, r := range door.Record() {
		if r.DelayMS != 1000<<i {
			t.Errorf("record %d: %+v", i, r)
		}
	}
	_ = door.Close()
}

// TestReferenceClosesEarly: a client that is gone before the server looked,
// and a stranger, leave nothing behind.
func TestReferenceClosesEarly(t *testing.T) {
	before := gleak.Goroutines()
	r, err := NewReference()
	if err != nil {
		t.Fatal(err)
	}
	door, err := r.Under(t.Context(), open())
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		conn, err := door.Dial(t.Context(), login.SMTP, login.Plain)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
	}
	stranger := dialTCP(t, r.listeners[port{login.SMTP, false}].Addr().String())
	if err := door.Close(); err != nil {
		t.Error(err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	_ = stranger.SetDeadline(time.Now().Add(patience))
	if _, err := stranger.Read(make([]byte, 1)); err == nil {
		t.Error("a stranger was served")
	}
	_ = stranger.Close()
	gomega.NewWithT(t).Eventually(gleak.Goroutines, patience, time.Millisecond).ShouldNot(gleak.HaveLeaked(before))
}
