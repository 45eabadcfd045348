package interop

import (
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// delivers is a server behind a submission server that has no mailboxes of its
// own: it takes everything, delivers what is for the site's people into the
// folder home, as the owner's, and drops the rest. It returns its address.
func (s *site) delivers(t *testing.T, owner string) string {
	t.Helper()
	l, err := net.Listen("tcp", loopback+":0")
	if err != nil {
		t.Fatal(err)
	}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		return &delivering{site: s, owner: owner}, nil
	}))
	server.Domain = "relay." + identity
	var running sync.WaitGroup
	running.Go(func() { _ = server.Serve(l) })
	t.Cleanup(func() {
		_ = server.Close()
		running.Wait()
	})
	return l.Addr().String()
}

// delivering is one connection.
type delivering struct {
	site  *site
	owner string
	to    []string
}

func (d *delivering) Reset()                               { d.to = nil }
func (d *delivering) Logout() error                        { return nil }
func (d *delivering) Mail(string, *smtp.MailOptions) error { return nil }
func (d *delivering) Rcpt(to string, _ *smtp.RcptOptions) error {
	d.to = append(d.to, to)
	return nil
}

// Data delivers the message.
func (d *delivering) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	for _, to := range d.to {
		for _, account := range d.site.accounts() {
			if strings.EqualFold(to, account.Name+"@"+login.DefaultDomain) {
				if err := d.deliver(account.Name, text); err != nil {
					return fmt.Errorf("deliver: %w", err)
				}
			}
		}
	}
	return nil
}

// deliver puts a message into somebody's Maildir.
func (d *delivering) deliver(name string, text []byte) error {
	folder := d.site.path("home")
	for _, below := range []string{name, "Maildir", "new"} {
		folder = filepath.Join(folder, below)
		if err := os.Mkdir(folder, 0o700); err == nil {
			err = chown(folder, d.owner)
			if err != nil {
				return err
			}
		}
	}
	path := filepath.Join(d.site.path("home"), name, "Maildir", rand.Text())
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return err
	}
	if err := chown(path, d.owner); err != nil {
		return err
	}
	return os.Rename(path, filepath.Join(folder, filepath.Base(path)))
}
