package script

import (
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// What loads cost is what their lines cost, each of them.
func TestCostOfLoads(t *testing.T) {
	message := Bytes("Subject: x\r\n\r\nabc\n.\nRCPT TO:<", Foreign, ">\r\n.\r\n")
	for _, c := range []struct {
		name  string
		steps []Step
		want  Cost
	}{
		{"a burst", []Step{Open(), Burst(200, Say("NOOP").Pass("250"))}, Cost{Connections: 1, Commands: 200}},
		{"a burst of nonsense", []Step{Open(), Burst(3, Say("X").Pass("500"))}, Cost{Connections: 1, Commands: 3}},
		{"again and again", []Step{Open(), Again(60, Say("X").Pass(Refused))}, Cost{Connections: 1, Commands: 60}},
		{"a crowd", []Step{Crowd(8, Open(), Say("AUTH PLAIN").Must(Asked)), Open()}, Cost{Connections: 9}},
		{"octet by octet", []Step{Open(), Slowly(Say("NOOP").Pass("250"))}, Cost{Connections: 1, Seconds: 6}},
		{"a line without end", []Step{Open(), Pour(1 << 20)}, Cost{Connections: 1, Commands: 1}},
		{"a half", []Step{Open(), HalfClose()}, Cost{Connections: 1}},
		{"one message, whatever is in it", []Step{Open(), Say("DATA").Must("354"), message.Pass("5", "2"), Say("QUIT")},
			Cost{Connections: 1, Messages: 1}},
		{"a message that is not ended", []Step{Open(), Say("DATA").Must("354"), Say("Subject: x").Unread(), Open(), Say("X").Pass("500")},
			Cost{Connections: 2, Commands: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := (Case{ID: "smtp/x/001", Steps: c.steps}).CostOver(login.SMTP); got != c.want {
				t.Errorf("costs %+v, want %+v", got, c.want)
			}
		})
	}
}
