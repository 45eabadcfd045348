package compliance

import (
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

var _ = register(
	script.Case{
		ID: "smtp/auth/003", Title: "An unknown mechanism is refused", Since: "2026.1",
		Level: must, Refs: refs("RFC 4954 4"),
		Says:  "AUTH with a mechanism that the server does not support is refused with 504 5.5.4; the session goes on, and nobody is logged in.",
		Needs: needs{Offers: []string{"AUTH"}},
		Steps: steps{
			open(),
			say("AUTH X-NOSUCH").Pass("504").Warn(refused),
			alive(),
			notAuthenticated(),
		},
		Sabotage: answers("AUTH X-NOSUCH", "504", "334 "),
	},
	script.Case{
		ID: "smtp/auth/021", Title: "No second AUTH after a login", Since: "2026.1",
		Level: must, Refs: refs("RFC 4954 4", "RFC 4422 3.8"),
		Says:  "After a login AUTH is refused with 503 and nothing is checked: not after RSET and not after EHLO either.",
		Needs: needs{Mechanisms: only(login.PLAIN, login.LOGIN, login.CRAMMD5, login.SCRAMSHA256), AnyMechanism: true, Account: true},
		Steps: steps{
			open(),
			logIn().Must(in),
			say("AUTH PLAIN ", decoy).Pass("503").Fail("535").Because("it looked at the password").Warn(refused),
			say("RSET").Must(ok),
			say("AUTH PLAIN ", decoy).Pass("503").Fail("535").Warn(refused),
			hello(),
			say("AUTH PLAIN ", decoy).Pass("503").Fail("535").Warn(refused),
			authenticated(),
		},
		Sabotage: bug("second-auth"),
	},
)
