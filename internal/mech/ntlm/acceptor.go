package ntlm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// Acceptor is the server's half. Its zero value takes nobody, and NTLMv2 only. It may be used by many at once.
type Acceptor struct {
	TargetName string // the server's NetBIOS name
	DNSName    string // the server's name in the DNS; may be empty

	Minimum Kind // weaker responses are refused; the zero value means V2

	// Lookup finds an account by the domain and the user as the client wrote them; either may hold the whole, as in
	// "user@domain". nil finds nobody.
	Lookup func(domain, user string) (Secret, bool)

	Rand io.Reader        // nil means crypto/rand
	Now  func() time.Time // nil means time.Now
}

// Why Finish refuses, beside ErrMalformed.
var (
	// ErrCredentials is an unknown user, a wrong password, a forged message integrity code, or nobody at all: the client
	// is not to learn which.
	ErrCredentials = errors.New("ntlm: the response does not verify")
	// ErrTooWeak is a kind of response below the minimum. It is decided before the account is looked up. The error that
	// wraps it names both kinds.
	ErrTooWeak = errors.New("ntlm: too weak a response")
)

// Result is who logged in, and how.
type Result struct {
	User, Domain, Workstation string
	Kind                      Kind
}

// Exchange is one login under way.
type Exchange struct {
	acceptor   *Acceptor
	challenge  Challenge
	transcript []byte // type 1 and type 2, which a message integrity code covers
	split      int    // where type 2 starts
	done       bool
}

// Challenge reads a type 1 and draws a fresh challenge for this exchange (3.2.5.1.1).
func (a *Acceptor) Challenge(negotiate []byte) (*Exchange, error) {
	client, err := ParseNegotiate(negotiate)
	if err != nil {
		return nil, err
	}
	fresh, err := nonce(a.Rand)
	if err != nil {
		return nil, err
	}
	challenge := Challenge{
		Flags:           grant(client.Flags),
		ServerChallenge: fresh,
		TargetInfo:      a.targetInfo().Marshal(),
	}
	if client.Flags.Has(FlagRequestTarget) {
		challenge.Flags |= FlagTargetTypeServer
		challenge.TargetName = a.TargetName
	}
	message := challenge.Marshal()
	transcript := append(append(make([]byte, 0, len(negotiate)+len(message)), negotiate...), message...)
	return &Exchange{acceptor: a, challenge: challenge, transcript: transcript, split: len(negotiate)}, nil
}

// grant is what the client asked for and we can do. Of the two encodings Unicode is taken where it is offered, and a
// client that offers neither gets OEM. What protects messages after the login is not granted, for there are none.
func grant(asked Flags) Flags {
	const always = FlagNTLM | FlagTargetInfo
	const onRequest = FlagUnicode | FlagRequestTarget | FlagAlwaysSign | FlagExtendedSession | Flag128 | Flag56
	granted := asked&onRequest | always
	if !granted.Has(FlagUnicode) {
		granted |= FlagOEM
	}
	return granted
}

// targetInfo describes the server (2.2.2.1) as one that belongs to no domain but its own. The timestamp makes clients that
// know of it protect the exchange with a message integrity code.
func (a *Acceptor) targetInfo() AVPairs {
	name := toUTF16(a.TargetName)
	pairs := append(make(AVPairs, 0, 5), AVPair{AVNetBIOSDomain, name}, AVPair{AVNetBIOSComputer, name})
	if a.DNSName != "" {
		dns := toUTF16(a.DNSName)
		pairs = append(pairs, AVPair{AVDNSDomain, dns}, AVPair{AVDNSComputer, dns})
	}
	stamp := binary.LittleEndian.AppendUint64(nil, toFiletime(now(a.Now)))
	return append(pairs, AVPair{AVTimestamp, stamp})
}

// Message is the type 2 to send.
func (e *Exchange) Message() []byte { return e.transcript[e.split:] }

// Finish judges a type 3 (3.2.5.1.2). A challenge is good for one answer: a second call is refused.
//
// The result says who claimed what even where an error goes with it, for the record; only a nil error vouches for it.
func (e *Exchange) Finish(authenticate []byte) (Result, error) {
	if e.done {
		return Result{}, fmt.Errorf("%w: this challenge has been answered", ErrMalformed)
	}
	e.done = true
	m, err := parseAuthenticate(authenticate, e.challenge.Flags)
	if err != nil {
		return Result{}, err
	}
	result := Result{User: m.User, Domain: m.Domain, Workstation: m.Workstation, Kind: m.Kind()}
	minimum := e.acceptor.Minimum.orV2()
	switch {
	case m.User == "" || result.Kind == KindUnknown:
		return result, fmt.Errorf("%w: no user, or no response", ErrCredentials)
	case result.Kind < minimum:
		return result, fmt.Errorf("%w: %s, and %s is the minimum", ErrTooWeak, result.Kind, minimum)
	case !e.verify(m, result.Kind, authenticate):
		return result, ErrCredentials
	}
	return result, nil
}

// verify does the same work for a user that nobody knows, with a secret that verifies nothing.
func (e *Exchange) verify(m Authenticate, kind Kind, authenticate []byte) bool {
	secret, known := Secret{}, false
	if e.acceptor.Lookup != nil {
		secret, known = e.acceptor.Lookup(m.Domain, m.User)
	}
	v2, ok := m.verify(kind, e.challenge.ServerChallenge, secret)
	return ok && known && e.micHolds(m, v2, authenticate)
}

// micHolds reports whether the message integrity code is right where one was promised (3.2.5.1.2). A promised code that
// the message has no room for was taken out of it.
func (e *Exchange) micHolds(m Authenticate, v2 [16]byte, authenticate []byte) bool {
	if !m.promisesMIC() {
		return true
	}
	if m.MIC == nil {
		return false
	}
	want := computeMIC(m.v2SessionKey(v2), e.transcript, authenticate)
	return equal(m.MIC, want[:])
}
