package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// realmOfTickets is a realm that a Dovecot may be of.
type realmOfTickets struct {
	tickets map[login.Protocol]login.Ticket
	// config is what Dovecot needs beside a rendered policy.
	config string
}

// newRealmOfTickets starts a KDC. Its files are where Dovecot's processes, which
// are other users, can come to them.
func newRealmOfTickets(t *testing.T) *realmOfTickets {
	t.Helper()
	needFile(t, "/usr/lib/dovecot/modules/auth/libmech_gssapi.so", "dovecot-gssapi")
	k := startKDC(t, enctypes[0])
	k.logIn(t, "alice")
	folder, err := os.MkdirTemp("", "mailmatrix-kdc-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	conf, err := os.ReadFile(filepath.Join(k.folder, "krb5.conf"))
	if err != nil {
		t.Fatal(err)
	}
	keytab, krb5 := write(t, folder, "keytab", string(k.keytab)), write(t, folder, "krb5.conf", string(conf))
	for path, mode := range map[string]os.FileMode{folder: 0o711, krb5: 0o644} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := chown(keytab, "dovecot"); err != nil {
		t.Fatal(err)
	}
	r := &realmOfTickets{tickets: map[login.Protocol]login.Ticket{},
		config: strings.Replace(fmt.Sprintf(dovecotGSSAPI, keytab, krb5), "auth_mechanisms = gssapi plain\n", "", 1)}
	for _, p := range login.Protocols() {
		r.tickets[p] = k.ticket(t, p)
	}
	return r
}

// add gives out tickets as well; those with a flaw are not its business.
func (r *realmOfTickets) add(issues func(login.Flaw) (login.Issued, error)) func(login.Flaw) (login.Issued, error) {
	return func(flaw login.Flaw) (login.Issued, error) {
		issued, err := issues(flaw)
		if flaw == login.Flawless {
			issued.Tickets = r.tickets
		}
		return issued, err
	}
}
