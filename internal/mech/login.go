package mech

import (
	"github.com/emersion/go-sasl"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Login asks for the name, then for the password
// (draft-murchison-sasl-login; it never became an RFC).
var Login = register(Impl{
	Traits: login.Traits{Name: login.LOGIN, Class: login.ShowsPassword, ClientFirst: true, Protocols: both,
		Refs:     []string{"draft-murchison-sasl-login"},
		Compared: login.Comparison{Status: "expired draft, obsolete", Malicious: "the password", Stolen: storedHashes}},
	Client: func(c ClientConfig) sasl.Client { return &namePasswordClient{login.LOGIN, c} },
	Server: func(c ServerConfig) Server {
		return &namePasswordServer{config: c, askForName: "Username:", askForPassword: "Password:"}
	},
})
