package reach

import (
	"net"
	"sync"
	"time"

	"github.com/mailmatrix/mailmatrix/harness/remote/budget"
)

// meter is a connection below everything that tells the budget of each wait for
// the server, and of its own end.
type meter struct {
	net.Conn
	began  time.Time // when it was asked for
	budget *budget.Budget
	done   func()

	mu sync.Mutex
	// asked is when we said something last; the zero value if that was answered.
	asked time.Time
	// greeting: what comes next is no answer. How long it takes says nothing of
	// us, because before it greets a server looks up who comes, or waits to see
	// whether they talk first.
	greeting bool
	// until is when a greeting must have begun; the zero value is any time.
	until time.Time
}

// newMeter takes over a connection on which nothing was said. done is called
// once it is closed.
func newMeter(conn net.Conn, began time.Time, b *budget.Budget, done func()) *meter {
	return &meter{Conn: conn, began: began, budget: b, done: done, asked: time.Now(), greeting: true}
}

// greets: the next that is read belongs to a greeting, which must have begun at
// a time, if that is not zero.
func (m *meter) greets(until time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked, m.greeting, m.until = time.Now(), true, until
}

func (m *meter) Write(b []byte) (int, error) {
	m.mu.Lock()
	m.asked = time.Now()
	m.mu.Unlock()
	return m.Conn.Write(b)
}

func (m *meter) Read(b []byte) (int, error) {
	n, err := m.Conn.Read(b)
	if n > 0 {
		m.heard()
	}
	return n, err
}

func (m *meter) heard() {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.asked.IsZero():
	case m.greeting:
		m.budget.Greeted()
	default:
		m.budget.Heard(time.Since(m.asked))
	}
	m.asked, m.greeting, m.until = time.Time{}, false, time.Time{}
}

func (m *meter) SetDeadline(t time.Time) error     { return m.Conn.SetDeadline(m.within(t)) }
func (m *meter) SetReadDeadline(t time.Time) error { return m.Conn.SetReadDeadline(m.within(t)) }

// within is t, unless a greeting must begin before.
func (m *meter) within(t time.Time) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.until.IsZero() && t.After(m.until) {
		return m.until
	}
	return t
}

func (m *meter) Close() error {
	err := m.Conn.Close()
	m.done()
	return err
}
