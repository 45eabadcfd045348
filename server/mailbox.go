package server

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Message is a mail that the server accepted.
type Message struct {
	From string
	To   []string
	// Account is who sent it, by login or assumption; "" is a stranger.
	Account string
	// Encrypted reports whether it came in over TLS.
	Encrypted bool
	// Data is the message with its trace fields, in lines that end in CR LF.
	Data []byte
}

// keptRelayed bounds the memory of a server that runs for months.
const keptRelayed = 1000

// mailStore holds the mailboxes and what was accepted for relay.
type mailStore struct {
	limit int64 // octets in a mailbox

	mu      sync.Mutex
	boxes   map[string]*mailbox // by lower-case name
	relayed []Message
}

// mailbox is one account's mail. All of its fields belong to the store's lock.
type mailbox struct {
	messages []*stored
	size     int64
	last     int // number of the newest message ever: an identifier is never used twice
	inUse    bool
}

// stored is a message in a mailbox; it never changes.
type stored struct {
	uid  string
	data []byte
}

var (
	errMailboxFull  = errors.New("mailbox full")
	errMailboxInUse = errors.New("mailbox in use")
)

func newMailStore(limit int64) *mailStore {
	return &mailStore{limit: limit, boxes: map[string]*mailbox{}}
}

func (m *mailStore) box(name string) *mailbox {
	name = strings.ToLower(name)
	b := m.boxes[name]
	if b == nil {
		b = &mailbox{}
		m.boxes[name] = b
	}
	return b
}

// deliver puts data into each of the mailboxes, or into none.
func (m *mailStore) deliver(names []string, epoch int64, data []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, name := range names {
		if m.box(name).size+int64(len(data)) > m.limit {
			return errMailboxFull
		}
	}
	for _, name := range names {
		b := m.box(name)
		b.last++
		// RFC 1939 7: the same for ever and for no other message. The epoch
		// tells apart two servers with the same account.
		b.messages = append(b.messages, &stored{fmt.Sprintf("%x-%d", epoch, b.last), data})
		b.size += int64(len(data))
	}
	return nil
}

func (m *mailStore) relay(message Message) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.relayed) == 2*keptRelayed {
		m.relayed = append(m.relayed[:0], m.relayed[keptRelayed:]...)
	}
	m.relayed = append(m.relayed, message)
}

// open locks the mailbox for one session and shows what is in it now
// (RFC 1939 4: an exclusive lock, and numbers that stay for the session).
func (m *mailStore) open(name string, shared bool) ([]*stored, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.box(name)
	if b.inUse && !shared {
		return nil, errMailboxInUse
	}
	b.inUse = true
	return slices.Clone(b.messages), nil
}

func (m *mailStore) release(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.box(name).inUse = false
}

// remove takes the messages out for good.
func (m *mailStore) remove(name string, gone []*stored) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.box(name)
	b.messages = slices.DeleteFunc(b.messages, func(s *stored) bool {
		if slices.Contains(gone, s) {
			b.size -= int64(len(s.data))
			return true
		}
		return false
	})
}

func (m *mailStore) allRelayed() []Message {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.relayed)
}

// canonical ends every line in CR LF, as POP3 sends it.
func canonical(data []byte) []byte {
	var out bytes.Buffer
	for line := range bytes.Lines(data) {
		line = bytes.TrimSuffix(line, []byte{'\n'})
		out.Write(bytes.TrimSuffix(line, []byte{'\r'}))
		out.WriteString("\r\n")
	}
	return out.Bytes()
}
