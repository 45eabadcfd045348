package main

import (
	"bytes"
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/harness/policy"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// served starts the reference server under a policy and names its doors.
func served(t *testing.T, policy string) []string {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	ctx, cancel := context.WithCancel(context.Background())
	out, log := newSyncBuffer(), newSyncBuffer()
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"serve", "--identity", "mail.example.test", "--database", "full", "--policy", policy},
			terminal{In: strings.NewReader(""), Out: out, Err: log})
	}()
	t.Cleanup(func() { cancel(); <-ended })
	select {
	case <-out.written:
	case status := <-ended:
		ended <- status
		t.Fatalf("ended with %d: %s", status, log)
	case <-time.After(time.Minute):
		t.Fatal("prints nothing")
	}
	var doors []string
	for _, m := range regexp.MustCompile(`(?m)^ *(smtps?|pop3s?) +(127\.0\.0\.1:\d+)`).FindAllStringSubmatch(out.String(), -1) {
		doors = append(doors, m[1]+"://"+m[2])
	}
	if len(doors) != 4 {
		t.Fatalf("the screen is\n%s", out)
	}
	return doors
}

// What is made of a server is what it was given, as far as lists show it; and
// what it was given is explained on its doors.
func TestPolicyOfAServer(t *testing.T) {
	given, err := policy.Load("intermediate", nil)
	if err != nil {
		t.Fatal(err)
	}
	doors := served(t, "intermediate")
	status, out, diagnostics := mailmatrix(t, append([]string{"policy", "make"}, doors...)...)
	if status != 0 || diagnostics != "" {
		t.Fatalf("exit status %d, says %q, output:\n%s", status, diagnostics, out)
	}
	known := 0
	protocol := login.Protocol("")
	for line := range strings.Lines(out) {
		if title, ok := strings.CutSuffix(strings.TrimSpace(line), ":"); ok {
			protocol = login.Protocol(title)
			continue
		}
		if strings.HasPrefix(line, "#") {
			continue
		}
		name, rest, _ := strings.Cut(strings.TrimSpace(line), ": ")
		setting := strings.Fields(rest)[0]
		want := given.For(protocol, login.Mechanism(name)).String()
		if setting != "unknown" && setting != want {
			t.Errorf("%s %s is %s, it was given %s", protocol, name, setting, want)
		}
		if setting != "unknown" {
			known++
		}
	}
	if known < 15 {
		t.Errorf("%d settings are known:\n%s", known, out)
	}
	made := file(t, "made.yaml", out)
	for _, args := range [][]string{{"policy", "check", made, doors[0]}, {"run", "--policy", made}, {"policy", "explain", made}} {
		if status, out, diagnostics := mailmatrix(t, args...); status != 2 || out != "" || !strings.Contains(diagnostics, "nobody has tried ") {
			t.Errorf("%v: exit status %d, says %q", args, status, diagnostics)
		}
	}

	var starttls []string
	for _, d := range doors {
		if !strings.Contains(d, "s://") {
			starttls = append(starttls, d)
		}
	}
	status, out, diagnostics = mailmatrix(t, "policy", "explain", "modern", "--on", strings.Join(starttls, ","), "-v")
	if status != 0 || diagnostics != "" || !strings.Contains(out, "POP3: TLS is closed to it, and in clear USER/PASS is refused") {
		t.Errorf("exit status %d, says %q, output:\n%s", status, diagnostics, out)
	}
}

// A protocol of which no door is named is not looked at, and loses nobody.
func TestPolicyOnOneProtocol(t *testing.T) {
	doors := served(t, "intermediate")
	status, out, diagnostics := mailmatrix(t, "policy", "explain", "modern", "--on", doors[0], "-v")
	if status != 0 || diagnostics != "" || !strings.Contains(out, "\nPOP3 was not looked at: name a door of it as well, such as --on pop3://HOST\n") ||
		strings.Contains(out, "POP3:") || strings.Contains(out, "phpmailer-pop3") {
		t.Errorf("exit status %d, says %q, output:\n%s", status, diagnostics, out)
	}
}

// A server that is not there is one line, and no policy.
func TestPolicyOfNoServer(t *testing.T) {
	for _, args := range []string{"policy make smtp://127.0.0.1:1", "policy explain modern --on smtp://127.0.0.1:1"} {
		status, out, diagnostics := mailmatrix(t, strings.Fields(args)...)
		if status != 2 || out != "" || !strings.Contains(diagnostics, "no door of smtp://127.0.0.1:1 speaks") || strings.Count(diagnostics, "\n") != 1 {
			t.Errorf("%s: exit status %d, output %q, says %q", args, status, out, diagnostics)
		}
	}
}

// A screen that cannot be written is no success.
func TestPolicyOutputFails(t *testing.T) {
	for _, args := range []string{"policy explain modern", "policy recommend --keep eudora"} {
		var diagnostics bytes.Buffer
		if status := run(context.Background(), strings.Fields(args), terminal{In: strings.NewReader(""), Out: full{}, Err: &diagnostics}); status != 2 {
			t.Errorf("%s: exit status %d, says %q", args, status, diagnostics.String())
		}
	}
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }
