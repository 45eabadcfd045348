package clientsim

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"strings"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// Trust is what the user has told the client of certificates.
type Trust uint8

const (
	// TrustStore is the client as installed: it has the machine's store.
	TrustStore Trust = iota
	// TrustAuthority: the user has named the server's authority.
	TrustAuthority
	// TrustAnything: the user has told the client to take whatever it is shown.
	TrustAnything
)

// Config is one login to be made.
type Config struct {
	Profile   Profile
	Protocol  login.Protocol
	Transport login.Transport
	// IfAvailable: the client may go on without TLS where it cannot have it.
	// That means something with [login.StartTLS] only, and needs a client that
	// has such a setting: see [Profile.Opportunistic].
	IfAvailable bool
	// Mechanism is what the user chose; [login.Auto] leaves it to the client
	// as it is installed.
	Mechanism login.Mechanism
	Door      wire.Door
	// Host is the name of the server as the user typed it: what the
	// certificate must be for.
	Host       string
	Secrets    login.Secrets
	Credential login.Credential
	// Whole: the client does after the login, or without it, what it would do,
	// and leaves in its own manner. Otherwise it says QUIT after the last
	// attempt.
	Whole bool
	// AnyLength: the messages of the experiment are longer than those that it
	// imitates, so the client does not mind how long its lines become.
	AnyLength bool
	// Machine is the name of the client's machine; "" is one of RFC 2606.
	Machine string
	// Sender is whom a whole session sends from; "" is one of RFC 2606.
	Sender string
	// NTLM is the kind of response where an experiment imitates another
	// Windows; "" is the profile's own.
	NTLM login.NTLMKind
	// Authzid is whom the client asks to act as, where an experiment wants
	// somebody else; "" is as the client does it.
	Authzid string
	// Binding is how SCRAM binds to the connection where an experiment wants
	// another way; "" is the client's own.
	Binding login.Binding
	// BoundTo is the connection that SCRAM is bound to in place of this one:
	// that is what it comes to when somebody stands between client and server.
	BoundTo *tls.ConnectionState
	// NewestTLS is the highest version where an experiment wants an older one;
	// 0 is the client's own.
	NewestTLS uint16
	// Trust is what the user has told the client.
	Trust Trust
	// Store is what the client's machine trusts; nil is the door's authority.
	Store *x509.CertPool
	// Verify, where set, is asked of each TLS connection before the client's own
	// checks, and of a client that checks nothing as well. Its error ends the
	// handshake, and the login with it, as [login.Error]: nothing was said inside.
	Verify func(tls.ConnectionState) error
	// Once: the first attempt that comes to nothing ends the login, whatever the
	// client would try then.
	Once bool
	// Rand is the source of nonces; nil is the machine's.
	Rand io.Reader
	// Now is the clock that certificates are judged by; nil is [time.Now].
	Now func() time.Time
	// Limit is how long the server may take for one answer; 0 is 10 seconds.
	Limit time.Duration
}

// The machine that clients run on, who sends, and to whom. RFC 2606 keeps the
// names free.
const (
	defaultMachine = "workstation1.office.example"
	defaultSender  = "sender@example.test"
	recipient      = "bob@example.test"
)

// message is what a whole session sends.
var message = []string{"Subject: lab", "", "hello"}

func (c Config) withDefaults() Config {
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Limit == 0 {
		c.Limit = 10 * time.Second
	}
	if c.Machine == "" {
		c.Machine = defaultMachine
	}
	if c.Sender == "" {
		c.Sender = defaultSender
	}
	if c.Store == nil && c.Door != nil {
		c.Store = c.Door.Authority()
	}
	return c
}

// authorities are those that the client believes.
func (c Config) authorities() *x509.CertPool {
	if c.Trust == TrustAuthority {
		return c.Door.Authority()
	}
	return c.Store
}

// workstation is the machine's name without a domain.
func (c Config) workstation() string {
	name, _, _ := strings.Cut(c.Machine, ".")
	return name
}

// Result is what came of a login.
type Result struct {
	// Observation has everything but the exposures, which are measured on the
	// taps.
	Observation login.Observation
	Attempts    []Attempt
	// Unauthenticated: the client went on without a login.
	Unauthenticated bool
	// Believed: it took a refusal for a success.
	Believed   bool
	Transcript []string
	// Taps are those of each connection, in order; none where no connection
	// came about.
	Taps []*wire.Tap
}

// Heard is all that crossed the wire, on one connection after the other.
func (r Result) Heard() []wire.Heard {
	var all []wire.Heard
	for _, t := range r.Taps {
		all = append(all, t.Lines()...)
	}
	return all
}

// Attempt is one exchange: one mechanism, one user.
type Attempt struct {
	Mechanism login.Mechanism
	Initial   bool // the first message stood in the command
	Asked     bool // the server asked for the secret
	Cancelled bool // the client broke off
	Accepted  bool
	// WindowsUser: it was the user of the Windows session who was offered.
	WindowsUser bool
	// Reply is the answer that decided; "" where there was none.
	Reply string
}
