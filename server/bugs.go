package server

import "slices"

// Bug names a mutant: a server that breaks exactly one rule, so that a suite
// can be shown to notice. The zero value is no bug.
type Bug string

// BugInfo describes a mutant.
type BugInfo struct {
	Name Bug
	// Rule is the rule of the contract's section 2 that it breaks, or the RFC.
	Rule string
	// What it does.
	What string
}

// The mutants, in the order of the rules that they break.
const (
	DenyIgnored          Bug = "deny-ignored"
	DenyHidesOnly        Bug = "deny-hides-only"
	SecureIgnoredOnPlain Bug = "secure-ignored-on-plain"
	SecureRefusedOnTLS   Bug = "secure-refused-on-tls"

	PermittedNotOffered Bug = "permitted-not-offered"
	ListKeptAfterTLS    Bug = "list-kept-after-tls"

	UnlistedAfterLogin Bug = "capa-shrinks-at-login"

	PolicyAtTheEnd       Bug = "policy-at-the-end"
	WrongAsUnavailable   Bug = "wrong-password-as-unavailable"
	WrongAccepted        Bug = "wrong-password-accepted"
	UnknownTold          Bug = "unknown-user-told"
	AuthzidIgnored       Bug = "authzid-ignored"
	SuccessCode          Bug = "success-code"
	BadBase64Forgiven    Bug = "bad-base64-forgiven"
	SecondAuth           Bug = "second-auth"
	AuthInTransaction    Bug = "auth-in-transaction"
	MechanismInUpperCase Bug = "upper-case-only"
	ChallengeReused      Bug = "challenge-reused"

	UnavailableAccepted Bug = "unavailable-accepted"

	PlusInClear      Bug = "plus-in-clear"
	BindingIgnored   Bug = "channel-binding-ignored"
	DowngradeIgnored Bug = "scram-downgrade-ignored"
	FewRounds        Bug = "scram-few-rounds"
	SaltOfNobody     Bug = "scram-salt-of-nobody"
	ForgedTaken      Bug = "forged-taken"
	StaleTaken       Bug = "stale-taken"

	OverrideIgnored Bug = "override-ignored"

	OpenRelay         Bug = "open-relay"
	DeletedAtOnce     Bug = "deleted-at-once"
	NoTLS             Bug = "no-tls"
	InjectionTrusted  Bug = "injection-trusted"
	HelloKeptOverTLS  Bug = "hello-kept-over-tls"
	ClearAfterFailure Bug = "clear-after-failed-handshake"
	OldTLSInModern    Bug = "old-tls-in-modern"

	NTLMv1InModern Bug = "ntlmv1-in-modern"

	UnknownTaken      Bug = "unknown-taken"
	InitialForgotten  Bug = "initial-response-forgotten"
	WordsInChallenges Bug = "words-in-challenges"
	CancelIgnored     Bug = "cancel-ignored"
	ExchangeObeys     Bug = "text-obeyed"
	ExchangeShort     Bug = "exchange-short"
	LongLineSplit     Bug = "long-line-split"
	OctetsForgiven    Bug = "octets-forgiven"
	MalformedForgiven Bug = "malformed-forgiven"
	EmptyPassword     Bug = "empty-password"
	FailureRemembered Bug = "failure-remembered"
	ProofWrong        Bug = "server-proof-wrong"
	MailRefused       Bug = "mail-refused"
	OrderIgnored      Bug = "order-ignored"
	PipelinedLost     Bug = "pipelined-lost"
	QuitGoesOn        Bug = "quit-goes-on"
	CodesMissing      Bug = "enhanced-codes-missing"
	ListsMalformed    Bug = "lists-malformed"
	NumbersWrap       Bug = "numbers-wrap"
	DotsNotStuffed    Bug = "dots-not-stuffed"
	UIDPerSession     Bug = "uid-per-session"
	TLSAgain          Bug = "tls-again"
	ImplicitClear     Bug = "implicit-port-in-clear"
	GreetingWrong     Bug = "greeting-wrong"
	CertificateWrong  Bug = "certificate-wrong"
)

