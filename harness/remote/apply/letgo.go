package apply

import (
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// lettingGo is a connection that is closed once the server has seen it end.
type lettingGo struct {
	net.Conn
	closing sync.Once
	// gone is closed with it.
	gone chan struct{}
	err  error
}

// lettingGoLimit is how long a server may take to see that. Who takes longer is
// left.
const lettingGoLimit = time.Second

// Close does not wait itself.
func (c *lettingGo) Close() error {
	c.closing.Do(func() {
		half, ok := c.Conn.(interface{ CloseWrite() error })
		if !ok {
			c.err = c.Conn.Close()
			close(c.gone)
			return
		}
		if err := half.CloseWrite(); err != nil && !wire.FailedAs(err, syscall.ENOTCONN) {
			c.err = err
		}
		go func() {
			defer close(c.gone)
			_ = c.SetDeadline(time.Now().Add(lettingGoLimit))
			_, _ = io.Copy(io.Discard, c.Conn)
			_ = c.Conn.Close()
		}()
	})
	return c.err
}
