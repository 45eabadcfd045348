package ntlm

// Kind is one of NTLM's four responses. The weakest comes first, so that kinds compare with <.
type Kind uint8

// The kinds of response.
const (
	KindUnknown Kind = iota // no response that we recognise
	LM                      // DES with a key of half the password, upper case (3.3.1): a matter of seconds
	V1                      // DES with the NT hash, and the server's challenge alone (3.3.1): tables can be made in advance
	Session                 // as V1, with a challenge of the client's mixed in (3.3.1, extended session security)
	V2                      // HMAC-MD5 over user, domain, both challenges, the time and the target (3.3.2)
)

func (k Kind) String() string {
	switch k {
	case LM:
		return "LM only"
	case V1:
		return "NTLMv1"
	case Session:
		return "NTLM2-session"
	case V2:
		return "NTLMv2"
	default:
		return "unknown"
	}
}

// orV2 makes the strongest kind of a setting that somebody forgot.
func (k Kind) orV2() Kind {
	if k == KindUnknown {
		return V2
	}
	return k
}
