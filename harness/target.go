package harness

import (
	"context"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// Target is a server that can be put into states.
type Target interface {
	Name() string
	// Under puts the server into the state of an experiment and opens a door.
	// A state that this target cannot take is a *[CannotError]: the experiment
	// is skipped and says so. A server that refuses to start, as it must with
	// a bad certificate, is a *[StartupError]. Any other error is ours.
	Under(context.Context, login.Setup) (wire.Door, error)
}

// Issuer is what a target may be besides: it gives out tokens, certificates
// and tickets for its accounts. A mechanism for which nothing was issued is
// skipped.
type Issuer interface {
	// Issue makes what the account can log in with in place of a password. With
	// a flaw it is no good, and the server must refuse it; what cannot have the
	// flaw is left out.
	Issue(account string, flaw login.Flaw) (login.Issued, error)
}
