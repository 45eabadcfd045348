package ntlm

import (
	"encoding/binary"
	"fmt"
)

// AttributeID names an attribute of the target information (2.2.2.1).
type AttributeID uint16

// The attributes of a server, and those that a client adds when it repeats them in an NTLMv2 response.
const (
	AVEnd             AttributeID = 0
	AVNetBIOSComputer AttributeID = 1
	AVNetBIOSDomain   AttributeID = 2
	AVDNSComputer     AttributeID = 3
	AVDNSDomain       AttributeID = 4
	AVDNSTree         AttributeID = 5
	AVFlags           AttributeID = 6 // 32 bits; see avFlagMIC
	AVTimestamp       AttributeID = 7 // 100 ns since 1601, 64 bits; obliges the client to send a MIC
	AVSingleHost      AttributeID = 8
	AVTargetName      AttributeID = 9 // the service that the client believes it is talking to
	AVChannelBindings AttributeID = 10
)

// avFlagMIC is the bit of AVFlags by which a client says that its type 3 carries a message integrity code.
const avFlagMIC = 2

const avHeader = 4 // identifier and length

// AVPair is one attribute. Text is UTF-16LE, whatever the flags say.
type AVPair struct {
	ID    AttributeID
	Value []byte
}

// AVPairs is a list of attributes without its end mark, which Marshal adds.
type AVPairs []AVPair

// ParseAVPairs reads a list up to its end mark and ignores what follows. A list without one is malformed. The values
// share memory with data.
func ParseAVPairs(data []byte) (AVPairs, error) {
	var pairs AVPairs
	for rest := data; len(rest) >= avHeader; {
		id := AttributeID(binary.LittleEndian.Uint16(rest))
		size := int(binary.LittleEndian.Uint16(rest[2:]))
		if id == AVEnd {
			return pairs, nil
		}
		if rest = rest[avHeader:]; size > len(rest) {
			return nil, fmt.Errorf("%w: attribute %d of %d bytes, %d are left", ErrMalformed, id, size, len(rest))
		}
		pairs = append(pairs, AVPair{id, rest[:size:size]})
		rest = rest[size:]
	}
	return nil, fmt.Errorf("%w: %d bytes of attributes without an end", ErrMalformed, len(data))
}

// Marshal is the list with its end mark.
func (p AVPairs) Marshal() []byte {
	size := avHeader
	for _, pair := range p {
		size += avHeader + len(pair.Value)
	}
	out := make([]byte, 0, size)
	for _, pair := range p {
		value := pair.Value[:min(len(pair.Value), maxField)]
		out = binary.LittleEndian.AppendUint16(out, uint16(pair.ID))
		out = binary.LittleEndian.AppendUint16(out, uint16(len(value)))
		out = append(out, value...)
	}
	return append(out, 0, 0, 0, 0)
}

// Find returns the first attribute with this identifier.
func (p AVPairs) Find(id AttributeID) ([]byte, bool) {
	for _, pair := range p {
		if pair.ID == id {
			return pair.Value, true
		}
	}
	return nil, false
}

// promisesMIC reports whether the client said that a message integrity code stands in its type 3 (3.2.5.1.2).
func (p AVPairs) promisesMIC() bool {
	value, ok := p.Find(AVFlags)
	return ok && len(value) == 4 && binary.LittleEndian.Uint32(value)&avFlagMIC != 0
}

// withMIC returns the list with that promise in it (3.1.5.1.2).
func (p AVPairs) withMIC() AVPairs {
	out := make(AVPairs, 0, len(p)+1)
	flags := uint32(avFlagMIC)
	for _, pair := range p {
		if pair.ID != AVFlags {
			out = append(out, pair)
		} else if len(pair.Value) == 4 {
			flags |= binary.LittleEndian.Uint32(pair.Value)
		}
	}
	return append(out, AVPair{AVFlags, binary.LittleEndian.AppendUint32(nil, flags)})
}
