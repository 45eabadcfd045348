package login

import "strings"

// Mechanism is a way of logging in: a SASL mechanism by its registered name
// (RFC 4422 3.1), or one of POP3's own two commands. The zero value is no
// mechanism.
type Mechanism string

const (
	PLAIN    Mechanism = "PLAIN"     // RFC 4616
	LOGIN    Mechanism = "LOGIN"     // draft-murchison-sasl-login
	CRAMMD5  Mechanism = "CRAM-MD5"  // RFC 2195
	NTLM     Mechanism = "NTLM"      // MS-NLMP, MS-SMTPNTLM, MS-POP3
	GSSAPI   Mechanism = "GSSAPI"    // Kerberos V5, RFC 4752
	UserPass Mechanism = "USER/PASS" // RFC 1939 7, POP3 only
	APOP     Mechanism = "APOP"      // RFC 1939 7, POP3 only

	// Auto is no mechanism: the client chooses, as it does when installed.
	Auto Mechanism = "auto"
)

// Traits is what is true of a mechanism whoever speaks it.
type Traits struct {
	Name Mechanism
	// Class is what a listener on a clear link learns from a login, and so
	// the document's division: insecure if it is the password itself.
	Class ExposureClass
	// Protocols in which the mechanism exists.
	Protocols []Protocol
	// Refs say where it is defined.
	Refs []string
}

// Insecure reports the document's class: the password itself crosses the wire.
func (t Traits) Insecure() bool { return t.Class == ShowsPassword }

// In reports whether the mechanism exists in p.
func (t Traits) In(p Protocol) bool {
	return order(p, t.Protocols) >= 0
}

// Segment is the mechanism as a part of an ID or a label, where "/" divides.
func (m Mechanism) Segment() string { return strings.ReplaceAll(string(m), "/", "-") }
