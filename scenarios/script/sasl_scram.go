package script

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"strconv"
	"strings"

	"github.com/xdg-go/stringprep"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios"
)

// Scrambling is the step that goes through an exchange of SCRAM by hand, so
// that each piece of its messages can be another one and the proof is right all
// the same: what is refused then is refused for that piece.
type Scrambling struct {
	name, password Part
	unbound        bool
	header         []any // of the first message; nil is the mechanism's own
	repeated       []any // header that the last message repeats; nil is the same
	binding        *login.Binding
	boundTo        string
	bare           []any // what comes after the header; nil is name and nonce
	final          func(SCRAMFinal) string
	onlyFirst      bool
	keeps          string
	expects        expects
}

// Scram goes through the exchange of the mechanism that the case is being
// played with, as the account and with its password (RFC 5802 3). A login that
// the server confirms without proving itself is a failure (RFC 5802 5).
func Scram() *Scrambling { return &Scrambling{name: User, password: Password} }

// As presents another name and password.
func (s *Scrambling) As(name, password Part) *Scrambling {
	s.name, s.password = name, password
	return s
}

// Unbound takes the mechanism without -PLUS.
func (s *Scrambling) Unbound() *Scrambling { s.unbound = true; return s }

// Header begins with another GS2 header, such as "y,,".
func (s *Scrambling) Header(parts ...any) *Scrambling { s.header = parts; return s }

// Repeating has another GS2 header in the last message, where that of the
// first is to be repeated.
func (s *Scrambling) Repeating(parts ...any) *Scrambling { s.repeated = parts; return s }

// Bound has the data of that binding in the last message; "" is none.
func (s *Scrambling) Bound(b login.Binding) *Scrambling { s.binding = &b; return s }

// BoundTo takes the data from the connection of that name.
func (s *Scrambling) BoundTo(connection string) *Scrambling { s.boundTo = connection; return s }

// Bare has other text behind the GS2 header of the first message.
func (s *Scrambling) Bare(parts ...any) *Scrambling { s.bare = parts; return s }

// Final makes another last message.
func (s *Scrambling) Final(of func(SCRAMFinal) string) *Scrambling { s.final = of; return s }

// OnlyFirst breaks off after the first message: its answer is what the
// patterns are about.
func (s *Scrambling) OnlyFirst() *Scrambling { s.onlyFirst = true; return s }

// Keep keeps what the server said in the list "NAME challenges", and the answer
// that decided as the value.
func (s *Scrambling) Keep(name string) *Scrambling { s.keeps = name; return s }

// Pass, Warn, Fail, Must and NA are about the answer that decides the
// exchange, as in [Saying]. An error message of SCRAM's own is answered, and
// what comes then decides.
func (s *Scrambling) Pass(patterns ...string) *Scrambling { return s.expect(login.Pass, patterns) }
func (s *Scrambling) Warn(patterns ...string) *Scrambling { return s.expect(login.Warn, patterns) }
func (s *Scrambling) Fail(patterns ...string) *Scrambling { return s.expect(login.Fail, patterns) }
func (s *Scrambling) Must(patterns ...string) *Scrambling { return s.expect(login.Unjudged, patterns) }
func (s *Scrambling) NA(patterns ...string) *Scrambling   { return s.expect(login.Skip, patterns) }

// Because says of the expectation before it what it would mean.
func (s *Scrambling) Because(why string) *Scrambling {
	s.expects[len(s.expects)-1].because = why
	return s
}

func (s *Scrambling) expect(v login.Verdict, patterns []string) *Scrambling {
	s.expects = append(s.expects, expected{patterns: patterns, verdict: v})
	return s
}

func (s *Scrambling) bill(b *Bill) {
	if s.onlyFirst {
		b.Auths++
		b.in(false)
		return
	}
	b.judged()
}

// SCRAMFinal is what a last message is made of.
type SCRAMFinal struct {
	// Channel is the value of "c=": the GS2 header and the data of the binding.
	Channel []byte
	// Nonce is the server's, which begins with the client's, ClientNonce.
	Nonce, ClientNonce string
	// Proof is the right one for a message that says this before it.
	Proof func(withoutProof string) []byte
}

