package login

import "slices"

// Protocol is the mail protocol in which the login happens. The zero value is
// no protocol.
type Protocol string

const (
	SMTP Protocol = "smtp" // RFC 5321, with AUTH of RFC 4954
	POP3 Protocol = "pop3" // RFC 1939, with AUTH of RFC 5034
)

// Protocols lists them in the order of reports.
func Protocols() []Protocol { return []Protocol{SMTP, POP3} }

// Transport is how the client is configured to reach the server. The zero
// value is no transport.
type Transport string

const (
	Plain    Transport = "plain"    // encryption off
	StartTLS Transport = "starttls" // STARTTLS (RFC 3207) or STLS (RFC 2595) demanded
	TLS      Transport = "tls"      // TLS from the first octet (RFC 8314): ports 465 and 995
)

// Transports lists them in the order of reports.
func Transports() []Transport { return []Transport{Plain, StartTLS, TLS} }

// Encrypted reports whether a login on this transport happens inside TLS.
func (t Transport) Encrypted() bool { return t == StartTLS || t == TLS }

// Flavour is which of its two characters the reference server shows. The zero
// value is no flavour.
type Flavour string

const (
	// Classic is the document's server: no implicit TLS, TLS 1.0 and up,
	// NTLMv1 accepted, Kerberos never available.
	Classic Flavour = "classic"
	// Modern has implicit TLS, TLS 1.2 and up, and NTLMv2 only.
	Modern Flavour = "modern"
	// Remote marks a server that is not ours: nobody knows.
	Remote Flavour = "remote"
)

// Flavours lists those of the reference server in the order of reports.
func Flavours() []Flavour { return []Flavour{Classic, Modern} }

// Flags, IDs and JSON share one spelling; these parse it in any letter case.

func ParseProtocol(s string) (Protocol, error)   { return ParseName("protocol", s, Protocols()) }
func ParseTransport(s string) (Transport, error) { return ParseName("transport", s, Transports()) }
func ParseFlavour(s string) (Flavour, error)     { return ParseName("flavour", s, Flavours()) }

// order is the place of v in all: reports sort by it, not by spelling.
func order[T comparable](v T, all []T) int { return slices.Index(all, v) }
