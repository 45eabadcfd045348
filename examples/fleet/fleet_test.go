package fleet

import (
	"bufio"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/harness/remote"
	"github.com/mailmatrix/mailmatrix/harness/remote/reach"
)

// careless is a server that offers a password's way in, in clear.
func careless(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go serve(conn)
		}
	}()
	return "smtp://" + l.Addr().String()
}

func serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	_, _ = fmt.Fprint(conn, "220 careless ESMTP\r\n")
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		switch verb, _, _ := strings.Cut(strings.ToUpper(lines.Text()), " "); verb {
		case "EHLO":
			_, _ = fmt.Fprint(conn, "250-careless\r\n250 AUTH PLAIN\r\n")
		case "QUIT":
			_, _ = fmt.Fprint(conn, "221 bye\r\n")
			return
		default:
			_, _ = fmt.Fprint(conn, "502 no\r\n")
		}
	}
}

func TestFleet(t *testing.T) {
	servers := []string{careless(t), careless(t), "imap://nobody"}
	options := remote.Options{Route: reach.Route{Source: netip.MustParseAddr("127.0.0.2")}, Patience: 50 * time.Millisecond}
	leaking, refused := 0, 0
	for a := range Check(t.Context(), servers, 2, options) {
		switch {
		case a.Err != nil:
			refused++
		case len(Leaks(a.Report)) > 0:
			leaking++
		}
	}
	if leaking != 2 || refused != 1 {
		t.Errorf("%d servers leak, and %d could not be checked", leaking, refused)
	}
}
