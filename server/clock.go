package server

import (
	"context"
	"sync"
	"time"
)

// Clock is the time as the server's rules see it: stamps and the delays after
// failed logins. The deadlines of connections are the machine's own.
type Clock interface {
	Now() time.Time
	// Sleep waits for d, or less if ctx ends.
	Sleep(ctx context.Context, d time.Duration)
}

// wallClock is the machine's clock.
type wallClock struct{}

func (wallClock) Now() time.Time { return time.Now() }

func (wallClock) Sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// VirtualClock is a clock whose Sleep returns at once and moves the time on,
// so that an experiment with delays takes no time. Get one from
// [NewVirtualClock].
type VirtualClock struct {
	mu  sync.Mutex
	now time.Time
}

// NewVirtualClock makes a clock that shows start.
func NewVirtualClock(start time.Time) *VirtualClock { return &VirtualClock{now: start} }

// Now is the start and everything slept since.
func (c *VirtualClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Sleep moves the clock on by d.
func (c *VirtualClock) Sleep(_ context.Context, d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}
