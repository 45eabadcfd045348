package clientcases

import (
	"github.com/mailmatrix/mailmatrix/internal/login"
)

var _ = register(
	Case{
		ID: "client/smtp/009", Title: "No way back from a strong mechanism", Since: "2026.1",
		Level: should, Refs: refs("RFC 4422 6.1.2", "RFC 4954 6"),
		Says: "After a mechanism that hides the password was refused, whatever the code, the password is not sent in clear: who can refuse can also listen. " +
			"Inside TLS it is a warning.",
		Situations: all(
			offAndOn(smtp, "cram-535", "CRAM-MD5 is rejected with 535", cramFirst, rejects("CRAM-MD5", "535 5.7.8 Authentication credentials invalid")),
			offAndOn(smtp, "cram-454", "CRAM-MD5 is rejected with 454", cramFirst, rejects("CRAM-MD5", "454 4.7.0 Temporary authentication failure")),
			offAndOn(smtp, "cram-504", "AUTH CRAM-MD5 is refused with 504", cramFirst, refuses("CRAM-MD5", "504 5.5.4 not now")),
			offAndOn(smtp, "cram-close", "AUTH CRAM-MD5 ends the connection", cramFirst, refuses("CRAM-MD5", login.AnswerClose)),
		),
		Judge:    holdsOut(login.CRAMMD5),
		Sabotage: sinner("falls-back"),
	},
	Case{
		ID: "client/smtp/010", Title: "A broken challenge is not answered", Since: "2026.1",
		Level: must, Refs: refs("RFC 4954 4", "RFC 2195 2"),
		Says: "A challenge of CRAM-MD5 that cannot be decoded, or that is no message-id in < and >, is answered with an asterisk or not at all, " +
			"and the password does not go in its place.",
		Situations: brokenChallenges(smtp),
		Judge:      breaksOff(login.CRAMMD5),
		Sabotage:   sinner("answers-anything"),
	},
	Case{
		ID: "client/smtp/011", Title: "The password is not shown where it can be hidden", Since: "2026.1",
		Level: should, Refs: refs("RFC 4422 6.1.2", "RFC 4954 9"),
		Says: "In clear, a client that knows one of the mechanisms on the list that hide the password takes none that shows it; " +
			"and who has a name and a password does not log in as nobody.",
		Situations: twin(one(in(smtp, off, "all", "every mechanism is listed", lists("ANONYMOUS", "NTLM", "LOGIN", "PLAIN", "DIGEST-MD5", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"))),
			"hiding", "only mechanisms that hide the password are listed", lists("DIGEST-MD5", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "NTLM")),
		Judge:    choosesWell,
		Sabotage: sinner("shows-first"),
	},
	Case{
		ID: "client/smtp/012", Title: "The server proves itself in SCRAM", Since: "2026.1",
		Level: must, Refs: refs("RFC 5802 5", "RFC 5802 5.1", "RFC 5802 9", "RFC 7677 4"),
		Says: "A client proves its password only over a nonce that begins with its own, and takes no login for one in which the server " +
			"has not proved that it knows the password. So few iterations as one are a warning.",
		Situations: all(
			anyhow(smtp, "scram-nonce", "the nonce is not the client's", scramOnly, bends(login.ForeignNonce, scram...)),
			anyhow(smtp, "scram-one-round", "one iteration is asked for", scramOnly, bends(login.OneRound, scram...)),
			anyhow(smtp, "scram-wrong-proof", "the server's proof is wrong", scramOnly, bends(login.WrongSignature, scram...)),
			anyhow(smtp, "scram-no-proof", "the login is confirmed without the server's proof", scramOnly, bends(login.NoSignature, scram...)),
		),
		Judge: demandsProof,
		Sabotage: heard("S+ 220 mail", "C+ EHLO client.example", "S+ 250 AUTH SCRAM-SHA-256", "C+ AUTH SCRAM-SHA-256 biwsbj11c2VyLHI9YWJj", "S+ 334 cj1hYmM=",
			"C+ Yz1iaXdzLHI9YWJj", "S+ 235 2.7.0 in", "C+ MAIL FROM:<a@example.test>", "S+ 250 OK"),
	},
	Case{
		ID: "client/smtp/013", Title: "A token is not sent in clear, nor is the password once it was refused", Since: "2026.1",
		Level: must, Refs: refs("RFC 7628 3", "RFC 7628 3.2.3", "RFC 6750 5.3"),
		Says: "A bearer token, which logs in whoever has it, is sent inside TLS only. One that was refused is sent once more at most, " +
			"and the password does not go in its place.",
		Situations: all(
			one(in(smtp, off, "tokens", "only mechanisms with a token are listed", lists("XOAUTH2", "OAUTHBEARER"))),
			anyhow(smtp, "token-refused", "the token is refused", lists("XOAUTH2", "OAUTHBEARER", "PLAIN", "LOGIN"),
				rejects("XOAUTH2", "535 5.7.8 no"), rejects("OAUTHBEARER", "535 5.7.8 no"))[:2],
		),
		Judge:    guardsTokens,
		Sabotage: sinner("token-in-clear"),
	},
	Case{
		ID: "client/smtp/014", Title: "NTLM is not answered to anybody who asks", Since: "2026.1",
		Level: practice, Refs: refs("MS-NLMP 3.1.5.1.2", "MS-NLMP 5.1", "CVE-2023-23397"),
		Says: "A client that was told no mechanism does not answer the challenge of NTLM in clear: the answer can be cracked, " +
			"and passed on to another server.",
		Situations: one(in(smtp, off, "ntlm", "only NTLM is listed", lists("NTLM"))),
		Judge:      sparesNTLM,
		Sabotage:   sinner("ntlm"),
	},
	Case{
		ID: "client/smtp/015", Title: "No message without the login that was asked for", Since: "2026.1",
		Level: practice, Refs: refs("RFC 4954 9", "RFC 6409 4.3"),
		Says: "A client that is told to log in hands in nothing once its login was refused. Where no login is offered, handing in without one is a warning: " +
			"it may be somebody else's server.",
		Situations: all(
			anyhow(smtp, "no-auth", "no login is offered", lists(), anyMail),
			anyhow(smtp, "all-535", "every login is rejected with 535", rejects("*", "535 5.7.8 Authentication credentials invalid")),
		),
		Judge:    staysIdle,
		Sabotage: sinner("hands-in-anyway"),
	},
	Case{
		ID: "client/smtp/016", Title: "Replies that are none are survived", Since: "2026.1",
		Level: must, Refs: refs("RFC 5321 4.2", "RFC 5321 4.2.1"),
		Says: "A client comes to an end, whatever it is answered: codes that differ within one reply, a challenge of 100,000 octets, a login confirmed before " +
			"it was made.",
		Situations: all(
			anyhow(smtp, "two-codes", "two codes in one reply to EHLO", answers("EHLO", "250-mail.example.test", "251 AUTH PLAIN LOGIN")),
			anyhow(smtp, "long-challenge", "a challenge of 100,000 octets", lists("CRAM-MD5", "PLAIN", "LOGIN"), bends(login.LongChallenge, login.CRAMMD5)),
			anyhow(smtp, "early-235", "AUTH is answered 235 at once", answers("AUTH", "235 2.7.0 welcome")),
			anyhow(smtp, "escape", "a NUL and an escape sequence in the greeting", departs(login.Script{Greets: []string{"220 \x00\x1b[2J\ufeffmail.example.test"}})),
		),
		Judge:    ends,
		Unknown:  true,
		Sabotage: Sabotage{Heard: []string{"S 220 mail", "C EHLO client.example"}, TimedOut: true},
	},
	Case{
		ID: "client/smtp/019", Title: "A refused login is not repeated without end", Since: "2026.1",
		Level: practice, Refs: refs("RFC 4954 6", "RFC 5321 4.5.4.1"),
		Says: "After a refusal, for good or for now, a client leaves it at a few attempts: more look like an attack, lock accounts, and keep both sides busy.",
		Situations: all(
			anyhow(smtp, "all-535", "every login is rejected with 535", rejects("*", "535 5.7.8 Authentication credentials invalid")),
			anyhow(smtp, "all-454", "every login is refused with 454", refuses("*", "454 4.7.0 Temporary authentication failure")),
			anyhow(smtp, "all-close", "every login ends the connection", refuses("*", login.AnswerClose)),
		),
		Judge:    givesUp,
		Sabotage: sinner("loops"),
	},
)

// offAndOn is a situation in clear, and one inside TLS.
func offAndOn(p login.Protocol, name, doc string, options ...option) []Situation {
	inside := anyhow(p, name, doc, options...)[:2] // STARTTLS, or from the start
	return all(one(in(p, off, name, doc, options...)), inside)
}

// cramFirst lists what hides the password before what shows it.
func cramFirst(s *Situation) { lists("CRAM-MD5", "PLAIN", "LOGIN")(s) }

func scramOnly(s *Situation) { lists("SCRAM-SHA-256", "SCRAM-SHA-1")(s) }

func brokenChallenges(p login.Protocol) []Situation {
	return all(
		offAndOn(p, "cram-no-base64", "CRAM-MD5's challenge is no base64", cramFirst, bends(login.NotBase64, login.CRAMMD5)),
		offAndOn(p, "cram-no-brackets", "CRAM-MD5's challenge has no < and >", cramFirst, bends(login.NoBrackets, login.CRAMMD5)),
	)
}
