package interop

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// TestFindings runs every command of docs/findings.md against the server that
// it is about, and looks for the lines under it. The commands use openssl, curl
// and swaks, and nothing of ours.
func TestFindings(t *testing.T) {
	shell := need(t, "bash", "bash")
	for _, p := range [][2]string{{"openssl", "openssl"}, {"curl", "curl"}, {"swaks", "swaks"}} {
		need(t, p[0], p[1])
	}
	text, err := os.ReadFile("../docs/findings.md")
	if err != nil {
		t.Fatal(err)
	}
	functions, found := findingsIn(string(text))
	for _, server := range standingServers {
		t.Run(server.name, func(t *testing.T) {
			t.Parallel()
			for _, policy := range standingPolicies {
				var mine []finding
				for _, f := range found {
					if f.server == server.name && f.policy == policy {
						mine = append(mine, f)
					}
				}
				t.Run(policy, func(t *testing.T) {
					if len(mine) == 0 {
						t.Skip("the note has no command for it")
					}
					s := server.stand(t, policy)
					s.handOut(t)
					said := runFindings(t, shell, s.variables(t)+functions, mine)
					for i, f := range mine {
						t.Run(f.title, func(t *testing.T) {
							if !f.lines().MatchString(said[i]) {
								t.Errorf("want these lines:\n%s\ngot:\n%s", f.output, said[i])
							}
						})
					}
				})
			}
		})
	}
}

// TestFindingsAreKnown: the note and the files of known/ are about the same
// cases.
func TestFindingsAreKnown(t *testing.T) {
	text, err := os.ReadFile("../docs/findings.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, server := range standingServers {
		_, section, _ := strings.Cut(string(text), "\n## "+strings.ToUpper(server.name[:1])+server.name[1:])
		section, _, _ = strings.Cut(section, "\n## ")
		inNote := regexp.MustCompile("`([a-z0-9]+/[a-z0-9]+/[0-9]{3}@[a-z0-9]+)`").FindAllStringSubmatch(section, -1)
		var noted, listed []string
		for _, m := range inNote {
			noted = append(noted, m[1])
		}
		for _, policy := range standingPolicies {
			for _, e := range known(t, server.name, policy) {
				listed = append(listed, e.Pattern)
			}
		}
		noted, listed = sortedOnce(noted), sortedOnce(listed)
		if !slices.Equal(noted, listed) {
			t.Errorf("%s: docs/findings.md has\n%s\nand known/ has\n%s", server.name, strings.Join(noted, "\n"), strings.Join(listed, "\n"))
		}
	}
}

func sortedOnce(all []string) []string { return slices.Compact(slices.Sorted(slices.Values(all))) }

// finding is one of the note.
type finding struct{ server, policy, title, command, output string }

// findingsIn reads the note: its first block of code are the functions that the
// others use. A block for the strict configuration says so.
func findingsIn(note string) (functions string, found []finding) {
	block := regexp.MustCompile("(?s)```sh( strict)?\n(.*?)\n```\n\n```text\n(.*?)\n```")
	sections := strings.Split(note, "\n## ")
	for _, section := range sections {
		name, _, _ := strings.Cut(section, " ")
		for _, part := range strings.Split(section, "\n### ")[1:] {
			title, _, _ := strings.Cut(part, "\n")
			for _, m := range block.FindAllStringSubmatch(part, -1) {
				f := finding{server: strings.ToLower(name), policy: "open", title: title, command: m[2], output: m[3]}
				if m[1] != "" {
					f.policy = "strict"
				}
				found = append(found, f)
			}
		}
	}
	_, functions, _ = strings.Cut(note, "```sh\n")
	functions, _, _ = strings.Cut(functions, "```")
	return functions, found
}

// runFindings runs the commands, some side by side because they mostly wait, and
// returns what each says. The secrets in them are those of a server that lives
// as long as the test.
func runFindings(t *testing.T, shell, before string, all []finding) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	said := make([]string, len(all))
	var running sync.WaitGroup
	free := make(chan struct{}, 6)
	for i, f := range all {
		free <- struct{}{}
		running.Go(func() {
			defer func() { <-free }()
			cmd := exec.CommandContext(ctx, shell, "-c", before+f.command)
			cmd.WaitDelay = time.Second
			out, err := cmd.Output()
			said[i] = strings.ReplaceAll(string(out), "\r", "")
			if ctx.Err() != nil {
				said[i] += fmt.Sprintf("it does not end: %v", err)
			}
		})
	}
	running.Wait()
	return said
}

// lines is what must be in the output, line by line, with others between them.
func (f finding) lines() *regexp.Regexp {
	var all []string
	for line := range strings.SplitSeq(f.output, "\n") {
		text := strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(regexp.QuoteMeta(strings.TrimRight(line, " ")))
		all = append(all, `^`+text+` ?$`)
	}
	return regexp.MustCompile(`(?m)` + strings.Join(all, `(?s:.*?)`))
}

// variables are those that the note's commands use.
func (s *standing) variables(t *testing.T) string {
	t.Helper()
	token, err := os.ReadFile(s.site.path("token"))
	if err != nil {
		t.Fatal(err)
	}
	a := s.site.account
	return fmt.Sprintf("SMTP=%s SMTPS=%s POP3=%s POP3S=%s NAME=%s PASS=%s ME=%s@%s PLAIN=%s TOKEN=%s CERT=%s KEY=%s\n",
		s.doors[login.SMTP][login.Plain], s.doors[login.SMTP][login.TLS], s.doors[login.POP3][login.Plain], s.doors[login.POP3][login.TLS],
		a.Name, a.Password, a.Name, login.DefaultDomain, base64.StdEncoding.EncodeToString([]byte("\x00"+a.Name+"\x00"+a.Password)),
		token, filepath.Join(s.site.folder, "client.pem"), filepath.Join(s.site.folder, "client.key"))
}
