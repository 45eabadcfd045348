package compliance

import (
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

// What is not base64 is refused and not mended: a filter that reads it another
// way than the server does sees another password.
var _ = register(
	script.Case{
		ID: "smtp/auth/013", Title: "Non-base64 initial response", Since: "2026.1",
		Level: must, Refs: refs("RFC 4954 4", "RFC 4648 3.3", "CVE-2025-59028"),
		Says: "A character outside the alphabet in the initial response fails AUTH with 501. " +
			"It is not skipped, and nobody else's login suffers by it.",
		Needs: needs{Mechanisms: only(login.PLAIN)},
		Steps: steps{
			open(),
			say("AUTH PLAIN AGFsaWNlAHg!").Pass("501").Warn(refused),
			// The alphabet for names of files (RFC 4648 5).
			say("AUTH PLAIN AGFs-WNl_Hg=").Pass("501").Warn(refused),
			alive(),
			ifAccount(
				open(),
				say("AUTH PLAIN !", goodPlain).Pass("501").Warn(refused).Fail(in).Because("the character was skipped"),
				open(),
				logIn().Pass(in).Because("after a bad response of somebody else"),
			),
		},
		Sabotage: bug("bad-base64-forgiven"),
	},
	script.Case{
		ID: "smtp/auth/014", Title: "Non-base64 continuation", Since: "2026.1",
		Level: must, Refs: refs("RFC 4954 4", "RFC 4648 3.3"),
		Says:  "A line of the exchange that is not base64 fails AUTH with 501. What is wrong in it is not skipped.",
		Needs: needs{Mechanisms: authMechanisms},
		Steps: steps{
			open(),
			begin().Must(asked),
			say("!!!!").Pass("501").Warn(refused),
			alive(),
			onlyWith(only(login.PLAIN), ifAccount(
				open(),
				begin().Must(asked),
				say("!", goodPlain).Pass("501").Warn(refused).Fail(in).Because("the character was skipped"),
			)),
		},
		Sabotage: bug("bad-base64-forgiven"),
	},
	script.Case{
		ID: "smtp/auth/015", Title: "Pad character only at the end", Since: "2026.1",
		Level: must, Refs: refs("RFC 4954 4"),
		Says:  "Padding in front of other characters, or more of it than the length asks for, makes base64 invalid: AUTH fails with 501.",
		Needs: needs{Mechanisms: only(login.PLAIN)},
		Steps: steps{
			open(),
			say("AUTH PLAIN AAA=BBB").Pass("501").Warn(refused),
			say("AUTH PLAIN =AAA").Pass("501").Warn(refused),
			alive(),
			ifAccount(
				open(),
				say("AUTH PLAIN ", goodPlain, "=").Pass("501").Warn(refused).Fail(in).Because("the padding was overlooked"),
			),
		},
		Sabotage: answers("AUTH PLAIN AAA=BBB", "501", "235 2.7.0 welcome"),
	},
	script.Case{
		ID: "smtp/auth/016", Title: "Non-canonical base64", Since: "2026.1",
		Level: practice, Refs: refs("RFC 4648 3.5", "RFC 4954 8", "CVE-2018-6789"),
		Says: "A response has one spelling: without its padding, with bits set that the padding leaves over, " +
			"or of a length that cannot be, it is refused as bad base64.",
		Needs: needs{Mechanisms: only(login.PLAIN)},
		Steps: steps{
			open(),
			say("AUTH PLAIN QQ").Pass("501").Warn(refused),
			say("AUTH PLAIN QR==").Pass("501").Warn(refused),
			alive(),
			open(),
			say("AUTH PLAIN Q").Pass("501").Warn(refused),
			say("AUTH PLAIN QUI").Pass("501").Warn(refused),
			alive(),
		},
		Sabotage: answers("AUTH PLAIN QQ", "501", "235 2.7.0 welcome"),
	},
)
