//go:build !unix

package main

import "os/exec"

// askGroup ends the program: there is no way to ask it.
func askGroup(c *exec.Cmd) error { return c.Process.Kill() }
