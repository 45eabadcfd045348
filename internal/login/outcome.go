package login

import "slices"

// Outcome is what happened in a cell. The zero value is no outcome.
type Outcome string

const (
	LoggedIn           Outcome = "logged-in"           // the server confirmed the login (235, +OK)
	NoTLS              Outcome = "no-tls"              // the client insists on encryption and could not get it
	CertRejected       Outcome = "cert-rejected"       // the client refused the server's certificate
	NotOffered         Outcome = "not-offered"         // looked, did not find it, did not try
	RefusedPolicy      Outcome = "refused-policy"      // tried, refused because of setting or transport
	RefusedUnavailable Outcome = "refused-unavailable" // tried, the database or flavour cannot do it
	RefusedCredentials Outcome = "refused-credentials" // refused after the server asked for the secret
	Refused            Outcome = "refused"             // refused, and no record tells why
	Dropped            Outcome = "dropped"             // the connection ended without an answer
	Error              Outcome = "error"               // the harness itself failed
)

// Refusal is why the server refused a login, by its own record.
type Refusal string

const (
	NotRefused       Refusal = ""            // the login was accepted
	ByPolicy         Refusal = "policy"      // setting or transport
	ByAvailability   Refusal = "unavailable" // database or flavour
	ByCredentials    Refusal = "credentials"
	BySyntax         Refusal = "syntax"    // malformed, or cancelled by the client
	BySequence       Refusal = "sequence"  // out of order: a second AUTH, AUTH in a transaction
	ByUnknown        Refusal = "unknown"   // a mechanism nobody has heard of
	ByTooMany        Refusal = "too-many"  // the limit of failures
	ByMailboxInUse   Refusal = "in-use"    // POP3: another session holds the mailbox
	ByServerProblems Refusal = "temporary" // shutting down
)

// Record is what the server itself says of one login attempt.
type Record struct {
	Protocol  Protocol
	Mechanism Mechanism
	Encrypted bool
	Refusal   Refusal
	// Reason is the refusal in words. It holds no secret.
	Reason string
	// DelayMS is by how many milliseconds the answer was slowed down.
	DelayMS int64
}

// Refine replaces Refused by the reason in the server's record of the last
// attempt, where there is one; every other outcome stays.
func (o Outcome) Refine(records []Record) Outcome {
	if o != Refused || len(records) == 0 {
		return o
	}
	switch records[len(records)-1].Refusal {
	case ByPolicy:
		return RefusedPolicy
	case ByAvailability:
		return RefusedUnavailable
	case ByCredentials:
		return RefusedCredentials
	default:
		return o
	}
}

// In reports whether o is among the outcomes.
func (o Outcome) In(all []Outcome) bool { return slices.Contains(all, o) }
