package ntlm

import (
	"testing"
	"time"
)

// The edges of the upper case that the LM hash is made of (MS-NLMP 3.3.1).
func TestLMHashEdges(t *testing.T) {
	for _, pair := range [][2]string{{"a", "A"}, {"z", "Z"}} {
		lower, _ := LMHash(pair[0])
		upper, _ := LMHash(pair[1])
		if lower != upper {
			t.Errorf("the LM hash knows %q from %q", pair[0], pair[1])
		}
	}
	for _, pair := range [][2]string{{"`", "@"}, {"{", "["}} {
		one, _ := LMHash(pair[0])
		other, _ := LMHash(pair[1])
		if one == other {
			t.Errorf("the LM hash does not know %q from %q", pair[0], pair[1])
		}
	}
	if _, ok := LMHash("\x7f"); !ok {
		t.Error("DEL is ASCII")
	}
	if _, ok := LMHash("\x80"); ok {
		t.Error("what is beyond ASCII has an LM hash")
	}
}

// MS-DTYP 2.3.3: FILETIME counts 100 ns since 1601.
func TestFiletime(t *testing.T) {
	for _, c := range []struct {
		when time.Time
		want uint64
	}{
		{time.Date(1601, 1, 1, 0, 0, 0, 0, time.UTC), 0},
		{time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC), 116_444_736_000_000_000},
		{time.Date(1970, 1, 1, 0, 0, 1, 300, time.UTC), 116_444_736_010_000_003},
	} {
		if got := toFiletime(c.when); got != c.want {
			t.Errorf("%s is %d, want %d", c.when, got, c.want)
		}
	}
}
