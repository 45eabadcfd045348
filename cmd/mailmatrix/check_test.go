package main

import (
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// A check of a server from its own address says what it offers, nothing of its
// clear links, and writes a report that the schema takes.
func TestCheck(t *testing.T) {
	doors := served(t, "intermediate")
	status, out, diagnostics := mailmatrix(t, append([]string{"check", "--format", "json"}, doors...)...)
	if diagnostics != "" {
		t.Errorf("it says %q", diagnostics)
	}
	validate(t, []byte(out))
	// Nobody vouches for the certificate that serve makes.
	if status != 1 || !strings.Contains(out, `"certificate": "unknown-authority"`) && !strings.Contains(out, `"certificate":"unknown-authority"`) {
		t.Errorf("exit status %d", status)
	}
	if !strings.Contains(out, `"why":"vantage"`) && !strings.Contains(out, `"why": "vantage"`) {
		t.Error("a verdict on clear links was given from the server's own address")
	}
	status, out, diagnostics = mailmatrix(t, append([]string{"check"}, doors...)...)
	if lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n"); len(lines) > 40 || diagnostics != "" || status != 1 {
		t.Errorf("exit status %d, %d lines, says %q:\n%s", status, len(lines), diagnostics, out)
	}
	for line := range strings.Lines(out) {
		if len(line) > 101 {
			t.Errorf("%d columns: %s", len(line), line)
		}
	}
}

// What cannot be understood is one line that says what to write, and nothing is
// sent.
func TestCheckBadInput(t *testing.T) {
	for _, row := range []struct{ args, says string }{
		{"check", "name a server: mailmatrix check mail.example.com"},
		{"check imap://mail.example.com", "imap"},
		{"check mail.example.com --login", "--login sends a password: add --authorized"},
		{"check mail.example.com --allow-cleartext", "without --login none is sent"},
		{"check mail.example.com --resolve x", "--resolve wants HOST:PORT:ADDRESS"},
		{"check mail.example.com --resolve x:99999:127.0.0.1", "--resolve wants HOST:PORT:ADDRESS"},
		{"check mail.example.com --source nowhere", "--source wants an address of this machine"},
		{"check mail.example.com --proxy http://x", "--proxy wants socks5://HOST:PORT"},
		{"check mail.example.com --trust sha256:zz", "64 hexadecimal digits"},
		{"check mail.example.com --trust /nowhere.pem", "--trust: open /nowhere.pem"},
		{"check mail.example.com --trust main.go", "--trust main.go: there is no certificate in it"},
		{"check mail.example.com --policy nosuch.yaml", "nosuch.yaml"},
		{"check mail.example.com --deadline -1s", "--deadline wants a time"},
		{"check mail.example.com --deadline 0", "--deadline wants a time such as 2m, not 0s"},
		{"check mail.example.com --wait -1s", "--wait wants a time"},
		{"check mail.example.com --max-failures -1", "--max-failures wants a number, 1 or more, not -1"},
		{"check mail.example.com --max-failures 0", "--max-failures wants a number, 1 or more, not 0"},
		{"check mail.example.com --parallel 0", "--parallel wants a number, 1 or more, not 0"},
		{"check mail.example.com --repeat 0", "--repeat wants a number of times, 1 or more, not 0"},
		{"check mail.example.com --authorized --probe", "--authorized is your word for --login"},
		{"check mail.example.com --account-file x.yaml", "--account-file names who logs in, and nobody does"},
		{"check smtp://127.0.0.1:1 --lab --max-failures 9", "--max-failures is a budget, and --lab has none"},
		{"check smtp://127.0.0.1:1 --lab --proxy socks5://u:hunter2@127.0.0.1:1", "nobody can know which one --proxy reaches"},
		{"check mail.example.com --apply x", "say by --lab"},
		{"check mail.example.com --fail-on everything", "--fail-on"},
		{"check smtp://192.0.2.1:25 --lab --deadline 1s", "--lab is for a server that may be thrown away"},
	} {
		status, out, diagnostics := mailmatrix(t, strings.Fields(row.args)...)
		if status != 2 || out != "" || !strings.Contains(diagnostics, row.says) || strings.Count(diagnostics, "\n") != 1 {
			t.Errorf("%s: exit status %d, output %q, says %q, want %q", row.args, status, out, diagnostics, row.says)
		}
	}
}

// The plan is printed without a network.
func TestCheckPlan(t *testing.T) {
	status, out, diagnostics := mailmatrix(t, "check", "mail.example.com", "--plan", "--probe")
	if status != 0 || diagnostics != "" || !strings.Contains(out, "mail.example.com:587") || !strings.Contains(strings.Join(strings.Fields(out), " "), "AUTH refused or cancelled at most 4") {
		t.Errorf("exit status %d, says %q:\n%s", status, diagnostics, out)
	}
}

// What was given is in the report by its flag, and no secret.
func TestRemoteSelection(t *testing.T) {
	var how remoteFlags
	c := &cobra.Command{}
	how.register(c)
	if err := c.ParseFlags(strings.Fields("--probe --resolve a:1:127.0.0.1 --resolve b:2:127.0.0.1 --proxy socks5://u:hunter2@127.0.0.1:1080 --deadline 1m")); err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{"probe": {"true"}, "resolve": {"a:1:127.0.0.1", "b:2:127.0.0.1"}, "proxy": {"socks5://127.0.0.1:1080"}, "deadline": {"1m0s"}}
	if got := how.selection(c); !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// A usage text takes the first word in backquotes for the name of its value.
func TestFlagNames(t *testing.T) {
	_, out, _ := mailmatrix(t, "check", "--help")
	if !regexp.MustCompile(`(?m)^ +--cases strings +with --apply: compliance cases`).MatchString(out) {
		t.Errorf("the help is\n%s", out)
	}
}
