package ntlm

import (
	"encoding/binary"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// encode writes text as the flags demand it.
func encode(s string, flags Flags) []byte {
	if flags.Has(FlagUnicode) {
		return toUTF16(s)
	}
	return toOEM(s)
}

// toUTF16 is the form of Unicode that every message and every hash uses: UTF-16LE, without a mark or an end.
func toUTF16(s string) []byte {
	return appendUTF16(make([]byte, 0, 2*len(s)), s)
}

func appendUTF16(dst []byte, s string) []byte {
	for _, r := range s {
		if high, low := utf16.EncodeRune(r); high != unicode.ReplacementChar {
			dst = binary.LittleEndian.AppendUint16(dst, uint16(high))
			dst = binary.LittleEndian.AppendUint16(dst, uint16(low))
		} else {
			dst = binary.LittleEndian.AppendUint16(dst, uint16(r))
		}
	}
	return dst
}

func fromUTF16(b []byte) string {
	var s strings.Builder
	s.Grow(len(b) / 2)
	for len(b) >= 2 {
		r := rune(binary.LittleEndian.Uint16(b))
		b = b[2:]
		if utf16.IsSurrogate(r) {
			low := rune(unicode.ReplacementChar)
			if len(b) >= 2 {
				low = rune(binary.LittleEndian.Uint16(b))
			}
			if r = utf16.DecodeRune(r, low); r != unicode.ReplacementChar {
				b = b[2:]
			}
		}
		s.WriteRune(r)
	}
	return s.String()
}

// The OEM code page is whatever the client's machine uses, and no message says which. We take one byte for one of
// Unicode's first 256 characters: right for ASCII in every code page, lossless, and the same on both sides.

func toOEM(s string) []byte {
	dst := make([]byte, 0, len(s))
	for _, r := range s {
		if r > unicode.MaxLatin1 {
			r = '?'
		}
		dst = append(dst, byte(r))
	}
	return dst
}

func fromOEM(b []byte) string {
	dst := make([]byte, 0, len(b))
	for _, c := range b {
		dst = utf8.AppendRune(dst, rune(c))
	}
	return string(dst)
}

// fitsOEM reports whether toOEM keeps every character.
func fitsOEM(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > unicode.MaxLatin1 }) < 0
}

// upper is the upper case of a user name (3.3.2): character by character, so that ß stays one character, and like Windows
// only in the plane that one UTF-16 unit can express.
func upper(s string) string {
	return strings.Map(func(r rune) rune {
		if r > 0xFFFF {
			return r
		}
		return unicode.ToUpper(r)
	}, s)
}
