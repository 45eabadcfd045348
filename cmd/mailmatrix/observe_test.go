package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/recording"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// observedClient is in the environment of this test's own program where it
// plays the client that is observed: how it behaves.
const observedClient = "OBSERVED_CLIENT"

// TestObservedClient is no test but that client.
func TestObservedClient(t *testing.T) {
	manner := os.Getenv(observedClient)
	if manner == "" {
		t.Skip("not observed")
	}
	env := func(name string) string { return os.Getenv("MAILMATRIX_" + name) }
	data, err := os.ReadFile(env("PASSWORD_FILE"))
	if err != nil {
		os.Exit(3)
	}
	password := strings.TrimSpace(string(data))
	// What a chatty client would say of it.
	fmt.Println(password, base64.StdEncoding.EncodeToString([]byte(password)), hex.EncodeToString([]byte(password)))
	if copied := os.Getenv("OBSERVED_PASSWORD"); copied != "" { // for the test to look for it
		info, err := os.Stat(env("PASSWORD_FILE"))
		folder, folderErr := os.Stat(filepath.Dir(env("PASSWORD_FILE")))
		if err != nil || folderErr != nil || info.Mode().Perm() != 0o600 || folder.Mode().Perm() != 0o700 || os.Getenv("HOME") != env("WORK") {
			os.Exit(4)
		}
		_ = os.WriteFile(copied, []byte(password+"\n"+env("PASSWORD_FILE")), 0o600)
	}
	switch {
	case env("MODE") == "opp":
		os.Exit(99)
	case manner == "silent":
		os.Exit(5)
	}
	speak(env("HOST"), env("PORT"), env("MODE"), env("TRUST"), env("CA"), env("USER"), password)
	if manner == "hang" && env("MODE") == "imp" {
		if hangs := os.Getenv("OBSERVED_HANGS"); hangs != "" {
			_ = os.WriteFile(hangs, nil, 0o600)
		}
		select {}
	}
	os.Exit(7)
}

// speak says EHLO, and logs in by LOGIN and PLAIN until it is let in.
func speak(host, port, mode, trust, ca, user, password string) {
	conn, err := net.Dial("tcp", net.JoinHostPort(host, port))
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	if mode == "imp" {
		config := &tls.Config{ServerName: host, InsecureSkipVerify: trust == "no"}
		if trust == "ca" {
			config.RootCAs, _ = poolOf(ca)
		}
		secured := tls.Client(conn, config)
		if secured.Handshake() != nil {
			return
		}
		conn = secured
	}
	in := bufio.NewReader(conn)
	say := func(line string) string {
		if line != "" {
			_, _ = fmt.Fprintf(conn, "%s\r\n", line)
		}
		for {
			reply, err := in.ReadString('\n')
			if err != nil || len(reply) < 4 || reply[3] != '-' {
				return reply
			}
		}
	}
	encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	say("")
	say("EHLO localhost")
	for _, attempt := range [][]string{{"AUTH LOGIN", encode(user), encode(password)}, {"AUTH PLAIN " + encode("\x00"+user+"\x00"+password)}} {
		reply := ""
		for _, line := range attempt {
			if reply = say(line); !strings.HasPrefix(reply, "334") {
				break
			}
		}
		if strings.HasPrefix(reply, "235") {
			break
		}
	}
	say("QUIT")
}

// observing is a command line for a series with this test's own program.
func observing(t *testing.T, manner string, more ...string) (args []string, records string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(observedClient, manner)
	records = filepath.Join(t.TempDir(), "records.jsonl")
	return append([]string{"observe", "--name", "mine", "--protocol", "smtp", "--output", records,
		"--exec", "'" + self + "' -test.run=^TestObservedClient$"}, more...), records
}

