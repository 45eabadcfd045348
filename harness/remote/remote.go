// Package remote checks a server in service: what it offers, what it really
// accepts, whether it keeps its policy, who can use it, and what to change. It
// is a library call without globals or output.
package remote

import (
	"io"
	"time"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/harness/remote/budget"
	"github.com/mailmatrix/mailmatrix/harness/remote/ledger"
	"github.com/mailmatrix/mailmatrix/harness/remote/reach"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Options are how a check goes about it. The zero value looks at lists alone.
type Options struct {
	// Tool is name and version of the program, for the report.
	Tool string
	// Route is the way from here, and Trust which certificates are taken.
	Route reach.Route
	Trust reach.Trust
	// Autoconfig asks Thunderbird's and Microsoft's services for doors as well.
	Autoconfig bool
	// Policy is the one that the administrator declares; nil is none.
	Policy *login.Policy
	// Probe sends AUTH without a secret. Login logs Account in.
	Probe, Login bool
	Account      ledger.Account
	// Other is another account, and Domain one that the server delivers to: for
	// a laboratory. Zero values are none.
	Other  login.Account
	Domain string
	// TLS looks at ciphers, groups and tickets as well: some fifty handshakes for
	// each protocol.
	TLS bool
	// Cleartext permits the account's secrets on a clear link.
	Cleartext bool
	// Lab: the target is there to be thrown away. It is refused unless every
	// address is private.
	Lab    bool
	Limits budget.Limits
	// Budget, where set, is kept instead of Limits: several checks of one server
	// share what it may be asked.
	Budget *budget.Budget
	// LooksOnly stops once the ledger is filled: nothing is judged or foretold.
	LooksOnly bool
	// Deadline ends the check; 0 is two minutes, and fifteen in a laboratory. Connect is how long a connection
	// may take (0 is 5 seconds), Limit an answer (0 is 10 seconds), and Wait how
	// long the doors are waited for that do not greet yet.
	Deadline, Connect, Limit, Wait time.Duration
	// Only are the cases that are decided in a laboratory, by
	// [harness.SelectCases]; nil is all.
	Only []string
	// Patience is how long a server is listened to that should say nothing; 0 is
	// a second.
	Patience time.Duration
	// StandIn is a server of ours that foretells what clients will do; nil
	// foretells nothing.
	StandIn harness.Target
	// Told, where set, hears each fact: rows of the ledger as they are decided,
	// the others when their phase is over. Calls do not overlap.
	Told func(Fact)
	Seed uint64
	Rand io.Reader
	Now  func() time.Time
}

// Fact is one thing that was found out; one of its fields is set.
type Fact struct {
	Row      *Row
	Door     *login.DoorResult
	Scenario *login.ScenarioResult
	Case     *login.CaseResult
	Cell     *login.CellResult
}

// Row is one of the ledger.
type Row struct {
	// Door is an index, in the order of the report.
	Door      int
	Transport login.Transport
	login.MechanismResult
}