var bugs = []BugInfo{
	{DenyIgnored, "1", "a denied mechanism is listed and accepted"},
	{DenyHidesOnly, "1", "a denied mechanism is not listed, and accepted all the same"},
	{SecureIgnoredOnPlain, "1", "secure permits on a clear connection"},
	{SecureRefusedOnTLS, "1; 2", "secure is listed inside TLS, and refused there too"},
	{PermittedNotOffered, "2", "what would be accepted is not listed: not by EHLO or CAPA, not by the bare AUTH, not by a timestamp"},
	{ListKeptAfterTLS, "2", "inside TLS the list of the clear connection is shown"},
	{UnlistedAfterLogin, "2; RFC 2449 5", "after a login CAPA has lost SASL, UIDL and TOP"},
	{PolicyAtTheEnd, "3", "what policy refuses is asked for its secret first, USER with +OK"},
	{WrongAsUnavailable, "3", "a wrong password is answered as if the mechanism were not available"},
	{WrongAccepted, "3", "any password is accepted, of a name that nobody has too"},
	{UnknownTold, "3; RFC 1939 13", "the answer tells an unknown name from a wrong password, that to USER too"},
	{AuthzidIgnored, "3; RFC 4422 2", "a request to act for somebody else is taken, and not obeyed"},
	{SuccessCode, "3; RFC 4954 4", "a login is confirmed with 250"},
	{BadBase64Forgiven, "3; RFC 4954 4", "what is no base64 is skipped, pads in the middle too"},
	{SecondAuth, "3; RFC 4954 4", "AUTH after a login is accepted"},
	{AuthInTransaction, "3; RFC 4954 4", "AUTH inside a mail transaction is accepted"},
	{MechanismInUpperCase, "3; RFC 4954 4; RFC 1939 3", "commands and mechanisms are known in upper case only"},
	{ChallengeReused, "3; RFC 2195 2; RFC 1939 7; RFC 5802 5.1; RFC 2831 2.1.1; MS-NLMP 3.2.5", "challenges, timestamps and nonces are the same every time"},
	{UnavailableAccepted, "4", "what the database or the flavour cannot do is listed and accepted"},
	{PlusInClear, "RFC 5802 4; RFC 4422 A", "mechanisms that rest on TLS are listed and tried without it"},
	{BindingIgnored, "RFC 5802 6", "a channel binding of another connection is accepted"},
	{DowngradeIgnored, "RFC 5802 6", "a client that was told of no -PLUS form is believed"},
	{FewRounds, "RFC 7677 3", "SCRAM's iteration count is 1,024"},
	{SaltOfNobody, "3", "a name that nobody has gets another salt each time"},
	{ForgedTaken, "RFC 7628 3.2; RFC 7519 7.2; RFC 4422 A", "a token with a wrong signature is accepted, and a client certificate of any authority, or none"},
	{StaleTaken, "RFC 7519 4.1.3, 4.1.4; RFC 7628 3.2.2; RFC 5280 4.1.2.5, 4.2.1.12; RFC 4120 3.2.3", "what is expired, for another or too narrow is accepted: token, client certificate, ticket"},
	{OverrideIgnored, "5", "an override password is not looked at"},
	{OpenRelay, "6", "strangers may relay"},
	{DeletedAtOnce, "RFC 1939 6", "DELE takes effect at once"},
	{NoTLS, "7; RFC 8314 3", "there is no TLS: no STARTTLS, no STLS, and no port for it"},
	{InjectionTrusted, "7; RFC 3207 6", "what came in clear behind STARTTLS is obeyed inside TLS"},
	{HelloKeptOverTLS, "7; RFC 3207 4.2; RFC 2595 4", "what was said before TLS still counts, a login too"},
	{ClearAfterFailure, "7; RFC 3207 4.1", "after a failed handshake the session goes on in clear"},
	{OldTLSInModern, "7; RFC 8996 4; RFC 7465 2", "modern speaks TLS 1.0, TLS 1.1 and RC4"},
	{NTLMv1InModern, "10", "modern accepts NTLMv1"},
	{UnknownTaken, "RFC 4954 4; RFC 5321 4.2.4; RFC 1939 3", "a mechanism and a command that nobody knows are taken"},
	{InitialForgotten, "RFC 4954 4; RFC 5034 4", "an empty initial response, and one to a mechanism in which the server speaks first, are overlooked"},
	{WordsInChallenges, "RFC 4954 4; RFC 5034 4", "challenges are words in place of base64"},
	{CancelIgnored, "RFC 4954 4; RFC 5034 4", "a cancelled exchange goes on"},
	{ExchangeObeys, "RFC 4954 4 and 8; RFC 5034 4", "what is no command is obeyed: a line of an exchange, and what AUTH= of MAIL decodes to"},
	{ExchangeShort, "RFC 4954 4; RFC 5034 4; RFC 4954 3", "lines of an exchange have no more room than commands, and who needs more is cut off"},
	{LongLineSplit, "RFC 4954 4; RFC 5321 4.5.3.1.9; RFC 2449 4", "the end of a line that is too long is the next command"},
	{OctetsForgiven, "RFC 5321 2.3.8; RFC 1939 3", "CR, LF and NUL end a line, each alone, and a line may be endless"},
	{MalformedForgiven, "RFC 4422 5", "a message that is none of its mechanism lets the first account in"},
	{EmptyPassword, "RFC 4616 2; RFC 4513 6.3.1", "an empty password is everybody's"},
	{FailureRemembered, "RFC 4422 3.6; RFC 4954 4; RFC 5034 4", "who has failed to log in is somebody from then on"},
	{ProofWrong, "RFC 5802 3; RFC 2831 2.1.3", "the server proves itself wrongly"},
	{MailRefused, "RFC 4954 5; RFC 6409 3.2", "MAIL with AUTH= and MAIL of nobody are refused"},
	{OrderIgnored, "RFC 5321 4.1.4; RFC 1939 3", "commands are obeyed in states in which they mean nothing"},
	{PipelinedLost, "RFC 2920 3.2; RFC 2449 6.6", "what was pipelined behind a login or an unknown command is lost"},
	{QuitGoesOn, "RFC 5321 4.1.1.10; RFC 1939 6", "QUIT is answered, and the session goes on"},
	{CodesMissing, "RFC 2034 4", "replies lack the enhanced code that EHLO promises"},
	{ListsMalformed, "RFC 5321 4.1.1.1; RFC 2449 3; RFC 4422 3.1; RFC 6409 7", "EHLO and CAPA hold lines and names that none may be"},
	{NumbersWrap, "RFC 1939 5", "a message number is counted modulo 2^32"},
	{DotsNotStuffed, "RFC 1939 3", "a line that begins with a dot is sent as it is"},
	{UIDPerSession, "RFC 1939 7", "a message has another unique-id in each session"},
	{TLSAgain, "RFC 3207 4.2; RFC 2595 4", "STARTTLS and STLS are listed and obeyed inside TLS and after a login"},
	{ImplicitClear, "RFC 8314 3", "a port for TLS from the first octet speaks in clear"},
	{GreetingWrong, "RFC 5321 3.1; RFC 1939 4", "SMTP greets with 250, and POP3 with more than 512 octets"},
	{CertificateWrong, "RFC 8314 3; RFC 9525 6; RFC 5280 4.2.1.12", "the certificate is expired, another server's, and for clients"},
}

// Bugs lists the mutants in the order of the rules that they break.
func Bugs() []BugInfo { return slices.Clone(bugs) }

// bug reports whether this server is the mutant b.
func (s *Server) bug(b Bug) bool { return s.mutant == b }

func knownBug(b Bug) bool {
	return b == "" || slices.ContainsFunc(bugs, func(i BugInfo) bool { return i.Name == b })
}
