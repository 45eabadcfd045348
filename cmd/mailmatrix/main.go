// Command mailmatrix says by experiment which mail clients can log in under
// which policy, whether a server keeps its policy, and whose password crosses
// the network in clear.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The second signal ends the program at once: the first only asks.
	context.AfterFunc(ctx, stop)
	status := run(ctx, os.Args[1:], terminal{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
	stop()
	os.Exit(status)
}
