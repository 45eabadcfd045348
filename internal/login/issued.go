package login

// Issued is what an authority gives to somebody to log in with in place of a
// password. The zero value is nothing; so is each field's.
type Issued struct {
	// Token is a bearer token (RFC 6750).
	Token string
	// Certificate and its Key, both in PEM, are for TLS client authentication.
	Certificate, Key []byte
	// Tickets are for the service of each protocol.
	Tickets map[Protocol]Ticket
}

// Has reports whether there is what p stands for; a password is not issued.
func (i Issued) Has(p Presents) bool {
	switch p {
	case PresentsToken:
		return i.Token != ""
	case PresentsCertificate:
		return len(i.Certificate) > 0
	case PresentsTicket:
		return len(i.Tickets) > 0
	default:
		return true
	}
}

func (Issued) String() string     { return "something issued" }
func (i Issued) GoString() string { return i.String() }

// Ticket is a Kerberos service ticket, and what its owner knows of it
// (RFC 4120 5.3 and 5.5.1). Its String never shows the key.
type Ticket struct {
	Realm   string
	Client  string // principal without the realm, such as "alice"
	Service string // principal without the realm, such as "smtp/mail.example.test"
	Encoded []byte // the Ticket in DER
	KeyType int32  // number of the encryption type (RFC 3961 8)
	Key     []byte // the session key
}

func (t Ticket) String() string   { return "ticket of " + t.Client + " for " + t.Service }
func (t Ticket) GoString() string { return t.String() }

// Flaw is what is wrong with something issued. The zero value is nothing.
type Flaw string

const (
	Flawless Flaw = ""
	// Forged: not made by the authority that the server trusts.
	Forged Flaw = "forged"
	// Expired: its time is over.
	Expired Flaw = "expired"
	// Elsewhere: for another purpose. A token for another audience, a
	// certificate that is for servers, a ticket for another service.
	Elsewhere Flaw = "elsewhere"
	// Narrow: a token whose scope leaves mail out; nothing else has a scope.
	Narrow Flaw = "narrow"
)

// Flaws lists them.
func Flaws() []Flaw { return []Flaw{Forged, Expired, Elsewhere, Narrow} }

// Binding is how SCRAM is bound to the TLS connection (RFC 5802 6). The zero
// value is as a well-behaved client does it: the best type that the connection
// has where the mechanism binds (RFC 9266), and nothing elsewhere.
type Binding string

const (
	BindingDefault  Binding = ""
	BindingExporter Binding = "tls-exporter"         // RFC 9266
	BindingUnique   Binding = "tls-unique"           // RFC 5929 3
	BindingEndPoint Binding = "tls-server-end-point" // RFC 5929 4
	// BindingUnused is the flag "y": the client could bind, and thinks that
	// the server could not.
	BindingUnused Binding = "y"
)
