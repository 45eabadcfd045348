//go:build !windows

package wire

import "syscall"

var ofSockets map[syscall.Errno][]syscall.Errno
