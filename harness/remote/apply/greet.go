package apply

import (
	"context"
	"crypto/tls"
	"fmt"
	"strings"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// greets waits until each door greets.
func (t *Target) greets(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, t.Wait)
	defer cancel()
	for _, d := range t.Doors {
		if err := t.awaits(limited, d); err != nil {
			return fmt.Errorf("%s does not greet within %s after the command has ended: %w", d.Address, t.Wait, err)
		}
	}
	return nil
}

// awaits asks again and again.
func (t *Target) awaits(ctx context.Context, d Door) error {
	const pause = 20 * time.Millisecond
	again := time.NewTicker(pause)
	defer again.Stop()
	end, _ := ctx.Deadline()
	var last error
	for {
		err := t.greeted(ctx, d)
		switch {
		case err == nil:
			return nil
		case time.Now().Before(end) || last == nil: // what fails for being cut off tells nothing
			last = err
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return last
		}
	}
}

var greeting = map[login.Protocol]string{login.SMTP: "220", login.POP3: "+OK"}

// greeted reads the greeting. Nothing is said to the server that is secret, so
// any certificate will do.
func (t *Target) greeted(ctx context.Context, d Door) error {
	raw, err := t.Dial(ctx, d.Protocol, d.Transport)
	if err != nil {
		return err
	}
	c := wire.NewConn(ctx, raw, t.Limit)
	defer func() { _ = c.Close() }()
	if d.Transport == login.TLS {
		if err := c.Upgrade(ctx, &tls.Config{InsecureSkipVerify: true}); err != nil { //nolint:gosec // see above
			return err
		}
	}
	line, err := c.ReadLine()
	if err != nil {
		return err
	}
	if !strings.HasPrefix(line, greeting[d.Protocol]) {
		return fmt.Errorf("it says %.80q", line)
	}
	return c.Send("QUIT")
}
