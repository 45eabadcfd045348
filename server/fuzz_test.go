package server

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// FuzzSMTP sends anything to an SMTP session: it never panics, always ends,
// and answers in the grammar of RFC 5321 4.2.
func FuzzSMTP(f *testing.F) {
	plain := b64("\x00alice\x00wonderland")
	for _, seed := range []string{
		"EHLO x\r\nAUTH PLAIN " + plain + "\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<alice@example.test>\r\nDATA\r\n.x\r\n.\r\nQUIT\r\n",
		"EHLO x\r\nAUTH LOGIN\r\n*\r\nAUTH CRAM-MD5\r\n\r\nAUTH NTLM\r\n" + b64("NTLMSSP\x00\x01\x00\x00\x00\x07\x82\x08\xa2") + "\r\n",
		"HELO x\r\nMAIL FROM:<>\r\nRCPT TO:<postmaster>\r\nRCPT TO:<\"a\\\"b\"@[IPv6:::1]>\r\nDATA\r\na\n.\n\r\n.\r\nRSET\r\n",
		"EHLO x\r\nSTARTTLS\r\nNOOP\r\n", "EHLO x\nQUIT\n", "BDAT 5 LAST\r\nxxxxx", "GET / HTTP/1.1\r\n\r\n", "\x00\r\n\r\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, octets []byte) {
		for line := range bytes.Lines(runSession(t, login.SMTP, octets)) {
			if line[0] == '\x15' { // a TLS alert
				break
			}
			if len(line) < 6 || line[0] < '2' || line[0] > '5' || !bytes.HasSuffix(line, []byte("\r\n")) || bytes.ContainsAny(line[:len(line)-2], "\r\x00") {
				t.Errorf("not a reply: %q", line)
			}
		}
	})
}

// FuzzPOP3 does the same to POP3.
func FuzzPOP3(f *testing.F) {
	for _, seed := range []string{
		"CAPA\r\nUSER alice\r\nPASS wonderland\r\nSTAT\r\nLIST\r\nRETR 1\r\nTOP 1 0\r\nUIDL 1\r\nDELE 1\r\nRSET\r\nNOOP\r\nQUIT\r\n",
		"AUTH\r\nAUTH PLAIN =\r\nAUTH LOGIN\r\n*\r\nAUTH CRAM-MD5\r\n!\r\nAPOP alice 0123\r\n",
		"STLS\r\nCAPA\r\n", "USER a\nPASS b\n", "STLS x\r\nUSER \xff\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, octets []byte) {
		if out := runSession(t, login.POP3, octets); !bytes.HasPrefix(out, []byte("+OK ")) {
			t.Errorf("greeting %.80q", out)
		}
	})
}

// runSession plays octets to a session and returns all that it said.
func runSession(t *testing.T, p login.Protocol, octets []byte) []byte {
	s, err := New(open(), withStore(testStore))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Deliver("alice", []byte("Subject: x\r\n\r\n.body\r\n")); err != nil {
		t.Fatal(err)
	}
	near, far := net.Pipe()
	ended := make(chan struct{})
	go func() { s.ServeConn(far, p, false); close(ended) }()
	heard := make(chan []byte)
	go func() { out, _ := io.ReadAll(near); heard <- out }()
	_ = near.SetWriteDeadline(time.Now().Add(patience))
	_, _ = near.Write(octets)
	_ = near.SetWriteDeadline(time.Time{}) // a pipe's deadline is a timer, which would outlive it
	go func() { _ = s.Close() }()          // interrupts it wherever it is
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatal("the session does not end")
	}
	_ = near.Close()
	return <-heard
}
