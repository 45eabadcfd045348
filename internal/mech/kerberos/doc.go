// Package kerberos speaks Kerberos V5 as GSS-API mechanism (RFC 4120,
// RFC 4121), as far as a login by RFC 4752 needs it: AP-REQ and AP-REP, the
// Wrap tokens of the security layer's negotiation, and tickets minted with the
// service's own key, so that no KDC is needed.
//
//	token.go      the frame around a message
//	key.go        keys, and what they encrypt
//	keytab.go     keys from a file
//	service.go    the acceptor: judges an AP-REQ, answers with an AP-REP
//	request.go    what an AP-REQ holds
//	replay.go     an AP-REQ is good for once
//	initiator.go  the other side
//	context.go    Wrap tokens, once both sides agree
//	realm.go      mints tickets
//	ticket.go     tickets on their way between programs
//
// ASN.1 and the encryption are gokrb5's. What it lacks, or takes more lightly
// than a strict server may, is here.
package kerberos

import "errors"

// Why a service refuses. The text that goes with them says what was wrong.
var (
	// ErrMalformed: these octets are no message of the exchange.
	ErrMalformed = errors.New("kerberos: malformed message")
	// ErrRefused: a message, but one that proves nothing.
	ErrRefused = errors.New("kerberos: refused")
)
