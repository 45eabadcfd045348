package compliance

import (
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

// A challenge is base64, or nothing behind the blank.
const (
	emptyChallenge  = "~^334 $"
	noBlank         = "~^334$"
	base64Challenge = "~^334 ([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
)

// How an exchange begins, goes on and is broken off.
var _ = register(
	script.Case{
		ID: "smtp/auth/007", Title: "Empty challenge is exactly 334 and a blank", Since: "2026.1",
		Level: must, Refs: refs("RFC 4954 4", "RFC 4954 8", "RFC 4422 5.1"),
		Says: "Where the client speaks first and AUTH carried no initial response, the server asks for it with an empty challenge: " +
			"334, a blank and nothing else.",
		Needs: needs{Mechanisms: only(login.PLAIN, login.SCRAMSHA1, login.SCRAMSHA256, login.OAUTHBEARER, login.XOAUTH2)},
		Steps: steps{
			open(),
			begin().Pass(emptyChallenge).Warn(noBlank).Because("a client that divides the line at the blank finds none").
				Warn(base64Challenge).Because("a challenge where the mechanism has none").
				Fail(asked).Because("text that is no base64 stands where the challenge belongs"),
			say("*").Must(refused),
		},
		Sabotage: answers("AUTH PLAIN", "334", "334 go ahead"),
	},
	script.Case{
		ID: "smtp/auth/008", Title: "Initial response to a server-first mechanism", Since: "2026.1",
		Level: must, Refs: refs("RFC 4954 4", "RFC 4422 3"),
		Says: "An initial response in a mechanism in which the server speaks first fails the exchange with 501: " +
			"it is neither overlooked nor followed by a challenge.",
		// Not DIGEST-MD5: who comes back may speak first in it (RFC 2831 2.2).
		Needs: needs{Mechanisms: only(login.CRAMMD5)},
		Steps: steps{
			open(),
			say("AUTH CRAM-MD5 eA==").Pass("501").Warn(refused).Fail(asked).Because("the initial response was overlooked"),
			alive(),
		},
		Sabotage: answers("AUTH CRAM-MD5", "501", "334 PDFAbWFpbC5leGFtcGxlLnRlc3Q+"),
	},
	script.Case{
		ID: "smtp/auth/009", Title: "A single asterisk cancels", Since: "2026.1",
		Level: must, Refs: refs("RFC 4954 4"),
		Says: "A line that is a single asterisk ends the exchange with 501, at whichever step. " +
			"Nobody is logged in then, and another AUTH may follow.",
		Needs: needs{Mechanisms: authMechanisms},
		Steps: steps{
			open(),
			begin().Must(asked),
			say("*").Pass("501").Warn(refused),
			notAuthenticated(),
			begin().Pass(asked).Because("after an exchange that was cancelled there is no other"),
			say("*").Pass("501").Warn(refused),
			onlyWith(only(login.LOGIN),
				open(),
				begin().Must(asked),
				say(b64(decoyName)).Must(asked),
				say("*").Pass("501").Warn(refused),
				alive(),
			),
		},
		Sabotage: answers("*", "501", "334 "),
	},
	script.Case{
		ID: "smtp/auth/010", Title: "An asterisk is not an initial response", Since: "2026.1",
		Level: should, Refs: refs("RFC 4954 4", "RFC 4954 8"),
		Says:  "An initial response is base64 or an equals sign. An asterisk in its place is a syntax error, and begins nothing.",
		Needs: needs{Mechanisms: only(login.PLAIN)},
		Steps: steps{
			open(),
			say("AUTH PLAIN *").Pass("501").Warn(refused),
			alive(),
		},
		Sabotage: answers("AUTH PLAIN *", "501", "334 "),
	},
	script.Case{
		ID: "smtp/auth/011", Title: "An equals sign is a present, empty initial response", Since: "2026.1",
		Level: must, Refs: refs("RFC 4954 4"),
		Says: "An initial response of an equals sign is one of no octets. The server goes on with it and does not ask for another; " +
			"where the mechanism cannot use it, it is refused.",
		Needs: needs{Mechanisms: only(login.PLAIN, login.SCRAMSHA256)},
		Steps: steps{
			open(),
			say("AUTH ", mechanism, " =").Pass("501", "535").Warn(refused).Fail(asked).Because("it was taken for no initial response"),
			alive(),
			notAuthenticated(),
		},
		Sabotage: answers("AUTH ", "501", "334 "),
	},
	script.Case{
		ID: "smtp/auth/012", Title: "An equals sign is only special as initial response", Since: "2026.1",
		Level: should, Refs: refs("RFC 4954 4", "RFC 4954 8"),
		Says:  "In a line of its own an equals sign is base64 that is wrong. A response of no octets is an empty line there, and is answered.",
		Needs: needs{Mechanisms: only(login.LOGIN, login.PLAIN, login.CRAMMD5)},
		Steps: steps{
			open(),
			begin().Must(asked),
			say("=").Pass("501").Warn(refused).Warn(asked).Because("it was taken for an empty response"),
			open(),
			begin().Must(asked),
			say("").Pass("501", "535", asked).Warn(refused),
		},
		Sabotage: answers("=", "501", "235 2.7.0 welcome"),
	},
	script.Case{
		ID: "smtp/auth/017", Title: "Challenges are pure base64", Since: "2026.1",
		Level: must, Refs: refs("RFC 4954 4", "MS-SMTPNTLM 2.2.1.2"),
		Says: "Behind 334 stands the challenge in base64 and nothing that is meant for people. " +
			"Where NTLM and GSSAPI have no challenge yet, servers of one maker say so in words.",
		Needs: needs{Mechanisms: only(login.LOGIN, login.CRAMMD5, login.DIGESTMD5, login.NTLM, login.GSSAPI)},
		Steps: steps{
			open(),
			onlyWith(only(login.LOGIN, login.CRAMMD5, login.DIGESTMD5), begin().Pass(base64Challenge)),
			onlyWith(only(login.NTLM, login.GSSAPI), begin().Pass(base64Challenge).Warn(asked)),
			onlyWith(only(login.LOGIN), say(b64(decoyName)).Pass(base64Challenge)),
			say("*").Must(refused),
		},
		Sabotage: answers("AUTH CRAM-MD5", "334", "334 <1.2@mail.example.test>"),
	},
)
