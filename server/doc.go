// Package server is the reference server: SMTP and POP3, with every rule of
// the document exact, and with mutants that break one rule each.
//
// A [Server] is one [login.Setup] brought to life. It owns no listener:
// [Server.Serve] takes one, [Server.ServeConn] takes a connection. A
// [Reference] owns the listeners of a run and hands out a new Server behind
// them for each experiment.
//
// How a connection goes through the house:
//
//	front.go    lines in, replies out, the upgrade to TLS; both protocols
//	sasl.go     one AUTH exchange for both protocols
//	decide.go   may this mechanism be used on this connection? Lists and
//	            refusals ask the same function
//	smtp.go     SMTP's commands; engine.go runs go-smtp for mail transactions
//	pop3.go     POP3 before the login; pop3_transaction.go after it
//	accounts.go what a database can check, and against which password
//	trust.go    who may relay
//
// On the ports that servers share, meetings.go finds out whose a connection is.
package server
