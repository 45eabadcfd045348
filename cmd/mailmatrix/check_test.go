package main

import (
	"strings"
	"testing"
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
		{"check mail.example.com --max-failures -1", "want a number"},
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
