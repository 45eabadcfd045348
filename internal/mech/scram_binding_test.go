package mech

import (
	"crypto/tls"
	"errors"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// What the client's flag may say to which mechanism, on which connection.
func TestScramFlags(t *testing.T) {
	const (
		unsupported = "channel-binding-not-supported"
		wrongType   = "unsupported-channel-binding-type"
		downgraded  = "server-does-support-channel-binding"
	)
	clear, old, recent := (*tls.ConnectionState)(nil), tls12().server, tls13().server
	for _, row := range []struct {
		name       string
		plus       bool
		connection *tls.ConnectionState
		listed     bool
		flag       string
		reason     string // "" is accepted
	}{
		{"cannot bind", false, clear, false, "n", ""},
		{"cannot bind, on TLS", false, recent, true, "n", ""},
		{"thinks the server cannot, in clear", false, clear, false, "y", ""},
		{"thinks the server cannot, and it does not list it", false, recent, false, "y", ""},
		{"was deceived about the list", false, recent, true, "y", downgraded},
		{"binds where it cannot", false, recent, true, "p=tls-exporter", unsupported},
		{"binds in clear", false, clear, false, "p=tls-exporter", unsupported},

		{"exporter on TLS 1.3", true, recent, true, "p=tls-exporter", ""},
		{"exporter on TLS 1.2", true, old, true, "p=tls-exporter", wrongType},
		{"unique on TLS 1.2", true, old, true, "p=tls-unique", ""},
		{"unique on TLS 1.3", true, recent, true, "p=tls-unique", wrongType},
		{"end point of a certificate that is not known", true, recent, true, "p=tls-server-end-point", wrongType},
		{"a type that nobody knows", true, recent, true, "p=tls-unique-for-telnet", wrongType},
		{"a type in upper case", true, recent, true, "p=TLS-EXPORTER", wrongType},
		{"-PLUS without binding", true, recent, true, "n", downgraded},
		{"-PLUS with second thoughts", true, recent, true, "y", downgraded},
		{"-PLUS that is not listed, with second thoughts", true, recent, false, "y", downgraded},
		{"-PLUS in clear", true, clear, false, "p=tls-exporter", wrongType},
		{"-PLUS in clear without binding", true, clear, false, "n", downgraded},
	} {
		for _, impl := range scrams {
			if binds(impl) != row.plus {
				continue
			}
			config := testConfig("alice", "secret")
			config.TLS, config.PlusListed = row.connection, row.listed
			_, done, err := impl.Server(config).Next([]byte(row.flag + ",,n=alice,r=abc"))
			if accepted := err == nil && !done; accepted != (row.reason == "") || !accepted && !refusedFor(err, ErrCredentials, row.reason) {
				t.Errorf("%s: %s: done %v, %v", impl.Name, row.name, done, err)
			}
		}
	}
}

// A mechanism that binds to TLS does not exist without it.
func TestScramNeedsTLS(t *testing.T) {
	for _, impl := range scrams {
		if impl.NeedsTLS != binds(impl) || (impl.Compared.Binding != "") != binds(impl) {
			t.Errorf("%s: needs TLS: %v, binding: %q", impl.Name, impl.NeedsTLS, impl.Compared.Binding)
		}
	}
}

// A login that is bound to one connection holds on no other: in the middle of
// two connections sits somebody who relays.
func TestScramBinding(t *testing.T) {
	for _, row := range []struct {
		name    string
		version uint16
		asked   login.Binding
		flag    string
	}{
		{"the best on TLS 1.3", tls.VersionTLS13, login.BindingDefault, "p=tls-exporter,,"},
		{"the best on TLS 1.2", tls.VersionTLS12, login.BindingDefault, "p=tls-unique,,"},
		{"exporter", tls.VersionTLS13, login.BindingExporter, "p=tls-exporter,,"},
		{"unique", tls.VersionTLS12, login.BindingUnique, "p=tls-unique,,"},
		{"end point on TLS 1.2", tls.VersionTLS12, login.BindingEndPoint, "p=tls-server-end-point,,"},
		{"end point on TLS 1.3", tls.VersionTLS13, login.BindingEndPoint, "p=tls-server-end-point,,"},
	} {
		one, other := handshake(row.version), handshake(row.version)
		for _, impl := range []Impl{SCRAMSHA1PLUS, SCRAMSHA256PLUS} {
			client := testClient("alice", "secret")
			client.Binding, client.TLS = row.asked, one.client
			server := testConfig("alice", "secret")
			server.TLS, server.Shown, server.PlusListed = one.server, one.shown(), true
			if _, first, _ := impl.Client(client).Start(); !strings.HasPrefix(string(first), row.flag) {
				t.Errorf("%s: %s: client says %q", impl.Name, row.name, first)
			}
			if err := exchange(t, impl, client, server, same); err != nil {
				t.Errorf("%s: %s: %v", impl.Name, row.name, err)
			}
			server.TLS, server.Shown = other.server, other.shown()
			if err := exchange(t, impl, client, server, same); !refusedFor(err, ErrCredentials, "channel-bindings-dont-match") {
				t.Errorf("%s: %s: somebody in the middle: %v", impl.Name, row.name, err)
			}
		}
	}
}

// A client without anything to bind to asks for the mechanism, and gives up
// when it is asked to speak.
func TestScramClientUnbound(t *testing.T) {
	for _, row := range []struct {
		name       string
		connection *tls.ConnectionState
		asked      login.Binding
	}{
		{"in clear", nil, login.BindingDefault},
		{"in clear, with a wish", nil, login.BindingEndPoint},
		{"unique on TLS 1.3", tls13().client, login.BindingUnique},
		{"exporter on TLS 1.2", tls12().client, login.BindingExporter},
		{"resumed on TLS 1.2", &tls.ConnectionState{Version: tls.VersionTLS12, DidResume: true}, login.BindingDefault},
		{"no certificate", &tls.ConnectionState{Version: tls.VersionTLS12}, login.BindingEndPoint},
		{"-PLUS without binding", tls13().client, login.BindingUnused},
		{"a type that nobody knows", tls13().client, "tls-unique-for-telnet"},
	} {
		client := testClient("alice", "secret")
		client.Binding, client.TLS = row.asked, row.connection
		half := SCRAMSHA256PLUS.Client(client)
		name, first, err := half.Start()
		if name != "SCRAM-SHA-256-PLUS" || first != nil || err != nil {
			t.Errorf("%s: client starts with %q, %q, %v", row.name, name, first, err)
		}
		if answer, err := half.Next([]byte{}); err == nil || row.connection == nil && !errors.Is(err, errNoTLS) {
			t.Errorf("%s: %q, %v", row.name, answer, err)
		}
	}
}

// Without -PLUS the flag says what the client thinks of the server.
func TestScramClientFlag(t *testing.T) {
	for asked, flag := range map[login.Binding]string{login.BindingDefault: "n,,", login.BindingUnused: "y,,", login.BindingExporter: "n,,"} {
		client := testClient("alice", "secret")
		client.Binding, client.TLS = asked, tls13().client
		_, first, err := SCRAMSHA1.Client(client).Start()
		if err != nil || !strings.HasPrefix(string(first), flag) {
			t.Errorf("%q: %q, %v", asked, first, err)
		}
		if err := exchange(t, SCRAMSHA1, client, testConfig("alice", "secret"), same); err != nil {
			t.Errorf("%q: %v", asked, err)
		}
	}
}
