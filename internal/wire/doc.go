// Package wire is mail on the wire as a client sees it: lines, the reply
// grammars of SMTP and POP3, the upgrade to TLS, a transcript above TLS and a
// tap below it.
package wire
