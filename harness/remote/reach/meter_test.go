package reach

import (
	"net"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/harness/remote/budget"
)

// A greeting may take its time; an answer that takes as long, after one that did
// not, shows that we are being slowed down.
func TestMeterMeasuresAnswers(t *testing.T) {
	b := budget.New(budget.Limits{}, nil)
	ours, theirs := net.Pipe()
	m := newMeter(ours, time.Now(), b, func() {})
	defer func() { _ = m.Close() }()
	hears := func(waited time.Duration) {
		m.mu.Lock()
		m.asked = m.asked.Add(-waited)
		m.mu.Unlock()
		go func() { _, _ = theirs.Write([]byte("220\r\n")) }()
		if _, err := m.Read(make([]byte, 10)); err != nil {
			t.Fatal(err)
		}
	}
	says := func() {
		go func() { _, _ = theirs.Read(make([]byte, 10)) }()
		if _, err := m.Write([]byte("NOOP\r\n")); err != nil {
			t.Fatal(err)
		}
	}
	hears(time.Minute)
	says()
	hears(0)
	m.greets(time.Time{})
	hears(time.Minute)
	if e := b.Effort(); e.Stopped != "" || e.Trips != 3 {
		t.Errorf("greetings were measured: %+v", e)
	}
	says()
	hears(time.Minute)
	if b.Stopped() == "" {
		t.Error("an answer was late, and nothing stops")
	}
}

// Of a door that nobody has named it is not known whose answers they are.
func TestMeterDoesNotMeasureStrangers(t *testing.T) {
	b := budget.New(budget.Limits{}, nil)
	ours, theirs := net.Pipe()
	m := newMeter(ours, time.Now(), b, func() {})
	defer func() { _ = m.Close() }()
	m.guessed()
	m.greeting = false
	for _, waited := range []time.Duration{0, time.Minute} {
		m.asked = time.Now().Add(-waited)
		go func() { _, _ = theirs.Write([]byte("220\r\n")) }()
		if _, err := m.Read(make([]byte, 10)); err != nil {
			t.Fatal(err)
		}
	}
	if e := b.Effort(); e.Stopped != "" || e.Trips != 2 {
		t.Errorf("a stranger was measured: %+v", e)
	}
}
