// Package advice guesses what software greets, says in its words how a finding
// is put right, and gives a line for a shell that shows the same without us.
package advice

import "github.com/mailmatrix/mailmatrix/internal/login"

// Problem is what a finding is about.
type Problem string

// The problems there is advice for.
const (
	CleartextOffered Problem = "cleartext-offered" // a mechanism that shows the password, in clear
	CleartextTaken   Problem = "cleartext-taken"   // the same, not offered
	HiddenTaken      Problem = "hidden-taken"
	OfferedRefused   Problem = "offered-refused"
	DeniedTaken      Problem = "denied-taken"
	DeniedOffered    Problem = "denied-offered"
	SecureInClear    Problem = "secure-in-clear"
	NotOffered       Problem = "not-offered"
	NoTLS            Problem = "no-tls"
	PortClosed       Problem = "port-closed"
	BadCertificate   Problem = "bad-certificate"
	DoorsDiffer      Problem = "doors-differ"
	ListShrinks      Problem = "list-shrinks"
	OldTLS           Problem = "old-tls"
	Session          Problem = "session" // what the software says there, whatever its settings
)

// On is where it was found.
type On struct {
	Door      login.DoorResult
	Transport login.Transport
	Mechanism login.Mechanism
}

// transport is the one that is meant; where none is, the door's first.
func (o On) transport() login.Transport {
	switch {
	case o.Transport != "":
		return o.Transport
	case o.Door.Implicit:
		return login.TLS
	default:
		return login.Plain
	}
}

// For is the advice; nil where there is none worth a line.
func For(p Problem, on On) *login.Advice {
	command := commandFor(p, on)
	if command == "" {
		return nil
	}
	return &login.Advice{Software: on.Door.Software, Fix: fixFor(p, on), Command: command}
}
