package interop

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/recording"
	"github.com/mailmatrix/mailmatrix/server"
)

// observed is a program that `mailmatrix observe` records unattended.
type observed struct {
	profile, program, debian string
	version                  string // of the built-in profile; another release may do otherwise
	args                     []string
	// script, where there is one, is the command.
	script string
	// sessions is how many postures apply; foretold how many of those held back
	// the draft must foretell in every field.
	sessions, foretold int
}

// ofPython says how the libraries are called. The machine's name is fixed,
// since they say it where it has a domain.
const ofPython = `#!{python}
import os, sys, socket, ssl
socket.getfqdn = lambda *_: "vm"
socket.gethostbyname = lambda _: "127.0.0.1"
e = {k[11:].lower(): v for k, v in os.environ.items() if k.startswith("MAILMATRIX_")}
password = open(e["password_file"]).read().strip()
host, port, mode = e["host"], int(e["port"]), e["mode"]
context = None
if e["trust"] == "ca":
    context = ssl.create_default_context(cafile=e["ca"])
`

var observeds = []observed{
	{profile: "curl", program: "curl", debian: "curl", version: "7.88.1", sessions: 60, foretold: 6, args: []string{
		"--exec", "curl -sS --netrc-file {netrc} {options} {url}",
		"--when", "smtp=--mail-from {user} --mail-rcpt {recipient} -T -",
		"--when", "opp=--ssl", "--when", "req=--ssl-reqd", "--when", "imp=", "--when", "ca=--cacert {ca}", "--when", "no=-k"}},
	{profile: "msmtp", program: "msmtp", debian: "msmtp", version: "1.8.23", sessions: 27, foretold: 3, args: []string{
		"--protocol", "smtp",
		"--exec", "msmtp --host={host} --port={port} --auth=on --user={user} --from={user} --passwordeval='cat {password-file}' {options} {recipient}",
		"--when", "off=--tls=off", "--when", "req=--tls=on --tls-starttls=on", "--when", "imp=--tls=on --tls-starttls=off",
		"--when", "ca=--tls-trust-file={ca}", "--when", "no=--tls-certcheck=off"}},
	{profile: "mpop", program: "mpop", debian: "mpop", version: "1.4.18", sessions: 25, foretold: 3, args: []string{
		"--protocol", "pop3",
		"--exec", "mpop --host={host} --port={port} --auth=on --user={user} --passwordeval='cat {password-file}' --delivery=mbox,{work}/mbox",
		"--when", "off=--tls=off", "--when", "req=--tls=on --tls-starttls=on", "--when", "imp=--tls=on --tls-starttls=off",
		"--when", "ca=--tls-trust-file={ca}", "--when", "no=--tls-certcheck=off"}},
	{profile: "swaks", program: "swaks", debian: "swaks libnet-ssleay-perl libdigest-hmac-perl libauthen-ntlm-perl", version: "20201014.0",
		sessions: 31, foretold: 2, script: `#!/bin/sh
[ "$MAILMATRIX_PROTOCOL" = smtp ] || exit 99
case $MAILMATRIX_MODE in opp) set -- --tls-optional;; req) set -- --tls;; imp) set -- --tlsc;; esac
case $MAILMATRIX_TRUST in ca) set -- "$@" --tls-verify --tls-ca-path "$MAILMATRIX_CA";; esac
printf 'auth-user %s\nauth-password %s\n' "$MAILMATRIX_USER" "$(cat "$MAILMATRIX_PASSWORD_FILE")" > "$MAILMATRIX_WORK/swaksrc"
exec swaks --config "$MAILMATRIX_WORK/swaksrc" --server "$MAILMATRIX_HOST" --port "$MAILMATRIX_PORT" \
  --from "$MAILMATRIX_USER" --to "$MAILMATRIX_RECIPIENT" --auth "$@"
`},
	{profile: "py-smtplib", program: "python3", debian: "python3", version: "3.11", sessions: 31, foretold: 2,
		args: []string{"--protocol", "smtp"}, script: ofPython + `
import smtplib
s = smtplib.SMTP_SSL(host, port, context=context) if mode == "imp" else smtplib.SMTP(host, port)
if mode == "opp": s.ehlo()
if mode == "req" or mode == "opp" and s.has_extn("starttls"): s.starttls(context=context)
s.login(e["user"], password)
s.sendmail(e["user"], [e["recipient"]], open(e["message"]).read())
s.quit()
`},
	{profile: "py-poplib", program: "python3", debian: "python3", version: "3.11", sessions: 25, foretold: 3,
		args: []string{"--protocol", "pop3"}, script: ofPython + `
import poplib
if mode == "opp": sys.exit(99)
p = poplib.POP3_SSL(host, port, context=context) if mode == "imp" else poplib.POP3(host, port)
if mode == "req": p.stls(context=context)
p.user(e["user"]); p.pass_(password)
p.stat(); p.quit()
`},
}

