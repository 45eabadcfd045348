package mech

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-sasl"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech/kerberos"
)

// Impl is a mechanism: what is true of it, and its two halves.
type Impl struct {
	login.Traits
	// Client makes the half that holds the password.
	Client func(ClientConfig) sasl.Client
	// Server makes the half that checks it.
	Server func(ServerConfig) Server
	// Cracks reports whether a listener can tell that secret was used: whether
	// a guess can be tested offline. He heard what the client said before in
	// this attempt, the server's challenges, and then the client's message,
	// all as they were before any base64. It is nil where the message itself
	// shows the secret.
	Cracks func(said, challenges [][]byte, message []byte, secret string) bool
}

// ClientConfig is what a client half is made from.
type ClientConfig struct {
	Protocol login.Protocol // names the service in DIGEST-MD5
	Host     string         // the server as the user calls it, in DIGEST-MD5 and OAUTHBEARER
	Authzid  string         // the identity to act as; "" is the own one
	Username string
	Password string
	Token    string       // bearer token, for XOAUTH2 and OAUTHBEARER
	Ticket   login.Ticket // for GSSAPI
	// Layer is the security layer that GSSAPI chooses, offered or not
	// (RFC 4752 3.3); 0 is none, as a well-behaved client here has it.
	Layer byte
	// TLS is the connection's state; nil in clear.
	TLS *tls.ConnectionState
	// Binding is how SCRAM binds to it.
	Binding login.Binding
	// FewRounds: SCRAM hashes the password as seldom as the server wants it,
	// against RFC 5802 5.1 and RFC 7677 4.
	FewRounds bool
	// NTLM is the kind of response; "" is NTLMv2.
	NTLM login.NTLMKind
	// Domain and Workstation are said in NTLM only.
	Domain, Workstation string
	// Rand is the source of nonces; nil is not allowed where one is needed.
	Rand io.Reader
	// Now is the clock that NTLMv2 stamps its response with.
	Now func() time.Time
}

// ServerConfig is what a server half is made from.
type ServerConfig struct {
	// Identity is the server's name in challenges.
	Identity string
	// Protocol is the one that carries the exchange: it names the service in
	// DIGEST-MD5.
	Protocol login.Protocol

	// What follows asks the database. An unknown name must take the same steps
	// as a wrong password, so a half goes on with what it got and fails in the
	// end. A half asks for what its mechanism needs and for nothing else.

	// Lookup finds the password that a proof is checked against.
	Lookup func(username string) (password string, ok bool)
	// Check reports whether a password is right that was sent itself.
	Check func(username, password string) bool
	// Keys finds the stored keys that SCRAM checks against.
	Keys func(username string, hash Hash) (keys StoredKeys, ok bool)
	// Known reports whether there is an account of that name: for mechanisms
	// in which somebody else has checked who the client is.
	Known func(username string) bool
	// Same reports whether two names are of one account: nobody may act for
	// anybody else. nil compares the names in any letter case.
	Same func(a, b string) bool
	// Host reports whether a client may call the server by that name, where a
	// mechanism says by which it does; nil takes any.
	Host func(name string) bool
	// Token verifies a bearer token and says whose it is. The error of a bad
	// one wraps ErrCredentials and says what is wrong.
	Token func(token string) (username string, err error)

	// TLS is the connection's state; nil in clear.
	TLS *tls.ConnectionState
	// Shown is the certificate that the server has shown in it; nil is none.
	Shown *x509.Certificate
	// PlusListed: the connection lists a -PLUS form of SCRAM, so a
	// client that thinks otherwise was deceived (RFC 5802 6).
	PlusListed bool
	// Certificate is the client's, verified; nil is none.
	Certificate *x509.Certificate
	// Kerberos accepts tickets; nil where there is no service key.
	Kerberos *kerberos.Service
	// MinimumNTLM is the weakest kind of response that is accepted.
	MinimumNTLM login.NTLMKind
	Rand        io.Reader
	Now         func() time.Time
}

// mayActAs reports whether who logs in as username may ask to act as authzid
// (RFC 4422 2): as himself, by whatever name of his.
func (c ServerConfig) mayActAs(authzid, username string) bool {
	if authzid == "" || c.Same == nil {
		return authzid == "" || strings.EqualFold(authzid, username)
	}
	return c.Same(authzid, username)
}

// Server is a SASL server half that knows who logged in.
type Server interface {
	sasl.Server
	// Username is the name that the client gave, "" before it did.
	Username() string
}

// What a server half may answer with. Anything else is a failure of ours.
var (
	// ErrCredentials: the name is unknown or the password wrong; which of the
	// two is told to nobody but the record.
	ErrCredentials = errors.New("wrong credentials")
	// ErrMalformed: the message is not one of this mechanism.
	ErrMalformed = errors.New("malformed message")
	// ErrServerFirst: an initial response to a mechanism in which the server
	// speaks first (RFC 4954 4, RFC 5034 4).
	ErrServerFirst = fmt.Errorf("%w: the server speaks first", ErrMalformed)
)

var registry = map[login.Mechanism]Impl{}

// register is called once in each mechanism's file.
func register(i Impl) Impl {
	switch {
	case i.Name == "" || len(i.Protocols) == 0 || len(i.Refs) == 0 || i.Client == nil || i.Server == nil:
		panic(fmt.Sprintf("mech: incomplete entry %q", i.Name))
	case i.Class == login.ShowsVerifier && i.Cracks == nil:
		panic(fmt.Sprintf("mech: %s shows a verifier that nobody can find", i.Name))
	}
	if _, twice := registry[i.Name]; twice {
		panic(fmt.Sprintf("mech: %s is registered twice", i.Name))
	}
	registry[i.Name] = i
	return i
}

// Get finds a mechanism by its exact name.
func Get(name login.Mechanism) (Impl, bool) {
	i, ok := registry[name]
	return i, ok
}

// All returns the mechanisms in the order of reports: POP3's own first, then
// the insecure, then the others, by name.
func All() []Impl {
	return slices.SortedFunc(maps.Values(registry), func(a, b Impl) int {
		return cmp.Or(
			cmp.Compare(len(a.Protocols), len(b.Protocols)),
			cmp.Compare(b.Class, a.Class),
			cmp.Compare(a.Name, b.Name))
	})
}

// Names is All, by name alone.
func Names() []login.Mechanism {
	all := All()
	names := make([]login.Mechanism, len(all))
	for i, m := range all {
		names[i] = m.Name
	}
	return names
}

// In is Names, of those that exist in a protocol.
func In(p login.Protocol) []login.Mechanism {
	return slices.DeleteFunc(Names(), func(m login.Mechanism) bool { return !registry[m].In(p) })
}

// Parse finds a mechanism by its name in any letter case; in an ID, "/" is
// written "-".
func Parse(s string) (login.Mechanism, error) {
	for _, name := range Names() {
		if strings.EqualFold(s, name.Segment()) {
			return name, nil
		}
	}
	return login.ParseName("mechanism", s, Names())
}

var (
	both     = login.Protocols()
	pop3Only = []login.Protocol{login.POP3}
)
