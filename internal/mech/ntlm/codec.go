package ntlm

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
)

// Every message starts with the signature and its type, then come fixed fields, then the payload. A field of variable
// length is a descriptor in the fixed part (length, allocated length, offset: 2.2.1) and its contents in the payload.
const (
	signature  = "NTLMSSP\x00"
	typeOffset = 8
	prefix     = typeOffset + 4

	descriptor = 8
	maxField   = math.MaxUint16 // what the length in a descriptor can say
)

// A reader takes a message apart. Its first failure sticks and whatever is read afterwards is empty, so that a parser
// reads straight through and looks at err once.
type reader struct {
	data  []byte
	fixed int // where the payload may start at the earliest
	start int // where the payload starts: the lowest offset seen
	err   error
}

// read opens a message of the given type whose fixed part has at least the given size.
func read(data []byte, kind uint32, fixed int) *reader {
	r := &reader{data: data, fixed: fixed, start: len(data)}
	switch {
	case len(data) < fixed:
		r.fail("type %d of %d bytes, %d are the least", kind, len(data), fixed)
	case !bytes.HasPrefix(data, []byte(signature)):
		r.fail("no NTLMSSP signature")
	case binary.LittleEndian.Uint32(data[typeOffset:]) != kind:
		r.fail("type %d, want %d", binary.LittleEndian.Uint32(data[typeOffset:]), kind)
	}
	return r
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
	}
}

// raw returns the bytes [at, at+n) of the fixed part.
func (r *reader) raw(at, n int) []byte {
	if r.err == nil && at+n > len(r.data) {
		r.fail("%d bytes, too short for a field at %d", len(r.data), at)
	}
	if r.err != nil {
		return make([]byte, n)
	}
	return r.data[at : at+n]
}

func (r *reader) flags(at int) Flags {
	return Flags(binary.LittleEndian.Uint32(r.raw(at, 4)))
}

// version returns the version where the flags promise one and the fixed part has room for it.
func (r *reader) version(at int, flags Flags) (v Version) {
	if flags.Has(FlagVersion) && r.start >= at+len(v) {
		copy(v[:], r.raw(at, len(v)))
	}
	return v
}

// field follows the descriptor at the given offset. The offset of an empty field means nothing and is not looked at. The contents
// share memory with the message.
func (r *reader) field(at int) []byte {
	d := r.raw(at, descriptor)
	size, offset := int64(binary.LittleEndian.Uint16(d)), int64(binary.LittleEndian.Uint32(d[4:]))
	if r.err != nil || size == 0 {
		return nil
	}
	if offset < int64(r.fixed) || offset+size > int64(len(r.data)) {
		r.fail("the field at %d points to [%d, %d) of %d bytes", at, offset, offset+size, len(r.data))
		return nil
	}
	r.start = min(r.start, int(offset))
	return r.data[offset : offset+size]
}

// bytes is a field that outlives the message.
func (r *reader) bytes(at int) []byte { return bytes.Clone(r.field(at)) }

// text decodes what field returned.
func (r *reader) text(field []byte, flags Flags) string {
	if !flags.Has(FlagUnicode) {
		return fromOEM(field)
	}
	if len(field)%2 != 0 {
		r.fail("a Unicode field of %d bytes", len(field))
		return ""
	}
	return fromUTF16(field)
}

// A writer builds a message whose fixed part has a known size. Fields go into the payload in the order of the calls.
type writer []byte

func write(kind uint32, fixed, payload int) writer {
	w := make(writer, fixed, fixed+payload)
	copy(w, signature)
	binary.LittleEndian.PutUint32(w[typeOffset:], kind)
	return w
}

func (w writer) flags(at int, f Flags) { binary.LittleEndian.PutUint32(w[at:], uint32(f)) }

// field appends contents to the payload and points the descriptor to them. What exceeds 64 KiB is cut: no descriptor can
// express it, and a response over a cut name verifies nowhere.
func (w *writer) field(at int, contents []byte) {
	contents = contents[:min(len(contents), maxField&^1)]
	d := (*w)[at : at+descriptor]
	binary.LittleEndian.PutUint16(d, uint16(len(contents)))
	binary.LittleEndian.PutUint16(d[2:], uint16(len(contents)))
	binary.LittleEndian.PutUint32(d[4:], uint32(len(*w)))
	*w = append(*w, contents...)
}