// python is the interpreter itself, where what is on the PATH only leads there.
func python(t *testing.T) string {
	t.Helper()
	out, err := exec.Command(need(t, "python3", "python3"), "-c", "import sys; print(sys.executable)").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// mailmatrixProgram builds the program once.
var mailmatrixProgram = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "mailmatrix-interop-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, "mailmatrix")
	out, err := exec.Command("go", "build", "-o", path, "../cmd/mailmatrix").CombinedOutput()
	if err != nil {
		err = errors.Join(err, errors.New(string(out)), os.RemoveAll(folder))
	}
	return path, err
})

// TestObserve: real programs are observed afresh, their records agree with the
// built-in profiles, and the drafts made of them foretell what was held back.
func TestObserve(t *testing.T) {
	program, err := mailmatrixProgram()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(filepath.Dir(program)) })
	lab, err := server.NewReference()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lab.Close() })
	for _, o := range observeds {
		t.Run(o.profile, func(t *testing.T) { o.test(t, program, lab) })
	}
}

func (o observed) test(t *testing.T, program string, lab *server.Reference) {
	need(t, o.program, o.debian)
	folder := t.TempDir()
	records, draft := filepath.Join(folder, "records.jsonl"), filepath.Join(folder, "draft.yaml")
	args := append([]string{"observe", "--name", o.profile, "--client-version", o.version, "--output", records, "--profile", draft}, o.args...)
	if o.script != "" {
		script := write(t, folder, "drive", strings.Replace(o.script, "{python}", python(t), 1))
		if err := os.Chmod(script, 0o700); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--exec", script)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	began := time.Now()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%.1f s\n%s", time.Since(began).Seconds(), out)

	data, err := os.ReadFile(records)
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := recording.ReadRecords(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if err := recording.CheckCases(fresh, recording.Postures()); err != nil || len(fresh) != o.sessions {
		t.Fatalf("%d records, want %d; %v", len(fresh), o.sessions, err)
	}
	report, err := harness.Replay{Lab: lab, Cases: recording.Postures(), Parallel: 4,
		Profile: func(client, _ string) (clientsim.Profile, error) { return clientsim.Get(client) }}.Run(t.Context(), fresh)
	if err != nil {
		t.Fatal(err)
	}
	got := report.Totals
	for _, f := range []struct {
		field string
		n     int
		least float64
	}{{"attempts", got.Attempts, 99}, {"exposure", got.Exposure, 99}, {"outcome", got.Outcome, 99}, {"commands", got.Commands, 97}} {
		if share := 100 * float64(f.n) / float64(got.Cases); share < f.least {
			t.Errorf("%s agree in %.1f %% with the profile: %+v", f.field, share, report.Clients)
		}
	}
	o.judgeDraft(t, draft, string(out))
	o.judgeCases(t, lab, string(out))
}

// judged is a line of what the clients' cases say of a real client.
var judged = regexp.MustCompile(`(?m)^ (client/\S+) +\S+ +(FAIL|WARN|pass|unknown|na) `)

// judgeCases: the clients' cases say the same of the program as of its profile:
// the sins that are known of it are those that it commits.
func (o observed) judgeCases(t *testing.T, lab *server.Reference, out string) {
	plan, err := harness.NewPlan(harness.Grid{Cases: []string{"client"}, Profiles: []string{o.profile}})
	if err != nil {
		t.Fatal(err)
	}
	simulated := map[string]string{}
	for _, r := range harness.Run(t.Context(), plan, harness.Config{Target: lab}).Cases {
		word := map[harness.Verdict]string{harness.Fail: "FAIL", harness.Warn: "WARN", harness.Pass: "pass", harness.Skip: "na"}[r.Verdict]
		simulated[r.ID] = word
	}
	found := judged.FindAllStringSubmatch(out, -1)
	if len(found) < len(simulated) {
		t.Errorf("%d cases judge the program, %d its profile", len(found), len(simulated))
	}
	for _, f := range found {
		if want, known := simulated[f[1]]; known && f[2] != want { // of some no profile knows anything
			t.Errorf("%s says %s of the program, and %s of its profile", f[1], f[2], want)
		}
	}
}

// foretells is the line about what was held back.
var foretells = regexp.MustCompile(`what that foretells of them +(.*)`)

// judgeDraft: it is a profile, and it foretells as much as it did when this was
// written.
func (o observed) judgeDraft(t *testing.T, name, out string) {
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := clientsim.Load(name, data); err != nil {
		t.Error(err)
	}
	found := foretells.FindStringSubmatch(out)
	if found == nil {
		t.Fatal("nothing is said of what was held back")
	}
	var figures []string
	for _, word := range strings.Fields(found[1]) {
		if !strings.Contains(word, "%") {
			figures = append(figures, word)
		}
	}
	if len(figures) != 5 {
		t.Fatalf("%q: cases and four fields are wanted", found[1])
	}
	for _, figure := range figures[1:] {
		if n, err := strconv.Atoi(figure); err != nil || n < o.foretold {
			t.Errorf("the draft foretells %s of %s, want %d: %s", figure, figures[0], o.foretold, found[0])
		}
	}
}
