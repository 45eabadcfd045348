package clientsim

import "github.com/mailmatrix/mailmatrix/internal/login"

// sheet is a profile's file as it is written.
type sheet struct {
	Name   string
	Title  string
	Family string
	// Probe marks the one profile that is no program; its mechanisms are all
	// there are.
	Probe bool
	SMTP  *protocolSheet `yaml:"smtp"`
	POP3  *protocolSheet `yaml:"pop3"`
	NTLM  *ntlmSheet     `yaml:"ntlm"`
	TLS   *tlsSheet      `yaml:"tls"`
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

// protocolSheet is what a client does in one protocol.
type protocolSheet struct {
	// Hello is the form of EHLO's argument; SMTP only.
	Hello      *fact[helloForm]
	Transports map[login.Transport]origin
	Mechanisms map[login.Mechanism]mechanismSheet
	// Choice is the order in which the client, as installed, picks: the first
	// that it need not see, or sees.
	Choice fact[[]login.Mechanism]
	// Initial are the mechanisms whose first message stands in the command.
	Initial fact[[]login.Mechanism]
	// AfterRefusal are the mechanisms whose messages are sent to the end
	// although the server has refused.
	AfterRefusal fact[[]login.Mechanism] `yaml:"after-refusal"`
}

// mechanismSheet says that a client knows a mechanism, and where it looks
// before it uses it.
type mechanismSheet struct {
	Looks      look
	Confidence login.Confidence
	Source     string
}

// look is where a client reads whether the server offers a mechanism. There
// is no default: a file says it.
type look string

const (
	nowhere       look = "nowhere"   // sent blind
	lookEHLO      look = "ehlo"      // the AUTH line of EHLO (RFC 4954 3)
	lookCAPA      look = "capa"      // SASL and USER of CAPA (RFC 2449 6)
	lookAuthList  look = "auth-list" // the list that a bare AUTH gets (MS-OXPOP3 1.7)
	lookTimestamp look = "timestamp" // the greeting (RFC 1939 7)
)

// looks are the places that each protocol has.
var looks = map[login.Protocol][]look{
	login.SMTP: {nowhere, lookEHLO},
	login.POP3: {nowhere, lookCAPA, lookAuthList, lookTimestamp},
}

// helloForm is how a client names itself in EHLO.
type helloForm string

const (
	helloBareName helloForm = "bare-name" // the machine's name without a domain
	helloFullName helloForm = "full-name" // with one, as RFC 5321 4.1.1.1 wants
)

var helloForms = []helloForm{helloBareName, helloFullName}

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
	// Verifies: the chain must lead to an authority and be current.
	Verifies fact[bool]
	Names    fact[login.NameMatch]
	// CanTrust: the user can tell the client to take a certificate that it
	// complains of.
	CanTrust fact[bool] `yaml:"can-trust"`
}

// oldest and newest bound the versions, which the file lists in order.
func (t *tlsSheet) oldest() string { return t.Versions.Value[0] }
func (t *tlsSheet) newest() string { return t.Versions.Value[len(t.Versions.Value)-1] }

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
