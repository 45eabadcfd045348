package login

import "strings"

// Mechanism is a way of logging in: a SASL mechanism by its registered name
// (RFC 4422 3.1), or one of POP3's own two commands. The zero value is no
// mechanism.
type Mechanism string

const (
	PLAIN   Mechanism = "PLAIN"    // RFC 4616
	LOGIN   Mechanism = "LOGIN"    // draft-murchison-sasl-login
	CRAMMD5 Mechanism = "CRAM-MD5" // RFC 2195
	NTLM    Mechanism = "NTLM"     // MS-NLMP, MS-SMTPNTLM, MS-POP3
	GSSAPI  Mechanism = "GSSAPI"   // Kerberos V5, RFC 4752

	SCRAMSHA1       Mechanism = "SCRAM-SHA-1"        // RFC 5802
	SCRAMSHA1PLUS   Mechanism = "SCRAM-SHA-1-PLUS"   // RFC 5802, bound to the TLS connection
	SCRAMSHA256     Mechanism = "SCRAM-SHA-256"      // RFC 7677
	SCRAMSHA256PLUS Mechanism = "SCRAM-SHA-256-PLUS" // RFC 7677, bound to the TLS connection
	DIGESTMD5       Mechanism = "DIGEST-MD5"         // RFC 2831
	XOAUTH2         Mechanism = "XOAUTH2"            // Google, before RFC 7628
	OAUTHBEARER     Mechanism = "OAUTHBEARER"        // RFC 7628
	EXTERNAL        Mechanism = "EXTERNAL"           // RFC 4422 A, a TLS client certificate
	ANONYMOUS       Mechanism = "ANONYMOUS"          // RFC 4505

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
	// Presents is what a client must hold to log in.
	Presents Presents
	// ClientFirst: the client's first message waits for no challenge, so it can
	// be the initial response in an AUTH command (RFC 4422 5, item 2a).
	ClientFirst bool
	// NeedsTLS: it rests on something of the TLS connection, so without TLS
	// there is no such mechanism.
	NeedsTLS bool
	// Protocols in which the mechanism exists.
	Protocols []Protocol
	// Refs say where it is defined.
	Refs []string
	// Compared is what the mechanisms are compared by.
	Compared Comparison
}

// Presents is what a client must hold to log in. The zero value is a password.
type Presents uint8

const (
	PresentsPassword Presents = iota
	PresentsToken
	PresentsCertificate
	PresentsTicket
	PresentsNothing // ANONYMOUS
)

// Credentials lists what a client can present, given the override: only a
// password can be the override password, and nothing at all cannot be wrong.
func (t Traits) Credentials(o Override) []Credential {
	switch {
	case t.Presents == PresentsNothing:
		return []Credential{WithAccount}
	case t.Presents != PresentsPassword:
		return Credentials(NoOverride)
	default:
		return Credentials(o)
	}
}

// Comparison is what docs/mechanisms.md says of a mechanism, in a few words
// each.
type Comparison struct {
	// Status of the document that defines it, such as "Proposed Standard".
	Status string
	// Cracking is the rough cost of a guess at the password, for who has
	// listened in clear; "" where nothing can be cracked.
	Cracking string
	// Malicious is what a server learns to which a client was lured.
	Malicious string
	// Stolen is what a thief of the server's database can do with it.
	Stolen string
	// Mutual is how the server proves itself to the client; "" if it does not.
	Mutual string
	// Binding is the channel binding; "" if there is none.
	Binding string
}

// Insecure reports the document's class: the password itself crosses the wire.
func (t Traits) Insecure() bool { return t.Class == ShowsPassword }

// In reports whether the mechanism exists in p.
func (t Traits) In(p Protocol) bool {
	return order(p, t.Protocols) >= 0
}

// Segment is the mechanism as a part of an ID or a label, where "/" divides.
func (m Mechanism) Segment() string { return strings.ReplaceAll(string(m), "/", "-") }
