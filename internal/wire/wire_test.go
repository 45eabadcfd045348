package wire

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

func TestReadLine(t *testing.T) {
	for _, row := range []struct {
		name, in string
		limit    int
		want     []string // "!" is a line too long
		end      error
	}{
		{"two lines", "a\r\nb\r\n", 10, []string{"a", "b"}, io.EOF},
		{"bare line feed", "a\nb\n", 10, []string{"a", "b"}, io.EOF},
		{"empty line", "\r\n", 10, []string{""}, io.EOF},
		{"exactly the limit", "12345\r\n", 5, []string{"12345"}, io.EOF},
		{"one more", "123456\r\nb\r\n", 5, []string{"!", "b"}, io.EOF},
		{"longer than the buffer", strings.Repeat("x", 100) + "\r\nb\r\n", 200, []string{strings.Repeat("x", 100), "b"}, io.EOF},
		{"far too long", strings.Repeat("x", 100) + "\r\nb\r\n", 20, []string{"!", "b"}, io.EOF},
		{"cut short", "a\r\nb", 10, []string{"a"}, io.ErrUnexpectedEOF},
		{"cut short, long", strings.Repeat("x", 50), 10, nil, io.ErrUnexpectedEOF},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := bufio.NewReaderSize(strings.NewReader(row.in), 16)
			var got []string
			for {
				line, err := ReadLine(r, row.limit)
				if errors.Is(err, ErrLineTooLong) {
					got = append(got, "!")
					continue
				}
				if err != nil {
					if !errors.Is(err, row.end) {
						t.Errorf("ends in %v, want %v", err, row.end)
					}
					break
				}
				got = append(got, string(line))
			}
			if !slices.Equal(got, row.want) {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

// Whatever a canary is wrapped in, it is found.
func TestSearch(t *testing.T) {
	const canary = "Xk3vQz9pLmW2"
	s := NewSearcher(Needle{"it", canary}, Needle{"empty", ""})
	wide := make([]byte, 0, 2*len(canary))
	for _, c := range []byte(canary) {
		wide = append(wide, c, 0)
	}
	b64 := base64.StdEncoding.EncodeToString
	for name, text := range map[string]string{
		"raw":                 "PASS " + canary,
		"upper case":          strings.ToUpper(canary),
		"lower case":          strings.ToLower(canary),
		"UTF-16":              string(wide),
		"base64":              "AUTH PLAIN " + b64([]byte("\x00u\x00"+canary)),
		"base64, offset 1":    b64([]byte("a" + canary)),
		"base64, offset 2":    b64([]byte("ab" + canary)),
		"base64 without end":  strings.TrimRight(b64([]byte(canary+"a")), "="),
		"base64 cut short":    b64([]byte("ab" + canary + "cdefg"))[:23],
		"base64 glued behind": "xyz" + b64([]byte(canary)),
		"base64url":           base64.URLEncoding.EncodeToString([]byte("\xff\xfe" + canary)),
		"base64 of UTF-16":    b64(append([]byte("NTLMSSP\x00\x03"), wide...)),
		"hex":                 "digest " + hex.EncodeToString([]byte(canary)),
		"base64 in base64":    b64([]byte("again " + b64([]byte(canary)))),
		"behind binary":       "\xff\xfe\x80" + canary,
		"hex behind a slash":  "x/" + hex.EncodeToString([]byte(canary)),
		"hex before a plus":   hex.EncodeToString([]byte(canary)) + "+x",
		"hex behind a code":   "535-" + hex.EncodeToString([]byte(canary)),
		"base64 behind one":   "535-" + b64([]byte("\xfb\xff"+canary)),
	} {
		if found := s.Find([]byte(text)); len(found) != 1 || found[0].Name != "it" {
			t.Errorf("%s: found %v in %q", name, found, text)
		}
	}
	if found := s.Find([]byte("334 UGFzc3dvcmQ6 nothing here, nor " + b64([]byte("something else")))); len(found) != 0 {
		t.Errorf("found %v where there is nothing", found)
	}
}

// dialogue gives a client connection to a scripted server.
func dialogue(t *testing.T, server string) *Conn {
	t.Helper()
	ours, theirs := net.Pipe()
	go func() { _, _ = io.WriteString(theirs, server) }()
	go func() { _, _ = io.Copy(io.Discard, theirs) }()
	c := NewConn(context.Background(), ours, 5*time.Second)
	t.Cleanup(func() { _ = c.Close(); _ = theirs.Close() })
	return c
}

func TestReadSMTP(t *testing.T) {
	c := dialogue(t, "250-first\r\n250-second x\r\n250 last\r\n354\r\n")
	r, err := c.ReadSMTP()
	if err != nil || r.Code != 250 || !slices.Equal(r.Lines, []string{"first", "second x", "last"}) ||
		r.First != "250-first" || r.Text() != "last" || !r.Positive() {
		t.Errorf("got %+v, %v", r, err)
	}
	if r, err := c.ReadSMTP(); err != nil || r.Code != 354 {
		t.Errorf("code alone: %+v, %v", r, err)
	}
	for name, text := range map[string]string{
		"no code": "hello\r\n", "two codes": "250-a\r\n500 b\r\n", "short": "25\r\n", "glued": "250a\r\n",
	} {
		if r, err := dialogue(t, text).ReadSMTP(); err == nil {
			t.Errorf("%s: took %+v", name, r)
		}
	}
}

func TestReadPOP3(t *testing.T) {
	c := dialogue(t, "+OK hi <1@x>\r\n-ERR [AUTH] no\r\n+ Y2hhbGxlbmdl\r\n+\r\n+OK\r\n..a\r\nb\r\n.\r\n")
	for _, want := range []POP3Reply{
		{POP3OK, "hi <1@x>", "+OK hi <1@x>"}, {POP3Err, "[AUTH] no", "-ERR [AUTH] no"},
		{POP3Continue, "Y2hhbGxlbmdl", "+ Y2hhbGxlbmdl"}, {POP3Continue, "", "+"}, {POP3OK, "", "+OK"},
	} {
		if got, err := c.ReadPOP3(); err != nil || got != want {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	}
	if lines, err := c.ReadDotted(); err != nil || !slices.Equal(lines, []string{".a", "b"}) {
		t.Errorf("dotted: %q, %v", lines, err)
	}
	if _, err := dialogue(t, "+OKAY\r\n").ReadPOP3(); err == nil {
		t.Error("+OKAY is no reply")
	}
}

func TestTranscript(t *testing.T) {
	c := dialogue(t, "+ Y2hhbGxlbmdl\r\n")
	if err := c.SendSecret("PASS secret", "PASS <secret>"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.ReadPOP3(); err != nil {
		t.Fatal(err)
	}
	c.Reshow("+ <challenge>")
	if got, want := c.Transcript(), []string{"C PASS <secret>", "S + <challenge>"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestContextEndsARead(t *testing.T) {
	ours, theirs := net.Pipe()
	defer func() { _ = theirs.Close() }()
	ctx, cancel := context.WithCancel(context.Background())
	c := NewConn(ctx, ours, time.Hour)
	ended := make(chan error)
	go func() {
		_, err := c.ReadLine()
		ended <- err
	}()
	cancel()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("read from a connection whose context is over")
		}
	case <-time.After(time.Minute):
		t.Error("the read goes on")
	}
}

// A peer that is silent in the handshake costs no more than the limit.
func TestHandshakeHasADeadline(t *testing.T) {
	ours, theirs := net.Pipe()
	defer func() { _ = theirs.Close() }()
	go func() { _, _ = io.Copy(io.Discard, theirs) }()
	c := NewConn(context.Background(), ours, time.Millisecond)
	if err := c.Upgrade(context.Background(), &tls.Config{ServerName: "x"}); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("ended in %v", err)
	}
}

// What the server sent in clear behind its answer is never read as TLS.
func TestUpgradeRefusesWhatIsPending(t *testing.T) {
	c := dialogue(t, "220 go\r\n250 injected\r\n")
	if _, err := c.ReadSMTP(); err != nil || !c.Pending() {
		t.Fatalf("pending %v, %v", c.Pending(), err)
	}
	if err := c.Upgrade(context.Background(), &tls.Config{ServerName: "x"}); err == nil || c.Encrypted() {
		t.Errorf("upgraded over an injection: %v", err)
	}
}

func TestTap(t *testing.T) {
	ours, theirs := net.Pipe()
	go func() { _, _ = io.WriteString(theirs, "one\r\ntwo\r\n") }()
	tap := NewTap(ours)
	b := make([]byte, 64)
	if _, err := tap.Read(b); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, theirs) }()
	if _, err := tap.Write([]byte("three\r\n")); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, h := range tap.Lines() {
		who := "C "
		if h.Server {
			who = "S "
		}
		got = append(got, who+string(h.Line))
	}
	if want := []string{"S one", "S two", "C three"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if server, client := string(tap.Octets(true)), string(tap.Octets(false)); server != "one\r\ntwo\r\n" || client != "three\r\n" {
		t.Errorf("the server sent %q, the client %q", server, client)
	}
	_, _ = ours.Close(), theirs.Close()
}

func TestTimestamp(t *testing.T) {
	for greeting, want := range map[string]string{
		"+OK ready <1.2@x>": "<1.2@x>", "+OK ready": "", "+OK > <a": "", "+OK a>b <c> <d>": "<c>",
	} {
		if got := Timestamp(greeting); got != want {
			t.Errorf("%q has %q, want %q", greeting, got, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	for _, row := range []struct {
		protocol               login.Protocol
		reply                  string
		credentials, temporary bool
	}{
		{login.SMTP, "535 5.7.8 wrong", true, false}, {login.SMTP, "504 5.5.4 no", false, false},
		{login.SMTP, "454 4.7.0 later", false, true}, {login.SMTP, "421 4.7.0 bye", false, true},
		{login.POP3, "-ERR [AUTH] wrong", true, false}, {login.POP3, "-ERR no", false, false},
		{login.POP3, "-ERR [IN-USE] wait", false, true}, {login.POP3, "-ERR [SYS/TEMP] wait", false, true},
		{login.POP3, "-ERR [SYS/PERM] broken", false, false},
	} {
		if got := RejectsCredentials(row.protocol, row.reply); got != row.credentials {
			t.Errorf("%q rejects credentials: %v", row.reply, got)
		}
		if got := Temporary(row.protocol, row.reply); got != row.temporary {
			t.Errorf("%q is temporary: %v", row.reply, got)
		}
	}
}

// The grammars read anything without falling over.
func FuzzReplies(f *testing.F) {
	f.Add([]byte("250-a\r\n250 b\r\n"))
	f.Add([]byte("+OK\r\n.a\r\n.\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, read := range []func(*Conn) error{
			func(c *Conn) error { _, err := c.ReadSMTP(); return err },
			func(c *Conn) error { _, err := c.ReadPOP3(); return err },
			func(c *Conn) error { _, err := c.ReadDotted(); return err },
		} {
			c := NewConn(context.Background(), reader{strings.NewReader(string(b))}, time.Minute)
			for range 100 {
				if read(c) != nil {
					break
				}
			}
		}
		NewSearcher(Needle{"n", "canary"}).Find(b)
	})
}

// reader is a connection that only reads.
type reader struct{ io.Reader }

func (reader) Write(b []byte) (int, error)      { return len(b), nil }
func (reader) Close() error                     { return nil }
func (reader) LocalAddr() net.Addr              { return nil }
func (reader) RemoteAddr() net.Addr             { return nil }
func (reader) SetDeadline(time.Time) error      { return nil }
func (reader) SetReadDeadline(time.Time) error  { return nil }
func (reader) SetWriteDeadline(time.Time) error { return nil }
