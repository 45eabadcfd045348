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
	// stranger: it may not be the server that the budget is of, so that how long
	// it takes says nothing.
	stranger bool
	// heeded is who is listened to, as long as the connection is in clear; "" is
	// nobody. head is how the server's line begins.
	heeded string
	head   []byte
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

// guessed: the door is one that nobody has named.
func (m *meter) guessed() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stranger = true
}

// heardSince reports whether anything was heard since we said something, or
// began to wait for a greeting.
func (m *meter) heardSince() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.asked.IsZero()
}

// heeds: the server at a door of SMTP is listened to, for nobody else here may
// tell the budget what it says.
func (m *meter) heeds(door string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.heeded = door
}

// handshakeRecord is how TLS begins: the type of the record that holds a ClientHello
// (RFC 8446 5.1). No command begins so.
const handshakeRecord = 22

func (m *meter) Write(b []byte) (int, error) {
	m.mu.Lock()
	m.asked = time.Now()
	if len(b) > 0 && b[0] == handshakeRecord {
		m.heeded = ""
	}
	m.mu.Unlock()
	return m.Conn.Write(b)
}

func (m *meter) Read(b []byte) (int, error) {
	n, err := m.Conn.Read(b)
	if n > 0 {
		m.heard()
		m.heed(b[:n])
	}
	return n, err
}

// heed hears the reply with which a server ends what it has had enough of
// (RFC 5321 3.8). The words are not kept: they may repeat what they must not.
func (m *meter) heed(said []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.heeded == "" {
		return
	}
	for _, c := range said {
		if c == '\n' {
			m.head = m.head[:0]
			continue
		}
		if len(m.head) == len(enough) {
			continue
		}
		if m.head = append(m.head, c); string(m.head) == enough {
			m.budget.Stop(m.heeded + " said " + enough)
		}
	}
}

func (m *meter) heard() {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.asked.IsZero():
	case m.greeting, m.stranger:
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
