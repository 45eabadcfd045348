package interop

import (
	"context"
	"encoding/base64"
	"runtime"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// TestSoak: a hundred thousand logins leave no memory behind. What the server
// holds after a tenth of them is compared with what it holds after all; the
// first tenth fills what is meant to be kept, such as the newest records.
func TestSoak(t *testing.T) {
	underLoad(t)
	const logins, bound = 100_000, 1.2
	accounts := crowd(workers)
	r := start(t, login.Setup{Flavour: login.Modern, Database: login.WinGate, Accounts: accounts,
		Policy: login.Every([]login.Mechanism{login.UserPass, login.PLAIN}, login.Allow)})

	rounds := func(n int) {
		together(t, accounts, func(ctx context.Context, account login.Account) error {
			for range n / workers / 2 {
				if err := loginPOP3(ctx, "127.0.0.1:"+r.ports[login.POP3][login.Plain], account); err != nil {
					return err
				}
				if err := loginSMTP(ctx, "127.0.0.1:"+r.ports[login.SMTP][login.Plain], account); err != nil {
					return err
				}
			}
			return nil
		})
	}
	rounds(logins / 10)
	early := heap()
	rounds(logins - logins/10)
	late := heap()
	ratio := float64(late) / float64(early)
	t.Logf("%d logins: heap %d KiB after a tenth, %d KiB after all, ratio %.2f", r.accepted.Load(), early>>10, late>>10, ratio)
	if r.accepted.Load() != logins {
		t.Errorf("want %d logins, got %d", logins, r.accepted.Load())
	}
	if ratio > bound {
		t.Errorf("memory grows: want at most %.1f times", bound)
	}
}

// heap is what is in use once everything unused is collected. Twice, because
// pools give up what they keep at the second collection.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// plainResponse is the message of RFC 4616 in base64.
func plainResponse(a login.Account) string {
	return base64.StdEncoding.EncodeToString([]byte("\x00" + a.Name + "\x00" + a.Password))
}
