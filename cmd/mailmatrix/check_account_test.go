package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// accountFile writes one beside the files that it may name.
func accountFile(t *testing.T, text string) string {
	t.Helper()
	name := file(t, "accounts.yaml", text)
	for _, beside := range []string{"password", "token", "client.pem", "client.key"} {
		if err := os.WriteFile(filepath.Join(filepath.Dir(name), beside), []byte("hunter2 "+beside+"\nsecond line\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return name
}

// The accounts of a file, each secret from where the file says.
func TestReadAccounts(t *testing.T) {
	t.Setenv("DAVES_PASSWORD", "hunter2 env")
	name := accountFile(t, `accounts:
- name: carol@example.test
  password-file: password
  token-file: token
  certificate: client.pem
  key: client.key
- {name: dave, role: Throw-Away, password-env: DAVES_PASSWORD}
- {name: erin, role: disabled, password: hunter2 here}
- {name: frank, role: override, password: hunter2 here, override: hunter2 over}
`)
	var says bytes.Buffer
	all, err := readAccounts(name, &says)
	if err != nil || says.Len() > 0 || len(all) != 4 {
		t.Fatalf("%v, %v, %s", all, err, &says)
	}
	stand, issued, err := all.stand()
	if err != nil || stand.Account != (login.Account{Name: "carol@example.test", Password: "hunter2 password"}) ||
		stand.Other != (login.Account{Name: "dave", Password: "hunter2 env"}) {
		t.Errorf("%v, %v", stand, err)
	}
	if issued.Token != "hunter2 token" || !strings.HasPrefix(string(issued.Certificate), "hunter2 client.pem") || !strings.HasPrefix(string(issued.Key), "hunter2 client.key") {
		t.Error("what it holds besides is not what the files have")
	}
	main := all.main()
	if password, _, err := main.Secrets(); main.Name != "carol@example.test" || password != "hunter2 password" || err != nil {
		t.Errorf("%s, %v", main.Name, err)
	}
	if shown := fmt.Sprintf("%v %+v %#v", all, all, all); strings.Contains(shown, "hunter2") {
		t.Errorf("printed, they are %s", shown)
	}
	if err := os.Chmod(name, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := readAccounts(name, &says); err != nil || says.String() != "mailmatrix: "+name+" can be read by others: chmod 600 "+name+"\n" {
		t.Errorf("%v, %q", err, &says)
	}
}

// What is wrong with a file is one line that says where, and no secret.
func TestBadAccounts(t *testing.T) {
	const good = "- {name: carol, password: hunter2}\n"
	for _, row := range []struct{ text, want string }{
		{"", ": none of its 0 accounts has the role main"},
		{"accounts: []", ": none of its 0 accounts has the role main"},
		{"accounts:\n- {name: c, role: disabled, password: hunter2}", ": none of its 1 accounts has the role main"},
		{"accounts:\n" + good + "- {password: hunter2}", ":3: an account without name"},
		{"accounts:\n" + good + "\n\n- {name: dave, role: mian, password: hunter2}", `:5: account dave: unknown role "mian", did you mean "main"?`},
		{"accounts:\n" + good + "- {name: dave, password: hunter2}", ":3: account dave: there are two of role main"},
		{"accounts:\n" + good + "- {name: carol, role: disabled, password: hunter2}", ":3: account carol: it is there twice"},
		{"accounts:\n- {name: carol}", ":2: account carol: it has 0 of password, password-env and password-file"},
		{"accounts:\n- {name: carol, password: hunter2, password-file: password}", ":2: account carol: it has 2 of password"},
		{"accounts:\n- {name: carol, password-env: NOT_SET_ANYWHERE}", ":2: account carol: the environment has no NOT_SET_ANYWHERE"},
		{"accounts:\n- {name: carol, password-file: gone}", "gone: no such file"},
		{"accounts:\n- {name: carol, password: hunter2, certificate: client.pem}", "a certificate needs its key"},
		{"accounts:\n- {name: carol, password: hunter2, override: hunter2}", "the role override and an override password go together"},
		{"accounts:\n" + good + "- {name: dave, role: override, password: hunter2}", ":3: account dave: the role override"},
		{"accounts:\n- name: carol\n  pasword: hunter2\n", `:3:3: unknown field "pasword"; wanted is`},
		{"accounts:\n- name: carol\n  password: hunter2\n  password: hunter2\n", `:4:3: mapping key "password" already defined; wanted is`},
		{"accounts:\n- name: carol\n  password: [hunter2]\n", ":3:13: a value of another kind is wanted here; wanted is"},
		{"hunter2", ":1:1: string was used where mapping is expected; wanted is"},
		{"accounts: {hunter2", ":1:12: could not find flow map content; wanted is"},
		{"accounts:\n" + good + "---\nhunter2: x\n", ": more than one YAML document: only one is read; wanted is"},
	} {
		name := accountFile(t, row.text)
		_, err := readAccounts(name, &bytes.Buffer{})
		if err == nil || !strings.Contains(err.Error(), row.want) || !strings.Contains(err.Error(), filepath.Dir(name)) {
			t.Errorf("%q: %v, want %q", row.text, err, row.want)
			continue
		}
		if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: it says %q", row.text, err)
		}
	}
}
