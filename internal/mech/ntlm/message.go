package ntlm

import "bytes"

// Version is the operating system's build of whoever sent a message. It is for debugging and means nothing (2.2.2.10).
type Version [8]byte

// Sizes of the fixed parts, the version included. A parser accepts less where senders older than the field leave it out.
const (
	negotiateFixed    = 40
	challengeFixed    = 56
	authenticateFixed = 72
	micSize           = 16
)

// Negotiate is a type 1 message (2.2.1.1): what the client can do. Its text is OEM by definition.
type Negotiate struct {
	Flags               Flags
	Domain, Workstation string
	Version             Version
}

// ParseNegotiate reads a type 1 message. It may end after the flags: what they do not promise is not looked for.
func ParseNegotiate(data []byte) (Negotiate, error) {
	r := read(data, 1, 16)
	m := Negotiate{Flags: r.flags(12)}
	if m.Flags.Has(FlagDomainSupplied) {
		m.Domain = fromOEM(r.field(16))
	}
	if m.Flags.Has(FlagWorkstationSupplied) {
		m.Workstation = fromOEM(r.field(24))
	}
	m.Version = r.version(32, m.Flags)
	if r.err != nil {
		return Negotiate{}, r.err
	}
	return m, nil
}

// Marshal is the message as bytes. It sets the two flags that announce a domain and a workstation.
func (m Negotiate) Marshal() []byte {
	w := write(1, negotiateFixed, len(m.Domain)+len(m.Workstation))
	copy(w[32:], m.Version[:])
	if m.Domain != "" {
		m.Flags |= FlagDomainSupplied
		w.field(16, toOEM(m.Domain))
	}
	if m.Workstation != "" {
		m.Flags |= FlagWorkstationSupplied
		w.field(24, toOEM(m.Workstation))
	}
	w.flags(12, m.Flags)
	return w
}

// Challenge is a type 2 message (2.2.1.2): what shall be done, and eight random bytes.
type Challenge struct {
	Flags           Flags
	ServerChallenge [8]byte
	TargetName      string
	TargetInfo      []byte // as sent, for NTLMv2 repeats it; see ParseAVPairs
	Version         Version
}

// ParseChallenge reads a type 2 message. It may end after the challenge, as old servers' do.
func ParseChallenge(data []byte) (Challenge, error) {
	r := read(data, 2, 32)
	m := Challenge{Flags: r.flags(20), ServerChallenge: [8]byte(r.raw(24, 8))}
	m.TargetName = r.text(r.field(12), m.Flags)
	if m.Flags.Has(FlagTargetInfo) {
		m.TargetInfo = r.bytes(40)
	}
	m.Version = r.version(48, m.Flags)
	if r.err != nil {
		return Challenge{}, r.err
	}
	return m, nil
}

// Marshal is the message as bytes. It sets the flag that announces target information.
func (m Challenge) Marshal() []byte {
	w := write(2, challengeFixed, 2*len(m.TargetName)+len(m.TargetInfo))
	copy(w[24:], m.ServerChallenge[:])
	copy(w[48:], m.Version[:])
	w.field(12, encode(m.TargetName, m.Flags))
	if len(m.TargetInfo) > 0 {
		m.Flags |= FlagTargetInfo
		w.field(40, m.TargetInfo)
	}
	w.flags(20, m.Flags)
	return w
}

// Authenticate is a type 3 message (2.2.1.3): who the client is, and its proof.
type Authenticate struct {
	Flags                     Flags
	Domain, User, Workstation string
	LMResponse, NTResponse    []byte
	SessionKey                []byte // encrypted; present after a key exchange
	Version                   Version
	MIC                       []byte // 16 bytes where the fixed part has room for it; AVFlags says whether it counts
}

// ParseAuthenticate reads a type 3 message. The oldest clients' have no flags, and their text is taken for OEM.
func ParseAuthenticate(data []byte) (Authenticate, error) {
	return parseAuthenticate(data, FlagOEM)
}

// parseAuthenticate is told what was negotiated, which a message without flags leaves to be remembered.
func parseAuthenticate(data []byte, negotiated Flags) (Authenticate, error) {
	r := read(data, 3, 52)
	m := Authenticate{Flags: negotiated, LMResponse: r.bytes(12), NTResponse: r.bytes(20)}
	domain, user, workstation := r.field(28), r.field(36), r.field(44)
	if r.start >= 64 {
		m.SessionKey = r.bytes(52)
		m.Flags = r.flags(60)
	}
	m.Domain, m.User, m.Workstation = r.text(domain, m.Flags), r.text(user, m.Flags), r.text(workstation, m.Flags)
	m.Version = r.version(64, m.Flags)
	if r.start >= authenticateFixed+micSize {
		m.MIC = bytes.Clone(r.raw(authenticateFixed, micSize))
	}
	if r.err != nil {
		return Authenticate{}, r.err
	}
	return m, nil
}

// Marshal is the message as bytes, with its payload in the order in which Windows writes it.
func (m Authenticate) Marshal() []byte {
	fixed := authenticateFixed
	if m.MIC != nil {
		fixed += micSize
	}
	w := write(3, fixed, 2*(len(m.Domain)+len(m.User)+len(m.Workstation))+
		len(m.LMResponse)+len(m.NTResponse)+len(m.SessionKey))
	w.flags(60, m.Flags)
	copy(w[64:], m.Version[:])
	copy(w[authenticateFixed:fixed], m.MIC)
	w.field(28, encode(m.Domain, m.Flags))
	w.field(36, encode(m.User, m.Flags))
	w.field(44, encode(m.Workstation, m.Flags))
	w.field(12, m.LMResponse)
	w.field(20, m.NTResponse)
	w.field(52, m.SessionKey)
	return w
}
