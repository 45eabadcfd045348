// Package store keeps runs, so that what changed can be seen. It keeps facts, no
// texts: nothing that a server said is in it.
package store
