package wire

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

// tlsServer makes a TLS server out of the far end of a connection and gives
// back the near end. serve goes on once the handshake is over.
func tlsServer(t *testing.T, config *tls.Config, serve func(*tls.Conn)) *Conn {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		raw, err := listener.Accept()
		if err != nil {
			return
		}
		defer func() { _ = raw.Close() }()
		_ = raw.SetDeadline(time.Now().Add(time.Minute))
		if c := tls.Server(raw, config); c.Handshake() == nil && serve != nil {
			serve(c)
		}
	}()
	near, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c := NewConn(context.Background(), NewTap(near), time.Minute)
	t.Cleanup(func() {
		_, _ = c.Close(), listener.Close()
		<-over
	})
	return c
}

// shownLeaf is a certificate that nobody trusts.
func shownLeaf(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"mail.example.test"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// Each hello is understood by a real server, and its answer is read.
func TestHello(t *testing.T) {
	modern := []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
	any13 := append([]uint16{tls.TLS_AES_128_GCM_SHA256}, modern...)
	for _, row := range []struct {
		name, why string
		hello     ClientHello
		server    func(*tls.Config)
		want      string
	}{
		{"TLS 1.2", "what a client of 2010 says", ClientHello{Version: tls.VersionTLS12, Suites: modern},
			max12, "hello TLS 1.2 TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 group 29 "},
		{"P-256", "the groups are said", ClientHello{Version: tls.VersionTLS12, Suites: modern, Groups: []uint16{23}},
			nil, "hello TLS 1.2 TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 group 23 downgraded "},
		{"TLS 1.3", "supported_versions and a key share", ClientHello{Version: tls.VersionTLS12, Versions: []uint16{0x7a7a, tls.VersionTLS13}, Suites: any13},
			nil, "hello TLS 1.3 TLS_AES_128_GCM_SHA256 group 29"},
		{"retry", "the key share is of another group", ClientHello{Version: tls.VersionTLS12, Versions: []uint16{tls.VersionTLS13}, Suites: any13},
			func(c *tls.Config) { c.CurvePreferences = []tls.CurveID{tls.CurveP256} }, "hello TLS 1.3 TLS_AES_128_GCM_SHA256 retry group 23"},
		{"no key share", "of the groups none has one", ClientHello{Version: tls.VersionTLS12, Versions: []uint16{tls.VersionTLS13}, Suites: any13, Groups: []uint16{23}},
			nil, "hello TLS 1.3 TLS_AES_128_GCM_SHA256 retry group 23"},
		{"TLS 1.0", "it is old, and taken by an old server", ClientHello{Version: tls.VersionTLS10, Suites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}},
			func(c *tls.Config) {
				c.MinVersion = tls.VersionTLS10
				c.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}
			},
			"hello TLS 1.0 TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA group 29 downgraded "},
		{"TLS 1.0 refused", "a new server", ClientHello{Version: tls.VersionTLS10, Suites: modern}, nil, "alert 70 protocol_version"},
		{"SSL 3.0", "no extensions", ClientHello{Version: VersionSSL30, Suites: modern}, nil, "alert 70 protocol_version"},
		{"no suite in common", "RC4 alone", ClientHello{Version: tls.VersionTLS12, Suites: []uint16{5}}, nil, "alert 40 handshake_failure"},
		{"fallback", "RFC 7507", ClientHello{Version: tls.VersionTLS12, Suites: append([]uint16{tls.TLS_FALLBACK_SCSV}, modern...)}, nil, "alert 86 inappropriate_fallback"},
		{"ALPN", "of the server", ClientHello{Version: tls.VersionTLS12, Suites: modern, ALPN: []string{"x", "smtp"}, Name: "mail.example.test"},
			func(c *tls.Config) { c.NextProtos = []string{"smtp"} }, "hello TLS 1.2 TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 group 29 alpn smtp downgraded "},
		{"another ALPN", "RFC 7301 3.2", ClientHello{Version: tls.VersionTLS12, Suites: modern, ALPN: []string{"http/1.1"}},
			func(c *tls.Config) { c.NextProtos = []string{"smtp"} }, "alert 120 no_application_protocol"},
		{"in pieces", "a record an octet", ClientHello{Version: tls.VersionTLS12, Suites: modern, RecordSize: 1}, max12, "hello TLS 1.2 "},
		{"long", "several records", ClientHello{Version: tls.VersionTLS12, Suites: modern, Padding: 40_000}, max12, "hello TLS 1.2 "},
	} {
		t.Run(strings.ReplaceAll(row.name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			config := &tls.Config{Certificates: []tls.Certificate{shownLeaf(t)}}
			if row.server != nil {
				row.server(config)
			}
			c := tlsServer(t, config, nil)
			octets, err := row.hello.Octets(rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.SendRaw(octets, "<hello>"); err != nil {
				t.Fatal(err)
			}
			got, err := c.ReadHello()
			if err != nil || !strings.HasPrefix(got.String(), row.want) {
				t.Errorf("%s: %s, %v; want %s", row.why, got, err, row.want)
			}
		})
	}
	if _, err := (ClientHello{}).Octets(bytes.NewReader(nil)); err == nil {
		t.Error("a hello without chance")
	}
}

