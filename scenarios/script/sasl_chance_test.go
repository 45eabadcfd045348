package script

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"testing"
)

func TestBitsOfChance(t *testing.T) {
	for _, c := range []struct {
		name        string
		of          func(chance *rand.Rand, n int) string
		least, most float64
	}{
		{"one value", func(*rand.Rand, int) string { return "<1.2@mail.example.test>" }, 0, 0},
		{"process and clock", func(_ *rand.Rand, n int) string {
			return fmt.Sprintf("<%d.%d@mail.example.test>", 4711+n%3, 1700000000+n/10)
		}, 1, 8},
		{"16 digits", func(r *rand.Rand, _ int) string { return fmt.Sprintf("<%016d.1700000000@mail>", r.Int64N(1e16)) }, 50, 56},
		{"24 hexadecimal digits", func(r *rand.Rand, _ int) string { return fmt.Sprintf("<%016x%08x@mail>", r.Uint64(), r.Uint32()) }, 90, 97},
		{"8 octets", func(r *rand.Rand, _ int) string { return string(octets(r, 8)) }, 64, 64},
		{"18 octets in base64", func(r *rand.Rand, _ int) string { return base64.StdEncoding.EncodeToString(octets(r, 18)) }, 140, 144},
	} {
		t.Run(c.name, func(t *testing.T) {
			chance := rand.New(rand.NewPCG(1, 2))
			values := make([]string, 20)
			for n := range values {
				values[n] = c.of(chance, n)
			}
			if bits := BitsOfChance(values); bits < c.least || bits > c.most {
				t.Errorf("%.1f bits of %q", bits, values[:2])
			}
		})
	}
}

func octets(r *rand.Rand, n int) []byte {
	all := make([]byte, n)
	for i := range all {
		all[i] = byte(r.Uint32())
	}
	return all
}
