package login

import "slices"

// Confidence is how well a fact about a client is known.
type Confidence string

const (
	Observed Confidence = "observed" // recorded from the real client
	Source   Confidence = "source"   // read in the client's own source
	Vendor   Confidence = "vendor"   // said by the vendor, or by the document
	Reported Confidence = "report"   // said by somebody who ought to know
	Assumed  Confidence = "assumed"  // our guess; reports mark it
)

// Confidences lists them, strongest first.
func Confidences() []Confidence { return []Confidence{Observed, Source, Vendor, Reported, Assumed} }

// Weakest is the weakest of the confidences, or "" of none.
func Weakest(all ...Confidence) Confidence {
	worst := Confidence("")
	for _, c := range all {
		if order(c, Confidences()) > order(worst, Confidences()) {
			worst = c
		}
	}
	return worst
}

// NTLMKind is the kind of response in an NTLM exchange.
type NTLMKind string

const (
	NTLMLM      NTLMKind = "lm"      // LM response only
	NTLMv1      NTLMKind = "v1"      // NTLMv1
	NTLMSession NTLMKind = "session" // NTLMv1 with extended session security
	NTLMv2      NTLMKind = "v2"
)

// NTLMKinds lists them, weakest first.
func NTLMKinds() []NTLMKind { return []NTLMKind{NTLMLM, NTLMv1, NTLMSession, NTLMv2} }

// Below reports whether k is weaker than minimum.
func (k NTLMKind) Below(minimum NTLMKind) bool {
	return order(k, NTLMKinds()) < order(minimum, NTLMKinds())
}

// NameMatch is how a client compares the server's name with a certificate.
type NameMatch string

const (
	// MatchSuffix is the document's: *.example.test matches example.test and
	// every name that ends in .example.test.
	MatchSuffix NameMatch = "suffix"
	// MatchOneLabel is RFC 9525 6.3: the asterisk stands for one label.
	MatchOneLabel NameMatch = "one-label"
	// MatchCNOnly compares with the common name, ignoring the alternative
	// names; an asterisk matches any labels.
	MatchCNOnly NameMatch = "cn-only"
	// MatchNone accepts any name.
	MatchNone NameMatch = "none"
)

// ClientFacts is what an oracle may know of a client: how it is configured to
// behave, never what it did.
type ClientFacts struct {
	Profile string
	// TriesAnyway marks the probe: it looks, and tries whatever it saw.
	TriesAnyway bool
	Protocols   map[Protocol]ProtocolFacts
	NTLM        NTLMKind
	// NoTLS12 marks a client that speaks no TLS version from 1.2 on.
	NoTLS12 bool
	// WindowsUserFirst: with NTLM the client first offers the user of the
	// Windows session.
	WindowsUserFirst bool
	// ChecksChain and ChecksDates are false for a client that does not ask who
	// signed a certificate, or when. NameMatch is how it compares names.
	ChecksChain, ChecksDates bool
	NameMatch                NameMatch
	// CanTrust is whether it can be told to take one that it would refuse.
	CanTrust bool
}

// ProtocolFacts is what an oracle may know of a client in one protocol. The
// zero value looks nowhere and stops at the first refusal.
type ProtocolFacts struct {
	// Looks names the mechanisms that the client uses only where it sees them
	// offered. The others it sends blind.
	Looks []Mechanism
	// AnyListDoes names those of Looks that it uses where it sees a list,
	// whatever is in it, and BlindWithoutSASL those that it sends blind where no
	// SASL mechanism is listed.
	AnyListDoes, BlindWithoutSASL []Mechanism
	// Chooses is the order in which the client, as installed, picks, and
	// ChoosesInClear the one without TLS.
	Chooses, ChoosesInClear []Mechanism
	// FallsTo follows the mechanism that the user chose where that is not
	// offered; Unlisted is sent where a list has nothing else.
	FallsTo  []Mechanism
	Unlisted Mechanism
	// PassesOver names, for a mechanism, others beside which, where it sees one,
	// the client does not choose it.
	PassesOver map[Mechanism][]Mechanism
	// SASLOnce: after one SASL mechanism that came to nothing it tries no other,
	// but APOP and USER/PASS.
	SASLOnce bool
	// EncryptedOnly names the mechanisms that it never uses without TLS.
	EncryptedOnly []Mechanism
	// Initial names the mechanisms with which the client sends its first
	// response in the AUTH command itself.
	Initial []Mechanism
	// AfterRefusal names the mechanisms whose secret the client sends although
	// the server has refused the command.
	AfterRefusal []Mechanism
	// ForgetsTimestamp: after STLS the greeting's timestamp is no more.
	ForgetsTimestamp bool
	// AfterRefused and AfterRejected: it tries the next mechanism when the
	// command was refused, or when the exchange came to nothing.
	AfterRefused, AfterRejected bool
	// Unchecked: after STARTTLS or STLS it takes any certificate.
	Unchecked bool
	// NeverInsists: it logs in clear where encryption is not offered, however it
	// is set.
	NeverInsists bool
	// NeverEncrypts: told to say STARTTLS or STLS it does not, and logs in clear.
	NeverEncrypts bool
	// BeforeHello: STARTTLS is said before any EHLO, which a server may refuse
	// (RFC 5321 4.1.4).
	BeforeHello bool
	// WrongProof names the mechanisms in which the client's proof is never
	// right, and is made of nobody's password.
	WrongProof []Mechanism
}

// provesWrong reports whether the client's proof in c is never right.
func (f ClientFacts) provesWrong(c Cell) bool {
	return slices.Contains(f.Protocols[c.Protocol].WrongProof, c.Mechanism)
}

// staysInClear reports whether the client is told to encrypt in c, and does not.
func (f ClientFacts) staysInClear(c Cell) bool {
	return c.Transport == StartTLS && f.Protocols[c.Protocol].NeverEncrypts
}

// LooksFor reports whether the client uses m only where it sees it offered.
func (f ClientFacts) LooksFor(p Protocol, m Mechanism) bool {
	return slices.Contains(f.Protocols[p].Looks, m)
}

// couldChoose: EXTERNAL is listed to who has shown a certificate, and a client
// that does not choose it by itself shows none.
func (f ClientFacts) couldChoose(c Cell) bool {
	return c.Mechanism != EXTERNAL || slices.Contains(f.Protocols[c.Protocol].Chooses, EXTERNAL)
}
