package remote_test

import (
	"bufio"
	"io"
	"net"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// A door whose answer does not end takes the time of a check that has little of
// it; what the others have shown is kept.
func TestDeadlineKeepsLooks(t *testing.T) {
	s := start(t, usual())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	played := make(chan struct{})
	go func() {
		defer close(played)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		_ = conn.SetDeadline(time.Now().Add(elsewhen))
		_, _ = io.WriteString(conn, "220 hello\r\n")
		_, _ = bufio.NewReader(conn).ReadString('\n')
		again := time.NewTicker(50 * time.Millisecond)
		defer again.Stop()
		for range again.C {
			if _, err := io.WriteString(conn, "250-X\r\n"); err != nil {
				return
			}
		}
	}()
	defer func() { _ = l.Close(); <-played }()
	o := s.options(t)
	o.Deadline = time.Second
	report := check(t, append(s.doors, "smtp://"+host+":"+l.Addr().String()[len("127.0.0.1:"):]), o)
	doors := report.Targets[0].Doors
	if report.Complete || report.ExitStatus() != 2 || len(doors) != 5 {
		t.Fatalf("complete %v, exit status %d, %d doors", report.Complete, report.ExitStatus(), len(doors))
	}
	for i, d := range doors {
		if d.Stages[login.StageBanner] != login.StageOK || (d.Stages[login.StageHello] == "unfinished") != (i == 4) {
			t.Errorf("%s: %v", d.Address, d.Stages)
		}
	}
}
