package server

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

// lockedBuffer is a log that several sessions write to.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestEventsHoldNoSecret: whatever is typed wherever, the log and the record
// tell what happened and no password, nor a name that might be one.
func TestEventsHoldNoSecret(t *testing.T) {
	log := &lockedBuffer{}
	s := start(t, with(open(), func(s *login.Setup) { s.Accounts = []login.Account{aliceWithOverride, bob} }),
		WithLogger(slog.New(slog.NewJSONHandler(log, nil))))
	for _, impl := range mech.All() {
		for _, p := range impl.Protocols {
			for _, name := range []string{"alice", "hunter2"} {
				for _, password := range []string{"wonderland", "lookingglass", "hunter2"} {
					c := s.hello(p)
					c.logIn(impl.Name, name, password)
					c.quit()
				}
			}
		}
	}
	c := s.smtp(login.StartTLS)
	c.ask("AUTH hunter2!")
	c.ask("AUTH hunter2")
	c.ask("hunter2")
	c.ask("AUTH PLAIN hunter2")
	c.quit()
	for _, secret := range []string{"wonderland", "lookingglass", "hunter2", b64("\x00alice\x00wonderland")} {
		if strings.Contains(strings.ToLower(log.String()), secret) {
			t.Errorf("the log holds %q", secret)
		}
		for _, r := range s.Record() {
			if strings.Contains(strings.ToLower(r.Reason+string(r.Mechanism)), secret) {
				t.Errorf("the record holds %q: %+v", secret, r)
			}
		}
	}
	for _, event := range []string{`"msg":"connect"`, `"msg":"tls"`, `"msg":"login"`, `"refusal":"credentials"`, `"account":"alice"`, `"msg":"disconnect"`} {
		if !strings.Contains(log.String(), event) {
			t.Errorf("the log has no %s", event)
		}
	}
}

// TestRecordIsBounded: a server that runs for months keeps the newest.
func TestRecordIsBounded(t *testing.T) {
	var r recorder
	for i := range 5 * keptRecords {
		r.add(login.Record{DelayMS: int64(i)})
	}
	all := r.all()
	if len(all) < keptRecords || len(all) > 2*keptRecords || all[len(all)-1].DelayMS != 5*keptRecords-1 {
		t.Errorf("%d records, the last %+v", len(all), all[len(all)-1])
	}
	for i := 1; i < len(all); i++ {
		if all[i].DelayMS != all[i-1].DelayMS+1 {
			t.Fatal("out of order")
		}
	}
}