func max12(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }

// What is no answer of crypto/tls.
func TestReadHello(t *testing.T) {
	hello := "\x16\x03\x03\x00\x2a\x02\x00\x00\x26\x03\x03" + strings.Repeat("r", 32) + "\x00"
	for _, row := range []struct{ name, in, want, end string }{
		{"clear", "250 ok\r\n", "clear 250 ok", ""},
		{"clear, POP3", "+OK\r\n", "clear +OK", ""},
		{"clear, no end", "2", "clear 2", ""},
		{"SSL 2.0", "\x80\x05\x04\x00\x01\x00\x02", "hello SSL 2.0", ""},
		{"SSL 2.0, no", "\x80\x03\x00\x00\x01", "alert 40 handshake_failure", ""},
		{"a warning first", "\x15\x03\x01\x00\x02\x01\x70\x15\x03\x01\x00\x02\x02\x46", "alert 70 protocol_version", ""},
		{"a bye", "\x15\x03\x01\x00\x02\x01\x00", "alert 0 close_notify", ""},
		{"nobody's alert", "\x15\x03\x01\x00\x02\x02\xc8", "alert 200", ""},
		{"encrypted", "\x17\x03\x03\x00\x02ab", "record 23", ""},
		{"compression", hello + "\x00\x2f\x01", "hello TLS 1.2 TLS_RSA_WITH_AES_128_CBC_SHA compression 1", ""},
		{"SSL 3.0", strings.Replace(hello, "\x03\x03r", "\x03\x00r", 1) + "\x00\x05\x00", "hello SSL 3.0 TLS_RSA_WITH_RC4_128_SHA", ""},
		{"a small prime", hello + "\x00\x33\x00" + "\x16\x03\x03\x00\x09\x0c\x00\x00\x05\x00\x03\x00\x80\x01", "hello TLS 1.2 0x0033 prime 16", ""},
		{"cut short", hello[:7], "record 0", "unexpected EOF"},
		{"the end", "", "record 0", "EOF"},
	} {
		t.Run(strings.ReplaceAll(row.name, " ", "-"), func(t *testing.T) {
			got, err := readHello(bufio.NewReader(strings.NewReader(row.in)))
			if got.String() != row.want || (err == nil) != (row.end == "") || err != nil && err.Error() != row.end {
				t.Errorf("%s, %v", got, err)
			}
		})
	}
}

