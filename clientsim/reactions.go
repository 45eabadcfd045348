package clientsim

import (
	"regexp"
	"strings"
)

// reaction is what a client does when something did not go as it wanted. The
// zero value is said nowhere in a file: a fact that is not there has the
// default of its field.
type reaction string

const (
	// quitting takes leave with QUIT; closing just ends the connection.
	quitting reaction = "quit"
	closing  reaction = "close"
	// carryingOn goes on without a login: with the message, or with the mailbox.
	carryingOn reaction = "go-on"
	// trying is the next mechanism, on the same connection or on a new one.
	trying             reaction = "next"
	tryingOnNew        reaction = "reconnect-next"
	tryingAfterQuit    reaction = "quit-reconnect-next"
	repeating          reaction = "retry"
	repeatingOnNew     reaction = "reconnect-retry"
	inClear            reaction = "clear"           // without TLS, on the same connection
	inClearOnNew       reaction = "reconnect-clear" // without TLS, on a new one
	encrypting         reaction = "starttls"        // STARTTLS, and the same mechanism again
	takingForGood      reaction = "accepted"        // what was refused is taken for a success
	inClearAfterQuit   reaction = "quit-reconnect-clear"
	repeatingAfterQuit reaction = "quit-reconnect-retry"
)

// Which reactions there are in each kind of situation.
var (
	whenLoginFails  = []reaction{quitting, closing, carryingOn, trying, tryingOnNew, tryingAfterQuit, repeating, repeatingOnNew, repeatingAfterQuit}
	whenCodeDecides = append([]reaction{encrypting, takingForGood}, whenLoginFails...)
	whenNothingFits = []reaction{quitting, closing, carryingOn}
	whenTLSFails    = []reaction{quitting, closing, inClear, inClearOnNew, inClearAfterQuit, repeatingOnNew}
	whenItLeaves    = []reaction{quitting, closing}
	whenCAPAFails   = []reaction{quitting, closing, carryingOn, repeatingOnNew}
)

// reconnects reports whether a reaction needs a new connection, and whether
// the old one gets a QUIT.
func (r reaction) reconnects() (again, quit bool) {
	switch r {
	case tryingOnNew, repeatingOnNew, inClearOnNew:
		return true, false
	case tryingAfterQuit, repeatingAfterQuit, inClearAfterQuit:
		return true, true
	default:
		return false, r == quitting
	}
}

// cancelling is how a client breaks off an exchange that it cannot continue.
type cancelling string

const (
	cancelStar   cancelling = "star"        // "*" (RFC 4954 4, RFC 5034 4)
	cancelUnread cancelling = "star-unread" // "*", and its answer is taken for the one to what comes next
	cancelEmpty  cancelling = "empty"       // an empty line, which is an answer
	cancelNot    cancelling = "none"        // it says nothing and goes to what comes next
)

var cancellings = []cancelling{cancelStar, cancelUnread, cancelEmpty, cancelNot}

// check is one thing that a client may demand of a certificate.
type check string

const (
	checkChain check = "chain" // leads to an authority that the client knows
	checkDates check = "dates" // is current
	checkName  check = "name"  // is for the server that was asked for
)

var checks = []check{checkChain, checkDates, checkName}

// refusalManner is how a client shows that it refuses a certificate.
type refusalManner string

const (
	inHandshake    refusalManner = "handshake" // by an alert, before the handshake is done (RFC 8446 4.4.2.4)
	silently       refusalManner = "silent"    // by ending the connection in the middle of it
	afterHandshake refusalManner = "connected" // the handshake is finished, and then the connection is ended
)

var refusalManners = []refusalManner{inHandshake, silently, afterHandshake}

// helloFallback is which refusals of EHLO are answered with HELO.
type helloFallback string

const (
	heloNever   helloFallback = "never"
	heloUnknown helloFallback = "500-502" // the command is not known (RFC 5321 4.2.4)
	heloRefused helloFallback = "5xx"
	heloAny     helloFallback = "any" // whatever is no 250
)

var helloFallbacks = []helloFallback{heloNever, heloUnknown, heloRefused, heloAny}

