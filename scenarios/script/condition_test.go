package script

import (
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Steps that are for some rounds only cost nothing in the others.
func TestCostOfRounds(t *testing.T) {
	ms := []login.Mechanism{login.PLAIN, login.LOGIN}
	c := Case{ID: "smtp/x/001", Needs: Needs{Mechanisms: ms}, Steps: []Step{Open(), OnlyWith(ms[:1], Say("X").Pass("500"))}}
	if got, want := c.Cost(), (Cost{Connections: 2, Commands: 1}); got != want {
		t.Errorf("costs %+v, want %+v", got, want)
	}
	c.Needs.AnyMechanism = true
	if got, want := c.Cost(), (Cost{Connections: 1, Commands: 1}); got != want {
		t.Errorf("where any may be taken: costs %+v, want %+v", got, want)
	}
}

// A line of AUTH whose answer nobody waits for is no password.
func TestCostOfUnread(t *testing.T) {
	c := Case{ID: "smtp/x/001", Steps: []Step{Open(), Say("AUTH PLAIN").Unread()}}
	if got, want := c.Cost(), (Cost{Connections: 1, Auths: 1}); got != want {
		t.Errorf("costs %+v, want %+v", got, want)
	}
}
