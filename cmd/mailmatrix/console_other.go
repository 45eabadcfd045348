//go:build !windows

package main

import "os"

// obeys reports whether a terminal understands colour and movement.
func obeys(*os.File) bool { return true }
