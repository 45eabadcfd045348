package apply_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/harness/remote/apply"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
	"github.com/mailmatrix/mailmatrix/server"
)

// TestMain makes the test binary the command as well: it hands the files to the
// server under test, and exits with what that says.
func TestMain(m *testing.M) {
	if at := os.Getenv("APPLY_AT"); at != "" {
		os.Exit(hand(at, os.Args[1:]))
	}
	os.Exit(m.Run())
}

func hand(at string, files []string) int {
	parts := map[string]string{}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 3
		}
		parts[name[strings.LastIndexByte(name, '/')+1:]] = string(text)
	}
	body, _ := json.Marshal(parts)
	answer, err := http.Post(at, "application/json", bytes.NewReader(body))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 3
	}
	defer func() { _ = answer.Body.Close() }()
	text, _ := io.ReadAll(answer.Body)
	fmt.Fprint(os.Stderr, string(text))
	switch answer.StatusCode {
	case http.StatusOK:
		return 0
	case http.StatusNotImplemented:
		return apply.CannotExpress
	default:
		return 3
	}
}

// theirs is somebody's server that is reconfigured by a command.
type theirs struct {
	reference *server.Reference
	control   *httptest.Server
	// lacks are mechanisms that its configuration has no word for.
	lacks []login.Mechanism
	// bends changes what the policy says before it comes into force.
	bends func(*login.Setup)

	mu       sync.Mutex
	door     wire.Door
	accounts []login.Account
	applied  []string
	strange  string // what was asked for that makes no sense
}

var (
	main  = login.Account{Name: "carolmain", Password: "aBcarolsSecret"}
	other = login.Account{Name: "daveother", Password: "aBdaves.Secret"}
)

