package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

func TestPolicyBadInput(t *testing.T) {
	open := file(t, "open.yaml", "policy: {NTLM: unknown, PLAIN: secure}\n")
	users := file(t, "users.csv", "outlook: 3\noutlok: 4\n")
	for _, row := range []struct {
		args string
		want string
	}{
		{"policy explian", `unknown command "explian", did you mean "explain"?`},
		{"policy explain", "which policy? a FILE, or one of modern, intermediate, legacy, rfc8314, wingate-example"},
		{"policy explain modern legacy", `takes one policy: what is "legacy"?`},
		{"policy explain modren", `did you mean "modern"?`},
		{"policy explain /nonexistent.yaml", "no such file"},
		{"policy explain modern@1", `policy modern has no version "1", but 2026.1`},
		{"policy explain " + open, "nobody has tried NTLM: write deny, secure or allow in place of unknown"},
		{"policy explain modern --format pdf", `unknown format "pdf"`},
		{"policy explain modern --on=", "--on is empty"},
		{"policy explain modern --source 127.0.0.1", "--source is about the way to a server: say to which one with --on HOST"},
		{"policy explain modern --probe", "unknown flag: --probe"},
		{"policy make mail.example.com --tls", "unknown flag: --tls"},
		{"run --policy " + open, "nobody has tried NTLM"},
		{"run --policy modren", `did you mean "modern"?`},
		{"policy recommend", "for whom? name clients with --keep outlook,eudora, or a file with --users FILE"},
		{"policy recommend x", "takes no arguments"},
		{"policy recommend --keep outlok", `unknown profile "outlok", did you mean "outlook"?`},
		{"policy recommend --keep probe", "probe is no client, but a measuring device"},
		{"policy recommend --keep=", "--keep is empty"},
		{"policy recommend --users " + users, "users.csv, line 2: unknown profile"},
		{"policy recommend --users /nonexistent.csv", "no such file"},
		{"policy recommend --keep outlook --format pdf", `unknown format "pdf"`},
		{"policy make", "name a server"},
		{"policy check", "which policy? a FILE, or one of"},
		{"policy check modern", "name a server"},
		{"policy check " + open + " mail.example.com", "nobody has tried NTLM"},
		{"policy check modren mail.example.com", `did you mean "modern"?`},
		{"policy check mail.example.com modern", "the policy comes first: mailmatrix policy check modern mail.example.com"},
		{"policy check smtp://mail.example.com " + open, "the policy comes first: mailmatrix policy check " + open + " smtp://mail.example.com"},
		{"policy check modern mail.example.com --repeat 0", "--repeat wants a number of times"},
	} {
		t.Run(row.args, func(t *testing.T) {
			status, out, diagnostics := mailmatrix(t, strings.Fields(row.args)...)
			if status != 2 || out != "" {
				t.Errorf("exit status %d, output %q", status, out)
			}
			if !strings.HasPrefix(diagnostics, "mailmatrix: ") || !strings.Contains(diagnostics, row.want) || strings.Count(diagnostics, "\n") != 1 {
				t.Errorf("says %q, want %q", diagnostics, row.want)
			}
		})
	}
}

func TestPolicyHelp(t *testing.T) {
	for _, verb := range []string{"policy", "policy explain", "policy recommend", "policy make", "policy check"} {
		status, out, _ := mailmatrix(t, append(strings.Fields(verb), "--help")...)
		if status != 0 || !strings.Contains(out, "Examples:\n  mailmatrix") {
			t.Errorf("%q: exit status %d, help %q", verb, status, out)
		}
	}
}

var updatePolicies = flag.Bool("update-policies", false, "write the screens of policies anew")

