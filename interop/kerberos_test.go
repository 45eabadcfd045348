package interop

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
	"github.com/mailmatrix/mailmatrix/internal/mech/kerberos"
	"github.com/mailmatrix/mailmatrix/internal/wire"
	"github.com/mailmatrix/mailmatrix/server"
)

// With a KDC's tickets and keytab our halves agree, in every encryption type.
func TestKDCHalves(t *testing.T) {
	for _, enctype := range enctypes {
		t.Run(enctype, func(t *testing.T) {
			k := startKDC(t, enctype)
			k.logIn(t, "alice")
			for _, p := range login.Protocols() {
				s := mech.GSSAPI.Server(mech.ServerConfig{Protocol: p, Kerberos: k.service(t),
					Known: func(name string) bool { return name == "alice" }})
				c := k.client(t, p)
				_, message, err := c.Start()
				for done := false; err == nil && !done; {
					var challenge []byte
					if challenge, done, err = s.Next(message); err == nil && !done {
						message, err = c.Next(challenge)
					}
				}
				if err != nil || s.Username() != "alice" {
					t.Errorf("%s: %q, %v", p, s.Username(), err)
				}
			}
		})
	}
}

// gssapiPeers log in with a ticket of MIT's library.
var gssapiPeers = []struct {
	program  string
	protocol login.Protocol
	args     func(r *reference, port string) []string
}{
	{"gsasl", login.SMTP, func(_ *reference, port string) []string {
		return []string{"--smtp", "--connect", "127.0.0.1:" + port, "--hostname", identity, "--no-starttls",
			"--mechanism", "GSSAPI", "--authorization-id", "alice"}
	}},
	{"curl", login.SMTP, curlGSSAPI("smtp", "--mail-from", sender, "--mail-rcpt", stranger, "--upload-file", "-")},
	{"curl", login.POP3, curlGSSAPI("pop3")},
}

// curlGSSAPI names nobody: to curl a plain name is none of Kerberos', and
// without any it takes the ticket's.
func curlGSSAPI(scheme string, more ...string) func(*reference, string) []string {
	return func(r *reference, port string) []string {
		return append([]string{"--silent", "--show-error", "--disable", "--resolve", identity + ":" + port + ":127.0.0.1",
			"--url", scheme + "://" + identity + ":" + port + "/", "--login-options", "AUTH=GSSAPI", "--user", ":"}, more...)
	}
}

// What others make of MIT's tickets logs in to the reference server, or is
// refused for what the row says.
func TestKDCPeers(t *testing.T) {
	k := startKDC(t, enctypes[0])
	other := startKDC(t, enctypes[0])
	for _, row := range []struct {
		name, user string
		service    *kerberos.Service
		refusal    login.Refusal
		says       string
	}{
		{"alice", "alice", k.service(t), login.NotRefused, ""},
		{"bob, who has no account", "bob", k.service(t), login.ByCredentials, ""},
		{"alice's other self", "alice/admin", k.service(t), login.ByCredentials, "instance"},
		{"the keys of another KDC", "alice", other.service(t), login.ByCredentials, "not made with this service's key"},
	} {
		k.logIn(t, row.user)
		for _, peer := range gssapiPeers {
			t.Run(row.name+"/"+peer.program+"/"+string(peer.protocol), func(t *testing.T) {
				program := need(t, peer.program, peer.program)
				setup := login.Setup{Flavour: login.Modern, Database: login.Full, Policy: login.Only(login.GSSAPI, login.Allow)}
				r := start(t, setup, server.WithKerberos(row.service))
				c := k.command(t, program, peer.args(r, r.ports[peer.protocol][login.Plain])...)
				c.stdin = letter
				got, records := c.run(t), r.Record()
				if in := row.refusal == login.NotRefused; in != (got.status == 0) {
					t.Errorf("want a login: %t, got %v", in, got)
				}
				if len(records) != 1 || records[0].Refusal != row.refusal || !strings.Contains(records[0].Reason, row.says) {
					t.Errorf("want refusal %q (%s), got %+v; %v", row.refusal, row.says, records, got)
				}
			})
		}
	}
}

// dovecotGSSAPI is what Dovecot needs beside: it takes any key of its keytab.
const dovecotGSSAPI = `
auth_mechanisms = gssapi plain
auth_krb5_keytab = %s
auth_gssapi_hostname = "$ALL"
import_environment = $import_environment KRB5_CONFIG=%s
`

// Our client's half logs in to Dovecot, whose GSS-API is MIT's.
func TestKDCDovecot(t *testing.T) {
	needFile(t, "/usr/lib/dovecot/modules/auth/libmech_gssapi.so", "dovecot-gssapi")
	k := startKDC(t, enctypes[0])
	k.logIn(t, "alice")
	// Dovecot's processes are other users, and must come to these files.
	folder, err := os.MkdirTemp("", "mailmatrix-kdc-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	keytab := write(t, folder, "keytab", string(k.keytab))
	conf, err := os.ReadFile(filepath.Join(k.folder, "krb5.conf"))
	if err != nil {
		t.Fatal(err)
	}
	krb5 := write(t, folder, "krb5.conf", string(conf))
	for path, mode := range map[string]os.FileMode{folder: 0o711, krb5: 0o644} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := chown(keytab, "dovecot"); err != nil {
		t.Fatal(err)
	}
	address := startDovecot(t, []login.Account{secrets.Account(login.NoOverride)}, fmt.Sprintf(dovecotGSSAPI, keytab, krb5))
	if err := k.loginPOP3(t, address); err != nil {
		t.Error(err)
	}
}

// needFile is need for what is no program.
func needFile(t *testing.T, path, debian string) {
	t.Helper()
	if _, err := os.Stat(path); err == nil {
		return
	}
	need(t, path, debian)
}

// loginPOP3 is a login by our client's half, without initial response.
func (k *kdc) loginPOP3(t *testing.T, address string) error {
	half := k.client(t, login.POP3)
	_, message, err := half.Start()
	if err != nil {
		return err
	}
	c, err := dial(t.Context(), address)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	if _, err := c.ReadPOP3(); err != nil { // the greeting
		return err
	}
	if err := c.Send("AUTH GSSAPI"); err != nil {
		return err
	}
	for {
		reply, err := c.ReadPOP3()
		if err != nil || reply.Status == wire.POP3OK {
			return err
		}
		if reply.Status != wire.POP3Continue {
			return errors.New(reply.Line)
		}
		if message == nil {
			challenge, err := base64.StdEncoding.DecodeString(reply.Text)
			if err != nil {
				return err
			}
			if message, err = half.Next(challenge); err != nil {
				return err
			}
		}
		if err := c.Send(base64.StdEncoding.EncodeToString(message)); err != nil {
			return err
		}
		message = nil
	}
}
