package login

// The kinds of a target.
const (
	ReferenceTarget = "reference" // of this program, started for the run
	RemoteTarget    = "remote"    // somebody's server
)

// The bases of a cell.
const (
	Measured  = "measured"
	Predicted = "predicted" // nobody has logged in: it is read off what is known of client and server
)
