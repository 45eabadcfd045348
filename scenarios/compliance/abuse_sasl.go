package compliance

import (
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

var _ = register(
	script.Case{
		ID: "abuse/sasl/001", Title: "Odd base64 lengths and sizes", Since: "2026.1",
		Level: must, Refs: refs("RFC 4954 4", "RFC 5034 4", "RFC 4648 3.5", "CVE-2018-6789", "CVE-2025-59028"),
		Says: "What is cut off in the middle of four characters of base64, or padded wrongly, is refused, whatever its length. " +
			"The session goes on, and so do the exchanges of others.",
		Needs: needs{Mechanisms: only(login.PLAIN)},
		Steps: steps{
			on("beside", open(), say("AUTH PLAIN").Must(asked)),
			script.Each(inPairs(1, 2, 3, 5, 6, 7, 253, 254, 255), func(lengths []int) []script.Step {
				return steps{open(), script.Each(lengths, func(n int) []script.Step { return cutOff(say("AUTH PLAIN ", times(n, "A"))) }), alive()}
			}),
			script.Each(inPairs("=A", "A=", "AA=A", "AAA==", "AAAA=", "===="), func(texts []string) []script.Step {
				return steps{open(), script.Each(texts, func(text string) []script.Step { return cutOff(say("AUTH PLAIN ", text)) }), alive()}
			}),
			on("beside", say(decoy).Pass(refused).Fail(gone).Because("an exchange on another connection was ended with it")),
			script.Each([]int{1021, 1022, 1023}, func(n int) []script.Step {
				return append(steps{open(), say("AUTH PLAIN").Must(asked)}, append(cutOff(say(times(n, "A"))), alive())...)
			}),
			// So much is too much for many, who end the connection.
			script.Each([]int{4097, 4098, 4099, 8201, 8202, 8203}, func(n int) []script.Step {
				return steps{open(), say("AUTH PLAIN").Must(asked), say(times(n, "A")).Pass(refused).Warn("421", gone)}
			}),
			script.Served(),
			say("AUTH PLAIN ", decoy).Pass(refused),
		},
		Sabotage: answers("AAAAA", "", "235 2.7.0 you are logged in"),
	},
	script.Case{
		ID: "abuse/sasl/002", Title: "NUL, CR, LF inside decoded fields", Since: "2026.1",
		Level: practice, Refs: refs("CWE-117", "RFC 4616 2", "RFC 4954 4"),
		Says: "A name or a password that holds line ends, escapes or far too much logs nobody in, is not repeated in the answer as it came, " +
			"and harms neither the session nor the server.",
		Needs: needs{Mechanisms: only(login.PLAIN)},
		Steps: steps{
			script.Each([]string{"\r\nX: y", "\n", "\x1b[2J", "\x00\x00"}, func(odd string) []script.Step {
				return steps{
					open(),
					cleanly(say("AUTH PLAIN ", b64("\x00", decoyName, odd, "\x00", decoyPassword))),
					cleanly(say("AUTH PLAIN ", b64("\x00", decoyName, "\x00", decoyPassword, odd))),
					alive(),
				}
			}),
			open(),
			say("AUTH PLAIN").Must(asked),
			say(b64("\x00", times(64<<10, "u"), "\x00p")).Pass(refused).Warn("421", gone).Because("the connection ended"),
			script.Served(),
			say("AUTH PLAIN ", decoy).Pass(refused),
		},
		Sabotage: orAnswers(answers("AUTH PLAIN", "5", "535 5.7.8 no \x1b[2J here"), "AUTH PLAIN", "-ERR", "-ERR [AUTH] no \x1b[2J here"),
	},
)

// cutOff demands that a message which is no base64 is refused.
func cutOff(message *script.Saying) []script.Step {
	return steps{message.Pass(refused).Fail(in).Fail(gone).Because("the connection ended without an answer")}
}

// cleanly demands that a login is refused by a line that has no control
// character in it.
func cleanly(message *script.Saying) script.Step {
	return message.Fail("~[\x00-\x08\x0a-\x1f]").Because("the answer repeats what does not belong there").
		Pass(refused).Fail(gone).Because("the connection ended without an answer")
}

// inPairs makes pairs of values: a connection stands two errors everywhere.
func inPairs[T any](values ...T) [][]T {
	var pairs [][]T
	for len(values) > 0 {
		n := min(2, len(values))
		pairs, values = append(pairs, values[:n]), values[n:]
	}
	return pairs
}
