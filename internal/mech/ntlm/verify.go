package ntlm

import "crypto/subtle"

// desSize is the size of every response that DES makes.
const desSize = 24

// Kind recognises the response. It follows the NT response, and the LM response only where there is no other: a strong
// proof that fails is not rescued by a weak one.
//
// NTLMv1 and NTLM2-session are told apart as Windows does it, by the flag, and by the client challenge that takes the LM
// response's place and leaves 16 zeros there (3.3.1).
func (m Authenticate) Kind() Kind {
	switch size := len(m.NTResponse); {
	case size >= proofSize+blobFixed:
		return V2
	case size == desSize && m.Flags.Has(FlagExtendedSession) && m.carriesClientChallenge():
		return Session
	case size == desSize:
		return V1
	case size == 0 && len(m.LMResponse) == desSize:
		return LM
	default:
		return KindUnknown
	}
}

func (m Authenticate) carriesClientChallenge() bool {
	return len(m.LMResponse) == desSize && [16]byte(m.LMResponse[8:]) == [16]byte{}
}

// Verify says which kind of response a type 3 carries, and whether it answers this challenge with this secret. It does not
// check a message integrity code, for which all three messages are needed: see [Exchange.Finish].
func Verify(m Authenticate, serverChallenge [8]byte, secret Secret) (Kind, bool) {
	kind := m.Kind()
	_, ok := m.verify(kind, serverChallenge, secret)
	return kind, ok
}

// verify also returns, for NTLMv2, the key under which the response verified.
func (m Authenticate) verify(kind Kind, serverChallenge [8]byte, secret Secret) (v2 [16]byte, ok bool) {
	switch kind {
	case V2:
		return m.verifyV2(serverChallenge, secret.NT)
	case Session:
		want := sessionResponse(secret.NT, serverChallenge, [8]byte(m.LMResponse))
		return v2, equal(m.NTResponse, want[:])
	case V1:
		want := desl(secret.NT, serverChallenge)
		return v2, equal(m.NTResponse, want[:])
	case LM:
		want := desl(secret.LM, serverChallenge)
		return v2, equal(m.LMResponse, want[:]) && secret.HasLM
	default:
		return v2, false
	}
}

// A client that leaves the domain out of its computation although it sends one is wrong and must be let in (3.2.5.1.2).
func (m Authenticate) verifyV2(serverChallenge [8]byte, ntHash [16]byte) (key [16]byte, ok bool) {
	for _, domain := range [...]string{m.Domain, ""} {
		key = v2Key(ntHash, m.User, domain)
		want := v2Proof(key, serverChallenge, m.NTResponse[proofSize:])
		if equal(m.NTResponse[:proofSize], want[:]) {
			return key, true
		}
	}
	return key, false
}

func equal(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }

// Cracks is the listener: it says whether this password explains a login that was overheard. For NTLM that is one guess,
// and as many can be made as there is time for. Messages that are none explain nothing.
func Cracks(challenge, authenticate []byte, password string) bool {
	c, err := ParseChallenge(challenge)
	if err != nil {
		return false
	}
	m, err := parseAuthenticate(authenticate, c.Flags)
	if err != nil {
		return false
	}
	_, ok := Verify(m, c.ServerChallenge, NewSecret(password))
	return ok
}
