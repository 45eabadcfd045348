package script

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestSlower(t *testing.T) {
	const n = 30
	for _, c := range []struct {
		name   string
		differ time.Duration // of every answer of the first way
		noise  time.Duration
		bursts int // one in so many answers is late by a second
		want   bool
	}{
		{"nothing differs", 0, time.Millisecond, 0, false},
		{"nothing differs on a busy machine", 0, 40 * time.Millisecond, 5, false},
		{"too little to see", 3 * time.Millisecond, time.Millisecond, 0, false},
		{"a hash that is not computed", 60 * time.Millisecond, time.Millisecond, 0, true},
		{"the same on a busy machine", 60 * time.Millisecond, 40 * time.Millisecond, 15, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			chance := rand.New(rand.NewPCG(1, 2))
			sample := func(differ time.Duration) []time.Duration {
				all := make([]time.Duration, n)
				for i := range all {
					all[i] = 2*time.Millisecond + differ + time.Duration(chance.Int64N(int64(c.noise)))
					if c.bursts > 0 && chance.IntN(c.bursts) == 0 {
						all[i] += time.Second
					}
				}
				return all
			}
			seen := 0
			for range 200 {
				if slower(sample(c.differ), sample(0)) != 0 {
					seen++
				}
			}
			if c.want && seen < 190 || !c.want && seen > 0 {
				t.Errorf("seen %d times of 200", seen)
			}
		})
	}
}

func TestStablyDiffer(t *testing.T) {
	for _, c := range []struct {
		name          string
		first, second [][]string
		want          bool
	}{
		{"other words each time, of both",
			[][]string{{"535 5.7.8 a"}, {"535 5.7.8 b"}, {"535 5.7.8 c"}}, [][]string{{"535 5.7.8 d"}, {"535 5.7.8 e"}, {"535 5.7.8 f"}}, false},
		{"the same two texts each time",
			[][]string{{"535 5.7.8 wrong"}, {"535 5.7.8 wrong"}}, [][]string{{"535 5.7.8 unknown"}, {"535 5.7.8 unknown"}}, true},
		{"another code each time, and other words",
			[][]string{{"535 5.7.8 a"}, {"535 5.7.8 b"}}, [][]string{{"550 5.1.1 c"}, {"550 5.1.1 d"}}, true},
		{"another code once",
			[][]string{{"535 a"}, {"535 b"}}, [][]string{{"454 c"}, {"535 d"}}, false},
		{"one answer more each time",
			[][]string{{"+ <challenge>", "-err a"}, {"+ <challenge>", "-err b"}}, [][]string{{"-err a"}, {"-err b"}}, true},
		{"a response code", [][]string{{"-err [auth] a1"}, {"-err [auth] a2"}}, [][]string{{"-err a3"}, {"-err a4"}}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := stablyDiffer(c.first, c.second); got != c.want {
				t.Errorf("got %t", got)
			}
		})
	}
}
