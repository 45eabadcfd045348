package wire

import (
	"io"
	"net"
	"testing"
	"time"
)

// dialled is a connection over loopback and the server's end of it.
func dialled(t *testing.T) (client *Conn, server net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	raw, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	client = NewConn(t.Context(), NewTap(raw), 5*time.Second)
	t.Cleanup(func() { _, _ = client.Close(), server.Close() })
	return client, server
}

// Who closes his half is still answered.
func TestCloseWrite(t *testing.T) {
	client, server := dialled(t)
	if err := client.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if heard, err := io.ReadAll(server); err != nil || len(heard) > 0 {
		t.Fatalf("the server heard %q: %v", heard, err)
	}
	if _, err := io.WriteString(server, "221 good bye\r\n"); err != nil {
		t.Fatal(err)
	}
	if line, err := client.ReadLine(); line != "221 good bye" || err != nil {
		t.Errorf("the client heard %q: %v", line, err)
	}
}

// What a server does not take any more is not poured.
func TestPour(t *testing.T) {
	client, server := dialled(t)
	const much = 3*poured + 7
	heard := make(chan int)
	go func() {
		n, _ := io.CopyN(io.Discard, server, much)
		_ = server.Close()
		heard <- int(n)
	}()
	if taken, err := client.Pour('A', much, "<much>"); taken != much || err != nil {
		t.Errorf("taken: %d of %d: %v", taken, much, err)
	}
	if n := <-heard; n != much {
		t.Errorf("the server heard %d octets of %d", n, much)
	}
	const endless = 1 << 30
	if taken, err := client.Pour('A', endless, "<endless>"); taken >= endless || err == nil {
		t.Error("a connection that is gone took everything")
	}
	if got := len(client.Transcript()); got != 2 {
		t.Errorf("%d lines in the transcript, of 2", got)
	}
}
