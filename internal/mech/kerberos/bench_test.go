package kerberos

import (
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// One login: both sides' work together.
func BenchmarkLogin(b *testing.B) {
	w := newWorld(b)
	ticket := w.mint(b, "alice", login.SMTP, login.Flawless)
	for b.Loop() {
		i := initiate(b, ticket)
		accepted, err := w.service.Accept(i.Token(), login.SMTP)
		if err != nil {
			b.Fatal(err)
		}
		client, err := i.Finish(accepted.Reply)
		if err != nil {
			b.Fatal(err)
		}
		offer, err := accepted.Context.Wrap([]byte{1, 0, 0, 0})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := client.Unwrap(offer); err != nil {
			b.Fatal(err)
		}
		choice, err := client.Wrap([]byte("\x01\x00\x00\x00alice"))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := accepted.Context.Unwrap(choice); err != nil {
			b.Fatal(err)
		}
	}
}
