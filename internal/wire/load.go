package wire

import (
	"bytes"
	"errors"
	"time"
)

// CloseWrite ends our half of the connection and leaves the server's open: by
// an alert inside TLS, else by a FIN.
func (c *Conn) CloseWrite() error {
	c.record("C", "<end of our half>")
	half, ok := c.conn.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	return half.CloseWrite()
}

// CloseWrite passes on what a listener sees as the end of one direction.
func (t *Tap) CloseWrite() error {
	half, ok := t.Conn.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	return half.CloseWrite()
}

// poured is written at once where there is much to write.
const poured = 32 << 10

// Pour sends an octet n times, in pieces, and shows shown in their place. It
// says how many the connection took; an error is that it took no more.
func (c *Conn) Pour(octet byte, n int, shown string) (taken int, err error) {
	c.record("C", shown)
	piece := bytes.Repeat([]byte{octet}, min(n, poured))
	for taken < n && err == nil {
		if err = c.conn.SetWriteDeadline(time.Now().Add(c.limit)); err != nil {
			return taken, err
		}
		var wrote int
		wrote, err = c.conn.Write(piece[:min(len(piece), n-taken)])
		taken += wrote
	}
	return taken, err
}
