package interop

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/harness/remote"
	"github.com/mailmatrix/mailmatrix/harness/remote/discover"
	"github.com/mailmatrix/mailmatrix/harness/remote/reach"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// stockAddress has the ports that mail servers have: what is thought of port 25
// is thought of no other.
const stockAddress = "127.0.0.9"

// stockPostfix is what Debian's package writes for an Internet site, on an
// address of its own and in a folder of ours; the certificate is a good one.
const stockPostfix = `
smtpd_tls_cert_file = %[1]s/server.pem
smtpd_tls_key_file = %[1]s/server.key
smtpd_tls_security_level = may
smtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated defer_unauth_destination
myhostname = %[2]s
mydestination = $myhostname, localhost
relayhost =
mynetworks = 192.0.2.0/24
mailbox_size_limit = 0
recipient_delimiter = +
inet_interfaces = all
inet_protocols = ipv4
alias_maps =
alias_database =
queue_directory = %[1]s/queue
data_directory = %[1]s/data
maillog_file = %[1]s/log
maillog_file_prefixes = %[1]s
multi_instance_enable = no
`

// stockDovecot is Debian's configuration with that certificate.
const stockDovecot = `
!include /etc/dovecot/dovecot.conf
base_dir = %[1]s/run
state_dir = %[1]s/state
log_path = %[1]s/dovecot.log
listen = %[2]s
ssl_cert = <%[1]s/server.pem
ssl_key = <%[1]s/server.key
`

// TestStock: Debian's own Postfix and Dovecot with a good certificate conform.
func TestStock(t *testing.T) {
	master := need(t, "/usr/lib/postfix/sbin/master", "postfix")
	dovecot := need(t, "dovecot", "dovecot-pop3d")
	if l, err := net.Listen("tcp", stockAddress+":25"); err != nil {
		unavailable(t, fmt.Sprintf("a mail server's own ports cannot be had: %v", err))
	} else {
		_ = l.Close()
	}
	s := newSite(t, "stock")
	s.makeFolder(t, "data", "postfix")
	s.makeFolder(t, "queue", "root")
	for _, name := range postfixQueues {
		s.makeFolder(t, filepath.Join("queue", name), "postfix")
	}
	if err := os.Chmod(s.path("queue"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.write(t, "main.cf", debianFile(t, "/usr/share/postfix/main.cf.debian")+fmt.Sprintf(stockPostfix, s.folder, identity))
	services := strings.Replace(debianFile(t, "/usr/share/postfix/master.cf.dist"), "\nsmtp      inet  n ", "\n"+stockAddress+":25 inet n ", 1)
	s.write(t, "master.cf", unchrooted(services))
	launch(t, master, "-c", s.folder, "-s")
	launch(t, dovecot, "-F", "-c", s.write(t, "dovecot.conf", fmt.Sprintf(stockDovecot, s.folder, stockAddress)))
	for _, port := range []string{"25", "110"} {
		if err := greets(t.Context(), net.JoinHostPort(stockAddress, port)); err != nil {
			t.Fatalf("port %s: %v", port, err)
		}
	}

	asked, err := discover.Parse([]string{identity})
	if err != nil {
		t.Fatal(err)
	}
	o := remote.Options{Tool: "mailmatrix test"}
	o.Route.Fixed = []reach.Fixed{{Host: identity, Addr: netip.MustParseAddr(stockAddress)}}
	o.Route.Resolver = noNames{}
	o.Route.Source = address(t, "127.0.0.1")
	o.Trust.Roots = s.pool
	report, err := remote.Check(t.Context(), asked, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%.1f s, %v", report.ElapsedMS/1000, *report.Targets[0].Effort)
	if status := report.ExitStatus(); status != 0 {
		t.Errorf("Debian's own servers end with %d", status)
		tell(t, report)
	}
	for _, d := range report.Targets[0].Doors {
		if d.Protocol == login.POP3 && d.Policy[login.UserPass] != login.Secure {
			t.Errorf("%s reads USER/PASS as %s", d.Address, d.Policy[login.UserPass])
		}
	}
}

func debianFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		unavailable(t, err.Error())
	}
	return string(text)
}

// unchrooted: the queue is not one that Debian's scripts have filled for that.
func unchrooted(services string) string {
	lines := strings.Split(services, "\n")
	for i, line := range lines {
		if fields := strings.Fields(line); len(fields) >= 8 && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, " ") && fields[4] == "y" {
			fields[4] = "n"
			lines[i] = strings.Join(fields, " ")
		}
	}
	return strings.Join(lines, "\n") + "\npostlog unix-dgram n - n - 1 postlogd\n"
}

// noNames knows none.
type noNames struct{}

func (noNames) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	return nil, notFound(host)
}

func (noNames) LookupSRV(_ context.Context, _, _, name string) (string, []*net.SRV, error) {
	return "", nil, notFound(name)
}

func (noNames) LookupMX(_ context.Context, name string) ([]*net.MX, error) {
	return nil, notFound(name)
}

func notFound(name string) error {
	return &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}
