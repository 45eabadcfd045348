package clientsim

import "github.com/mailmatrix/mailmatrix/internal/login"

// sheet is a profile's file as it is written, in one settings state.
type sheet struct {
	Name   string
	Title  string
	Family string
	// Version is the release that the facts were read in or recorded from; ""
	// where they hold for several.
	Version string
	// Probe marks the one profile that is no program; its mechanisms are all
	// there are.
	Probe bool
	SMTP  *protocolSheet `yaml:"smtp"`
	POP3  *protocolSheet `yaml:"pop3"`
	NTLM  *ntlmSheet     `yaml:"ntlm"`
	TLS   *tlsSheet      `yaml:"tls"`
	// LoginName is what of the account's name the client logs in with.
	LoginName *fact[userForm] `yaml:"login-name"`
	// About says what a settings state is; only variants have it.
	About string
	// Variants are what the client's settings states say otherwise: see
	// [inState].
	Variants map[string]any
}

// origin is what every fact must carry.
type origin struct {
	Confidence login.Confidence
	Source     string
}

// fact is one thing that is true of a client. It repeats the fields of origin,
// because the YAML library inlines no unexported type.
type fact[T any] struct {
	Value      T
	Confidence login.Confidence
	Source     string
}

// or is the fact, or the default where the file does not say.
func (f *fact[T]) or(otherwise T) T {
	if f == nil {
		return otherwise
	}
	return f.Value
}

