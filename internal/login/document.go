package login

// DocumentClient is one line of the document's "Common Email Client support":
// what a client can do in one protocol.
type DocumentClient struct {
	Profile    string
	Protocol   Protocol
	Mechanisms []Mechanism
	// Transports the client can be configured for.
	Transports []Transport
}

// Document is that section, word for word: a literal table beside which the
// profiles are held by a test.
func Document() []DocumentClient {
	// "Outlook supports TLS for sending mail (SMTP), but not for retrieving
	// mail (POP3)": an encrypted POP3 connection means port 995.
	noSTLS := []Transport{Plain, TLS}
	return []DocumentClient{
		{"outlook", POP3, []Mechanism{UserPass, NTLM}, noSTLS},
		{"outlook", SMTP, []Mechanism{NTLM}, Transports()},
		{"outlook-express", POP3, []Mechanism{UserPass, NTLM}, noSTLS},
		{"outlook-express", SMTP, []Mechanism{NTLM}, Transports()},
		// "Full TLS support is included."
		{"eudora", POP3, []Mechanism{UserPass, APOP, CRAMMD5, GSSAPI}, Transports()},
		{"eudora", SMTP, []Mechanism{CRAMMD5, GSSAPI, PLAIN}, Transports()},
	}
}