// Message is the last message as it ought to be.
func (f SCRAMFinal) Message() string { return f.With("c="+b64(f.Channel), "r="+f.Nonce) }

// With has these attributes, and the right proof for them.
func (f SCRAMFinal) With(attributes ...string) string {
	without := strings.Join(attributes, ",")
	return without + ",p=" + b64(f.Proof(without))
}

func b64(octets []byte) string { return base64.StdEncoding.EncodeToString(octets) }

// SASLName is the account's name as SCRAM and OAUTHBEARER write one
// (RFC 5802 5.1, RFC 5801 4).
var SASLName Part = field{"<user>", func(p *Play) string { return saslName(p.Secrets.Name) }, true, true}

// SCRAMNonce is the client's nonce: another in each case.
var SCRAMNonce Part = field{"<nonce>", (*Play).SCRAMNonce, false, false}

func saslName(name string) string { return strings.NewReplacer("=", "=3D", ",", "=2C").Replace(name) }

// SCRAMAttribute is the value of an attribute of a message, "" where it is
// absent (RFC 5802 5.1).
func SCRAMAttribute(message, letter string) string {
	for attribute := range strings.SplitSeq(message, ",") {
		if value, ok := strings.CutPrefix(attribute, letter+"="); ok {
			return value
		}
	}
	return ""
}

// SCRAMRounds is the iteration count of the server's first message.
func SCRAMRounds(message string) (rounds int, ok bool) {
	rounds, err := strconv.Atoi(SCRAMAttribute(message, "i"))
	return rounds, err == nil && rounds > 0
}

// mostRounds is some seconds' work for us.
const mostRounds = 5_000_000

// scramExchange is one exchange.
type scramExchange struct {
	*Scrambling
	p         *Play
	t         *scenarios.Talk
	mechanism login.Mechanism
	hash      func() hash.Hash

	secret                    string // the password, prepared
	firstBare, channel, nonce string
	signature                 []byte // what the server has to prove
	proven                    string // "" not at all, "right", or "wrong"
}

func (s *Scrambling) run(_ context.Context, p *Play) error {
	t, err := p.talk()
	if err != nil {
		return err
	}
	if err := p.mayCross(t); err != nil {
		return err
	}
	x := &scramExchange{Scrambling: s, p: p, t: t, mechanism: p.mechanism, hash: sha1.New}
	if s.unbound {
		x.mechanism = login.Mechanism(strings.TrimSuffix(string(p.mechanism), "-PLUS"))
	}
	if strings.HasPrefix(string(x.mechanism), "SCRAM-SHA-256") {
		x.hash = sha256.New
	}
	first, err := x.prepare()
	if err != nil {
		return err
	}
	start := "AUTH " + string(x.mechanism)
	p.said[p.current] = start
	a := p.ask(t, start, start, s.expects)
	if !a.matches(Asked) {
		return skipping(login.WhyInconclusive, "%s was answered by %s", start, a)
	}
	a, err = x.exchange(p.ask(t, b64([]byte(first)), "<client-first-message>", s.expects))
	if err != nil {
		return err
	}
	if s.keeps != "" {
		p.kept[s.keeps] = a.line
	}
	if a.matches(In) && x.proven != "right" && !s.onlyFirst {
		if found, ok := s.expects.find(a); ok && found.verdict == login.Pass {
			return p.find(login.Ruling{Verdict: login.Fail, Reason: x.unproven()})
		}
	}
	return p.judge("an exchange of "+string(x.mechanism), a, s.expects)
}

func (x *scramExchange) unproven() string {
	if x.proven == "" {
		return string(x.mechanism) + ": the login is confirmed, and the server has not proved that it has the keys"
	}
	return string(x.mechanism) + ": the server's signature is wrong"
}