// protocolSheet is what a client does in one protocol. What is a pointer may
// be left out: its comment names the default.
type protocolSheet struct {
	Hello      *helloSheet // SMTP only, and there needed
	Lists      *listsSheet // POP3 only
	Transports map[login.Transport]origin
	Encryption *encryptionSheet
	Mechanisms map[login.Mechanism]mechanismSheet

	// Choice is the order in which the client, as installed, picks: the first
	// that it need not see, or sees.
	Choice fact[[]login.Mechanism]
	// ChoiceInClear is that on a connection without TLS, where it is another.
	ChoiceInClear *fact[[]login.Mechanism] `yaml:"choice-in-clear"`
	// Order is whose order decides; default own.
	Order *fact[selection]
	// FallsTo is what the client uses where the one that the user chose is not
	// offered; default nothing.
	FallsTo *fact[[]login.Mechanism] `yaml:"falls-to"`
	// PassesOver names, for a mechanism, others: where one of those is offered,
	// the client does not choose it; default none.
	PassesOver *fact[map[login.Mechanism][]login.Mechanism] `yaml:"passes-over"`
	// SASLOnce: of the SASL mechanisms it tries one, and after that nothing but
	// APOP and USER/PASS; default no.
	SASLOnce *fact[bool] `yaml:"sasl-once"`
	// Unlisted is what it sends where a list is there, with nothing in it that
	// it knows; default nothing.
	Unlisted *fact[login.Mechanism]

	// Initial are the mechanisms whose first message stands in the command.
	Initial fact[[]login.Mechanism]
	// AfterRefusal are the mechanisms whose messages are sent to the end
	// although the server has refused.
	AfterRefusal fact[[]login.Mechanism] `yaml:"after-refusal"`

	// Unoffered is what it does where the server lists no mechanism at all, and
	// NoCommon where it lists none that the client may use; default close.
	Unoffered *fact[reaction]
	NoCommon  *fact[reaction] `yaml:"no-common"`
	// NoChoice is what it does where its settings leave it no mechanism at all;
	// default go-on.
	NoChoice *fact[reaction] `yaml:"no-choice"`
	// Withheld is what it does where it sees nothing but mechanisms that it
	// never uses without TLS; default as NoCommon.
	Withheld *fact[reaction]
	// Refused is what follows a refusal at the command, Rejected one at the end
	// of the exchange; default close. Exhausted is what follows where the next
	// mechanism was wanted and there is none; default as Rejected would without
	// one: close.
	Refused   *fact[reaction]
	Rejected  *fact[reaction]
	Exhausted *fact[reaction]
	// Codes are reply codes that have a meaning of their own in the answer to a
	// login, such as "530" or "[IN-USE]"; default none.
	Codes *fact[map[string]reaction]
	// Retries is how often a mechanism that was rejected is tried again before
	// anything else; default never.
	Retries *fact[map[login.Mechanism]int]
	// RefusedRetries is the same for one that was refused at the command;
	// default never.
	RefusedRetries *fact[map[login.Mechanism]int] `yaml:"refused-retries"`
	// Cancel is how it breaks off; default star. Undecodable is what it does
	// after that, and Unable what it does where it lacks what the mechanism
	// needs (a ticket, a token); default close.
	// UnableCancels is how it breaks off in that case; default none.
	Cancel        *fact[cancelling]
	Undecodable   *fact[reaction]
	Unable        *fact[reaction]
	UnableCancels *fact[cancelling] `yaml:"unable-cancels"`
	// MeansFirst: it looks for the ticket or token before it sends anything;
	// default no.
	MeansFirst *fact[bool] `yaml:"means-first"`
	// StrayCancel: it sends "*" after a refusal, to nobody; default no.
	StrayCancel *fact[bool] `yaml:"stray-cancel"`
	// CancelsRefused are the mechanisms for which it does so after a refusal at
	// the command alone; default none.
	CancelsRefused *fact[[]login.Mechanism] `yaml:"cancels-refused"`
	// SpeaksOnce are the mechanisms in which it has one message and breaks off
	// when it is asked for more, as after a bad token; default none.
	SpeaksOnce *fact[[]login.Mechanism] `yaml:"speaks-once"`
	// WrongProof are the mechanisms in which a mistake of its own makes the proof
	// wrong, whatever the password; default none.
	WrongProof *fact[[]login.Mechanism] `yaml:"wrong-proof"`
	// Prompts is what it demands of LOGIN's; default unread.
	Prompts *fact[promptRule]
	// Challenges is what it demands of CRAM-MD5's; default msg-id.
	Challenges *fact[stampRule]
	// FewRounds: SCRAM takes any number of iterations from the server; default
	// no (RFC 5802 5.1).
	FewRounds *fact[bool] `yaml:"few-rounds"`
	// ActsAs: the account is named as the authorization identity as well
	// (RFC 4616 2); default no.
	ActsAs *fact[bool] `yaml:"names-authzid"`
	// Spelling is how the client writes verbs and names of mechanisms, where it
	// is not as the RFCs do: EHLO: ehlo.
	Spelling *fact[map[string]string]

	// Transaction is what it says of the message (SMTP), and Session what it
	// asks of the mailbox (POP3).
	Transaction *fact[transaction]
	Session     *fact[[]step]
	// MailRefused is what follows a refusal in the transaction; default close.
	MailRefused *fact[reaction] `yaml:"mail-refused"`
	// GivesUp is what it says, where it ends a connection without success, before
	// it closes: line by line, as long as the server agrees; default nothing.
	GivesUp *fact[[]string] `yaml:"gives-up"`
	// Leaves is how it goes when all is done; default quit.
	Leaves *fact[reaction]
	// Pipelined: USER and PASS are sent together; default no.
	Pipelined *fact[bool]
}

// helloSheet is how a client says hello in SMTP, and what it reads in the
// answer.
type helloSheet struct {
	// Name is the form of the argument.
	Name fact[helloForm]
	// Greeting is which greetings it takes; default 220.
	Greeting *fact[greetingRule]
	// Fallback is which refusals of EHLO it answers with HELO; default never.
	Fallback *fact[helloFallback]
	// FallbackWithTLS: it does so although encryption is required; default no.
	FallbackWithTLS *fact[bool] `yaml:"fallback-with-tls"`
	// Assumes are the mechanisms that it takes for offered after HELO; default
	// none.
	Assumes *fact[[]login.Mechanism]
	// AfterHELO is what it does there, where that leaves nothing; default as
	// unoffered.
	AfterHELO *fact[reaction] `yaml:"after-helo"`
	// Refused is what it does where no hello is taken; default close.
	Refused *fact[reaction]
	// AfterLogin: EHLO is said again once the login is accepted; default no.
	AfterLogin *fact[bool] `yaml:"after-login"`
	// Reads are the forms of the line that lists mechanisms; default "AUTH ".
	Reads *fact[[]authForm]
	// CaseBlind is what it reads in any letter case; default both.
	CaseBlind *fact[[]spelled] `yaml:"case-blind"`
}

