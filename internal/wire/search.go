package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// Needle is a text that must be found wherever it crosses the wire.
type Needle struct {
	Name string
	Text string
}

// Searcher finds needles raw, in UTF-16, in any letter case, and inside every
// base64 and hex token, tokens in tokens included.
type Searcher struct {
	needles  []Needle
	patterns [][]byte // two for each needle: as it is, and in UTF-16
}

// NewSearcher prepares the search. An empty needle is never found.
func NewSearcher(needles ...Needle) *Searcher {
	s := &Searcher{needles: needles}
	for _, n := range needles {
		raw := lower([]byte(n.Text))
		s.patterns = append(s.patterns, raw, utf16LE(raw))
	}
	return s
}

// Find reports the needles that b holds, each once.
func (s *Searcher) Find(b []byte) []Needle {
	hit := make([]bool, len(s.needles))
	s.find(b, hit, 3)
	var found []Needle
	for i, n := range s.needles {
		if hit[i] {
			found = append(found, n)
		}
	}
	return found
}

func (s *Searcher) find(b []byte, hit []bool, depth int) {
	if len(b) == 0 || depth == 0 {
		return
	}
	low := lower(b)
	for i, p := range s.patterns {
		if len(p) > 0 && bytes.Contains(low, p) {
			hit[i/2] = true
		}
	}
	for token := range Tokens(b) {
		s.find(token, hit, depth-1)
	}
}

// lower is ASCII only: what crosses the wire need not be UTF-8.
func lower(b []byte) []byte {
	low := make([]byte, len(b))
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		low[i] = c
	}
	return low
}

// utf16LE puts ASCII into UTF-16; canaries are ASCII.
func utf16LE(ascii []byte) []byte {
	wide := make([]byte, 0, 2*len(ascii))
	for _, c := range ascii {
		wide = append(wide, c, 0)
	}
	return wide
}

// minToken is the least length of a word that is tried as an encoding: what
// is shorter hides no canary.
const minToken = 8

// Tokens yields what every base64 (either alphabet, padded or not) and hex
// word in b decodes to.
func Tokens(b []byte) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for start := 0; start < len(b); {
			if !tokenOctet[b[start]] {
				start++
				continue
			}
			end := start
			for end < len(b) && tokenOctet[b[end]] {
				end++
			}
			if end-start >= minToken && !decodeWord(b[start:end], yield) {
				return
			}
			start = end
		}
	}
}

// decodeWord decodes a word and, because a reply may glue one to its code
// ("535-6f70..."), its parts: between what is a hyphen or a digit of base64, and,
// as hex, between all that is no digit of that.
func decodeWord(word []byte, yield func([]byte) bool) bool {
	if !decodeToken(word, yield) {
		return false
	}
	if bytes.ContainsAny(word, "-_") {
		for part := range bytes.FieldsFuncSeq(word, func(r rune) bool { return r == '-' || r == '_' }) {
			if len(part) >= minToken && !decodeToken(part, yield) {
				return false
			}
		}
	}
	if bytes.ContainsAny(word, "+/") {
		for part := range bytes.FieldsFuncSeq(word, func(r rune) bool { return strings.ContainsRune("-_+/", r) }) {
			if b, err := hex.AppendDecode(nil, part); err == nil && len(part) >= minToken && !yield(b) {
				return false
			}
		}
	}
	return true
}

func decodeToken(word []byte, yield func([]byte) bool) bool {
	if b, err := hex.AppendDecode(nil, word); err == nil && !yield(b) {
		return false
	}
	alphabet := base64.RawStdEncoding
	if bytes.ContainsAny(word, "-_") {
		alphabet = base64.RawURLEncoding
	}
	// What stands before a token may be glued to it, so it is read from each
	// of the four places where a group can begin.
	for skip := range 4 {
		part := word[skip:]
		part = part[:len(part)-len(part)%4+wholeBits[len(part)%4]]
		if b, err := alphabet.AppendDecode(nil, part); err == nil && !yield(b) {
			return false
		}
	}
	return true
}

// wholeBits is how many octets of an incomplete last group can be decoded.
var wholeBits = [4]int{0, 0, 2, 3}

// tokenOctet marks the octets of either base64 alphabet; padding only ends a word.
var tokenOctet = func() (set [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_") {
		set[c] = true
	}
	return set
}()
