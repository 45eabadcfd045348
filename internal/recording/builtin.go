package recording

import (
	"bytes"
	"cmp"
	_ "embed"
	"maps"
	"strconv"
	"strings"
	"sync"
	"unicode"
)

//go:embed testdata/cases.json
var builtin []byte

// postures reads the embedded file once. That it is right is tested, so a
// wrong one here is a program that was never tested.
var postures = sync.OnceValue(func() Cases {
	cases, err := ReadCases(bytes.NewReader(builtin))
	if err != nil {
		panic(err)
	}
	return cases
})

// Postures are the cases that the recordings were made with.
func Postures() Cases { return maps.Clone(postures()) }

// CompareCases puts the names of cases into the order in which people count:
// S2 before S2b before S10.
func CompareCases(a, b string) int {
	one, other := nameParts(a), nameParts(b)
	return cmp.Or(cmp.Compare(one.protocol, other.protocol), cmp.Compare(one.number, other.number), cmp.Compare(one.rest, other.rest))
}

type caseName struct {
	protocol string
	number   int
	rest     string
}

func nameParts(name string) caseName {
	digits := strings.IndexFunc(name, unicode.IsDigit)
	if digits < 0 {
		return caseName{protocol: name}
	}
	end := digits
	for end < len(name) && '0' <= name[end] && name[end] <= '9' {
		end++
	}
	number, _ := strconv.Atoi(name[digits:end])
	return caseName{name[:digits], number, name[end:]}
}
