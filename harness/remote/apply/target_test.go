package apply_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/harness/remote/apply"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// greeter is a port that greets with a line.
func greeter(t *testing.T, address, line string) string {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				_, _ = fmt.Fprintf(c, "%s\r\n", line)
				_, _ = io.Copy(io.Discard, c)
			}()
		}
	}()
	return l.Addr().String()
}

// commanded is a target whose one door is at the address.
func commanded(address, command string) *apply.Target {
	return apply.New(apply.Config{
		Name: "theirs", Command: command, Deadline: 5 * time.Second, Wait: 300 * time.Millisecond, Limit: time.Second,
		Doors: []apply.Door{{Protocol: login.SMTP, Transport: login.Plain, Address: "smtp://" + address}},
		Dial: func(ctx context.Context, _ login.Protocol, _ login.Transport) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", address)
		},
		Stand: harness.Stand{Account: main, Other: other},
	})
}

var allowed = login.Setup{Policy: login.Only(login.PLAIN, login.Allow)}

// What can go wrong with the command is said in one line.
func TestCommand(t *testing.T) {
	greets := greeter(t, "127.0.0.1:0", "220 here")
	mute := greeter(t, "127.0.0.1:0", "554 not today")
	for _, row := range []struct {
		name, address, command string
		cannot                 bool
		want                   []string // "" in an error is none
	}{
		{"it works", greets, "test -s {policy.yaml}", false, nil},
		{"it cannot express it", greets, "echo no NTLM here >&2; exit 127", true, []string{"cannot express this policy: no NTLM here"}},
		{"it fails", greets, "echo first; echo the socket is taken >&2; exit 3", false,
			[]string{"apply:", "exit 3", "exit status 3", "first the socket is taken"}},
		{"it fails and repeats a password", greets, "echo cannot hash " + main.Password + " >&2; exit 1", false,
			[]string{"exit status 1", "holds a secret"}},
		{"it is no command of the shell", greets, "if", false, []string{"exit status"}},
		{"the server does not come up", "127.0.0.1:1", "true", false, []string{"smtp://127.0.0.1:1 does not greet within 300ms", "refused"}},
		{"the server greets nobody", mute, "true", false, []string{"does not greet", "554 not today"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			door, err := commanded(row.address, row.command).Under(t.Context(), allowed)
			if err == nil {
				_ = door.Close()
			}
			var cannot *login.CannotError
			if (err != nil) != (row.want != nil) || errors.As(err, &cannot) != row.cannot {
				t.Fatalf("%v", err)
			}
			for _, want := range row.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q lacks %q", err, want)
				}
			}
			if err != nil && (strings.Contains(err.Error(), main.Password) || strings.Contains(err.Error(), "\n")) {
				t.Errorf("it says %q", err)
			}
		})
	}
}

// A command that hangs is ended with all that it started.
func TestCommandHangs(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	target := commanded("127.0.0.1:1", fmt.Sprintf("(exec sleep 60 >/proc/%d/fd/%d) & wait", os.Getpid(), w.Fd()))
	target.Deadline = 200 * time.Millisecond
	_, err = target.Under(t.Context(), allowed)
	if err == nil || !strings.Contains(err.Error(), "it has not ended after 200ms") {
		t.Errorf("%v", err)
	}
	// The child has the pipe open as long as it lives.
	_ = w.Close()
	if err := r.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("its child lives: %v", err)
	}
}

