package harness

import (
	"cmp"
	"context"
	"slices"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// Inhabited is what a target may be besides: somebody else's server that can be
// put into states. It has a name and accounts of its own, and not every
// mechanism.
type Inhabited interface {
	// Lives says what is known of it: Host, Domain, Account, Other and Others. Where
	// Account is the zero value, it is given those of the run.
	Lives() Stand
	// Mechanisms are those that it can be told to allow. A case that wants
	// everything that there is means these.
	Mechanisms(context.Context) ([]login.Mechanism, error)
}

// lives is what is known of the target; the zero value of one that is ours.
func (c Config) lives() Stand {
	if t, ok := c.Target.(Inhabited); ok {
		return t.Lives()
	}
	return Stand{}
}

// accounts are what the run logs in as: its canaries, or the target's own.
func (c Config) accounts() (login.Secrets, login.Account) {
	chance := c.chance()
	secrets, other := newSecrets(chance), newAccount(chance)
	if own := c.lives(); own.Account.Name != "" {
		secrets.Name, secrets.Password, other = own.Account.Name, own.Account.Password, own.Other
	}
	return secrets, other
}

// host is the target's name as its users type it.
func (c Config) host() string { return cmp.Or(c.lives().Host, login.DefaultIdentity) }

// everything is what a case may ask the target for.
func (c Config) everything(ctx context.Context) ([]login.Mechanism, error) {
	if t, ok := c.Target.(Inhabited); ok {
		return t.Mechanisms(ctx)
	}
	return mech.Names(), nil
}

// hiding finds what the eavesdropper listens for, and what other accounts log in
// by.
func hiding(ear *eavesdropper, others []login.Account) *wire.Searcher {
	needles := slices.Clone(ear.needles)
	for _, a := range others {
		needles = append(needles, wire.Needle{Text: a.Password}, wire.Needle{Text: a.Override})
	}
	return wire.NewSearcher(needles...)
}

// known leaves out the accounts that there are not.
func known(accounts ...login.Account) []login.Account {
	return slices.DeleteFunc(accounts, func(a login.Account) bool { return a.Name == "" })
}
