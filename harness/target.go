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