// listsSheet is what a client asks a POP3 server for before it logs in.
type listsSheet struct {
	// CAPA (RFC 2449 5); default: where the client looks there.
	CAPA *fact[asking] `yaml:"capa"`
	// CAPARefused is what it does where CAPA is refused; default go-on.
	CAPARefused *fact[reaction] `yaml:"capa-refused"`
	// Bare is AUTH without an argument (MS-OXPOP3 1.7); default: where the
	// client looks there.
	Bare *fact[asking] `yaml:"bare-auth"`
	// CaseBlind is what it reads in any letter case; default both.
	CaseBlind *fact[[]spelled] `yaml:"case-blind"`
	// Timestamp is what it demands of the greeting's, for APOP; default msg-id.
	Timestamp *fact[stampRule]
}

// encryptionSheet is how a client goes about STARTTLS and STLS.
type encryptionSheet struct {
	// Opportunistic: there is a setting "if available"; default no.
	Opportunistic *fact[bool]
	// Insists: that setting demands encryption all the same; default no.
	Insists *fact[bool]
	// Blind: where encryption is required it sends the command whether offered
	// or not; default no.
	Blind *fact[bool]
	// BeforeHello: there it sends STARTTLS before any EHLO; default no. It is for
	// a client that sends it blind.
	BeforeHello *fact[bool] `yaml:"before-hello"`
	// Required is what it does where encryption must be and something fails,
	// IfAvailable where it need not; defaults close, and in clear where
	// encryption is not offered or refused.
	Required    *encryptionFailures
	IfAvailable *encryptionFailures `yaml:"if-available"`
	// SaysAgain: EHLO or CAPA is said again inside TLS; default yes.
	SaysAgain *fact[bool] `yaml:"says-again"`
	// SaysTwice: there it is even said twice, as by a program that does not know
	// what its library does; default no.
	SaysTwice *fact[bool] `yaml:"says-twice"`
	// Remembers: what was offered in clear still counts inside; default no.
	Remembers *fact[bool]
	// Unchecked: after STARTTLS or STLS it takes any certificate, whatever it
	// demands of one on a port of its own; default no.
	Unchecked *fact[bool]
	// KeepsTimestamp: the greeting's timestamp serves for APOP inside TLS as
	// well; default yes.
	KeepsTimestamp *fact[bool] `yaml:"keeps-timestamp"`
	// Injected is what it does with what came in clear behind the answer to
	// STARTTLS or STLS; default error.
	Injected *fact[injection]
	// LooksLate: a certificate that it refuses once connected is looked at after
	// EHLO or CAPA was said again; default no.
	LooksLate *fact[bool] `yaml:"looks-after-hello"`
}

// encryptionFailures are the ways in which STARTTLS goes wrong.
type encryptionFailures struct {
	Unoffered *fact[reaction] // the server does not list it
	Refused   *fact[reaction] // the command is refused
	Failed    *fact[reaction] // the handshake fails
	// Untrusted: the certificate is refused; default as Failed.
	Untrusted *fact[reaction]
}

// mechanismSheet says that a client knows a mechanism, and where it looks
// before it uses it.
type mechanismSheet struct {
	Looks look
	// EncryptedOnly: it is never used without TLS.
	EncryptedOnly bool `yaml:"encrypted-only"`
	// Interactive: it needs a person at that moment, in a browser. In a whole
	// session nobody is there.
	Interactive bool
	Confidence  login.Confidence
	Source      string
}

// transaction is how a client hands in a message (RFC 5321 3.3): texts in
// which {from}, {to} and {size} are filled in.
type transaction struct {
	Before     []string // such as RSET
	Mail       string
	Parameters []parameter
	Rcpt       string
	Data       string
	After      []string // once the message is handed in
	Refused    []string // once a line of it is refused
}