func newTheirs(t *testing.T, options ...server.Option) *theirs {
	t.Helper()
	s := &theirs{accounts: []login.Account{main, other}}
	var err error
	if s.reference, err = server.NewReference(options...); err != nil {
		t.Fatal(err)
	}
	s.control = httptest.NewServer(s)
	t.Cleanup(func() {
		s.control.Close()
		if s.door != nil {
			_ = s.door.Close()
		}
		if err := s.reference.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// ServeHTTP puts the server into another state.
func (s *theirs) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var files map[string]string
	if err := json.NewDecoder(r.Body).Decode(&files); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	policy, err := harness.LoadPolicy("policy.yaml", []byte(files["policy.yaml"]))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.applied = append(s.applied, files["policy.yaml"])
	for _, m := range s.lacks {
		if policy.For(login.SMTP, m) != login.Deny || policy.For(login.POP3, m) != login.Deny {
			http.Error(w, "no word for "+string(m), http.StatusNotImplemented)
			return
		}
	}
	setup := login.Setup{Flavour: login.Modern, Database: login.Full, Policy: policy, Accounts: s.accounts, Trust: login.Trust{DemandAuth: true}}
	if text := files["accounts.json"]; text != "" {
		setup.Accounts = nil
		var made []struct{ Name, Password, Override string }
		if err := json.Unmarshal([]byte(text), &made); err != nil {
			s.strange = err.Error()
		}
		for _, a := range made {
			setup.Accounts = append(setup.Accounts, login.Account(a))
		}
	}
	if s.bends != nil {
		s.bends(&setup)
	}
	if s.door != nil {
		_ = s.door.Close()
	}
	if s.door, err = s.reference.Under(context.Background(), setup); err != nil {
		s.strange = err.Error()
	}
}

func (s *theirs) now() wire.Door {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.door
}

func (s *theirs) dial(ctx context.Context, p login.Protocol, t login.Transport) (net.Conn, error) {
	return s.now().Dial(ctx, p, t)
}

func (s *theirs) authority() *x509.CertPool { return s.now().Authority() }

// target is it as a target, reconfigured by the test binary.
func (s *theirs) target(t *testing.T, files string) *apply.Target {
	t.Helper()
	c := apply.Config{
		Name:    "theirs",
		Command: "GORACE=atexit_sleep_ms=0 APPLY_AT=" + s.control.URL + " '" + os.Args[0] + "' " + files,
		Dial:    s.dial,
	}
	for _, p := range login.Protocols() {
		c.Doors = append(c.Doors, apply.Door{Protocol: p, Transport: login.Plain, Address: string(p)},
			apply.Door{Protocol: p, Transport: login.TLS, Address: string(p) + "s"})
	}
	if !strings.Contains(files, apply.AccountsFile) {
		c.Stand = harness.Stand{Account: main, Other: other}
		issued, err := s.reference.Issue(main.Name, login.Flawless)
		if err != nil {
			t.Fatal(err)
		}
		c.Issued = issued
	}
	target := apply.New(c)
	// What its clients trust is known once it runs.
	door, err := target.Under(t.Context(), login.Setup{})
	if err != nil {
		t.Fatal(err)
	}
	target.Authority = s.authority()
	if err := door.Close(); err != nil {
		t.Fatal(err)
	}
	return target
}

func measure(t *testing.T, target *apply.Target, g harness.Grid) login.Report {
	t.Helper()
	plan, err := harness.NewRemotePlan(g)
	if err != nil {
		t.Fatal(err)
	}
	return harness.Run(t.Context(), plan, harness.Config{Target: target, Seed: 7, Parallel: 1, Patience: 100 * time.Millisecond,
		Transcripts: harness.KeepAll})
}

// problems are the results that did not pass.
func problems(r login.Report) []string {
	var all []string
	for _, c := range r.Cells {
		if c.Verdict > login.Skip || c.Verdict == login.Unjudged {
			all = append(all, fmt.Sprintf("%s %s: %s %s", c.Verdict, c.ID, c.Outcome, c.Reason))
		}
	}
	for _, s := range r.Scenarios {
		if s.Verdict > login.Skip {
			all = append(all, fmt.Sprintf("%s %s: %s %s", s.Verdict, s.ID, s.Outcome, s.Reason))
		}
	}
	for _, c := range r.Cases {
		if c.Verdict > login.Skip {
			all = append(all, fmt.Sprintf("%s %s: %s", c.Verdict, r.Key(c), c.Reason))
		}
	}
	return all
}

// A server that does what it is told passes the whole matrix and every case, and
// is reconfigured no oftener than there are policies.
func TestWholeMatrix(t *testing.T) {
	t.Parallel()
	s := newTheirs(t)
	report := measure(t, s.target(t, apply.PolicyFile), harness.Grid{})
	if got := problems(report); report.ExitStatus() != 0 || len(got) > 0 {
		t.Errorf("exit status %d:\n%s", report.ExitStatus(), strings.Join(got, "\n"))
	}
	in := map[login.Outcome]int{}
	for _, c := range report.Cells {
		in[c.Outcome]++
		if c.Flavour != login.Remote || c.Database != harness.UnknownDatabase || c.Override != login.NoOverride {
			t.Fatalf("%s is no cell of a target that is not ours", c.ID)
		}
	}
	t.Logf("%d cells %v, %+v, %d applied, %.1f s", len(report.Cells), in, report.CaseTotals, len(s.applied), report.ElapsedMS/1000)
	if in[login.LoggedIn] < 60 || report.CaseTotals.Pass < 100 {
		t.Errorf("little was tried: %v, cases %+v", in, report.CaseTotals)
	}
	if distinct := len(slices.Compact(slices.Sorted(slices.Values(s.applied)))); len(s.applied) > distinct+4 {
		t.Errorf("%d applied, of %d policies", len(s.applied), distinct)
	}
	secrets := wire.NewSearcher(wire.Needle{Name: "password", Text: main.Password}, wire.Needle{Name: "other", Text: other.Password})
	if found := secrets.Find(fmt.Appendf(nil, "%+v", report)); len(found) > 0 {
		t.Errorf("the report shows %v", found)
	}
}

// One that is not right is found out.
func TestSabotage(t *testing.T) {
	t.Parallel()
	narrow := harness.Grid{Mechanisms: []login.Mechanism{login.PLAIN, login.UserPass, login.CRAMMD5}}
	for _, row := range []struct {
		name    string
		options []server.Option
		bends   func(*login.Setup)
		says    string
	}{
		{"its command takes secure for allow", nil, func(s *login.Setup) {
			for _, own := range s.Policy.Own {
				for m, setting := range own {
					if setting == login.Secure {
						own[m] = login.Allow
					}
				}
			}
		}, "saw logged-in"},
		{"what is denied is only hidden", []server.Option{server.WithBug(server.DenyHidesOnly)}, nil, "saw logged-in"},
		{"it asks for the secret before it refuses", []server.Option{server.WithBug(server.PolicyAtTheEnd)}, nil, "a listener can read more"},
		{"secure is refused inside TLS", []server.Option{server.WithBug(server.SecureRefusedOnTLS)}, nil, "expected logged-in"},
		{"a wrong password is taken", []server.Option{server.WithBug(server.WrongAccepted)}, nil, "saw logged-in"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := newTheirs(t, row.options...)
			s.bends = row.bends
			report := measure(t, s.target(t, apply.PolicyFile), narrow)
			got := strings.Join(problems(report), "\n")
			if report.ExitStatus() != 1 || !strings.Contains(got, row.says) {
				t.Errorf("exit status %d:\n%s", report.ExitStatus(), got)
			}
		})
	}
}

// What a server has no word for is skipped, and the cases run with the rest.
func TestCannotExpress(t *testing.T) {
	t.Parallel()
	s := newTheirs(t)
	s.lacks = []login.Mechanism{login.GSSAPI, login.NTLM, login.DIGESTMD5}
	target := s.target(t, apply.PolicyFile+" "+apply.AccountsFile)
	report := measure(t, target, harness.Grid{Cases: []string{"smtp/auth", "sasl/plain"}})
	if got := problems(report); report.ExitStatus() != 0 || len(got) > 0 || s.strange != "" || report.CaseTotals.Pass == 0 {
		t.Errorf("exit status %d, %+v, %s:\n%s", report.ExitStatus(), report.CaseTotals, s.strange, strings.Join(got, "\n"))
	}
	able, err := target.Mechanisms(t.Context())
	if err != nil || slices.Contains(able, login.NTLM) || len(able) != len(harness.Mechanisms())-3 {
		t.Errorf("%v, %v", able, err)
	}
	report = measure(t, target, harness.Grid{Mechanisms: []login.Mechanism{login.NTLM}, Protocols: []login.Protocol{login.SMTP}})
	for _, c := range report.Cells {
		skipped := c.Verdict == login.Skip && c.Why == login.WhyCannot && strings.Contains(c.Reason, "cannot express this policy: no word for NTLM")
		if skipped == (c.Setting == login.Deny) || c.Setting == login.Deny && c.Verdict != login.Pass {
			t.Errorf("%s: %s %s %s", c.ID, c.Verdict, c.Why, c.Reason)
		}
	}
}

// PLAIN and USER/PASS may be one thing: a command that has no word for one of them
// alone can still allow both.
func TestOnlyTogether(t *testing.T) {
	t.Parallel()
	const one = `awk '/^[a-z]/ {at = $1} at == "pop3:" && /PLAIN: [as]|USER.PASS: [as]/ {n++} END {exit n == 1 ? 127 : 0}' {policy.yaml}`
	able, err := commanded(greeter(t, "127.0.0.1:0", "220 here"), one).Mechanisms(t.Context())
	if err != nil || !slices.Equal(able, harness.Mechanisms()) {
		t.Errorf("%v, %v", able, err)
	}
	able, err = commanded(greeter(t, "127.0.0.1:0", "220 here"), "! grep -q allow {policy.yaml} || exit 127").Mechanisms(t.Context())
	if err != nil || len(able) > 0 {
		t.Errorf("%v, %v", able, err)
	}
	if _, err := commanded(greeter(t, "127.0.0.1:0", "220 here"), "exit 2").Mechanisms(t.Context()); err == nil {
		t.Error("a command that fails says what a server can do")
	}
}
