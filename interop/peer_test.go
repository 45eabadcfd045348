package interop

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// patience is how long a program may take for one login. It is only met when
// something hangs.
const patience = 30 * time.Second

// need finds a program. Where it is missing the test is skipped, or fails
// where every peer is required.
func need(t testing.TB, program, debian string) string {
	t.Helper()
	// Debian keeps daemons where a user's PATH may not lead.
	for _, name := range []string{program, filepath.Join("/usr/sbin", program)} {
		if found, err := exec.LookPath(name); err == nil {
			return found
		}
	}
	reason := fmt.Sprintf("%s is not installed: apt-get install %s", program, debian)
	if os.Getenv("MAILMATRIX_INTEROP") == "required" {
		t.Fatal(reason)
	}
	t.Skip(reason)
	return ""
}

// command is one run of a program.
type command struct {
	path string
	args []string
	// stdin is what the program reads; secrets that it takes nowhere else go
	// here.
	stdin string
	// home is a folder of the test's own: the user's files are neither read
	// nor written.
	home string
}

// tokenBegins is how every JWT does: {" in base64url (RFC 7515 3.1).
const tokenBegins = "eyJ"

// result is how a run ended. The zero value is a success without output.
type result struct {
	output string // both streams
	status int    // exit status
}

func (r result) String() string { return fmt.Sprintf("exit status %d: %s", r.status, r.output) }

// run waits for the program to end. A program that cannot be started, or that
// hangs, is a failure of the test, whatever was expected of it.
func (c command) run(t testing.TB) result {
	t.Helper()
	for _, secret := range []string{secrets.Password, secrets.Wrong, tokenBegins} {
		if strings.Contains(strings.Join(c.args, " "), secret) {
			t.Fatalf("%s: a secret on the command line can be read by everybody on the machine", c.path)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.path, c.args...)
	cmd.Env = []string{"HOME=" + c.home, "TMPDIR=" + c.home, "PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
	cmd.Dir = c.home
	cmd.Stdin = strings.NewReader(c.stdin)
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		t.Fatalf("%s hangs: %s", c.path, out)
	case errors.As(err, &exit):
		return result{string(out), exit.ExitCode()}
	case err != nil:
		t.Fatalf("%s: %v", c.path, err)
	}
	return result{output: string(out)}
}

// write puts a file of the test's own that nobody else can read, and returns
// its path.
func write(t testing.TB, folder, name, text string) string {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
