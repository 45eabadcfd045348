package main

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/certs"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/server"
)

// asTheirs names a folder where the test binary is to be somebody's server.
const asTheirs = "MAILMATRIX_TEST_AS_THEIRS"

var theirDoors = []struct {
	name     string
	protocol login.Protocol
	implicit bool
}{{"smtp", login.SMTP, false}, {"smtps", login.SMTP, true}, {"pop3", login.POP3, false}, {"pop3s", login.POP3, true}}

// theirServer serves under the policy in a file until it is told to end. Its
// ports, its certificate and its account are in the folder.
func theirServer(folder, policyFile string) error {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM) // before anybody may want it to end
	text, err := os.ReadFile(policyFile)
	if err != nil {
		return err
	}
	policy, err := harness.LoadPolicy(policyFile, text)
	if err != nil {
		return err
	}
	pair, err := tls.LoadX509KeyPair(filepath.Join(folder, "server.pem"), filepath.Join(folder, "server.key"))
	if err != nil {
		return err
	}
	password, err := os.ReadFile(filepath.Join(folder, "password"))
	if err != nil {
		return err
	}
	s, err := server.New(login.Setup{
		Flavour: login.Modern, Database: login.Full, Policy: policy, Trust: login.Trust{DemandAuth: true},
		Accounts: []login.Account{{Name: theirAccount, Password: strings.TrimSpace(string(password))},
			{Name: "frank.override", Password: "aB-frank-Secret", Override: "aB-frank-override"}, {Name: "grace.enabled", Password: "aB-grace-Secret"}},
	}, server.WithCertificate(pair))
	if err != nil {
		return err
	}
	var listeners []net.Listener
	for _, d := range theirDoors {
		address, err := os.ReadFile(filepath.Join(folder, d.name))
		if err != nil {
			return err
		}
		l, err := net.Listen("tcp", string(address))
		if err != nil {
			return err
		}
		listeners = append(listeners, l)
		go func() { _ = s.Serve(l, d.protocol, d.implicit) }()
	}
	<-ended
	err = s.Close()
	for _, l := range listeners {
		_ = l.Close() // if it is not served yet, the server does not know of it
	}
	return errors.Join(err, os.Remove(filepath.Join(folder, "pid"))) // who waits for that takes the ports
}

const theirAccount = "somebody.theirs"

// lastingAddress is one that a server can have again after it has gone: below
// the ports that the system gives to clients, of which there are thousands here,
// and above those that interop's servers take.
func lastingAddress(t *testing.T) string {
	t.Helper()
	for range 100 {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(30_000+mathrand.IntN(2_768)))
		if l, err := net.Listen("tcp", address); err == nil {
			_ = l.Close()
			return address
		}
	}
	t.Fatal("no port is free")
	return ""
}

// theirs is the folder of such a server, and the arguments that name its doors.
func theirs(t *testing.T) (folder string, args []string) {
	t.Helper()
	folder = t.TempDir()
	authority, err := certs.NewAuthority("theirs", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	pair, err := authority.Issue(certs.Leaf{Names: []string{"mail.theirs.test"}})
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"server.pem": string(pair.CertPEM), "server.key": string(pair.KeyPEM), "password": "aB-their-Secret\n",
		"accounts.yaml": `accounts:
- {name: ` + theirAccount + `, password-file: password}
- {name: erin.disabled, role: disabled, password: aB-erin-Secret}
- {name: frank.override, role: override, password: aB-frank-Secret, override: aB-frank-override}
`,
		"enabled.yaml": `accounts:
- {name: ` + theirAccount + `, password-file: password}
- {name: grace.enabled, role: disabled, password: aB-grace-Secret}
`}
	for _, d := range theirDoors {
		files[d.name] = lastingAddress(t)
		args = append(args, d.name+"://"+files[d.name])
	}
	// The old server has gone before the new one begins, and takes its ports.
	files["restart.sh"] = fmt.Sprintf(`
if grep -q 'NTLM: [as]' "$1"; then echo "we have no NTLM" >&2; exit 127; fi
cd %s
if test -f pid; then kill "$(cat pid)"; while test -f pid; do sleep 0.01; done; fi
sed "${EDIT:-s/x/x/}" "$1" > policy.yaml
%s=. %s policy.yaml 2>> log & echo $! > pid
`, folder, asTheirs, os.Args[0])
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if log, err := os.ReadFile(filepath.Join(folder, "log")); err == nil && t.Failed() {
			t.Logf("their server: %s", log)
		}
		if text, err := os.ReadFile(filepath.Join(folder, "pid")); err == nil {
			if pid, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
				if process, err := os.FindProcess(pid); err == nil {
					_ = process.Signal(syscall.SIGTERM)
				}
			}
		}
	})
	return folder, append(args, "--lab", "--account-file", filepath.Join(folder, "accounts.yaml"),
		"--apply", "sh "+folder+"/restart.sh {policy.yaml}")
}

