package interop

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// dovecotConfig leaves everything at Dovecot's defaults but what a server of
// our own needs: folders, a port, no TLS (nobody asks for it here), and users
// from a file in place of the machine's. It is asked on 127.0.0.1, where
// Dovecot takes a client with the server's own address for a secure one, so
// that disable_plaintext_auth may stay.
const dovecotConfig = `
base_dir = %[1]s/run
state_dir = %[1]s/state
log_path = %[1]s/log
protocols = pop3
listen = 127.0.0.1
ssl = no
mail_location = maildir:~/Maildir
passdb {
  driver = passwd-file
  args = scheme=PLAIN username_format=%%n %[1]s/users
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=%[1]s/home/%%n
}
service pop3-login {
  inet_listener pop3 {
    port = %[2]s
  }
  inet_listener pop3s {
    port = 0
  }
}
`

// highPerformance is Dovecot's own name for login processes that stay, and
// serve many connections each.
const highPerformance = `
service pop3-login {
  service_count = 0
  process_min_avail = 2
}
`

// startDovecot runs a Dovecot of the test's own and returns its address.
func startDovecot(t *testing.T, accounts []login.Account, more string) string {
	t.Helper()
	program := need(t, "dovecot", "dovecot-pop3d")
	if os.Geteuid() != 0 {
		t.Skip("dovecot wants to be started by root, to give its rights away")
	}
	folder := dovecotFolder(t, accounts)
	port := freePort(t)
	config := write(t, folder, "dovecot.conf", fmt.Sprintf(dovecotConfig, folder, port)+more)

	cmd := exec.Command(program, "-F", "-c", config)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// The master ends its children.
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	address := "127.0.0.1:" + port
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := comesUp(ctx, address, accounts[0]); err != nil {
		log, _ := os.ReadFile(filepath.Join(folder, "log"))
		t.Fatalf("dovecot does not come up: %v\n%s", err, log)
	}
	return address
}

// dovecotFolder holds users and their mail. It is none of t.TempDir, because
// its path may be closed to Dovecot's processes, which are other users.
func dovecotFolder(t *testing.T, accounts []login.Account) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "mailmatrix-dovecot-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(folder); err != nil {
			t.Error(err)
		}
	})
	home := filepath.Join(folder, "home")
	if err := os.Mkdir(home, 0o700); err != nil {
		t.Fatal(err)
	}
	var users strings.Builder
	for _, account := range accounts {
		fmt.Fprintf(&users, "%s:{PLAIN}%s\n", account.Name, account.Password)
	}
	path := write(t, folder, "users", users.String())
	for name, owner := range map[string]string{home: "nobody", path: "dovecot"} {
		if err := chown(name, owner); err != nil {
			t.Fatal(err)
		}
	}
	// Dovecot's users pass through it, and cannot list it.
	if err := os.Chmod(folder, 0o711); err != nil {
		t.Fatal(err)
	}
	return folder
}

func chown(path, owner string) error {
	who, err := user.Lookup(owner)
	if err != nil {
		return err
	}
	uid, err := strconv.Atoi(who.Uid)
	if err != nil {
		return err
	}
	return os.Chown(path, uid, -1)
}

// freePort is a port for a program that cannot be given a listener.
func freePort(t *testing.T) string {
	t.Helper()
	return portOf(freeAddress(t, "127.0.0.1"))
}

// comesUp waits for the first login that works.
func comesUp(ctx context.Context, address string, account login.Account) error {
	retry := time.NewTicker(50 * time.Millisecond)
	defer retry.Stop()
	for {
		err := loginPOP3(ctx, address, account)
		if err == nil {
			return nil
		}
		select {
		case <-retry.C:
		case <-ctx.Done():
			return err
		}
	}
}
