package server

import (
	"bytes"
	"log/slog"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Witness is told of everything that happens on the server's connections, in
// order and as it happens. Lines of clients hold secrets; nothing else in the
// server repeats them.
type Witness = login.Witness

// Event is one thing that a [Witness] is told of.
type Event = login.Event

// WithWitness tells w of everything.
func WithWitness(w Witness) Option { return func(s *Server) { s.witness = w } }

// witness tells what happened. What was said before is told before.
func (s *session) witness(kind login.EventKind, text string) {
	if s.server.witness == nil {
		return
	}
	s.witnessReplies()
	s.tellWitness(kind, text)
}

// witnessReplies tells the lines that have been added to the output since.
func (s *session) witnessReplies() {
	if s.server.witness == nil {
		return
	}
	fresh := s.out[s.witnessed:]
	s.witnessed = len(s.out)
	for line := range bytes.Lines(fresh) {
		s.tellWitness(login.EventReply, string(bytes.TrimSuffix(line, []byte("\r\n"))))
	}
}

func (s *session) tellWitness(kind login.EventKind, text string) {
	s.server.witness.Witness(login.Event{Kind: kind, Connection: s.number, Protocol: s.protocol, Encrypted: s.encrypted, Text: text})
}

// hear is readLine for a line that is a command or part of a login: one that a
// witness is told of.
func (s *session) hear(limit int) ([]byte, error) {
	line, err := s.readLine(limit)
	if line != nil {
		s.witness(login.EventLine, string(line))
	}
	return line, err
}

// tlsFailed notes a handshake that came to nothing.
func (s *session) tlsFailed(why string) {
	s.event("tls failed", slog.String("error", why))
	s.witness(login.EventTLSFailed, why)
}