// Somebody has his own server under the matrix: it keeps every policy, or it does
// not and he is told where.
func TestLaboratory(t *testing.T) {
	folder, args := theirs(t)
	few := []string{"check", "--mechanism", "PLAIN,USER/PASS,NTLM", "--format", "json"}
	status, out, diagnostics := mailmatrix(t, slices.Concat(few, args)...)
	var r login.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil || status != 0 {
		t.Fatalf("exit status %d, %v: %s", status, err, diagnostics)
	}
	validate(t, []byte(out))
	if r.Totals.Pass < 40 || r.Totals.Skip == 0 || r.Targets[0].Kind != "remote" || r.Targets[0].Doors[0].Address != strings.TrimPrefix(args[0], "smtp://") {
		t.Errorf("%+v, %+v", r.Totals, r.Targets)
	}
	doors := 0
	for _, s := range r.Scenarios {
		if s.Kind == login.KindDoor && s.Verdict == login.Pass {
			doors++
		}
	}
	if doors != 15 { // 6 of the disabled account, 9 of the one with an override password
		t.Errorf("%d experiments with other accounts pass", doors)
	}
	old := filepath.Join(t.TempDir(), "old.json")
	if err := os.WriteFile(old, []byte(out), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, _, says := mailmatrix(t, slices.Concat(few, args, []string{"--rerun-failed", old})...); status != 2 ||
		says != "mailmatrix: "+old+": nothing failed there, so there is nothing to run again\n" {
		t.Errorf("exit status %d, %s", status, says)
	}

	// Its configuration forgets that secure is not allow.
	bad := filepath.Join(t.TempDir(), "bad.json")
	t.Setenv("EDIT", "s/secure/allow/")
	status, _, diagnostics = mailmatrix(t, slices.Concat(few, args, []string{"--output", "json=" + bad, "--baseline", old, "--fail-on", "leak,regression"})...)
	if status != 1 || !strings.Contains(diagnostics, "worse than in "+old+": remote/pop3/plain/USER-PASS/secure/probe/unknown/none/account: fail, was pass") {
		t.Errorf("exit status %d: %s", status, diagnostics)
	}
	text, err := os.ReadFile(bad)
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{out, string(text), diagnostics} {
		if strings.Contains(shown, "-Secret") || strings.Contains(shown, "-override") {
			t.Error("a password is shown")
		}
	}

	// Mended, what failed is run again, and passes, twice.
	t.Setenv("EDIT", "")
	if err := os.Unsetenv("EDIT"); err != nil {
		t.Fatal(err)
	}
	status, out, diagnostics = mailmatrix(t, slices.Concat(few, args, []string{"--rerun-failed", bad, "--repeat", "2"})...)
	r = login.Report{}
	if err := json.Unmarshal([]byte(out), &r); err != nil || status != 0 {
		t.Fatalf("exit status %d, %v: %s", status, err, diagnostics)
	}
	if r.Totals.Cells == 0 || r.Totals.Cells > 8 || !strings.Contains(diagnostics, "0 of "+fmt.Sprint(r.Sum().Cells)+" results are flaky in 2 runs") {
		t.Errorf("%+v: %s", r.Totals, diagnostics)
	}

	// An account that is said to be disabled, and is not.
	status, out, _ = mailmatrix(t, slices.Concat(few, args, []string{"--account-file", filepath.Join(folder, "enabled.yaml"), "--setting", "deny", "--fail-on", "must"})...)
	if status != 1 || !strings.Contains(out, `"id":"scenario/door/disabled-account/pop3/tls"`) || strings.Contains(out, "grace-Secret") {
		t.Errorf("exit status %d", status)
	}
}

// Bad input is one line, and nothing is reconfigured.
func TestBadLaboratory(t *testing.T) {
	ran := filepath.Join(t.TempDir(), "ran")
	good := file(t, "accounts.yaml", "accounts: [{name: a, password: b}]\n")
	door := "smtp://127.0.0.1:1"
	for _, row := range []struct {
		args []string
		want string
	}{
		{[]string{door, "--apply", "x {policy.yaml}"}, "say by --lab"},
		{[]string{door, "--lab", "--apply", "touch " + ran}, "it wants {policy.yaml} where"},
		{[]string{"mail.example.test", "--lab", "--apply", "touch " + ran + " {policy.yaml}"}, "name them: smtp://mail.example.test:587"},
		{[]string{"smtp://192.0.2.1:1", "--lab", "--account-file", good, "--apply", "touch " + ran + " {policy.yaml}"}, "192.0.2.1 is 192.0.2.1"},
		{[]string{door, "--lab", "--apply", "touch " + ran + " {policy.yaml}"}, "who logs in?"},
		{[]string{door, "--lab", "--profile", "outlok", "--apply", "touch " + ran + " {policy.yaml}"}, `did you mean "outlook"?`},
		{[]string{door, "--lab", "--protocol", "pop3", "--apply", "touch " + ran + " {policy.yaml}"}, "nothing is left to be run: name doors of pop3 as well"},
		{[]string{door, "--lab", "--policy", "modern", "--apply", "touch " + ran + " {policy.yaml}"}, "--policy is about a server as it stands"},
		{[]string{door, "--profile", "outlook"}, "--profile is about a server that is reconfigured"},
		{[]string{door, "--lab", "--repeat", "0", "--apply", "touch " + ran + " {policy.yaml}"}, "--repeat wants a number"},
		{[]string{door, "--lab", "--account-file", good, "--apply", "no-such-command-here {policy.yaml}"}, "is the command there?"},
		{[]string{door, "--lab", "--account-file", good, "--apply", "echo {policy.yaml} is bad; exit 9"}, "exit status 9"},
		{[]string{door, "--lab", "--account-file", good, "--wait", "50ms", "--apply", "true {policy.yaml}"}, "127.0.0.1:1 does not greet within 50ms"},
		{[]string{door, "--fail-on", "msut"}, `did you mean "must"?`},
		{[]string{door, "--fail-on", "regression"}, "worse than what?"},
		{[]string{door, "--baseline", "/nonexistent.json"}, "no such file"},
		{[]string{door, "--baseline", good}, "is no report in JSON"},
	} {
		t.Run(strings.Join(row.args[1:], " "), func(t *testing.T) {
			status, out, says := mailmatrix(t, append([]string{"check"}, row.args...)...)
			if status != 2 || out != "" || strings.Count(says, "\n") != 1 || !strings.Contains(says, row.want) {
				t.Errorf("exit status %d, prints %q, says %q", status, out, says)
			}
			if _, err := os.Stat(ran); err == nil {
				t.Error("the command was run")
			}
		})
	}
}
