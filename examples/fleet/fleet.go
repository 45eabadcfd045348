// Package fleet checks many servers at once: what a provider's own program over
// mailmatrix looks like, with a replace line only.
package fleet

import (
	"context"
	"sync"
	"time"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/harness/remote"
	"github.com/mailmatrix/mailmatrix/harness/remote/discover"
)

// Answer is what became of one server.
type Answer struct {
	Server string
	Report harness.Report
	// Err is that it could not be checked at all.
	Err error
}

// Check checks the servers, so many at a time, each within its own budget and
// deadline, and sends each answer as soon as it is there.
func Check(ctx context.Context, servers []string, atOnce int, o remote.Options) <-chan Answer {
	answers := make(chan Answer)
	places := make(chan struct{}, atOnce)
	go func() {
		defer close(answers)
		var running sync.WaitGroup
		for _, server := range servers {
			places <- struct{}{}
			running.Go(func() {
				defer func() { <-places }()
				answers <- one(ctx, server, o)
			})
		}
		running.Wait()
	}()
	return answers
}

func one(ctx context.Context, server string, o remote.Options) Answer {
	asked, err := discover.Parse([]string{server})
	if err != nil {
		return Answer{Server: server, Err: err}
	}
	o.Deadline = time.Minute
	report, err := remote.Check(ctx, asked, o)
	return Answer{server, report, err}
}

// Leaks are the findings of a report by which a password can be read.
func Leaks(r harness.Report) []string {
	var found []string
	for _, s := range r.Scenarios {
		if s.Verdict == harness.Fail && s.Exposure >= harness.ShowsToken {
			found = append(found, s.Reason)
		}
	}
	return found
}
