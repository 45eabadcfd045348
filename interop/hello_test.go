package interop

import (
	"io"
	"net"
	"sync"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// saysHello serves a port of loopback whose connections lead to the SMTP server
// on another. It says EHLO between the greeting and all the rest, for a client
// that does not. What client and server then say to each other, TLS and all,
// it only carries.
func saysHello(t testing.TB, port string) string {
	t.Helper()
	l, err := net.Listen("tcp", loopback+":0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	t.Cleanup(func() {
		_ = l.Close()
		running.Wait()
	})
	running.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return // closed by the test
			}
			running.Go(func() { carry(t, client, port) })
		}
	})
	_, own, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return own
}

// carry ends with either side.
func carry(t testing.TB, client net.Conn, port string) {
	defer func() { _ = client.Close() }()
	server, err := net.Dial("tcp", net.JoinHostPort(loopback, port))
	if err != nil {
		t.Error(err)
		return
	}
	defer func() { _ = server.Close() }()
	greeted := wire.NewConn(t.Context(), server, patience)
	_, err = greeted.ReadSMTP()
	if err == nil {
		err = greeted.Send("EHLO client.example.test")
	}
	if err == nil {
		_, err = greeted.ReadSMTP()
	}
	if err != nil {
		t.Error(err)
		return
	}
	if _, err := io.WriteString(client, "220 "+identity+"\r\n"); err != nil {
		return // the client is gone
	}
	go func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	}()
	_, _ = io.Copy(client, server)
}
