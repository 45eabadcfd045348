package server

import (
	"context"
	"io"
	"log"
	"net"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// engine is go-smtp, which keeps the mail transactions of all sessions of a
// server. It runs from the first MAIL until the server closes.
//
// go-smtp believes that it has a network connection. It has an [engineConn]:
// the front hands it one line per Read and takes what it writes, so nothing
// reaches it, or the client, that the front has not seen.
type engine struct {
	mu    sync.Mutex
	smtp  *smtp.Server
	calls *callListener
	done  chan struct{} // closed when Serve has returned
}

// connect gives the front an engine of its own and plays the greeting and
// the EHLO into it.
func (e *engine) connect(f *smtpFront) *engineConn {
	e.mu.Lock()
	if e.smtp == nil {
		e.start(f.server)
	}
	e.mu.Unlock()
	c := &engineConn{
		front: f, lines: make(chan []byte), idle: make(chan struct{}),
		gone: make(chan struct{}), closed: make(chan struct{}),
	}
	e.calls.conns <- c
	c.await() // the greeting
	c.exchange("EHLO " + f.hello)
	return c
}

func (e *engine) start(s *Server) {
	e.smtp = smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &engineSession{front: c.Conn().(*engineConn).front}, nil
	}))
	e.smtp.Domain = s.identity
	e.smtp.MaxMessageBytes = s.limits.MessageSize
	e.smtp.MaxRecipients = s.limits.Recipients
	e.smtp.MaxLineLength = 0 // the front bounds lines
	e.smtp.ErrorLog = log.New(io.Discard, "", 0)
	e.calls = &callListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	e.done = make(chan struct{})
	go func() {
		defer close(e.done)
		_ = e.smtp.Serve(e.calls) // its error is that we closed it
	}()
}

// close waits until go-smtp has ended. All sessions have hung up before.
func (e *engine) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.smtp == nil {
		return
	}
	_ = e.smtp.Shutdown(context.Background()) // waits for its connections, which have all hung up
	_ = e.calls.Close()                       // Serve may not have got as far as knowing its listener
	<-e.done
}

// callListener is the listener that go-smtp accepts from.
type callListener struct {
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func (l *callListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *callListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *callListener) Addr() net.Addr { return &net.TCPAddr{} }

// engineConn is go-smtp's end of a connection. One of the two works at a
// time: the front waits while go-smtp obeys a line, and go-smtp waits in Read
// for the next. Whoever works owns written.
type engineConn struct {
	front   *smtpFront
	lines   chan []byte   // from the front
	idle    chan struct{} // go-smtp wants a line
	gone    chan struct{} // the front has hung up
	closed  chan struct{} // go-smtp has hung up
	once    sync.Once
	unread  []byte
	written []byte
}

// exchange has go-smtp obey a line and returns what it says to it, without
// the end; "" if it has hung up.
func (c *engineConn) exchange(line string) string {
	return c.feed(append([]byte(line), '\r', '\n'))
}

// feed is exchange for a line that has its end.
func (c *engineConn) feed(line []byte) string {
	select {
	case c.lines <- line:
		return c.await()
	case <-c.closed:
		return ""
	}
}

// await lets go-smtp work until it wants a line.
func (c *engineConn) await() string {
	select {
	case <-c.idle:
	case <-c.closed:
	}
	said := string(c.written)
	c.written = c.written[:0]
	return trimReply(said)
}

func trimReply(said string) string {
	if n := len(said); n >= 2 && said[n-2:] == "\r\n" {
		return said[:n-2]
	}
	return said
}

// hangUp ends the connection and waits until go-smtp has let go of it.
func (c *engineConn) hangUp() {
	close(c.gone)
	<-c.closed
}

// Read hands out the next line, at most one per call.
func (c *engineConn) Read(b []byte) (int, error) {
	if len(c.unread) == 0 {
		select {
		case c.idle <- struct{}{}:
		case <-c.gone:
			return 0, io.EOF
		}
		select {
		case c.unread = <-c.lines:
		case <-c.gone:
			return 0, io.EOF
		}
	}
	n := copy(b, c.unread)
	c.unread = c.unread[n:]
	return n, nil
}

func (c *engineConn) Write(b []byte) (int, error) {
	c.written = append(c.written, b...)
	return len(b), nil
}

// Close is go-smtp's last word.
func (c *engineConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return nil
}

// Addresses and TLS are the real connection's, deadlines the front's.

func (c *engineConn) LocalAddr() net.Addr              { return c.front.raw.LocalAddr() }
func (c *engineConn) RemoteAddr() net.Addr             { return c.front.raw.RemoteAddr() }
func (c *engineConn) SetDeadline(time.Time) error      { return nil }
func (c *engineConn) SetReadDeadline(time.Time) error  { return nil }
func (c *engineConn) SetWriteDeadline(time.Time) error { return nil }
