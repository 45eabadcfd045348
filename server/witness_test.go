package server

import (
	"bytes"
	"context"
	"crypto/tls"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/recording"
)

// notes is a witness that writes down what it is told, in short.
type notes struct {
	mu  sync.Mutex
	all []string
}

func (n *notes) Witness(e Event) {
	n.mu.Lock()
	defer n.mu.Unlock()
	mark := map[login.EventKind]string{login.EventLine: "C", login.EventReply: "S"}[e.Kind]
	if mark == "" {
		mark = string(e.Kind)
	}
	if e.Encrypted {
		mark += "+"
	}
	n.all = append(n.all, strings.TrimRight(mark+" "+e.Text, " "))
}

// TestWitness: everything is told, in order, line by line; the message is not.
func TestWitness(t *testing.T) {
	var log bytes.Buffer
	seen := &notes{}
	s := start(t, with(open(), func(s *login.Setup) { s.Policy = login.Only(login.PLAIN, login.Secure) }),
		WithWitness(seen), WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	c := s.dial(login.SMTP, login.Plain)
	c.want("EHLO client.example", "250-")
	c.want("STARTTLS", "220")
	c.handshake(clientTLS())
	// Pipelined: each answer is told behind its line.
	c.send("EHLO client.example\r\nAUTH PLAIN\r\n")
	c.wantRead("250-")
	c.wantRead("334 ")
	c.want(b64("\x00alice\x00wonderland"), "235")
	c.want("MAIL FROM:<alice@example.test>", "250")
	c.want("RCPT TO:<bob@example.test>", "250")
	c.want("DATA", "354")
	c.want("Subject: a message\r\n\r\nthe text\r\n.", "250")
	c.quit()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	seen.all = slices.DeleteFunc(seen.all, func(line string) bool { return strings.Contains(line, " 250-") })
	got := strings.Join(seen.all, "\n")
	for _, want := range []string{
		"opened\nS 220 mail.example.test ESMTP mailmatrix\nC EHLO client.example\nS 250 ENHANCEDSTATUSCODES\nC STARTTLS\nS 220 2.0.0 ready for TLS\ntls-up+\n",
		"C+ EHLO client.example\nS+ 250 ENHANCEDSTATUSCODES\nC+ AUTH PLAIN\nS+ 334\nC+ " + b64("\x00alice\x00wonderland") + "\nS+ 235 2.7.0 you are logged in\n",
		"\nC+ QUIT\nS+ 221 2.0.0 good bye\nclosed+",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("missing %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "the text") || strings.Contains(got, "C+ .") {
		t.Errorf("the message was told:\n%s", got)
	}
	if !strings.HasSuffix(got, "closed+") || strings.Count(got, "opened") != 1 {
		t.Errorf("not from beginning to end:\n%s", got)
	}
	for _, secret := range []string{"wonderland", b64("\x00alice\x00wonderland")} {
		if strings.Contains(log.String(), secret) {
			t.Error("the log holds the password")
		}
	}
}

// TestEventIsSilent: a secret cannot be printed by accident.
func TestEventIsSilent(t *testing.T) {
	e := Event{Kind: login.EventLine, Text: "PASS wonderland"}
	if text := e.String() + e.GoString(); strings.Contains(text, "wonderland") {
		t.Error(text)
	}
}

// TestWitnessOfAHandshake: who rejects the certificate before it has finished
// is a failure; who finishes, and then goes, has had TLS. In the recordings
// the one is curl, the other claws-mail.
func TestWitnessOfAHandshake(t *testing.T) {
	cases := postures(t)
	for _, tt := range []struct {
		name, posture string
		config        *tls.Config
		want          string // the last command
	}{
		{"TLS 1.3, an alert in place of Finished", "S3", &tls.Config{RootCAs: testStore.pool(), ServerName: recording.Host}, "c1 TLS-FAIL"},
		{"TLS 1.3, Finished and then gone", "S3", trusting(), "c1 TLS-UP"},
		{"TLS 1.2, an alert in place of Finished", "P3", &tls.Config{RootCAs: testStore.pool(), ServerName: recording.Host, MaxVersion: tls.VersionTLS12}, "c1 TLS-FAIL"},
		{"TLS 1.2, Finished and then gone", "P3", &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12}, "c1 TLS-UP"},
		{"another name", "P3w", &tls.Config{RootCAs: testStore.pool(), ServerName: recording.Host}, "c1 TLS-FAIL"},
		{"expired", "S3e", &tls.Config{RootCAs: testStore.pool(), ServerName: recording.Host}, "c1 TLS-FAIL"},
		{"all is well", "S3t", &tls.Config{RootCAs: testStore.pool(), ServerName: recording.Host}, "c1 TLS-UP"},
		{"gone without a word", "S3", nil, "c1 TLS-FAIL"},
	} {
		seen := &watchedEnd{Recorder: recording.NewRecorder(cases[tt.posture]), closed: make(chan struct{})}
		p := start(t, cases[tt.posture].Setup(recording.Secrets()), WithWitness(seen))
		conn := dialTCP(t, p.ports[port{cases[tt.posture].Protocol, true}])
		if tt.config != nil {
			_ = tls.Client(conn, tt.config).Handshake()
		}
		_ = conn.Close()
		<-seen.closed
		record := seen.Record()
		if got := strings.Join(record.Commands, " "); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
		if failed := record.CertFail != nil; failed == record.TLSUp || failed != strings.HasSuffix(tt.want, "FAIL") {
			t.Errorf("%s: up %v, failed %v", tt.name, record.TLSUp, record.CertFail)
		}
	}
}

// watchedEnd is a recorder that tells when the one connection has ended.
type watchedEnd struct {
	*recording.Recorder
	closed chan struct{}
}

func (e *watchedEnd) Witness(event Event) {
	e.Recorder.Witness(event)
	if event.Kind == login.EventClosed {
		close(e.closed)
	}
}

// TestUnderWitness: doors of one reference are watched each by its own.
func TestUnderWitness(t *testing.T) {
	r, err := NewReference()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	cases := postures(t)
	var group sync.WaitGroup
	for name, c := range cases {
		if c.Protocol != login.POP3 {
			continue
		}
		group.Go(func() {
			recorder := recording.NewRecorder(c)
			door, err := r.UnderWitness(context.Background(), c.Setup(recording.Secrets()), recorder)
			if err != nil {
				t.Error(err)
				return
			}
			for range 2 {
				conn, err := door.Dial(context.Background(), login.POP3, login.Plain)
				if err != nil {
					t.Error(err)
					return
				}
				peer := newPeer(t, conn, login.POP3)
				peer.read()
				peer.send("XYZZY " + name + "\r\nQUIT\r\n")
				peer.read()
				peer.read()
				_ = conn.Close()
			}
			if err := door.Close(); err != nil {
				t.Error(err)
			}
			record := recorder.Record()
			want := "c1 clear XYZZY " + name + " c1 clear QUIT c2 clear XYZZY " + name + " c2 clear QUIT"
			if got := strings.Join(record.Commands, " "); got != want || record.Conns != 2 {
				t.Errorf("got %q on %d connections, want %q", got, record.Conns, want)
			}
		})
	}
	group.Wait()
}
