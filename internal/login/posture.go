package login

// Posture is a way in which the server behaves on purpose, to see what a client
// does. The zero value is the plain server. Two postures can be compared.
type Posture struct {
	// OfferedRefused lists the mechanism and refuses it at the command.
	OfferedRefused bool
	StartTLS       Stripping
	// SlowDown answers failed logins later and later, and ends the connection
	// after a number of them.
	SlowDown bool
	// Script is what it says and takes out of the ordinary; nil is nothing.
	Script *Script
}

// Stripping is what the server does with STARTTLS and STLS.
type Stripping string

const (
	TLSOffered  Stripping = ""
	TLSStripped Stripping = "stripped" // not offered, unknown when tried
	TLSRefused  Stripping = "refused"  // offered, then 454 / -ERR
	TLSBroken   Stripping = "broken"   // accepted, then the handshake is ended by an alert
)

// Script departs from what a server of a policy says and takes. The zero value
// departs from nothing. It never permits what the policy denies. Who has been
// given one must not change it.
type Script struct {
	// Lists are the SASL mechanisms listed on a clear link, in this order, and
	// ListsTLS those once TLS is up; nil is what the policy permits there. What
	// is not listed is refused like a mechanism that nobody knows.
	Lists, ListsTLS []Mechanism
	// Refuses holds replies to the command itself, or AnswerClose; the mechanism
	// is listed.
	// Rejects holds replies to the end of an exchange, which runs as with a
	// wrong password, whoever came. In both, AnyMechanism stands for all that
	// have no reply of their own.
	Refuses, Rejects map[Mechanism]string

	// LegacyAuth is the form "AUTH=" of the list, which came before RFC 2554.
	LegacyAuth LegacyForm
	// LowerCase writes SMTP's list in small letters, and its keyword too.
	LowerCase bool
	// NoEHLO answers EHLO as an unknown command (RFC 5321 4.1.1.1 has the
	// client try HELO then).
	NoEHLO bool
	// NoCAPA answers CAPA as an unknown command (RFC 2449 is an extension).
	NoCAPA bool
	// BareAuth is about POP3's AUTH without an argument (MS-OXPOP3 1.7).
	BareAuth BareAuth
	// LoginBeforeMail answers MAIL with 530 5.7.0 (RFC 4954 6) before a
	// login, where the connection lists any mechanism.
	LoginBeforeMail bool
	// WeakestNTLM is the weakest response that is taken; "" is the flavour's.
	WeakestNTLM NTLMKind
	// Recorder: it greets, lists and words its replies as the recorder of the
	// real clients' logins did, and minds as little: AUTH and STARTTLS need no
	// EHLO, commands may be of any length, and nobody locks a mailbox.
	Recorder bool

	// What follows no server does that means well. It is for who wants to know
	// what a client does then.

	// Greets are the lines of the greeting, in place of the server's own.
	Greets []string
	// Timestamp stands in POP3's greeting in the place of a real one. APOP, if
	// the policy permits it, is then refused whatever the digest is.
	Timestamp string
	// Answers holds, by verb, the lines that are answered to a command, in place
	// of obeying it. Who begins a TLS handshake because of such an answer is told
	// in clear that he is not understood, and the session goes on in clear.
	Answers map[string][]string
	// Injects are lines sent in clear behind the answer to STARTTLS or STLS, and
	// with it in one piece; then TLS is begun as if nothing were wrong.
	Injects []string
	// ClearPort: nothing is encrypted on the port that is for TLS from the first
	// octet, and the greeting stands there in clear.
	ClearPort bool
	// NewestTLS is the newest version that is spoken; what is older is taken as
	// well, down to 1.0. "" is as the flavour has it.
	NewestTLS TLSVersion
	// Bends are what is wrong with the server's messages in an exchange.
	Bends map[Mechanism]Bend
}

// TLSVersion is one as people write it.
type TLSVersion string

const (
	TLS10 TLSVersion = "1.0"
	TLS11 TLSVersion = "1.1"
	TLS12 TLSVersion = "1.2"
	TLS13 TLSVersion = "1.3"
)

// Bend is what is wrong with a message of the server's. The zero value is
// nothing.
type Bend string

const (
	BendNone Bend = ""
	// NotBase64: every challenge is a text that cannot be decoded.
	NotBase64 Bend = "not-base64"
	// NoBrackets: the challenge of CRAM-MD5 is no message-id in "<" and ">", as
	// RFC 2195 2 has it.
	NoBrackets Bend = "no-brackets"
	// ForeignNonce: SCRAM's does not begin with the client's (RFC 5802 5.1).
	ForeignNonce Bend = "foreign-nonce"
	// OneRound: SCRAM's salted password is hashed once.
	OneRound Bend = "one-round"
	// WrongSignature: in SCRAM the server proves itself wrongly, and
	// NoSignature: it does not at all, and confirms the login.
	WrongSignature Bend = "wrong-signature"
	NoSignature    Bend = "no-signature"
	// LongChallenge: it is far longer than any reply may be.
	LongChallenge Bend = "long-challenge"
)

// AnyMechanism stands for all that have no entry of their own.
const AnyMechanism Mechanism = "*"

// LegacyForm is whether EHLO has the list in the form "AUTH=".
type LegacyForm string

const (
	LegacyAbsent LegacyForm = ""
	LegacyToo    LegacyForm = "too"  // beside the standard's
	LegacyOnly   LegacyForm = "only" // in its place
)

// BareAuth is whether AUTH without an argument is answered with the list.
type BareAuth string

const (
	BareAuthAsCAPA  BareAuth = "" // where CAPA is
	BareAuthLists   BareAuth = "lists"
	BareAuthRefused BareAuth = "refused"
)

// Event is one thing that happened on one of a server's connections.
type Event struct {
	Kind EventKind
	// Connection counts the server's connections from 1, in the order in which
	// they were accepted.
	Connection int
	Protocol   Protocol
	// Encrypted: TLS was up.
	Encrypted bool
	// Text is the line without its end, or why TLS failed.
	Text string
}

// EventKind is what happened. The zero value is nothing.
type EventKind string

const (
	EventOpened    EventKind = "opened"
	EventLine      EventKind = "line"  // the client's, message text left out
	EventReply     EventKind = "reply" // a line of the server's
	EventTLSUp     EventKind = "tls-up"
	EventTLSFailed EventKind = "tls-failed"
	EventClosed    EventKind = "closed"
)

// String never shows a line: it may hold a secret.
func (e Event) String() string   { return string(e.Kind) }
func (e Event) GoString() string { return e.String() }

// Witness is told of each event as it happens, in order on each connection, by
// several connections at once. Lines come as they were sent, secrets included.
type Witness interface {
	Witness(Event)
}