// The files are the user's alone, and gone afterwards; a path with a quote in it
// stays one word.
func TestFiles(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "it's here")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", folder)
	seen := filepath.Join(t.TempDir(), "seen")
	command := "stat -c '%a %A' {policy.yaml} {accounts.json} \"$(dirname {policy.yaml})\" > " + seen +
		"; cat {policy.yaml} {accounts.json} >> " + seen
	target := commanded(greeter(t, "127.0.0.1:0", "220 here"), command)
	setup := login.Setup{Policy: login.Policy{Common: map[login.Mechanism]login.Setting{login.PLAIN: login.Allow},
		Own: map[login.Protocol]map[login.Mechanism]login.Setting{login.POP3: {login.PLAIN: login.Secure}}},
		Accounts: []login.Account{{Name: "made", Password: "up", Override: "over"}}}
	door, err := target.Under(t.Context(), setup)
	if err != nil {
		t.Fatal(err)
	}
	if err := door.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(seen)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"600 -rw-------\n600 -rw-------\n700 drwx------\n", "smtp:\n", "  PLAIN: allow\n", "  PLAIN: secure\n",
		"  USER/PASS: deny\n", `"name": "made",`, `"password": "up",`, `"override": "over"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// A state is asked for once while it lasts, and one that failed never again.
func TestAskedOnce(t *testing.T) {
	count := filepath.Join(t.TempDir(), "count")
	target := commanded(greeter(t, "127.0.0.1:0", "220 here"), "echo >> "+count+"; ! grep -q 'NTLM: allow' {policy.yaml}")
	for _, row := range []struct {
		policy login.Policy
		fails  bool
		asked  int
	}{
		{login.Only(login.PLAIN, login.Allow), false, 1},
		{login.Only(login.PLAIN, login.Allow), false, 1},
		{login.Only(login.LOGIN, login.Deny), false, 2},
		{login.Policy{}, false, 2},
		{login.Only(login.NTLM, login.Allow), true, 3},
		{login.Only(login.NTLM, login.Allow), true, 3},
		{login.Policy{}, false, 4}, // what it is in after a failure nobody knows
	} {
		door, err := target.Under(t.Context(), login.Setup{Policy: row.policy})
		if (err != nil) != row.fails {
			t.Fatalf("%s: %v", row.policy, err)
		}
		if err == nil {
			_ = door.Close()
		}
		text, _ := os.ReadFile(count)
		if asked := strings.Count(string(text), "\n"); asked != row.asked {
			t.Errorf("%s: asked %d times, want %d", row.policy, asked, row.asked)
		}
	}
}

// It is in one state at a time: who comes next waits until the door is closed.
func TestOneStateAtATime(t *testing.T) {
	target := commanded(greeter(t, "127.0.0.1:0", "220 here"), "true")
	door, err := target.Under(t.Context(), allowed)
	if err != nil {
		t.Fatal(err)
	}
	hurried, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := target.Under(hurried, login.Setup{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the second came in: %v", err)
	}
	conn, err := door.Dial(t.Context(), login.SMTP, login.Plain)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(door.Close(), door.Close()); err != nil { // with a connection that nobody has closed
		t.Error(err)
	}
	if _, err := conn.Write([]byte("x")); err == nil {
		t.Error("the connection outlives its door")
	}
	next, err := target.Under(t.Context(), login.Setup{})
	if err != nil {
		t.Fatal(err)
	}
	_ = next.Close()
}

// A state that somebody else's server cannot take is named.
func TestCannot(t *testing.T) {
	stranger := []login.Account{{Name: "x", Password: "y"}}
	for _, row := range []struct {
		want  string
		setup login.Setup
	}{
		{"", login.Setup{Flavour: login.Remote, Database: harness.UnknownDatabase, Accounts: []login.Account{main, other}}},
		{"", login.Setup{Flavour: login.Modern, Database: login.Full, Trust: login.Trust{DemandAuth: true}}},
		{"flavour classic", login.Setup{Flavour: login.Classic}},
		{"database nt", login.Setup{Database: login.NT}},
		{"another name", login.Setup{Identity: "x"}},
		{"other domains", login.Setup{LocalDomains: []string{"x"}}},
		{"expired", login.Setup{Certificate: login.Certificate{Kind: login.CertExpired}}},
		{"trust somebody", login.Setup{Trust: login.Trust{Interfaces: []string{"x"}}}},
		{"misbehave", login.Setup{Posture: login.Posture{SlowDown: true}}},
		{"given accounts: put {accounts.json}", login.Setup{Accounts: stranger}},
	} {
		door, err := commanded(greeter(t, "127.0.0.1:0", "220 here"), "true").Under(t.Context(), row.setup)
		var cannot *login.CannotError
		switch {
		case row.want == "" && err == nil:
			_ = door.Close()
		case row.want == "" || !errors.As(err, &cannot) || !strings.Contains(err.Error(), row.want):
			t.Errorf("%q: %v", row.want, err)
		}
	}
	door, err := commanded(greeter(t, "127.0.0.1:0", "220 here"), "cat {accounts.json}").Under(t.Context(), login.Setup{Accounts: stranger})
	if err != nil {
		t.Fatal(err)
	}
	_ = door.Close()
}
