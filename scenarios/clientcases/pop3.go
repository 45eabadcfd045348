package clientcases

import (
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

var _ = register(
	Case{
		ID: "client/pop3/001", Title: "STLS missing or refused", Since: "2026.1",
		Level: must, Refs: refs("RFC 2595 2.2", "RFC 2595 2.3", "RFC 8314 5.2", "CVE-2021-22946", "CVE-2021-39272"),
		Says: "Where a client must encrypt and STLS is not listed, CAPA is refused, or STLS is refused, it goes away without a secret and without a look at the mailbox.",
		Situations: all(
			required(pop3, "stripped", "STLS is not listed", noTLS),
			required(pop3, "no-capa", "CAPA is refused", noTLS, noCAPA),
			required(pop3, "no-capa-list", "CAPA is refused and AUTH lists mechanisms", noTLS, noCAPA, listsAUTH),
			required(pop3, "empty-capa", "CAPA lists nothing", noTLS, answers("CAPA", "+OK", ".")),
			required(pop3, "stls-err", "STLS is refused", answers("STLS", "-ERR TLS not available")),
		),
		Judge:    keepsSecrets,
		Sabotage: sinner("never-insists"),
	},
	Case{
		ID: "client/pop3/002", Title: "Replies injected before TLS", Since: "2026.1",
		Level: must, Refs: refs("RFC 2595 4", "CVE-2021-22947", "CVE-2020-14928"),
		Says: "What came in clear behind the answer to STLS is never taken for what the server says inside TLS: the client drops it, or gives up.",
		Situations: all(
			twin(required(pop3, "injected-list", "a list of mechanisms is injected behind +OK", hiddenOnly, injects("+OK", "SASL PLAIN LOGIN", "USER", ".")),
				"hidden", "only mechanisms that hide the password are listed", hiddenOnly),
			twin(required(pop3, "injected-session", "the answers of a whole session are injected behind +OK", hiddenOnly,
				injects("+OK", "SASL PLAIN LOGIN", "USER", ".", "+OK", "+OK logged in", "+OK 0 0", "+OK bye")),
				"hidden", "only mechanisms that hide the password are listed", hiddenOnly),
		),
		Judge:    heeds("in what was injected", login.PLAIN, login.LOGIN, login.UserPass),
		Sabotage: sinner("reads-injected"),
	},
	Case{
		ID: "client/pop3/003", Title: "STLS accepted, and the server goes on in clear", Since: "2026.1",
		Level: must, Refs: refs("RFC 2595 2.5", "RFC 2595 4"),
		Says:       "A client whose TLS does not come about after STLS ends the connection; it does not go on in clear.",
		Situations: required(pop3, "stls-deaf", "STLS is answered +OK and the server goes on in clear", answers("STLS", "+OK begin TLS")),
		Judge:      keepsSecrets,
		Sabotage:   sinner("clear-when-failed"),
	},
	Case{
		ID: "client/pop3/004", Title: "A greeting is no login", Since: "2026.1",
		Level: must, Refs: refs("RFC 1939 4", "RFC 2595 4", "CVE-2020-14093", "CVE-2021-39272"),
		Says: "Whatever the greeting says, a client that must encrypt asks for STLS next or goes away; it does not take itself for logged in.",
		Situations: all(
			required(pop3, "greeting-list", "the greeting is followed by a list of messages",
				departs(login.Script{Greets: []string{"+OK 2 messages (320 octets)", "1 120", "2 200", "."}})),
			required(pop3, "greeting-err", "the greeting is -ERR [SYS/TEMP]", departs(login.Script{Greets: []string{"-ERR [SYS/TEMP] not now"}})),
			required(pop3, "greeting-auth", "the greeting is +OK [AUTH]", departs(login.Script{Greets: []string{"+OK [AUTH] logged in"}})),
		),
		Judge:    takesNothing,
		Sabotage: heard("S +OK [AUTH] logged in", "C STAT", "S +OK 0 0", "C QUIT", "S +OK bye"),
	},
	Case{
		ID: "client/pop3/005", Title: "APOP over a timestamp that is none", Since: "2026.1",
		Level: must, Refs: refs("RFC 1939 7", "CVE-2007-1558"),
		Says: "APOP's digest is sent over a timestamp only that is a message-id in < and >: printable ASCII without blanks, with an @ in it. " +
			"Over anything else, or over nothing, it helps who chose it to find the password.",
		Situations: twin(all(
			one(in(pop3, off, "stamp-no-at", "a timestamp without @", stamped("<1896.697170952>"))),
			one(in(pop3, off, "stamp-blank", "a timestamp with a blank", stamped("<1896.697170952 @mail.example.test>"))),
			one(in(pop3, off, "stamp-control", "a timestamp with control characters", stamped("<1896\x01697\x7f@mail.example.test>"))),
			one(in(pop3, off, "stamp-not-ascii", "a timestamp that is not ASCII", stamped("<1896\xe9\xa4697@mail.example.test>"))),
			one(in(pop3, off, "stamp-none", "no timestamp", lists(), noAPOP)),
		), "stamp", "a good timestamp", lists()),
		Judge:    shunsDigest,
		Sabotage: sinner("any-timestamp"),
	},
	Case{
		ID: "client/pop3/006", Title: "No way back from APOP or CRAM-MD5", Since: "2026.1",
		Level: should, Refs: refs("RFC 1939 13", "RFC 4422 6.1.2", "RFC 3206 4"),
		Says: "After APOP or CRAM-MD5 was refused, whatever the code, the password is not sent in clear. Inside TLS it is a warning.",
		Situations: all(
			offAndOn(pop3, "apop-err", "APOP is refused", lists(), rejects("APOP", "-ERR no")),
			offAndOn(pop3, "apop-temp", "APOP is refused with [SYS/TEMP]", lists(), rejects("APOP", "-ERR [SYS/TEMP] not now")),
			offAndOn(pop3, "cram-err", "CRAM-MD5 is rejected", noAPOP, cramFirst, rejects("CRAM-MD5", "-ERR [AUTH] no")),
			offAndOn(pop3, "cram-temp", "AUTH CRAM-MD5 is refused with [SYS/TEMP]", noAPOP, cramFirst, refuses("CRAM-MD5", "-ERR [SYS/TEMP] not now")),
		),
		Judge:    holdsOut(login.APOP, login.CRAMMD5),
		Sabotage: sinner("falls-back"),
	},
	Case{
		ID: "client/pop3/007", Title: "A bad certificate is refused, and old TLS not spoken", Since: "2026.1",
		Level: must, Refs: refs("RFC 8314 5.2", "RFC 8314 5.3", "RFC 7817 3", "RFC 9525 6", "RFC 9325 3.1.1", "RFC 8996 4", "RFC 8996 5"),
		Says: "A client logs in to no server that shows a certificate which nobody it trusts vouches for, which is out of date, " +
			"or which is for another name, and to none over TLS 1.0 or TLS 1.1. As installed, it checks.",
		Situations: all(badCertificates(pop3), oldTLS(pop3)),
		Judge: func(s Situation, did, twin Conduct) login.Ruling {
			if s.Departs.NewestTLS != "" {
				return shunsOldTLS(s, did, twin)
			}
			return distrusts(s, did, twin)
		},
		Sabotage: sinner("takes-any-certificate"),
	},
	Case{
		ID: "client/pop3/008", Title: "What was listed before TLS is forgotten", Since: "2026.1",
		Level: must, Refs: refs("RFC 2595 4"),
		Says: "Once TLS is up, a client forgets what CAPA listed before.",
		Situations: twin(required(pop3, "list-changes", "PLAIN and LOGIN are listed before TLS only", noUSER, noAPOP, listsInside(hide...), lists("PLAIN", "LOGIN")),
			"hidden-sasl", "only mechanisms that hide the password are listed", hiddenOnly),
		Judge:    heeds("before TLS", login.PLAIN, login.LOGIN),
		Sabotage: sinner("remembers"),
	},
	Case{
		ID: "client/pop3/009", Title: "A refused login is not repeated without end", Since: "2026.1",
		Level: practice, Refs: refs("RFC 3206 4", "RFC 2449 8.1.2"),
		Says: "After a refusal, for good or for now, a client leaves it at a few attempts: more look like an attack, lock accounts, and keep both sides busy.",
		Situations: all(
			anyhow(pop3, "all-auth", "every login is rejected with [AUTH]", rejects("*", "-ERR [AUTH] invalid")),
			anyhow(pop3, "all-in-use", "every login is refused with [IN-USE]", refuses("*", "-ERR [IN-USE] not now")),
			anyhow(pop3, "all-close", "every login ends the connection", refuses("*", login.AnswerClose)),
		),
		Judge:    givesUp,
		Sabotage: sinner("loops"),
	},
	Case{
		ID: "client/pop3/010", Title: "TLS from the start means no word in clear", Since: "2026.1",
		Level: must, Refs: refs("RFC 8314 3.1"),
		Says:       "On the port for TLS from the first octet a client begins with TLS, whatever the server says in clear, and says nothing in clear itself.",
		Situations: clearPort(pop3),
		Judge:      expectsTLS,
		Sabotage:   heard("S +OK ready", "C CAPA"),
	},
	Case{
		ID: "client/pop3/011", Title: "A broken challenge is not answered", Since: "2026.1",
		Level: must, Refs: refs("RFC 5034 4", "RFC 2195 2"),
		Says: "A challenge of CRAM-MD5 that cannot be decoded, or that is no message-id in < and >, is answered with an asterisk or not at all, " +
			"and the password does not go in its place.",
		Situations: withoutAPOP(brokenChallenges(pop3)),
		Judge:      breaksOff(login.CRAMMD5),
		Sabotage:   sinner("answers-anything"),
	},
)

// hiddenOnly lists mechanisms that hide the password, and nothing of POP3's own.
func hiddenOnly(s *Situation) { hidden(s); noUSER(s); noAPOP(s) }

// stamped is a server with that timestamp and without SASL.
func stamped(stamp string) option {
	return func(s *Situation) { s.Spec.Mechs = []string{}; s.Departs.Timestamp = stamp }
}

// withoutAPOP are the same without a timestamp, so that nobody prefers APOP.
func withoutAPOP(situations []Situation) []Situation {
	for i := range situations {
		noAPOP(&situations[i])
		situations[i].Name = strings.Replace(situations[i].Name, "pop3-cram", "pop3-cram-sasl", 1)
	}
	return situations
}