// prepare makes the first message, and what the last repeats of it.
func (x *scramExchange) prepare() (first string, err error) {
	name, _ := x.name.render(x.p)
	password, _ := x.password.render(x.p)
	if x.secret, err = stringprep.SASLprep.Prepare(password); err != nil {
		return "", skipping(login.WhyInconclusive, "SASLprep rejects the password")
	}
	connection := x.t
	if other := x.p.talks[x.boundTo]; x.boundTo != "" && other != nil {
		connection = other
	}
	binding := bindingOf(x.mechanism, x.t.TLSState())
	header := "n,,"
	if binding != "" {
		header = "p=" + string(binding) + ",,"
	}
	if x.binding != nil {
		binding = *x.binding
	}
	if x.header != nil {
		header, _ = render(x.p, x.header)
	}
	nonce, _ := SCRAMNonce.render(x.p)
	x.firstBare = "n=" + saslName(name) + ",r=" + nonce
	if x.bare != nil {
		x.firstBare, _ = render(x.p, x.bare)
	}
	repeated := header
	if x.repeated != nil {
		repeated, _ = render(x.p, x.repeated)
	}
	data, err := bindingData(binding, connection.TLSState())
	x.channel = repeated + string(data)
	return header + x.firstBare, err
}

// exchange answers what the server says until that is no challenge.
func (x *scramExchange) exchange(a answer) (answer, error) {
	for a.matches(Asked) {
		message, err := challengeOf(x.t, a)
		if err != nil {
			return a, x.p.find(login.Ruling{Verdict: login.Fail, Reason: string(x.mechanism) + ": " + err.Error()})
		}
		if x.keeps != "" {
			x.p.lists[x.keeps+" challenges"] = append(x.p.lists[x.keeps+" challenges"], message)
		}
		switch {
		case strings.HasPrefix(message, "e="): // RFC 5802 5.1: and then the refusal
			a = x.p.ask(x.t, "", "", x.expects)
		case strings.HasPrefix(message, "v="):
			x.proven = "wrong"
			if x.signature != nil && SCRAMAttribute(message, "v") == b64(x.signature) {
				x.proven = "right"
			}
			a = x.p.ask(x.t, "", "", x.expects) // RFC 4422 3.6: the protocol has no other place for it
		case x.onlyFirst || x.nonce != "":
			return a, nil
		default:
			final, err := x.last(message)
			if err != nil {
				return a, err
			}
			a = x.p.ask(x.t, b64([]byte(final)), "<client-final-message>", x.expects)
		}
	}
	return a, nil
}

// last makes the client's last message (RFC 5802 3).
func (x *scramExchange) last(challenge string) (string, error) {
	x.nonce = SCRAMAttribute(challenge, "r")
	salt, err := base64.StdEncoding.DecodeString(SCRAMAttribute(challenge, "s"))
	rounds, ok := SCRAMRounds(challenge)
	switch {
	case err != nil || !ok || x.nonce == "" || len(salt) == 0:
		return "", x.p.find(login.Ruling{Verdict: login.Fail,
			Reason: string(x.mechanism) + ": what the server says has no nonce, salt and iteration count"})
	case rounds > mostRounds:
		return "", skipping(login.WhyBudget, "%s: %d iterations are too much work", x.mechanism, rounds)
	}
	salted, err := pbkdf2.Key(x.hash, x.secret, salt, rounds, x.hash().Size())
	if err != nil {
		return "", err
	}
	client, _ := SCRAMNonce.render(x.p)
	final := SCRAMFinal{Channel: []byte(x.channel), Nonce: x.nonce, ClientNonce: client, Proof: func(without string) []byte {
		proof, signature := scramProof(x.hash, salted, x.firstBare+","+challenge+","+without)
		x.signature = signature
		return proof
	}}
	if x.final != nil {
		return x.final(final), nil
	}
	return final.Message(), nil
}

// scramProof is ClientProof and ServerSignature of RFC 5802 3.
func scramProof(h func() hash.Hash, salted []byte, message string) (proof, signature []byte) {
	mac := func(key []byte, text string) []byte {
		m := hmac.New(h, key)
		m.Write([]byte(text))
		return m.Sum(nil)
	}
	proof = mac(salted, "Client Key")
	stored := h()
	stored.Write(proof)
	for i, b := range mac(stored.Sum(nil), message) {
		proof[i] ^= b
	}
	return proof, mac(mac(salted, "Server Key"), message)
}

// SCRAMNonce is the client's nonce.
func (p *Play) SCRAMNonce() string { return p.word("scram") + p.word("nonce") }
