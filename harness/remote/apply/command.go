package apply

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// request is a state that the command is asked for.
type request struct{ policy, accounts []byte }

func (r request) state() string { return string(r.policy) + string(r.accounts) }

func (t *Target) makesAccounts() bool { return strings.Contains(t.Command, AccountsFile) }

// accountsText is the file with the accounts that there are to be.
func accountsText(accounts []login.Account) []byte {
	type account struct {
		Name     string `json:"name"`
		Password string `json:"password"`
		Override string `json:"override,omitempty"`
	}
	all := make([]account, len(accounts))
	for i, a := range accounts {
		all[i] = account(a)
	}
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		panic(err) // strings alone
	}
	return append(text, '\n')
}

// CannotExpress is what a command exits with that has no words for a policy.
const CannotExpress = 127

// run runs the command. Its files are gone when it ends.
func (t *Target) run(ctx context.Context, r request) (err error) {
	folder, err := os.MkdirTemp("", "mailmatrix-apply-") // 0700
	if err != nil {
		return fmt.Errorf("apply: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	line := t.Command
	for _, file := range []struct {
		placeholder, name string
		text              []byte
	}{{PolicyFile, "policy.yaml", r.policy}, {AccountsFile, "accounts.json", r.accounts}} {
		if file.text == nil {
			continue
		}
		path := filepath.Join(folder, file.name)
		if err := os.WriteFile(path, file.text, 0o600); err != nil {
			return fmt.Errorf("apply: %w", err)
		}
		line = strings.ReplaceAll(line, file.placeholder, quoted(path))
	}
	// A file, and no pipe: a server that it leaves running may hold on to it.
	said, err := os.Create(filepath.Join(folder, "output")) //nolint:gosec // in our own folder
	if err != nil {
		return fmt.Errorf("apply: %w", err)
	}
	defer func() { _ = said.Close() }()
	limited, cancel := context.WithTimeoutCause(ctx, t.Deadline, fmt.Errorf("it has not ended after %s", t.Deadline))
	defer cancel()
	command := exec.CommandContext(limited, "sh", "-c", line) //nolint:gosec // the user's own command
	command.Stdout, command.Stderr = said, said
	inGroup(command)
	if err := command.Run(); err != nil {
		return t.explain(cmp.Or(context.Cause(limited), err), lastOf(said))
	}
	return nil
}

// explain says in one line what became of the command.
func (t *Target) explain(err error, said string) error {
	const most = 400
	said = t.veil(strings.Join(strings.Fields(said), " "))
	if said = strings.ToValidUTF8(said[max(0, len(said)-most):], ""); said != "" {
		said = ": " + said
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == CannotExpress {
		return &login.CannotError{What: "express this policy" + said}
	}
	return fmt.Errorf("apply: %q: %w%s", t.veil(t.Command), err, said)
}

// veil hides what the command has repeated of the account. Those that a run makes
// up are of no use to anybody once it is over.
func (t *Target) veil(said string) string {
	secrets := wire.NewSearcher(
		wire.Needle{Name: "password", Text: t.Stand.Account.Password}, wire.Needle{Name: "password", Text: t.Stand.Other.Password},
		wire.Needle{Name: "token", Text: t.Issued.Token})
	if len(secrets.Find([]byte(said))) > 0 {
		return "<this holds a secret>"
	}
	return said
}

// quoted is a word for sh (POSIX, Shell Command Language 2.2.2).
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// lastOf is the end of what was written into the file: there a program says what
// was wrong.
func lastOf(f *os.File) string {
	const most = 1 << 16
	info, err := f.Stat()
	if err != nil {
		return ""
	}
	text := make([]byte, min(info.Size(), most))
	n, _ := f.ReadAt(text, info.Size()-int64(len(text)))
	return string(text[:n])
}
