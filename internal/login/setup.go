package login

import "fmt"

// Setup is everything a server is put into for one experiment. What is zero
// is the plain case: a valid certificate, no trust, no posture.
type Setup struct {
	Flavour  Flavour
	Database Database
	Policy   Policy
	Accounts []Account
	// Identity is the server's own name; "" is [DefaultIdentity].
	Identity string
	// LocalDomains are those the server delivers to; nil is [DefaultDomain].
	LocalDomains []string
	Certificate  Certificate
	Trust        Trust
	Posture      Posture
}

// What a run calls its server and the domain it delivers to. RFC 2606 keeps
// the names free.
const (
	DefaultIdentity = "mail.example.test"
	DefaultDomain   = "example.test"
)

// CertificateKind is the state of the server's certificate. The zero value is
// a valid one, from the authority that clients trust.
type CertificateKind string

const (
	CertValid      CertificateKind = ""
	CertNone       CertificateKind = "none"
	CertSelfSigned CertificateKind = "self-signed"
	CertOtherName  CertificateKind = "other-name"
	CertExpired    CertificateKind = "expired"
	CertWildcard   CertificateKind = "wildcard" // *.example.test

	// Files that the server must refuse by name when it starts.
	CertDER          CertificateKind = "der"
	CertPKCS7        CertificateKind = "pkcs7"
	CertPKCS12       CertificateKind = "pkcs12"
	CertEncryptedKey CertificateKind = "encrypted-key"
	CertKeyMismatch  CertificateKind = "key-mismatch"
	CertExpiredFile  CertificateKind = "expired-file" // expired, as handed to a server that checks
)

// Certificate is what the server shows to its clients.
type Certificate struct {
	Kind CertificateKind
}

// Trust says whom the SMTP server trusts without a login, and what it demands
// of the others.
type Trust struct {
	// Interfaces are the server's own addresses marked trusted.
	Interfaces []string
	// Assumptions say for whom a client is taken by its address.
	Assumptions []Assumption
	// DemandAuth answers 530 5.7.0 where a login would help.
	DemandAuth bool
}

// Assumption takes whoever connects from an address for an account.
type Assumption struct {
	Address string // an address, or a prefix such as 192.0.2.0/24
	Account string // "" is the first account of the setup
}

// Relay is a message that was accepted for another domain.
type Relay struct {
	Account   string // for whom the sender was taken; "" is nobody
	Encrypted bool
	To        []string
}

// CannotError says that a target cannot be put into the state that an
// experiment needs: the experiment is skipped with that reason.
type CannotError struct{ What string }

func (e *CannotError) Error() string { return fmt.Sprintf("this target cannot %s", e.What) }

// StartupError says that the server refused to start, and why: in one word,
// such as "der" or "expired", and in a sentence.
type StartupError struct {
	Kind string
	Err  error
}

func (e *StartupError) Error() string { return e.Err.Error() }
func (e *StartupError) Unwrap() error { return e.Err }
