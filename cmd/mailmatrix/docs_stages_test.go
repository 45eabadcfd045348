package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// stages set up what a tutorial takes for granted: a mail server that is
// there. What they return puts its doors in the place of those on the page.
var stages = map[string]func(t *testing.T, folder string) *strings.Replacer{
	"adding-a-client.md":        recordedPostures,
	"before-a-policy-change.md": deployedServers,
	"in-ci.md":                  reconfiguredServer,
	"in-a-ginkgo-suite.md":      otherModule,
}

// recordedPostures are the postures of the recordings.
func recordedPostures(t *testing.T, folder string) *strings.Replacer {
	t.Helper()
	cases := read(t, filepath.Join("..", "..", "internal", "recording", "testdata", "cases.json"))
	if err := os.WriteFile(filepath.Join(folder, "cases.json"), []byte(cases), publicFile); err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer()
}

// deployedServers are one in service, and one that is to take its place.
func deployedServers(t *testing.T, folder string) *strings.Replacer {
	t.Helper()
	var names []string
	for _, s := range []struct{ name, policy string }{{"mail.example.com", "intermediate"}, {"next.example.com", file(t, "mine.yaml",
		"policy: {PLAIN: secure, USER/PASS: secure}\nsmtp: {LOGIN: secure}\n")}} {
		doors := served(t, s.policy)
		made, err := filepath.Glob(filepath.Join(os.Getenv("TMPDIR"), "mailmatrix*"))
		if err != nil || len(made) != 1 {
			t.Fatalf("%v, %v", made, err)
		}
		// Nobody vouches for a server of ours but the authority that it made.
		trust := " --trust " + filepath.Join(made[0], "ca.pem")
		names = append(names, "--on "+s.name, "--on "+strings.Join(doors, ",")+trust, s.name, strings.Join(doors, " ")+trust)
		host, _, _ := strings.Cut(s.name, ".")
		if err := os.WriteFile(filepath.Join(folder, host+".password"), []byte(read(t, filepath.Join(made[0], "password"))), privateFile); err != nil {
			t.Fatal(err)
		}
	}
	return strings.NewReplacer(names...)
}

// reconfiguredServer is somebody's, with the command that puts it into a
// policy, beside one in service.
func reconfiguredServer(t *testing.T, folder string) *strings.Replacer {
	t.Helper()
	theirs, args := theirs(t)
	for name, text := range map[string]string{
		"reconfigure":    fmt.Sprintf("#!/bin/sh\nexec sh %s/restart.sh \"$1\"\n", theirs),
		"carol.password": read(t, filepath.Join(theirs, "password")),
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(folder, "carol.password"), privateFile); err != nil {
		t.Fatal(err)
	}
	inService := strings.Join(served(t, "intermediate"), " ")
	made, err := filepath.Glob(filepath.Join(os.Getenv("TMPDIR"), "mailmatrix*", "ca.pem"))
	if err != nil || len(made) != 1 {
		t.Fatalf("%v, %v", made, err)
	}
	return strings.NewReplacer("carol@example.test", theirAccount,
		"history mail.example.com", "history 127.0.0.1", "mail.example.com", inService+" --trust "+made[0],
		"smtp://127.0.0.1:2525", args[0], "smtps://127.0.0.1:2465", args[1], "pop3://127.0.0.1:2110", args[2], "pop3s://127.0.0.1:2995", args[3])
}

// otherModule is a project of somebody else's, with a mail server in it.
func otherModule(t *testing.T, folder string) *strings.Replacer {
	t.Helper()
	if testing.Short() {
		t.Skip("builds another module: not with -short")
	}
	t.Setenv("GOFLAGS", "-mod=mod") // that the example's own file is in order another test says
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"go.mod", "go.sum", "server.go"} {
		text := strings.ReplaceAll(read(t, filepath.Join(root, "examples", "embed", name)), "=> ../..", "=> "+root)
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), publicFile); err != nil {
			t.Fatal(err)
		}
	}
	return strings.NewReplacer()
}
