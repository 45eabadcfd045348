// Package script is the language that compliance cases are written in: steps as
// data, which are played against a server, costed without one, and printed.
//
// A step that looks at an answer names the patterns that it may match, in
// order; the first that does decides:
//
//	"250", "504 5.5.4"  the beginning of an SMTP reply: digits of the code,
//	                    and the enhanced code where it is given
//	"5"                 a class of SMTP replies
//	"-ERR", "-ERR [AUTH]", "+OK"
//	                    the beginning of a POP3 reply
//	"refused"           5yz, or -ERR
//	"asked"             334, or a POP3 continuation: the server wants the secret
//	"in"                235, or +OK
//	"ok"                2yz, or +OK
//	"gone"              the connection ended
//	"silent"            no answer came in the time that the session grants
//	"~..."              a regular expression over the whole first line
//
// No pattern looks at prose. An answer that none matches is a failure of the
// server, but for one that says "not now" (421, 454, [SYS/TEMP] and their
// like): nothing is known then.
package script