// Tickets and the end are read below crypto/tls.
func TestInside(t *testing.T) {
	bye := func(c *tls.Conn) {
		_, _ = io.WriteString(c, "220 hello\r\n")
		_, _ = bufio.NewReader(c).ReadString('\n')
		_, _ = io.WriteString(c, "221 bye\r\n")
	}
	for _, row := range []struct {
		name   string
		server func(*tls.Config)
		polite bool // it says that it ends
		want   []Ticket
	}{
		{"TLS 1.3", nil, true, []Ticket{{Lifetime: 604800}}},
		{"TLS 1.2", max12, true, []Ticket{{}}},
		{"no tickets", func(c *tls.Config) { c.SessionTicketsDisabled = true }, true, nil},
		{"no good bye", nil, false, []Ticket{{Lifetime: 604800}}},
		{"no good bye, TLS 1.2", max12, false, []Ticket{{}}},
	} {
		t.Run(strings.ReplaceAll(row.name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			config := &tls.Config{Certificates: []tls.Certificate{shownLeaf(t)}}
			if row.server != nil {
				row.server(config)
			}
			c := tlsServer(t, config, func(s *tls.Conn) {
				bye(s)
				if row.polite {
					_ = s.Close()
				}
			})
			var secrets strings.Builder
			err := c.Upgrade(context.Background(), &tls.Config{ServerName: "x", InsecureSkipVerify: true, KeyLogWriter: &secrets,
				ClientSessionCache: tls.NewLRUClientSessionCache(1)})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.ReadSMTP(); err != nil {
				t.Fatal(err)
			}
			if err := c.Send("QUIT"); err != nil {
				t.Fatal(err)
			}
			if _, err := c.ReadSMTP(); err != nil {
				t.Fatal(err)
			}
			if _, err := c.ReadLine(); !errors.Is(err, io.EOF) {
				t.Fatalf("it goes on: %v", err)
			}
			if got, err := c.Tickets(secrets.String()); err != nil || !slices.Equal(got, row.want) {
				t.Errorf("tickets %v, %v", got, err)
			}
			if got, err := c.Notified(secrets.String()); err != nil || got != row.polite {
				t.Errorf("said good bye: %t, %v", got, err)
			}
		})
	}
}

// A ticket that permits early data says how much of it.
func TestTicketWithEarlyData(t *testing.T) {
	body := "\x00\x00\x0e\x10" + "age." + "\x01n" + "\x00\x02tt" + "\x00\x08\x00\x2a\x00\x04\x00\x00\x40\x00"
	c := &Conn{conn: &net.TCPConn{}}
	if got := c.ticket(fields(body)); got.Lifetime != 3600 || got.EarlyData != 0 {
		t.Errorf("TLS 1.2: %s", got)
	}
	if got := ticket13(fields(body)); got.String() != "ticket of 3600 seconds, early data 16384" {
		t.Errorf("%s", got)
	}
}

// After a close_notify the connection goes on in clear.
func TestLeaveTLS(t *testing.T) {
	c := tlsServer(t, &tls.Config{Certificates: []tls.Certificate{shownLeaf(t)}}, func(s *tls.Conn) {
		_, _ = s.Read(make([]byte, 10))
		_, _ = io.WriteString(s.NetConn(), "250 still here\r\n")
	})
	if err := c.Upgrade(context.Background(), &tls.Config{ServerName: "x", InsecureSkipVerify: true}); err != nil {
		t.Fatal(err)
	}
	if err := c.LeaveTLS(); err != nil || c.Encrypted() {
		t.Fatalf("encrypted %t, %v", c.Encrypted(), err)
	}
	for {
		got, err := c.ReadHello()
		if err != nil {
			t.Fatal(err)
		}
		if got.Record == 0 { // a ticket may come before
			if got.String() != "clear 250 still here" {
				t.Errorf("%s", got)
			}
			return
		}
	}
}

// No answer makes the reader fall over.
func FuzzReadHello(f *testing.F) {
	f.Add([]byte("\x16\x03\x03\x00\x04\x02\x00\x00\x28"))
	f.Add([]byte("\x15\x03\x01\x00\x02\x02\x28"))
	f.Add([]byte("\x80\x05\x04"))
	f.Fuzz(func(_ *testing.T, b []byte) {
		a, _ := readHello(bufio.NewReader(bytes.NewReader(b)))
		_ = a.String()
	})
}
