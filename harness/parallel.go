package harness

import (
	"context"
	"sync"
	"sync/atomic"
)

// inParallel calls do with each number below n, so many at a time, at least
// one. When ctx ends no more are begun; it returns when none is under way.
func inParallel(ctx context.Context, n, parallel int, do func(i int)) {
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(max(1, parallel), n) {
		workers.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				do(i)
			}
		})
	}
	workers.Wait()
}
