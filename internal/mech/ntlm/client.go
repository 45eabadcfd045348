package ntlm

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// Client is the client's half. It speaks the kind of response that it is told to, so that old clients can be imitated.
type Client struct {
	User, Domain, Password, Workstation string

	Kind Kind // the zero value means V2
	OEM  bool // do not offer Unicode, as Windows 9x

	Rand io.Reader        // nil means crypto/rand
	Now  func() time.Time // nil means time.Now
}

// Errors of a client that cannot say what it is told to.
var (
	ErrNoLMHash   = errors.New("ntlm: the password has no LM hash (14 ASCII characters are the most)")
	ErrNotEncoded = errors.New("ntlm: a name cannot be written in this exchange")
)

// offered are the flags of a type 1 (3.1.5.1.1). Signing, sealing and key exchange are not among them: once logged in, a
// mail client has no use for a session key.
func (c Client) offered() Flags {
	flags := FlagOEM | FlagRequestTarget | FlagNTLM | FlagAlwaysSign
	if !c.OEM {
		flags |= FlagUnicode
	}
	if c.Kind.orV2() >= Session {
		flags |= FlagExtendedSession
	}
	return flags
}

// Negotiate is the type 1 message. It is the same every time.
func (c Client) Negotiate() []byte {
	return Negotiate{Flags: c.offered()}.Marshal()
}

// Authenticate answers a type 2 with a type 3 (3.1.5.1.2).
//
// A Session client that the server grants no extended session security falls back to V1, and a V1 client whose password
// has no LM hash sends its NT response twice: both as Windows does.
func (c Client) Authenticate(challenge []byte) ([]byte, error) {
	server, err := ParseChallenge(challenge)
	if err != nil {
		return nil, err
	}
	m := Authenticate{
		Flags:  c.confirmed(server.Flags),
		Domain: c.Domain, User: c.User, Workstation: c.Workstation,
	}
	if err := m.checkNames(); err != nil {
		return nil, err
	}
	switch kind := c.Kind.orV2(); {
	case kind == V2:
		return c.answerV2(m, server, challenge)
	case kind == Session && m.Flags.Has(FlagExtendedSession):
		err = c.answerSession(&m, server.ServerChallenge)
	case kind == Session || kind == V1:
		c.answerV1(&m, server.ServerChallenge)
	case kind == LM:
		err = c.answerLM(&m, server.ServerChallenge)
	default:
		err = fmt.Errorf("ntlm: no client speaks kind %d", kind)
	}
	if err != nil {
		return nil, err
	}
	return m.Marshal(), nil
}

// confirmed are the flags of the type 3: what was offered and granted, in one of the two encodings.
func (c Client) confirmed(granted Flags) Flags {
	flags := c.offered()&granted | FlagNTLM | granted&FlagTargetInfo
	if flags.Has(FlagUnicode) {
		return flags &^ FlagOEM
	}
	return flags | FlagOEM
}

func (m Authenticate) checkNames() error {
	for _, name := range []string{m.Domain, m.User, m.Workstation} {
		if !m.Flags.Has(FlagUnicode) && !fitsOEM(name) {
			return fmt.Errorf("%w: %q is not OEM text", ErrNotEncoded, name)
		}
		if 2*len(name) > maxField {
			return fmt.Errorf("%w: %d bytes", ErrNotEncoded, len(name))
		}
	}
	return nil
}

func (c Client) answerLM(m *Authenticate, server [8]byte) error {
	hash, ok := LMHash(c.Password)
	if !ok {
		return ErrNoLMHash
	}
	response := desl(hash, server)
	m.LMResponse = response[:]
	return nil
}

func (c Client) answerV1(m *Authenticate, server [8]byte) {
	response := desl(NTHash(c.Password), server)
	m.LMResponse, m.NTResponse = response[:], response[:]
	if hash, ok := LMHash(c.Password); ok {
		lm := desl(hash, server)
		m.LMResponse = lm[:]
	}
}

func (c Client) answerSession(m *Authenticate, server [8]byte) error {
	client, err := nonce(c.Rand)
	if err != nil {
		return err
	}
	response := sessionResponse(NTHash(c.Password), server, client)
	m.LMResponse = append(client[:], make([]byte, desSize-len(client))...)
	m.NTResponse = response[:]
	return nil
}

func (c Client) answerV2(m Authenticate, server Challenge, challenge []byte) ([]byte, error) {
	client, err := nonce(c.Rand)
	if err != nil {
		return nil, err
	}
	targetInfo, filetime, sendMIC, err := c.target(server)
	if err != nil {
		return nil, err
	}
	key := v2Key(NTHash(c.Password), c.User, c.Domain)
	blob := v2Blob(filetime, client, targetInfo)
	proof := v2Proof(key, server.ServerChallenge, blob)
	m.NTResponse = append(proof[:], blob...)
	if !sendMIC {
		lm := v2Proof(key, server.ServerChallenge, client[:])
		m.LMResponse = append(lm[:], client[:]...)
		return m.Marshal(), nil
	}
	m.LMResponse = make([]byte, desSize)
	m.MIC = make([]byte, micSize)
	message := m.Marshal()
	mic := computeMIC(m.v2SessionKey(key), append(c.Negotiate(), challenge...), message)
	copy(message[authenticateFixed:], mic[:])
	return message, nil
}

// target is the server's information as the response repeats it, and the time. A server that names the time is answered
// with its own, and with a message integrity code.
func (c Client) target(server Challenge) (info []byte, filetime uint64, sendMIC bool, err error) {
	var pairs AVPairs
	if len(server.TargetInfo) > 0 {
		if pairs, err = ParseAVPairs(server.TargetInfo); err != nil {
			return nil, 0, false, err
		}
	}
	if stamp, ok := pairs.Find(AVTimestamp); ok && len(stamp) == 8 {
		return pairs.withMIC().Marshal(), binary.LittleEndian.Uint64(stamp), true, nil
	}
	return server.TargetInfo, toFiletime(now(c.Now)), false, nil
}

// nonce draws a challenge.
func nonce(r io.Reader) (n [8]byte, err error) {
	if r == nil {
		r = rand.Reader
	}
	if _, err = io.ReadFull(r, n[:]); err != nil {
		return n, fmt.Errorf("ntlm: no random bytes: %w", err)
	}
	return n, nil
}

func now(clock func() time.Time) time.Time {
	if clock == nil {
		return time.Now()
	}
	return clock()
}
