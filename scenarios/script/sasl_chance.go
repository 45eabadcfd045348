package script

import (
	"math"
	"strings"
)

// BitsOfChance is how many bits of values seem to have been drawn by chance, at
// most: where many characters come up in one place it is all those that the text
// is written with, and where few do, as in the digits of a clock, only these.
func BitsOfChance(values []string) float64 {
	const many = 5
	var varying strings.Builder
	var places []int // how many characters come up in each
	for at := range shortest(values) {
		seen := map[byte]bool{}
		for _, v := range values {
			seen[v[at]] = true
		}
		if len(seen) > 1 {
			places = append(places, len(seen))
		}
		for c := range seen {
			if len(seen) >= many {
				varying.WriteByte(c)
			}
		}
	}
	each, bits := bitsEach(varying.String()), 0.0
	for _, n := range places {
		if n >= many {
			bits += each
		} else {
			bits += math.Log2(float64(n))
		}
	}
	return bits
}

func shortest(values []string) int {
	if len(values) == 0 {
		return 0
	}
	n := len(values[0])
	for _, v := range values {
		n = min(n, len(v))
	}
	return n
}

// bitsEach is what a character of a text is worth.
func bitsEach(text string) float64 {
	for _, alphabet := range []string{"0123456789", "0123456789abcdef", "0123456789ABCDEF"} {
		if strings.Trim(text, alphabet+".-") == "" {
			return math.Log2(float64(len(alphabet)))
		}
	}
	for _, c := range []byte(text) {
		if c < '!' || c > '~' {
			return 8
		}
	}
	return 6
}
