package harness_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// standing is a server that stands as it stands, with an account of its own.
type standing struct {
	fake
	stand harness.Stand
}

func (s standing) Under(ctx context.Context, _ login.Setup) (wire.Door, error) {
	return s.fake.Under(ctx, login.Setup{})
}
func (s standing) Stands() harness.Stand { return s.stand }

var itsAccount = login.Account{Name: "somebody.real@example.net", Password: "TheRealSecret42"}

// echoing offers PLAIN, takes mail, and repeats everything else.
func echoing(line string) string {
	switch {
	case strings.HasPrefix(line, "EHLO"):
		return "250-fake\r\n250 AUTH PLAIN LOGIN CRAM-MD5"
	case strings.HasPrefix(line, "MAIL"), strings.HasPrefix(line, "RSET"), strings.HasPrefix(line, "QUIT"), strings.HasPrefix(line, "NOOP"):
		return "250 ok"
	default:
		return "535-no\r\n535 " + line
	}
}

// The account of a server that is not ours is shown by no result, though the
// server repeats it, and not seen on a clear link without leave.
func TestStandingAccountIsSecret(t *testing.T) {
	for _, clear := range []bool{false, true} {
		t.Run(fmt.Sprintf("clear %v", clear), func(t *testing.T) {
			var mu sync.Mutex
			var heard strings.Builder
			target := standing{fake: fake{answer: func(line string) string {
				mu.Lock()
				defer mu.Unlock()
				_, _ = fmt.Fprintln(&heard, line)
				return echoing(line)
			}},
				stand: harness.Stand{Host: "mail.example.net", Domain: "example.net", Account: itsAccount, Clear: clear}}
			p := plan(t, harness.Grid{Cases: []string{"smtp/auth", "sasl/plain", "sasl/gen/001"}, Protocols: []login.Protocol{login.SMTP}})
			report := harness.Run(context.Background(), p, harness.Config{Target: target, Parallel: 1, Patience: patience, Transcripts: harness.KeepAll})
			secrets := wire.NewSearcher(wire.Needle{Name: "name", Text: itsAccount.Name}, wire.Needle{Name: "password", Text: itsAccount.Password})
			if found := secrets.Find(fmt.Appendf(nil, "%+v", report)); len(found) > 0 {
				t.Errorf("the report shows %v", found)
			}
			if found := secrets.Find([]byte(heard.String())); (len(found) > 0) != clear {
				t.Errorf("in clear the server heard %v", found)
			}
			if len(report.Cases) == 0 {
				t.Error("no case ran")
			}
		})
	}
}
