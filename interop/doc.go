// Package interop is the outside view: programs that nobody here wrote log in
// to the reference server, and the server's own record says what happened.
//
// It has tests only. Each peer has a file of its own, with what it can do,
// what it lacks and why:
//
//	peer_test.go       finding and running a program
//	reference_test.go  the reference server on loopback
//	attempt_test.go    what every peer is asked, and how an answer is judged
//	curl_test.go, swaks_test.go, msmtp_test.go, mpop_test.go, gsasl_test.go
//	hello_test.go      says EHLO for gsasl, which forgets it before STARTTLS
//	kdc_test.go, kerberos_test.go
//	                   a KDC of MIT's, and who logs in with its tickets
//	dovecot_login_test.go
//	                   the other way round: our client logs in to Dovecot
//	document_test.go   docs/interop.md, from the tables of all of them
//	standing_test.go, servers_dovecot_test.go, servers_postfix_test.go,
//	servers_exim_test.go, servers_sink_test.go
//	                   servers that nobody here wrote, as targets of the suite
//	suite_test.go      the compliance cases against them; what is known/ of them
//	suite_findings_test.go
//	                   docs/findings.md, command by command
//	check_test.go, check_servers_test.go, check_scripted_test.go,
//	check_table_test.go, check_document_test.go
//	                   a remote check of nine real configurations and three of
//	                   our own; what is true of them is in testdata/check
//	check_manners_test.go
//	                   what fail2ban counts of it, and what crosses a clear link
//	check_proxy_test.go, check_faults_test.go
//	                   a network with faults, and a check through it
//	render_test.go, render_servers_test.go, render_cyrus_test.go,
//	render_kerberos_test.go
//	                   real servers, configured by what policies were rendered to
//	render_cannot_test.go
//	                   why some policies cannot be: what seems to express them
//	gosmtp_test.go     go-smtp's own client
//	mail_test.go       a message goes in by SMTP and comes out by POP3
//	openssl_test.go    TLS versions, by somebody else's TLS
//	certificate_test.go, mutant_test.go
//	                   peers refuse a wrong certificate, tests a wrong server
//
// A peer that is not installed is a skip that names the Debian package; with
// MAILMATRIX_INTEROP=required, as in the gate, it is a failure.
//
// The load tests (load_test.go, soak_test.go, crowd_test.go, and dovecot_test.go
// for the server they compare with) take minutes and run only when
// MAILMATRIX_LOAD=1. Their skip is on purpose, so "required" does not turn it
// into a failure.
package interop
