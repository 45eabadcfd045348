package script

import (
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

func TestCost(t *testing.T) {
	decoy := B64("\x00", DecoyName, "\x00", DecoyPassword)
	for _, c := range []struct {
		name  string
		steps []Step
		want  Cost
	}{
		{"a look costs a connection", []Step{Open(), Say("NOOP").Pass("250")}, Cost{Connections: 1}},
		{"a refused mechanism", []Step{Open(), Say("AUTH X").Pass("504")}, Cost{Connections: 1, Auths: 1}},
		{"a solicitation that is cancelled", []Step{Open(), Say("AUTH PLAIN").Must(Asked), Say("*").Pass("501")}, Cost{Connections: 1, Auths: 1}},
		{"a decoy is judged", []Step{Open(), Say("AUTH PLAIN ", decoy).Pass("535")}, Cost{Connections: 1, Passwords: 1}},
		{"a decoy out of sequence is not", []Step{Open(), Say("AUTH PLAIN ", decoy).Pass("503")}, Cost{Connections: 1, Auths: 1}},
		{"a decoy in the second line", []Step{Open(), Say("AUTH PLAIN").Must(Asked), Say(decoy).Pass("535")}, Cost{Connections: 1, Passwords: 1}},
		{"a login", []Step{Open(), LogIn().Must(In)}, Cost{Connections: 1, Passwords: 1}},
		{"POP3's login", []Step{Open(), Say("USER ", User).Must(OK), Say("PASS ", Wrong).Pass("-ERR")}, Cost{Connections: 1, Passwords: 1}},
		{"a recipient", []Step{Open(), Say("RCPT TO:<a@b>").Pass("550")}, Cost{Connections: 1, Recipients: 1}},
		{"an unknown command", []Step{Open(), Say("XNOSUCH").Pass("500")}, Cost{Connections: 1, Commands: 1}},
		{"waiting", []Step{Open(), Answer().Pass(Silent)}, Cost{Connections: 1, Seconds: 3}},
		{"two connections", []Step{Open(), On("b", Open(), Say("AUTH X").Pass("504"))}, Cost{Connections: 2, Auths: 1}},
		{"each value", []Step{Open(), Each([]int{1, 2, 3}, func(int) []Step { return []Step{Say("X").Pass("500")} })},
			Cost{Connections: 1, Commands: 3}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := (Case{ID: "smtp/x/001", Steps: c.steps}).CostOver(login.SMTP); got != c.want {
				t.Errorf("costs %+v, want %+v", got, c.want)
			}
		})
	}
}

// A case that is about mechanisms costs each of them.
func TestCostOfMechanisms(t *testing.T) {
	c := Case{ID: "smtp/x/001", Needs: Needs{Mechanisms: []login.Mechanism{login.PLAIN, login.LOGIN}}, Steps: []Step{Open(), LogIn().Must(In)}}
	if got, want := c.Cost(), (Cost{Connections: 2, Passwords: 2}); got != want {
		t.Errorf("costs %+v, want %+v", got, want)
	}
	c.Needs.AnyMechanism = true
	if got, want := c.Cost(), (Cost{Connections: 1, Passwords: 1}); got != want {
		t.Errorf("with any of them: costs %+v, want %+v", got, want)
	}
}

func TestFree(t *testing.T) {
	if !(Cost{Connections: 9, Seconds: 9}).Free() {
		t.Error("a few connections and time are counted by nobody")
	}
	for _, c := range []Cost{{Connections: 11}, {Passwords: 1}, {Auths: 1}, {Recipients: 1}, {Commands: 1}, {Messages: 1}} {
		if c.Free() {
			t.Errorf("%s is free", c)
		}
	}
}
