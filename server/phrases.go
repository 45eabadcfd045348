package server

import "github.com/mailmatrix/mailmatrix/internal/login"

// phrase is something that the front has to say in either protocol.
type phrase uint8

const (
	sayLoggedIn phrase = iota
	sayWrong
	sayNoSuchUser
	sayNotPermitted
	sayNoArgument
	sayTooManyArguments
	sayServerFirst
	sayNotBase64
	sayMalformed
	sayCancelled
	sayAuthTooLong
	sayTooManyFailures
	sayTrouble
	sayInUse
	sayLoginFirst

	sayOutOfOrder
	sayUnknown
	sayTooLong
	sayBadLine
	sayBareLF
	sayTooManyErrors
	sayIdle
	sayShutdown

	sayTLSReady
	sayTLSNoArgument
	sayTLSAlready
	sayTLSRefused
	sayTLSNone
	sayTLSInjection
	sayTLSFailed
	sayTaken // by a mutant

	phraseCount
)

// phrasebook is how a protocol says it. What is empty is not said.
type phrasebook [phraseCount]string

var phrasebooks = map[login.Protocol]*phrasebook{login.SMTP: &smtpPhrases, login.POP3: &pop3Phrases}

// RFC 4954 4 and 6 give the codes of AUTH, RFC 3207 4 those of STARTTLS,
// RFC 3463 3 the enhanced ones.
var smtpPhrases = phrasebook{
	sayLoggedIn:         "235 2.7.0 you are logged in",
	sayWrong:            "535 5.7.8 wrong name or password",
	sayNoSuchUser:       "550 5.1.1 no such user",
	sayNotPermitted:     "504 5.5.4 this mechanism is not available here",
	sayNoArgument:       "501 5.5.4 AUTH needs the name of a mechanism",
	sayTooManyArguments: "501 5.5.4 too many arguments",
	sayServerFirst:      "501 5.7.0 in this mechanism the server speaks first",
	sayNotBase64:        "501 5.5.2 that is not base64",
	sayMalformed:        "501 5.5.2 that is not a message of this mechanism",
	sayCancelled:        "501 5.0.0 cancelled",
	sayAuthTooLong:      "500 5.5.6 line too long",
	sayTooManyFailures:  "421 4.7.0 too many failed logins, good bye",
	sayTrouble:          "454 4.7.0 trouble of our own, try again later",
	sayLoginFirst:       "530 5.7.0 log in first",

	sayOutOfOrder:    "503 5.5.1 not now",
	sayUnknown:       "500 5.5.1 unknown command",
	sayTooLong:       "500 5.5.2 line too long",
	sayBadLine:       "500 5.5.2 line with a bare CR or a NUL",
	sayBareLF:        "500 5.5.2 lines end in CR LF, good bye",
	sayTooManyErrors: "421 4.7.0 too many errors, good bye",
	sayIdle:          "421 4.4.2 idle for too long, good bye",
	sayShutdown:      "421 4.3.2 shutting down, good bye",

	sayTLSReady:      "220 2.0.0 ready for TLS",
	sayTLSNoArgument: "501 5.5.4 STARTTLS has no argument",
	sayTLSAlready:    "503 5.5.1 TLS is up already",
	sayTLSRefused:    "454 4.7.0 TLS is not available at the moment",
	sayTLSNone:       "502 5.5.1 no TLS here",
	sayTLSInjection:  "554 5.5.0 nothing may follow STARTTLS, good bye",
	sayTLSFailed:     "550 5.0.0 handshake failed",
	sayTaken:         "250 2.0.0 taken",
}

// RFC 3206 4: [AUTH] says that the credentials are at fault, and [SYS/TEMP]
// that the server is. A refusal by policy has no code.
var pop3Phrases = phrasebook{
	sayLoggedIn:         "+OK you are logged in",
	sayWrong:            "-ERR [AUTH] wrong name or password",
	sayNoSuchUser:       "-ERR no such user",
	sayNotPermitted:     "-ERR this way to log in is not available here",
	sayNoArgument:       "-ERR an argument is missing",
	sayTooManyArguments: "-ERR too many arguments",
	sayServerFirst:      "-ERR in this mechanism the server speaks first",
	sayNotBase64:        "-ERR that is not base64",
	sayMalformed:        "-ERR that is not a message of this mechanism",
	sayCancelled:        "-ERR cancelled",
	sayAuthTooLong:      "-ERR line too long",
	sayTooManyFailures:  "-ERR [AUTH] too many failed logins, good bye",
	sayTrouble:          "-ERR [SYS/TEMP] trouble of our own, try again later",
	sayInUse:            "-ERR [IN-USE] another session has this mailbox open",

	sayOutOfOrder:    "-ERR not now",
	sayUnknown:       "-ERR unknown command",
	sayTooLong:       "-ERR line too long",
	sayBadLine:       "-ERR line with a bare CR or a NUL",
	sayBareLF:        "-ERR lines end in CR LF, good bye",
	sayTooManyErrors: "-ERR too many errors, good bye",
	sayIdle:          "", // RFC 1939 3: an idle session is closed without a word
	sayShutdown:      "-ERR [SYS/TEMP] shutting down, good bye",

	sayTLSReady:      "+OK ready for TLS",
	sayTLSNoArgument: "-ERR STLS has no argument",
	sayTLSAlready:    "-ERR TLS is up already",
	sayTLSRefused:    "-ERR TLS is not available at the moment",
	sayTLSNone:       "-ERR no TLS here",
	sayTLSInjection:  "-ERR nothing may follow STLS, good bye",
	sayTLSFailed:     "-ERR handshake failed",
	sayTaken:         "+OK taken",
}
