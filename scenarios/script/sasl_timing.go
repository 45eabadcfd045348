package script

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// AsQuick logs in by turns in two ways that come to the same, so many times
// each, on a connection of its own every time, and compares how long the server
// takes from the last message to the answer. A difference must be larger than
// chance makes it, and be there again when all is repeated: a few milliseconds
// are a warning, and what is seen across a network is a failure. A server that
// holds such answers back for a second or more shows nothing.
func AsQuick(times int, what string, one, other *LoggingIn) Step {
	return &asQuick{times, what, one, other}
}

type asQuick struct {
	times      int
	what       string
	one, other *LoggingIn
}

const (
	heldBack = time.Second // an answer that takes so long is kept waiting on purpose
	enough   = 3           // pairs that show it

	// More than chance: two-sided p < 0.0001 of a rank test, and not too
	// little to be of use, by itself and by comparison.
	deviations   = 3.89
	leastGap     = 5 * time.Millisecond
	leastShare   = 0.1
	seenFromAfar = 50 * time.Millisecond
)

func (x *asQuick) run(ctx context.Context, p *Play) error {
	first, held, err := x.compare(ctx, p)
	if err != nil {
		return err
	}
	if held || first == 0 {
		return p.find(login.Ruling{Verdict: login.Pass})
	}
	second, _, err := x.compare(ctx, p)
	if err != nil {
		return err
	}
	if second == 0 || (first > 0) != (second > 0) {
		return p.find(login.Ruling{Verdict: login.Pass})
	}
	gap := min(first.Abs(), second.Abs())
	r := login.Ruling{Verdict: login.Warn, Reason: fmt.Sprintf("%s: the answers are %s apart each time", x.what, gap.Round(time.Millisecond))}
	if gap > seenFromAfar {
		r.Verdict = login.Fail
	}
	return p.find(r)
}

// compare is by how much the first way is slower, 0 where that is chance, or
// that the server holds the answers back.
func (x *asQuick) compare(ctx context.Context, p *Play) (gap time.Duration, held bool, err error) {
	var took [2][]time.Duration
	for n := range x.times {
		for i := range took {
			which := (n + i) % 2 // each comes first by turns
			d, err := p.timed(ctx, []*LoggingIn{x.one, x.other}[which])
			if err != nil {
				return 0, false, err
			}
			took[which] = append(took[which], d)
		}
		if n+1 == enough && slices.Min(took[0]) >= heldBack && slices.Min(took[1]) >= heldBack {
			return 0, true, nil
		}
	}
	return slower(took[0], took[1]), false, nil
}

// timed is how long a login waits for the answer to its last message.
func (p *Play) timed(ctx context.Context, l *LoggingIn) (time.Duration, error) {
	if err := Open().run(ctx, p); err != nil {
		return 0, err
	}
	attempt, sent := *l, time.Now()
	attempt.alter = func(_ *Play, _ int, message []byte) []byte {
		sent = time.Now()
		return message
	}
	err := attempt.run(ctx, p)
	took := time.Since(sent)
	p.hangUp(p.current)
	return took, err
}

// slower is by how much a's median is above b's, 0 where nothing says that it
// is not chance.
func slower(a, b []time.Duration) time.Duration {
	gap := median(a) - median(b)
	share := float64(gap.Abs()) / float64(max(1, min(median(a), median(b))))
	if math.Abs(rankTest(a, b)) < deviations || gap.Abs() < leastGap || share < leastShare {
		return 0
	}
	return gap
}

// rankTest is Mann and Whitney's U in standard deviations: how far it is from
// what it would be if each of a were as often above one of b as below.
func rankTest(a, b []time.Duration) float64 {
	u := 0.0
	for _, x := range a {
		for _, y := range b {
			switch {
			case x > y:
				u++
			case x == y:
				u += 0.5
			}
		}
	}
	n, m := float64(len(a)), float64(len(b))
	return (u - n*m/2) / math.Sqrt(n*m*(n+m+1)/12)
}

func median(d []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(d))
	return (sorted[(len(d)-1)/2] + sorted[len(d)/2]) / 2
}

func (x *asQuick) bill(b *Bill) {
	for range x.times {
		for _, l := range []*LoggingIn{x.one, x.other} {
			b.connect()
			l.bill(b)
		}
	}
}
