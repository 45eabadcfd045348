package mech

import (
	"github.com/emersion/go-sasl"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// UserPass is POP3's own login (RFC 1939 7): USER carries the client's first
// message, PASS its second.
var UserPass = register(Impl{
	Traits: login.Traits{Name: login.UserPass, Class: login.ShowsPassword, Protocols: pop3Only,
		Refs:     []string{"RFC 1939 7"},
		Compared: login.Comparison{Status: "Internet Standard, optional", Malicious: "the password", Stolen: storedHashes}},
	Client: func(c ClientConfig) sasl.Client { return &namePasswordClient{login.UserPass, c} },
	Server: func(c ServerConfig) Server { return &namePasswordServer{config: c} },
})
