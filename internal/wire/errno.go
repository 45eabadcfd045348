package wire

import (
	"errors"
	"slices"
	"syscall"
)

// FailedAs reports whether the network failed as one of these names says. To
// ask errors.Is is not enough: Windows has numbers of its own for sockets, and
// what package syscall calls ECONNREFUSED there is none of them.
func FailedAs(err error, names ...syscall.Errno) bool {
	return slices.ContainsFunc(names, func(name syscall.Errno) bool {
		return errors.Is(err, name) || slices.ContainsFunc(ofSockets[name], func(n syscall.Errno) bool { return errors.Is(err, n) })
	})
}
