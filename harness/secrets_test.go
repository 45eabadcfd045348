package harness_test

import (
	"context"
	"slices"
	"testing"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// generous is a server that stands as it stands, and gives out tokens.
type generous struct {
	fake
	account login.Account
	asked   *[]string // for whom
}

func (g generous) Stands() harness.Stand { return harness.Stand{Account: g.account} }

func (g generous) Issue(account string, _ login.Flaw) (login.Issued, error) {
	*g.asked = append(*g.asked, account)
	return login.Issued{Token: "token-of-" + account}, nil
}

// A server that stands gives out to the account that it names, or to nobody.
func TestStandingIssuesToItsOwn(t *testing.T) {
	for _, row := range []struct {
		account login.Account
		want    []string
	}{
		{login.Account{Name: "sam", Password: "aB3standing"}, []string{"sam", "sam", "a-stranger"}},
		{login.Account{}, nil},
	} {
		var asked []string
		harness.Run(context.Background(), harness.Plan{}, harness.Config{Target: generous{account: row.account, asked: &asked}})
		if !slices.Equal(asked, row.want) {
			t.Errorf("of %q: issued to %q, want %q", row.account.Name, asked, row.want)
		}
	}
}
