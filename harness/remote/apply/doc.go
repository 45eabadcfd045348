// Package apply lets the author of a server reconfigure it before each state,
// by a command of his own, so that the whole matrix runs on his server.
package apply
