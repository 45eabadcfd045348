package budget

import (
	"testing"
	"time"
)

// A server that takes its time to greet is not slowing us down, and is no
// measure for one that does.
func TestGreeted(t *testing.T) {
	b := New(Limits{}, nil)
	b.Greeted()
	b.Heard(10 * time.Millisecond)
	b.Greeted()
	if e := b.Effort(); e.Stopped != "" || e.Trips != 3 {
		t.Errorf("%+v", e)
	}
	b.Heard(2 * time.Second)
	if b.Stopped() == "" {
		t.Error("an answer was slowed down, and nothing stops")
	}
}
