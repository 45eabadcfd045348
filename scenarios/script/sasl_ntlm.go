package script

import (
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strings"
	"unicode/utf16"
)

// The three messages of NTLM, as far as cases look into them (MS-NLMP 2.2.1).
const (
	ntlmSignature   = "NTLMSSP\x00"
	ntlmNegotiate   = 0xe0088207 // Unicode, OEM, target, NTLM, always sign, extended security, 128, key exchange, 56
	ntlmAnonymous   = 1 << 11
	ntlmHasVersion  = 1 << 25
	ntlmHasTarget   = 1 << 23
	ntlmFixedType2  = 56
	ntlmFixedType3  = 72
	ntlmResponseLM  = 12 // where the descriptors of the third message are
	ntlmResponseNT  = 20
	ntlmDescriptors = 6
)

// NTLMNegotiate is a first message as Windows sends it (MS-NLMP 2.2.1.1).
func NTLMNegotiate() []byte {
	m := make([]byte, 40)
	copy(m, ntlmSignature)
	binary.LittleEndian.PutUint32(m[8:], 1)
	binary.LittleEndian.PutUint32(m[12:], ntlmNegotiate)
	return m
}

// NTLMAnonymous is a third message of nobody: no name, no response but the one
// zero that says so (MS-NLMP 3.2.5.1.2).
func NTLMAnonymous() []byte {
	m := make([]byte, ntlmFixedType3, ntlmFixedType3+1)
	copy(m, ntlmSignature)
	binary.LittleEndian.PutUint32(m[8:], 3)
	for i := range ntlmDescriptors { // all of them empty, and pointing behind the fixed part
		binary.LittleEndian.PutUint32(m[ntlmResponseLM+8*i+4:], ntlmFixedType3)
	}
	binary.LittleEndian.PutUint16(m[ntlmResponseLM:], 1)
	binary.LittleEndian.PutUint16(m[ntlmResponseLM+2:], 1)
	binary.LittleEndian.PutUint32(m[60:], ntlmNegotiate|ntlmAnonymous)
	return append(m, 0)
}

// NTLMPointing is the third message m with the descriptor of its NT response
// changed: how long it is, and where it stands.
func NTLMPointing(m []byte, length uint16, offset uint32) []byte {
	m = slices.Clone(m)
	if len(m) >= ntlmResponseNT+8 {
		binary.LittleEndian.PutUint16(m[ntlmResponseNT:], length)
		binary.LittleEndian.PutUint16(m[ntlmResponseNT+2:], length)
		binary.LittleEndian.PutUint32(m[ntlmResponseNT+4:], offset)
	}
	return m
}

// NTLMChallenge is a second message (MS-NLMP 2.2.1.2).
type NTLMChallenge struct {
	// Nonce is the 8 octets that the response is made for.
	Nonce string
	// Names are all that the server calls itself: target, computer, domain and
	// forest, in NetBIOS's manner and in the DNS's.
	Names []string
	// Version says of which build the server's system is.
	Version bool
}

// ParseNTLMChallenge reads one that came as "334 BASE64" or "+ BASE64".
func ParseNTLMChallenge(line string) (c NTLMChallenge, ok bool) {
	_, text, _ := strings.Cut(line, " ")
	m, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(m) < 32 || string(m[:8]) != ntlmSignature || binary.LittleEndian.Uint32(m[8:]) != 2 {
		return c, false
	}
	flags := binary.LittleEndian.Uint32(m[20:])
	c.Nonce = string(m[24:32])
	target := ntlmField(m, 12)
	if flags&1 != 0 {
		target = fromUTF16(target)
	}
	c.add(target)
	if len(m) >= ntlmFixedType2 {
		c.Version = flags&ntlmHasVersion != 0 && binary.LittleEndian.Uint64(m[48:]) != 0
		if flags&ntlmHasTarget != 0 {
			c.attributes(ntlmField(m, 40))
		}
	}
	return c, true
}

// attributes are the AV_PAIRs; those numbered 1 to 5 are names
// (MS-NLMP 2.2.2.1).
func (c *NTLMChallenge) attributes(list string) {
	for len(list) >= 4 {
		id, size := binary.LittleEndian.Uint16([]byte(list)), int(binary.LittleEndian.Uint16([]byte(list[2:])))
		if list = list[4:]; id == 0 || size > len(list) {
			return
		}
		if id <= 5 {
			c.add(fromUTF16(list[:size]))
		}
		list = list[size:]
	}
}

func (c *NTLMChallenge) add(name string) {
	if name != "" && !slices.Contains(c.Names, name) {
		c.Names = append(c.Names, name)
	}
}

// ntlmField follows a descriptor: length, room, and place.
func ntlmField(m []byte, at int) string {
	if len(m) < at+8 {
		return ""
	}
	size, offset := int64(binary.LittleEndian.Uint16(m[at:])), int64(binary.LittleEndian.Uint32(m[at+4:]))
	if offset+size > int64(len(m)) {
		return ""
	}
	return string(m[offset : offset+size])
}

func fromUTF16(text string) string {
	units := make([]uint16, len(text)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16([]byte(text[2*i:]))
	}
	return string(utf16.Decode(units))
}
