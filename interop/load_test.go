package interop

import (
	"context"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// workers is how many clients log in at once, each to an account of its own:
// a mailbox is open once at a time. Dovecot takes ten connections of a user
// and address.
const workers = 8

// underLoad skips a test that takes minutes, unless it is asked for. No peer
// is missing then, so that MAILMATRIX_INTEROP=required is not concerned.
func underLoad(t testing.TB) {
	t.Helper()
	if os.Getenv("MAILMATRIX_LOAD") != "1" {
		t.Skip("a load test: takes minutes, runs with MAILMATRIX_LOAD=1")
	}
}

// TestLoginRate compares how many POP3 logins in a second the reference server
// and Dovecot answer. One client asks both, in turns, so that whatever else
// the machine does hits both.
func TestLoginRate(t *testing.T) {
	underLoad(t)
	accounts := crowd(workers)
	r := start(t, login.Setup{Flavour: login.Modern, Database: login.WinGate,
		Policy: login.Only(login.UserPass, login.Allow), Accounts: accounts})
	servers := []*contestant{
		{name: "mailmatrix", address: "127.0.0.1:" + r.ports[login.POP3][login.Plain]},
		{name: "dovecot, default", address: startDovecot(t, accounts, "")},
		{name: "dovecot, high-performance", address: startDovecot(t, accounts, highPerformance)},
	}
	const rounds, each = 3, 4 * time.Second
	for range rounds {
		for _, s := range servers {
			s.rates = append(s.rates, loginsPerSecond(t, s.address, accounts, each))
		}
	}
	ours := servers[0].rate()
	for _, s := range servers {
		t.Logf("%-26s %7.0f POP3 logins/s (rounds %.0f), ratio %.1f", s.name, s.rate(), s.rates, ours/s.rate())
	}
	if ratio := ours / servers[1].rate(); ratio < 10 {
		t.Errorf("want ten times the logins of Dovecot's default, got %.1f", ratio)
	}
}

type contestant struct {
	name, address string
	rates         []float64
}

// rate is the median of the rounds.
func (c *contestant) rate() float64 { return median(c.rates) }

func median[T float64 | time.Duration](all []T) T {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

// loginsPerSecond has each account log in again and again until the time is
// over.
func loginsPerSecond(t *testing.T, address string, accounts []login.Account, during time.Duration) float64 {
	t.Helper()
	var count atomic.Int64
	begin := time.Now()
	together(t, accounts, func(ctx context.Context, account login.Account) error {
		for time.Since(begin) < during {
			if err := loginPOP3(ctx, address, account); err != nil {
				return err
			}
			count.Add(1)
		}
		return nil
	})
	return float64(count.Load()) / time.Since(begin).Seconds()
}

// together runs work for all accounts at once and waits for the end.
func together(t testing.TB, accounts []login.Account, work func(context.Context, login.Account) error) {
	t.Helper()
	var running sync.WaitGroup
	for _, account := range accounts {
		running.Go(func() {
			if err := work(t.Context(), account); err != nil {
				t.Errorf("%s: %v", account.Name, err)
			}
		})
	}
	running.Wait()
	if t.Failed() {
		t.FailNow()
	}
}

// crowd makes n accounts.
func crowd(n int) []login.Account {
	accounts := make([]login.Account, n)
	for i := range accounts {
		accounts[i] = login.Account{Name: fmt.Sprintf("user%d", i), Password: secrets.Password}
	}
	return accounts
}

// dial opens a connection for a client of a load test.
func dial(ctx context.Context, address string) (*wire.Conn, error) {
	raw, err := (&net.Dialer{Timeout: patience}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return wire.NewConn(ctx, raw, patience), nil
}

// loginPOP3 is a whole session: USER, PASS, QUIT.
func loginPOP3(ctx context.Context, address string, account login.Account) error {
	c, err := dial(ctx, address)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	for _, line := range []string{"", "USER " + account.Name, "PASS " + account.Password, "QUIT"} {
		if line != "" { // the greeting comes unasked
			if err := c.SendSecret(line, ""); err != nil {
				return err
			}
		}
		reply, err := c.ReadPOP3()
		if err != nil {
			return err
		}
		if reply.Status != wire.POP3OK {
			return fmt.Errorf("refused: %s", reply.Line)
		}
	}
	return nil
}

// loginSMTP is a whole session: EHLO, AUTH PLAIN, QUIT.
func loginSMTP(ctx context.Context, address string, account login.Account) error {
	c, err := dial(ctx, address)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	for _, line := range []string{"", "EHLO client.example.test", "AUTH PLAIN " + plainResponse(account), "QUIT"} {
		if line != "" {
			if err := c.SendSecret(line, ""); err != nil {
				return err
			}
		}
		reply, err := c.ReadSMTP()
		if err != nil {
			return err
		}
		if !reply.Positive() {
			return fmt.Errorf("refused: %s", reply.First)
		}
	}
	return nil
}
