package mech

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-sasl"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Impl is a mechanism: what is true of it, and its two halves.
type Impl struct {
	login.Traits
	// Client makes the half that holds the password.
	Client func(ClientConfig) sasl.Client
	// Server makes the half that checks it; nil for a mechanism that no
	// server of ours has.
	Server func(ServerConfig) Server
	// Cracks reports whether a listener who heard the server's challenges and
	// then the client's message can tell that secret was used: whether a
	// guess can be tested offline. It is nil where the message itself shows
	// the secret. challenges and message are as they were before any base64.
	Cracks func(challenges [][]byte, message []byte, secret string) bool
}

// ClientConfig is what a client half is made from.
type ClientConfig struct {
	Authzid  string // the identity to act as; "" is the own one
	Username string
	Password string
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
	// Lookup finds the secret that the mechanism checks against. An unknown
	// name must take the same steps as a wrong password, so a half goes on
	// with the secret it got and fails in the end.
	Lookup func(username string) (secret string, ok bool)
	// MinimumNTLM is the weakest kind of response that is accepted.
	MinimumNTLM login.NTLMKind
	Rand        io.Reader
	Now         func() time.Time
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
	case i.Name == "" || len(i.Protocols) == 0 || len(i.Refs) == 0 || i.Client == nil:
		panic(fmt.Sprintf("mech: incomplete entry %q", i.Name))
	case i.Class == login.ShowsVerifier && i.Cracks == nil && i.Server != nil:
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