// TestObserve: a program is recorded and a draft is made of it; its password is
// in nothing that is shown or written, and nothing is left behind.
func TestObserve(t *testing.T) {
	copied := filepath.Join(t.TempDir(), "password")
	t.Setenv("OBSERVED_PASSWORD", copied)
	draft := filepath.Join(t.TempDir(), "draft.yaml")
	args, records := observing(t, "login", "--case", "S1,s1o,S3,S3t,S3n,S5,S6,S7,S7t,S10", "--profile", draft, "--client-version", "1.0", "--variant", "loud")
	status, out, diagnostics := mailmatrix(t, args...)
	if status != 0 || diagnostics != "" {
		t.Fatalf("exit status %d: %s\n%s", status, diagnostics, out)
	}
	for _, want := range []string{
		"mine+loud 1.0   9 postures observed   1 do not apply",
		"LOGIN 535, PLAIN 535; PASSWORD readable", "TLS fails", "DRAFT", "made without S7t S10, replayed", "what that foretells of them",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	fresh, err := readFile(records, recording.ReadRecords)
	if err != nil {
		t.Fatal(err)
	}
	if err := recording.CheckCases(fresh, recording.Postures()); err != nil || len(fresh) != 9 {
		t.Errorf("%d records, %v", len(fresh), err)
	}
	commands := fresh[0].Commands
	if r := fresh[0]; r.Case != "S1" || r.Client != "mine" || r.Variant != "loud" || r.Version != "1.0" || !r.OK || r.RC != 7 ||
		!slices.Equal(commands, []string{"c1 clear EHLO localhost", "c1 clear AUTH LOGIN", "c1 clear <b64>", "c1 clear czNjcmV0LVBhNTU=", "c1 clear QUIT"}) {
		t.Errorf("recorded %+v", fresh[0])
	}
	yaml, err := os.ReadFile(draft)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := clientsim.Load(draft, yaml); err != nil || p.Name != "mine-loud" {
		t.Errorf("%s: %v", p.Name, err)
	}
	recorded, err := os.ReadFile(records)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := os.ReadFile(copied)
	if err != nil {
		t.Fatalf("the client did not find its files as they must be: %v\n%s", err, out)
	}
	password, where, _ := strings.Cut(string(secret), "\n")
	if len(password) != len(recording.Password) {
		t.Errorf("a password of %d octets", len(password))
	}
	hidden(t, password, map[string][]byte{"output": []byte(out), "records": recorded, "draft": yaml})
	if _, err := os.Stat(filepath.Dir(where)); !os.IsNotExist(err) {
		t.Errorf("%s is left: %v", filepath.Dir(where), err)
	}
}

// hidden fails where a secret is found in any form.
func hidden(t *testing.T, password string, where map[string][]byte) {
	t.Helper()
	search := wire.NewSearcher(wire.Needle{Name: "password", Text: password})
	if len(search.Find([]byte(base64.StdEncoding.EncodeToString([]byte(password))))) == 0 {
		t.Fatal("the search finds nothing")
	}
	for name, data := range where {
		if len(search.Find(data)) > 0 {
			t.Errorf("the password is in the %s:\n%s", name, data)
		}
	}
}

// TestObserveHangs: a program that does not end is ended, and the record says
// so.
func TestObserveHangs(t *testing.T) {
	args, records := observing(t, "hang", "--case", "S3t,S1", "--timeout", "2s")
	began := time.Now()
	status, out, diagnostics := mailmatrix(t, args...)
	if status != 0 || time.Since(began) > 15*time.Second {
		t.Fatalf("exit status %d after %s: %s\n%s", status, time.Since(began), diagnostics, out)
	}
	fresh, err := readFile(records, recording.ReadRecords)
	if err != nil || len(fresh) != 2 || fresh[0].TimedOut || !fresh[1].TimedOut || !fresh[1].OK {
		t.Errorf("%v, %+v", err, fresh)
	}
}

// TestObserveInterrupted: what was recorded stays.
func TestObserveInterrupted(t *testing.T) {
	hangs := filepath.Join(t.TempDir(), "hangs")
	t.Setenv("OBSERVED_HANGS", hangs)
	args, records := observing(t, "hang", "--case", "S1,S3t,S5", "--parallel", "1", "--timeout", "60s")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	go func() {
		for range tick.C {
			if _, err := os.Stat(hangs); err == nil || ctx.Err() != nil {
				cancel()
				return
			}
		}
	}()
	var out, diagnostics bytes.Buffer
	status := run(ctx, args, terminal{In: strings.NewReader(""), Out: &out, Err: &diagnostics})
	if status != 2 || !strings.Contains(diagnostics.String(), "interrupted: the 1 records so far are in "+records) {
		t.Errorf("exit status %d: %s", status, diagnostics.String())
	}
	fresh, err := readFile(records, recording.ReadRecords)
	if err != nil || len(fresh) != 1 || fresh[0].Case != "S1" {
		t.Errorf("%v, %+v", err, fresh)
	}
}

// TestObserveNothing: where there is nothing to record, one line says why, and
// no file is left.
func TestObserveNothing(t *testing.T) {
	for _, row := range []struct{ name, manner, cases, want string }{
		{"it never connects", "silent", "S1", "the program never connected: in S1 it ended with exit status 5"},
		{"nothing applies", "login", "S1o", "nothing was recorded"},
	} {
		t.Run(row.name, func(t *testing.T) {
			args, records := observing(t, row.manner, "--case", row.cases)
			status, out, diagnostics := mailmatrix(t, args...)
			if status != 2 || out != "" || !strings.HasPrefix(diagnostics, "mailmatrix: "+row.want) || strings.Count(diagnostics, "\n") != 1 {
				t.Errorf("exit status %d, %q, output %q", status, diagnostics, out)
			}
			if left, _ := os.ReadDir(filepath.Dir(records)); len(left) != 0 {
				t.Errorf("left: %v", left)
			}
		})
	}
}
