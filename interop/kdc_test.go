package interop

import (
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/jcmturner/gokrb5/v8/client"
	"github.com/jcmturner/gokrb5/v8/config"
	"github.com/jcmturner/gokrb5/v8/credentials"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
	"github.com/mailmatrix/mailmatrix/internal/mech/kerberos"
	"github.com/mailmatrix/mailmatrix/server"
)

// kdc is MIT's key distribution centre on a port of loopback, with files of
// its own and nobody's from the machine.
type kdc struct {
	folder string
	// keytab holds the keys of smtp/identity and pop/identity.
	keytab []byte
}

const realm = server.Realm

// krb5Config is the clients' and the services'. Names are taken as they are
// written: the DNS knows nothing of them.
const krb5Config = `
[libdefaults]
  default_realm = %[1]s
  dns_lookup_kdc = false
  dns_lookup_realm = false
  dns_canonicalize_hostname = false
  rdns = false
  udp_preference_limit = 1
  default_rcache_name = none:
  default_ccache_name = FILE:%[2]s/ccache
  permitted_enctypes = %[5]s
  default_tkt_enctypes = %[5]s
  default_tgs_enctypes = %[5]s
[realms]
  %[1]s = {
    kdc = 127.0.0.1:%[3]s
  }
[domain_realm]
  %[4]s = %[1]s
`

const kdcConfig = `
[kdcdefaults]
  kdc_listen = 127.0.0.1:%[3]s
  kdc_tcp_listen = 127.0.0.1:%[3]s
[realms]
  %[1]s = {
    database_name = %[2]s/principal
    key_stash_file = %[2]s/stash
    supported_enctypes = %[4]s
  }
[logging]
  kdc = FILE:%[2]s/log
`

// startKDC makes a realm that knows alice, bob, alice's instance admin, and
// the mail services, with keys of one encryption type.
func startKDC(t *testing.T, enctype string) *kdc {
	t.Helper()
	daemon := need(t, "krb5kdc", "krb5-kdc")
	k := &kdc{folder: t.TempDir()}
	port := freePort(t)
	write(t, k.folder, "krb5.conf", fmt.Sprintf(krb5Config, realm, k.folder, port, identity, enctype))
	write(t, k.folder, "kdc.conf", fmt.Sprintf(kdcConfig, realm, k.folder, port, enctype+":normal"))

	// The database lives as long as the test, so its password may be seen.
	k.run(t, "kdb5_util", "krb5-kdc", "create", "-s", "-r", realm, "-P", rand.Text())
	for _, principal := range []string{"alice", "alice/admin", "bob", "smtp/" + identity, "pop/" + identity} {
		k.run(t, "kadmin.local", "krb5-admin-server", "addprinc", "-randkey", principal)
		file := "users"
		if strings.HasSuffix(principal, identity) {
			file = "keytab"
		}
		k.run(t, "kadmin.local", "krb5-admin-server", "ktadd", "-k", filepath.Join(k.folder, file), principal)
	}
	var err error
	if k.keytab, err = os.ReadFile(filepath.Join(k.folder, "keytab")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(daemon, "-n", "-r", realm)
	cmd.Env = k.env()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	k.awaits(t, "127.0.0.1:"+port)
	return k
}

// awaits waits until the daemon listens.
func (k *kdc) awaits(t *testing.T, address string) {
	t.Helper()
	retry := time.NewTicker(20 * time.Millisecond)
	defer retry.Stop()
	for late := time.Now().Add(patience); ; <-retry.C {
		c, err := net.Dial("tcp", address)
		if err == nil {
			_ = c.Close()
			return
		}
		if time.Now().After(late) {
			log, _ := os.ReadFile(filepath.Join(k.folder, "log"))
			t.Fatalf("krb5kdc does not come up: %v\n%s", err, log)
		}
	}
}

func (k *kdc) env() []string {
	return []string{"KRB5_CONFIG=" + k.folder + "/krb5.conf", "KRB5_KDC_PROFILE=" + k.folder + "/kdc.conf"}
}

// command is one that uses this realm.
func (k *kdc) command(t *testing.T, program string, args ...string) command {
	return command{path: need(t, "env", "coreutils"), args: append(append(k.env(), program), args...), home: t.TempDir()}
}

// run is for what must succeed.
func (k *kdc) run(t *testing.T, program, debian string, args ...string) {
	t.Helper()
	if got := k.command(t, need(t, program, debian), args...).run(t); got.status != 0 {
		t.Fatalf("%s %v: %v", program, args, got)
	}
}

// logIn gets a user's first ticket, which replaces another's.
func (k *kdc) logIn(t *testing.T, user string) {
	t.Helper()
	k.run(t, "kinit", "krb5-user", "-k", "-t", filepath.Join(k.folder, "users"), user)
}

// ticket is one for the protocol's service, got by gokrb5 for whoever is
// logged in.
func (k *kdc) ticket(t *testing.T, p login.Protocol) login.Ticket {
	t.Helper()
	c, err := config.Load(filepath.Join(k.folder, "krb5.conf"))
	if err != nil {
		t.Fatal(err)
	}
	cache, err := credentials.LoadCCache(filepath.Join(k.folder, "ccache"))
	if err != nil {
		t.Fatal(err)
	}
	who, err := client.NewFromCCache(cache, c, client.DisablePAFXFAST(true))
	if err != nil {
		t.Fatal(err)
	}
	defer who.Destroy()
	service := map[login.Protocol]string{login.SMTP: "smtp/", login.POP3: "pop/"}[p]
	ticket, session, err := who.GetServiceTicket(service + identity)
	if err != nil {
		t.Fatal(err)
	}
	issued, err := kerberos.FromKDC(who.Credentials.CName().PrincipalNameString(), ticket, session)
	if err != nil {
		t.Fatal(err)
	}
	return issued
}

// service is the reference server's, with the KDC's keys.
func (k *kdc) service(t *testing.T) *kerberos.Service {
	t.Helper()
	s, err := kerberos.NewService(k.keytab, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// client is our client's half for whoever is logged in.
func (k *kdc) client(t *testing.T, p login.Protocol) sasl.Client {
	return mech.GSSAPI.Client(mech.ClientConfig{Protocol: p, Ticket: k.ticket(t, p), Rand: rand.Reader, Now: time.Now})
}

// The encryption types that are taken; the first is what KDCs prefer.
var enctypes = []string{"aes256-cts-hmac-sha1-96", "aes128-cts-hmac-sha1-96", "aes256-cts-hmac-sha384-192", "aes128-cts-hmac-sha256-128"}
