package wire

import (
	"errors"
	"net"
	"syscall"
	"testing"
)

// What a system really says of a port that nobody serves is known by its name.
func TestFailedAs(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	_, closed := (&net.Dialer{}).DialContext(t.Context(), "tcp", l.Addr().String())
	for _, row := range []struct {
		err   error
		names []syscall.Errno
		want  bool
		why   string
	}{
		{closed, []syscall.Errno{syscall.ECONNREFUSED}, true, "nobody serves the port"},
		{closed, []syscall.Errno{syscall.ECONNRESET, syscall.ECONNREFUSED}, true, "it may be any of them"},
		{closed, []syscall.Errno{syscall.ETIMEDOUT, syscall.EHOSTUNREACH}, false, "this machine has answered"},
		{&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, []syscall.Errno{syscall.ECONNREFUSED}, true, "we said so ourselves"},
		{errors.New("connection refused"), []syscall.Errno{syscall.ECONNREFUSED}, false, "words prove nothing"},
		{nil, []syscall.Errno{syscall.ECONNREFUSED}, false, "nothing failed"},
	} {
		if got := FailedAs(row.err, row.names...); got != row.want {
			t.Errorf("%v as %v: %v: %s", row.err, row.names, got, row.why)
		}
	}
}
