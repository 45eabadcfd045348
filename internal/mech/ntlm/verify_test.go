package ntlm

import "testing"

func TestKindOfResponse(t *testing.T) {
	des, other := make([]byte, desSize), make([]byte, desSize)
	other[23] = 1
	clientChallenge := append([]byte{1, 2, 3, 4, 5, 6, 7, 8}, make([]byte, 16)...)
	for _, test := range []struct {
		name   string
		flags  Flags
		lm, nt []byte
		want   Kind
	}{
		{"NTLMv1 with an LM response", 0, other, des, V1},
		{"NTLMv1 with zeros for an LM response", 0, des, des, V1},
		{"NTLMv1 and nothing", 0, nil, des, V1},
		{"a client challenge and the flag", FlagExtendedSession, clientChallenge, des, Session},
		{"a client challenge without the flag", 0, clientChallenge, des, V1},
		{"the flag without a client challenge", FlagExtendedSession, other, des, V1},
		{"the flag and nothing", FlagExtendedSession, nil, des, V1},
		{"LM", 0, other, nil, LM},
		{"NTLMv2", FlagExtendedSession, other, make([]byte, 44), V2},
		{"NTLMv2, old style", 0, other, make([]byte, 48), V2},
		{"too short for NTLMv2", 0, other, make([]byte, 43), KindUnknown},
		{"an NT response is not rescued by an LM response", 0, other, []byte{0}, KindUnknown},
		{"neither", 0, nil, nil, KindUnknown},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := Authenticate{Flags: test.flags, LMResponse: test.lm, NTResponse: test.nt}
			mustEqual(t, m.Kind(), test.want)
			kind, ok := Verify(m, [8]byte{}, NewSecret("password"))
			mustEqual(t, kind, test.want)
			mustEqual(t, ok, false)
		})
	}
}

// The listener stays calm before what is no login.
func TestCracksNothing(t *testing.T) {
	v := readVectors(t)["ms-nlmp-4.2.2-ntlmv1"]
	challenge, authenticate := v.bytes(t, "challenge"), v.bytes(t, "authenticate")
	mustEqual(t, Cracks(challenge, authenticate, v["password"]), true)
	mustEqual(t, Cracks(authenticate, challenge, v["password"]), false)
	mustEqual(t, Cracks(challenge, nil, v["password"]), false)
	mustEqual(t, Cracks(nil, authenticate, v["password"]), false)
}

// Known values beside those of the vectors: a blank password's.
func TestHashesOfNothing(t *testing.T) {
	nt := NTHash("")
	mustEqual(t, nt, [16]byte{0x31, 0xd6, 0xcf, 0xe0, 0xd1, 0x6a, 0xe9, 0x31, 0xb7, 0x3c, 0x59, 0xd7, 0xe0, 0xc0, 0x89, 0xc0})
	lm, ok := LMHash("")
	mustEqual(t, ok, true)
	mustEqual(t, lm, [16]byte{0xaa, 0xd3, 0xb4, 0x35, 0xb5, 0x14, 0x04, 0xee, 0xaa, 0xd3, 0xb4, 0x35, 0xb5, 0x14, 0x04, 0xee})
}
