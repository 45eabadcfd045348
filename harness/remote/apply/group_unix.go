//go:build unix

package apply

import (
	"os/exec"
	"syscall"
)

// inGroup has the command in a process group of its own: when its time is over,
// all that it started is ended, and Ctrl-C on this program does not end a server
// that it left running.
func inGroup(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
}
