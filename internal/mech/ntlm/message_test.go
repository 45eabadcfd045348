package ntlm

import (
	"encoding/binary"
	"errors"
	"testing"

	"pgregory.net/rapid"
)

// Whatever was cut off: no panic, and nothing is made up for what is missing.
func TestTruncation(t *testing.T) {
	for _, kind := range []Kind{LM, V1, Session, V2} {
		client := Client{User: "user", Domain: "domain", Workstation: "ws", Password: "Secret14", Kind: kind}
		acceptor := knows("user", "Secret14", LM)
		messages, _, err := login(t, acceptor, client)
		mustEqual(t, err, nil)
		for i, message := range messages {
			for n := range message {
				_, _ = ParseNegotiate(message[:n])
				_, challengeErr := ParseChallenge(message[:n])
				_, authenticateErr := ParseAuthenticate(message[:n])
				if i == 1 && challengeErr == nil || i == 2 && authenticateErr == nil {
					t.Errorf("%s, type %d: accepted when cut to %d of %d bytes", kind, i+1, n, len(message))
				}
				_, _ = client.Authenticate(message[:n])
				e, err := acceptor.Challenge(messages[0])
				mustEqual(t, err, nil)
				_, err = e.Finish(message[:n])
				mustEqual(t, errors.Is(err, ErrMalformed), true)
			}
		}
	}
}

// A type 1 may be as short as its flags, and then has nothing else.
func TestNegotiateMayBeShort(t *testing.T) {
	full := Negotiate{Flags: FlagUnicode, Domain: "D", Workstation: "W"}.Marshal()
	short := append([]byte(nil), full[:16]...)
	if _, err := ParseNegotiate(short); !errors.Is(err, ErrMalformed) {
		t.Errorf("flags promise a domain that is not there: %v", err)
	}
	binary.LittleEndian.PutUint32(short[12:], uint32(FlagUnicode|FlagVersion))
	m, err := ParseNegotiate(short)
	mustEqual(t, err, nil)
	mustEqual(t, m, Negotiate{Flags: FlagUnicode | FlagVersion})
}

// A descriptor that points outside, into the fixed part, or around the end of the address space.
func TestBounds(t *testing.T) {
	m := Authenticate{Flags: FlagUnicode, User: "user", NTResponse: make([]byte, 24)}
	for _, offset := range []uint32{0, 8, 51, 200, 0x7FFFFFFF, 0xFFFFFFF0, 0xFFFFFFFF} {
		for _, descriptor := range []int{12, 20, 28, 36, 44} {
			raw := m.Marshal()
			binary.LittleEndian.PutUint16(raw[descriptor:], 24)
			binary.LittleEndian.PutUint32(raw[descriptor+4:], offset)
			if _, err := ParseAuthenticate(raw); !errors.Is(err, ErrMalformed) {
				t.Errorf("descriptor at %d pointing to %#x: %v", descriptor, offset, err)
			}
		}
	}
	raw := m.Marshal()
	binary.LittleEndian.PutUint32(raw[12+4:], 0xFFFFFFFF) // of an empty field
	_, err := ParseAuthenticate(raw)
	mustEqual(t, err, nil)
	binary.LittleEndian.PutUint16(raw[36:], 7)
	if _, err := ParseAuthenticate(raw); !errors.Is(err, ErrMalformed) {
		t.Errorf("half a UTF-16 unit: %v", err)
	}
}

func TestMessagesRoundTrip(t *testing.T) {
	text := rapid.StringN(0, 40, -1)
	octets := rapid.SliceOfN(rapid.Byte(), 1, 60)
	rapid.Check(t, func(t *rapid.T) {
		n := Negotiate{Flags: FlagNTLM, Domain: drawOEM(t, "domain"), Workstation: drawOEM(t, "workstation")}
		parsed, err := ParseNegotiate(n.Marshal())
		mustEqual(t, err, nil)
		parsed.Flags &^= FlagDomainSupplied | FlagWorkstationSupplied
		mustEqual(t, parsed, n)

		c := Challenge{
			Flags: FlagUnicode | FlagTargetInfo | FlagVersion, TargetName: text.Draw(t, "target"),
			ServerChallenge: [8]byte{1, 2}, TargetInfo: octets.Draw(t, "info"), Version: Version{6, 1},
		}
		c2, err := ParseChallenge(c.Marshal())
		mustEqual(t, err, nil)
		mustEqual(t, c2, c)

		m := Authenticate{
			Flags:  FlagUnicode | FlagVersion,
			Domain: text.Draw(t, "domain"), User: text.Draw(t, "user"), Workstation: text.Draw(t, "workstation"),
			LMResponse: octets.Draw(t, "LM"), NTResponse: octets.Draw(t, "NT"), SessionKey: octets.Draw(t, "key"),
			Version: Version{10}, MIC: rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "MIC"),
		}
		m2, err := ParseAuthenticate(m.Marshal())
		mustEqual(t, err, nil)
		mustEqual(t, m2, m)
	})
}

func TestAVPairsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var pairs AVPairs
		for range rapid.IntRange(0, 6).Draw(t, "pairs") {
			id := AttributeID(rapid.Uint16Min(1).Draw(t, "id"))
			pairs = append(pairs, AVPair{id, rapid.SliceOf(rapid.Byte()).Draw(t, "value")})
		}
		raw := pairs.Marshal()
		parsed, err := ParseAVPairs(append(raw, "whatever follows"...))
		mustEqual(t, err, nil)
		mustEqual(t, parsed, pairs)
		for n := range raw {
			if _, err := ParseAVPairs(raw[:n]); !errors.Is(err, ErrMalformed) {
				t.Fatalf("cut to %d of %d bytes: %v", n, len(raw), err)
			}
		}
		mustEqual(t, pairs.withMIC().promisesMIC(), true)
	})
}

func TestWithMICKeepsOtherFlags(t *testing.T) {
	pairs := AVPairs{{AVFlags, []byte{1, 0, 0, 0}}, {AVTargetName, nil}}
	mustEqual(t, pairs.promisesMIC(), false)
	mustEqual(t, pairs.withMIC(), AVPairs{{AVTargetName, nil}, {AVFlags, []byte{3, 0, 0, 0}}})
}

func TestText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "text")
		mustEqual(t, fromUTF16(toUTF16(s)), s)
		if fitsOEM(s) {
			mustEqual(t, fromOEM(toOEM(s)), s)
		}
	})
	mustEqual(t, fromUTF16([]byte{0x00, 0xD8, 'a', 0, 0x00, 0xDC}), "\uFFFDa\uFFFD")
	mustEqual(t, string(toOEM("a日b")), "a?b")
	mustEqual(t, upper("straße 𐐨 éß"), "STRAßE 𐐨 Éß")
}

// drawOEM draws text that OEM can express.
func drawOEM(t *rapid.T, label string) string {
	return rapid.StringOfN(rapid.RuneFrom(nil, latin1), 0, 20, -1).Draw(t, label)
}
