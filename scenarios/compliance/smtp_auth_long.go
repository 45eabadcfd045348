package compliance

import (
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

// Long lines: the ones that must be taken, and the ones that need not.
var _ = register(
	script.Case{
		ID: "smtp/auth/018", Title: "Long responses are handled", Since: "2026.1",
		Level: must, Refs: refs("RFC 4954 4", "RFC 4616 2"),
		Says: "A response is taken as long as the mechanism can make it, however short the lines of commands are. " +
			"12,288 octets are enough for every mechanism in use, and a server that refuses so many stays with its client.",
		Needs: needs{Mechanisms: only(login.PLAIN)},
		Steps: steps{
			// PLAIN's longest: names and passwords of 255 octets.
			open(),
			begin().Must(asked),
			say(b64(times(255, "z"), "\x00", decoyName, times(242, "n"), "\x00", decoyPassword, times(242, "p"))).
				Pass("535", "501").Fail("500").Because("the mechanism's longest message is too long").Warn(refused),
			alive(),
			open(),
			begin().Must(asked),
			say(b64("\x00", decoyName, "\x00", times(9000, "p"))).Pass("535", "501").
				Warn(refused).Because("the server's buffer is shorter than the 12,288 octets that are enough for every mechanism"),
			alive(),
		},
		Sabotage: answers("ENP6", "535", "500 5.5.6 line too long"),
	},
	script.Case{
		ID: "smtp/auth/019", Title: "Over-long response: refused whole, tail never run as a command", Since: "2026.1",
		Level: must, Refs: refs("RFC 4954 4", "RFC 4954 6"),
		Says: "A response that is longer than the server's buffer fails AUTH with 500, once and as a whole: " +
			"nothing of the line is taken for a command, however it ends.",
		Needs: needs{Mechanisms: only(login.PLAIN, login.CRAMMD5, login.SCRAMSHA256), AnyMechanism: true},
		Steps: steps{
			// Where servers' buffers are known to end.
			script.Each([]int{2048, 4096, 8192, 12288, 16384}, func(n int) []script.Step {
				return overlong(n, "500", "501", "535")
			}),
			// Hardly anybody's is as long as this.
			script.Group(overlong(65536, "500")...),
		},
		Sabotage: answers("QUIT", "221", "250 2.0.0 done nothing"),
	},
	script.Case{
		ID: "smtp/auth/020", Title: "AUTH command line with a long initial response", Since: "2026.1",
		Level: must, Refs: refs("RFC 5321 4.5.3.1.4", "RFC 4954 4"),
		Says: "AUTH with an initial response is a command of up to 512 octets. A longer one may be refused, " +
			"but as one line, with one answer.",
		Needs: needs{Mechanisms: only(login.PLAIN)},
		Steps: steps{
			open(),
			// 509 octets: the longest line that base64 can fill up to 512.
			say("AUTH PLAIN ", b64("\x00", decoyName, "\x00", times(357, "p"))).
				Pass("535", "501").Fail("500").Because("512 octets are not too long").Warn(refused),
			alive(),
			open(),
			say("AUTH PLAIN ", b64("\x00", decoyName, "\x00", times(594, "p"))).Pass("535", "500", "501").Warn(refused),
			alive(),
		},
		Sabotage: answers("AUTH PLAIN", "535", "500 5.5.2 line too long"),
	},
)

// overlong sends a response of n octets that ends like a command, and counts
// the answers: the next one is that to QUIT. The octets are base64, so that a
// server with room for them finds wrong only what they say.
func overlong(n int, right ...string) []script.Step {
	return steps{
		open(),
		begin().Must(asked),
		octets(times(n, "A"), "NOOP\r\n").Pass(right...).Warn(refused, gone),
		say("QUIT").Pass("221", gone).Fail("2", "5").Because("one line was answered twice: its end was read as a command"),
	}
}
