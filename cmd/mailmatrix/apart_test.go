package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// No output takes the place of a file that is read, or of another output, under
// whatever name: one line says so, nothing is done, and the file is as it was.
func TestNothingIsLost(t *testing.T) {
	t.Chdir(t.TempDir())
	const whole = `{"schema": "mailmatrix/1", "targets": [{"name": "reference", "kind": "reference"}]}`
	written := map[string]string{
		"pol.yaml": "policy: {PLAIN: secure}\n", "exp.yaml": "[]\n", "accounts.yaml": "accounts: []\n", "client.yaml": "name: x\n", "ca.pem": "none\n",
		"old.json": whole, "1.json": whole, "2.json": strings.Replace(whole, `"reference"`, `"other"`, 1),
	}
	for name, text := range written {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("pol.yaml", "link.yaml"); err != nil {
		t.Skip("this system has no links:", err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	const isRead = " is read, and would be lost: give --"
	for _, row := range []struct{ args, want string }{
		{"run --policy pol.yaml --output json=pol.yaml", "pol.yaml" + isRead + "output another file"},
		{"run --policy pol.yaml --output json=./pol.yaml", "pol.yaml" + isRead},
		{"run --policy pol.yaml --output json=" + filepath.Join(here, "pol.yaml"), "pol.yaml" + isRead},
		{"run --policy pol.yaml --output json=link.yaml", "link.yaml" + isRead},
		{"run --policy pol.yaml --journal pol.yaml", "pol.yaml" + isRead + "journal"},
		{"run --policy pol.yaml --store pol.yaml", "pol.yaml" + isRead + "store"},
		{"run --profile-file client.yaml --output html=client.yaml", "client.yaml" + isRead},
		{"run --expect exp.yaml --output json=exp.yaml", "exp.yaml" + isRead},
		{"run --baseline old.json --output json=old.json", "old.json" + isRead},
		{"run --rerun-failed old.json --output json=old.json", "old.json" + isRead},
		{"run --output json=a.out --output html=" + filepath.Join(here, "a.out"), "a.out: one would be lost"},
		{"run --store c.db --output json=c.db", "two outputs to c.db"},
		{"check 127.0.0.1 --policy pol.yaml --output sarif=pol.yaml", "pol.yaml" + isRead},
		{"check 127.0.0.1 --store c.db --output json=c.db", "two outputs to c.db"},
		{"check 127.0.0.1 --output json=a.out --output html=./a.out", "two outputs to a.out"},
		{"check 127.0.0.1 --baseline old.json --output json=old.json", "old.json" + isRead},
		{"policy check pol.yaml 127.0.0.1 --output json=pol.yaml", "pol.yaml" + isRead},
		{"report convert 1.json --output html=1.json", "1.json" + isRead},
		{"report convert 1.json --policy pol.yaml --output sarif=pol.yaml", "pol.yaml" + isRead},
		{"report convert 1.json --expect exp.yaml --output sarif=exp.yaml", "exp.yaml" + isRead},
		{"report convert 1.json --store c.db --output html=c.db", "two outputs to c.db"},
		{"report merge 1.json 2.json --output html=2.json", "2.json" + isRead},
		{"report merge 1.json 2.json --store 2.json", "2.json" + isRead + "store"},
		{"report merge 1.json 2.json --write-expect 2.json", "2.json" + isRead + "write-expect"},
	} {
		status, out, says := mailmatrix(t, strings.Fields(row.args)...)
		if status != 2 || out != "" || !strings.Contains(says, row.want) || strings.Count(says, "\n") != 1 {
			t.Errorf("%s: exit status %d, output %.100q, says %q, want %q", row.args, status, out, says, row.want)
		}
	}
	for name, text := range written {
		if got, err := os.ReadFile(name); err != nil || string(got) != text {
			t.Errorf("%s is now %.100q (%v)", name, got, err)
		}
	}
	if left, err := os.ReadDir("."); err != nil || len(left) != len(written)+1 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
}

// What cannot be lost is not refused: a pipe, a device, a built-in policy of the
// name of a file to be, and expectations that are renewed.
func TestNothingIsRefused(t *testing.T) {
	t.Chdir(t.TempDir())
	quick := []string{"--profile", "probe", "--mechanism", "PLAIN", "--protocol", "pop3", "--format", "csv"}
	if err := os.WriteFile("exp.yaml", []byte("[]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{
		"run --policy modern --output json=modern",
		"run --expect exp.yaml --write-expect exp.yaml",
		"run --expect " + os.DevNull + " --output json=" + os.DevNull,
	} {
		if status, _, says := mailmatrix(t, append(strings.Fields(args), quick...)...); status == 2 {
			t.Errorf("%s: says %q", args, says)
		}
	}
}