// The screens, as they are: at most 100 columns and 40 lines.
func TestPolicyScreens(t *testing.T) {
	users := file(t, "users.csv", "thunderbird: 300\noutlook: 120\nphpmailer-pop3: 10\neudora-7-win: 3\n")
	for name, args := range map[string]string{
		"explain-modern":          "policy explain modern",
		"explain-intermediate":    "policy explain intermediate",
		"explain-legacy":          "policy explain legacy",
		"explain-rfc8314":         "policy explain rfc8314",
		"explain-wingate-example": "policy explain wingate-example",
		"recommend-keep":          "policy recommend --keep outlook-2016,eudora",
		"recommend-users":         "policy recommend --users " + users,
	} {
		t.Run(name, func(t *testing.T) {
			status, out, diagnostics := mailmatrix(t, strings.Fields(args)...)
			if status != 0 || diagnostics != "" {
				t.Fatalf("exit status %d, says %q", status, diagnostics)
			}
			lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
			if len(lines) > 40 {
				t.Errorf("%d lines", len(lines))
			}
			for _, l := range lines {
				if len(l) > 100 || strings.TrimRight(l, " ") != l {
					t.Errorf("%d columns: %q", len(l), l)
				}
			}
			golden := filepath.Join("testdata", "policy", name+".txt")
			if *updatePolicies {
				if err := os.WriteFile(golden, []byte(out), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil || string(want) != out {
				t.Errorf("%v; want\n%s\ngot\n%s", err, want, out)
			}
		})
	}
}

func TestPolicyJSON(t *testing.T) {
	_, out, _ := mailmatrix(t, "policy", "explain", "modern", "--format", "json")
	var e explained
	if err := json.Unmarshal([]byte(out), &e); err != nil || e.Policy != "modern@2026.1" || len(e.Clients) != len(clients()) || len(e.Clients[0].Access) == 0 {
		t.Errorf("%v, %.300s", err, out)
	}
	_, out, _ = mailmatrix(t, "policy", "recommend", "--keep", "eudora", "--format", "json")
	var r struct {
		Choices []struct {
			Lost     *int64                            `json:"lost"`
			Settings map[login.Mechanism]login.Setting `json:"settings"`
		} `json:"choices"`
	}
	if err := json.Unmarshal([]byte(out), &r); err != nil || len(r.Choices) == 0 || r.Choices[0].Lost == nil || len(r.Choices[0].Settings) == 0 {
		t.Errorf("%v, %.300s", err, out)
	}
}

// A built-in name serves wherever a file is asked.
func TestRunBuiltinPolicy(t *testing.T) {
	status, out, diagnostics := mailmatrix(t, "run", "--policy", "modern", "--profile", "thunderbird")
	if status != 0 || diagnostics != "" || !strings.Contains(out, "WHO CAN LOG IN") {
		t.Errorf("exit status %d, says %q, output:\n%s", status, diagnostics, out)
	}
}

// What is made of doors that agree is a policy; what they do not agree in has
// to be filled in.
func TestPolicyMade(t *testing.T) {
	door := func(port string, plain login.Setting) login.DoorResult {
		return login.DoorResult{Protocol: login.SMTP, Address: "192.0.2.1:" + port, Stages: map[login.Stage]string{login.StageBanner: login.StageOK},
			Policy: map[login.Mechanism]login.Setting{login.PLAIN: plain}}
	}
	var out, diagnostics bytes.Buffer
	terminal := terminal{Out: &out, Err: &diagnostics}
	if err := writeObserved(terminal, []string{"mail.example.com"}, []login.DoorResult{door("587", login.Secure), door("25", login.Allow)}, []string{"--probe"}, true); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "the doors differ: port 587: secure, port 25: allow") || !strings.Contains(diagnostics.String(), "the doors differ in 1 setting: the file says which") {
		t.Errorf("%s\n%s", out.String(), diagnostics.String())
	}
	if !strings.Contains(out.String(), "settings are unknown: write deny, secure or allow there, or try --probe.\n") {
		t.Errorf("it tells to try what was tried:\n%s", out.String())
	}
	if _, err := harness.LoadPolicy("made.yaml", out.Bytes()); err == nil || !strings.Contains(err.Error(), "nobody has tried") {
		t.Errorf("%v", err)
	}
	if err := writeObserved(terminal, []string{"mail.example.com"}, []login.DoorResult{door("587", login.Secure)}, nil, false); err == nil {
		t.Error("a check that was cut off is taken for a whole one")
	}
}
