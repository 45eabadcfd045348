package kerberos

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func octets(n int) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

// Of many at once that bring the same, one is the first.
func TestReplayAtOnce(t *testing.T) {
	var r replays
	var first atomic.Int32
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if again, err := r.again(octets(1), noon); err == nil && !again {
				first.Add(1)
			}
		})
	}
	all.Wait()
	if first.Load() != 1 {
		t.Errorf("%d were the first", first.Load())
	}
}

// The memory is bounded. When it is full, nobody is let in who might have been
// there before, and what is old makes room.
func TestReplayIsBounded(t *testing.T) {
	var r replays
	for n := range generation {
		if again, err := r.again(octets(n), noon); again || err != nil {
			t.Fatalf("%d: %v, %v", n, again, err)
		}
	}
	if _, err := r.again(octets(generation), noon); err != errFull {
		t.Errorf("one more: %v", err)
	}
	if again, err := r.again(octets(0), noon); !again || err != nil {
		t.Errorf("a known one: %v, %v", again, err)
	}
	later := noon.Add(fresh + time.Second)
	if again, err := r.again(octets(generation), later); again || err != nil {
		t.Errorf("one more, later: %v, %v", again, err)
	}
	if again, err := r.again(octets(0), later.Add(fresh)); !again || err != nil {
		t.Errorf("a known one, later: %v, %v", again, err)
	}
	if again, err := r.again(octets(0), later.Add(fresh+time.Second)); again || err != nil {
		t.Errorf("one that is long forgotten: %v, %v", again, err)
	}
	if held := len(r.younger) + len(r.older); held > 2 {
		t.Errorf("%d are still held", held)
	}
}