// greetingRule is which greetings a client takes (RFC 5321 4.2).
type greetingRule string

const (
	greeting220 greetingRule = "220"
	greeting2xx greetingRule = "2xx"
	greetingAny greetingRule = "any"
)

var greetingRules = []greetingRule{greeting220, greeting2xx, greetingAny}

// authForm is how the line of EHLO may begin that lists the mechanisms.
type authForm string

const (
	authSpace  authForm = "AUTH "   // RFC 4954 3
	authEquals authForm = "AUTH="   // what servers said before RFC 2554
	authXExps  authForm = "X-EXPS " // Exchange
)

var authForms = []authForm{authSpace, authEquals, authXExps}

// spelled is what a client reads without regard to letter case.
type spelled string

const (
	keywords   spelled = "keywords"
	mechanisms spelled = "mechanisms"
)

var spellings = []spelled{keywords, mechanisms}

// selection is whose order decides among the mechanisms that both know.
type selection string

const (
	ownOrder    selection = "own"
	serverOrder selection = "server"
)

var selections = []selection{ownOrder, serverOrder}

// asking is when a client asks a POP3 server for its list.
type asking string

const (
	askNever    asking = "never"
	askAlways   asking = "always"
	askForSTLS  asking = "for-stls"   // only to see whether STLS is there
	askWithSTLS asking = "with-stls"  // for STLS, and again inside TLS
	askAtLogin  asking = "at-login"   // where it looks there, and not before the login: inside TLS where there is STLS
	askIfNoCAPA asking = "if-no-capa" // the bare AUTH: where CAPA was refused
)

var (
	capaAskings = []asking{askNever, askAlways, askForSTLS, askWithSTLS, askAtLogin}
	listAskings = []asking{askNever, askAlways, askIfNoCAPA}
)

// promptRule is what a client demands of the prompts of LOGIN.
type promptRule string

const (
	promptsUnread  promptRule = "unread"
	promptsExact   promptRule = "exact"   // "VXNlcm5hbWU6" and "UGFzc3dvcmQ6", to the letter
	promptsDecoded promptRule = "decoded" // in base64, "Username:" and "Password:" in any letter case
)

var promptRules = []promptRule{promptsUnread, promptsExact, promptsDecoded}

// stampRule is what a client demands of a challenge that should be a message-id
// (RFC 1939 7, RFC 2195 2). What stands between "<" and ">" is what APOP calls
// the timestamp; without both there is none.
type stampRule string

const (
	stampAny    stampRule = "any"
	stampASCII  stampRule = "ascii"
	stampWithAt stampRule = "with-at"
	// stampMsgID is RFC 822 6.1: printable and without blanks, one "@" with
	// something on either side, in "<" and ">".
	stampMsgID stampRule = "msg-id"
)

var stampRules = []stampRule{stampAny, stampASCII, stampWithAt, stampMsgID}

// takes reports whether the challenge is one by the rule.
func (r stampRule) takes(challenge string) bool {
	switch r {
	case stampAny:
		return true
	case stampASCII:
		return !strings.ContainsFunc(challenge, func(c rune) bool { return c > 0x7f })
	case stampWithAt:
		return strings.Contains(challenge, "@")
	default:
		return msgID.MatchString(challenge)
	}
}

var msgID = regexp.MustCompile(`^<[!-;=?A-~]+@[!-;=?A-~]+>$`)

// injection is what a client does with what came in clear before TLS.
type injection string

const (
	injectionFails   injection = "error"   // it gives up, as where the handshake fails
	injectionDropped injection = "discard" // it goes on as if nothing had been there
	injectionRead    injection = "read"    // it is taken for what was said inside TLS
)

var injections = []injection{injectionFails, injectionDropped, injectionRead}

// userForm is what of the account's name is the login name.
type userForm string

const (
	wholeName userForm = "whole"
	beforeAt  userForm = "before-at" // what stands before the last "@"
)

var userForms = []userForm{wholeName, beforeAt}

var helloForms = []helloForm{helloBareName, helloFullName, helloAddress, helloOfSender}