// parameter is one of MAIL's that is said where EHLO listed its keyword.
type parameter struct {
	When string // "" is always
	Say  string
}

// step is a command in a POP3 session.
type step struct {
	Say string
	// When is what must have been so: "capa" (the server answered CAPA),
	// "no-capa" (it did not); "" is always.
	When string
}

// look is where a client reads whether the server offers a mechanism. There
// is no default: a file says it.
type look string

const (
	nowhere       look = "nowhere"     // sent blind
	lookEHLO      look = "ehlo"        // the AUTH line of EHLO (RFC 4954 3)
	lookAnyAUTH   look = "any-auth"    // that there is such a line, whatever it lists
	lookCAPA      look = "capa"        // SASL and USER of CAPA (RFC 2449 6), or a bare AUTH in its place
	lookCAPAIfAny look = "capa-if-any" // the same, and used blind where CAPA is refused
	lookSASLIfAny look = "sasl-if-any" // the mechanisms of CAPA or a bare AUTH, and used blind where neither lists any
	lookAuthList  look = "auth-list"   // the list that a bare AUTH gets (MS-OXPOP3 1.7)
	lookTimestamp look = "timestamp"   // the greeting (RFC 1939 7)
)

// looks are the places that each protocol has.
var looks = map[login.Protocol][]look{
	login.SMTP: {nowhere, lookEHLO, lookAnyAUTH},
	login.POP3: {nowhere, lookCAPA, lookCAPAIfAny, lookSASLIfAny, lookAuthList, lookTimestamp},
}

// helloForm is how a client names itself in EHLO: one of the forms below, or
// a name or address literal of its own such as "localhost".
type helloForm string

const (
	helloBareName helloForm = "bare-name" // the machine's name without a domain
	helloFullName helloForm = "full-name" // with one, as RFC 5321 4.1.1.1 wants
	helloAddress  helloForm = "address"   // the connection's own address, in brackets
	helloOfSender helloForm = "of-sender" // the domain of the sender's address
)

// ntlmSheet is how a client speaks NTLM, in whatever protocol.
type ntlmSheet struct {
	Kind fact[login.NTLMKind]
	// WindowsUserFirst: the user of the Windows session is offered before the
	// configured one.
	WindowsUserFirst fact[bool] `yaml:"windows-user-first"`
}

// tlsSheet is how a client encrypts, and what it asks of a certificate.
type tlsSheet struct {
	Versions fact[[]string]
	// Suites are those for TLS 1.2 and below; absent are Go's own.
	Suites *fact[[]string]
	// SNI: the server is told which name the client looks for.
	SNI fact[bool] `yaml:"sni"`
	// Checks are what the client demands of a certificate as it is installed,
	// and how each refusal looks; none is a client that takes anything.
	Checks fact[map[check]refusalManner]
	// WithAuthority is that where the user has named an authority; default as
	// Checks.
	WithAuthority *fact[map[check]refusalManner] `yaml:"checks-with-authority"`
	Names         fact[login.NameMatch]
	// CanTrust: the user can tell the client to take a certificate that it
	// complains of.
	CanTrust fact[bool] `yaml:"can-trust"`
}

// oldest and newest bound the versions, which the file lists in order.
func (t *tlsSheet) oldest() string { return t.Versions.Value[0] }
func (t *tlsSheet) newest() string { return t.Versions.Value[len(t.Versions.Value)-1] }

// checks are those that hold where the user trusts in that way.
func (t *tlsSheet) checks(trust Trust) map[check]refusalManner {
	switch {
	case trust == TrustAnything && t.CanTrust.Value:
		return nil
	case trust == TrustAuthority:
		return t.WithAuthority.or(t.Checks.Value)
	default:
		return t.Checks.Value
	}
}

// in is the section of a protocol, or nil.
func (s *sheet) in(p login.Protocol) *protocolSheet {
	switch {
	case s == nil:
		return nil
	case p == login.SMTP:
		return s.SMTP
	case p == login.POP3:
		return s.POP3
	default:
		return nil
	}
}
