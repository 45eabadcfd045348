package main

import (
	"os"
	"syscall"
)

var setConsoleMode = syscall.NewLazyDLL("kernel32.dll").NewProc("SetConsoleMode")

// obeys reports whether a console understands colour and movement: before
// Windows Terminal only one that is told to, and on old systems none.
func obeys(f *os.File) bool {
	const virtualTerminalProcessing = 4
	console := syscall.Handle(f.Fd())
	var mode uint32
	if err := syscall.GetConsoleMode(console, &mode); err != nil {
		return false
	}
	done, _, _ := setConsoleMode.Call(uintptr(console), uintptr(mode|virtualTerminalProcessing))
	return done != 0
}
