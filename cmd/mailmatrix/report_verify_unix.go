//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// askGroup asks a program and what it has started to end, so that a server can
// take its files away.
func askGroup(c *exec.Cmd) error { return syscall.Kill(-c.Process.Pid, syscall.SIGTERM) }
